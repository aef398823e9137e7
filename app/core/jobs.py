"""Long work: a row in the caller's transaction is the truth, a worker with a lease does it.

A lease that runs out is taken over by another worker; the fencing token (`attempt`) makes what the first one
still writes void.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import JSON, Index, String, Text, Update, and_, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.access import Actor
from app.core.db import Base, BigId, UtcDateTime, one_of
from app.core.errors import Conflict, NotFound

Figures = Mapping[str, float | None]
"""What long work knows of its result so far, by name."""


class Progress(Protocol):
    """Told from time to time where the work is; it may raise to cancel it."""

    def __call__(self, phase: str, done: int, total: int, figures: Figures | None = None, /) -> None: ...


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Base):
    __tablename__ = "job"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12), default=JobState.QUEUED)
    attempt: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    phase: Mapped[str] = mapped_column(String(60), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        one_of("state", [state.value for state in JobState]),
        Index(None, "state", "lease_until"),
    )


SEALED = "sealed"
"""The argument that names somebody, encrypted: it goes with the end of the job, however it ends."""
LEASE = dt.timedelta(seconds=60)
"""How long a worker may be silent before another takes its job over."""


class JobLost(Exception):
    """The lease went to another worker; stop, what is written from here on is void."""


class JobCancelled(Exception):
    """Somebody asked for the job to stop. `result` is what was kept of it all the same."""

    def __init__(self, sentence: str, *, result: dict[str, Any] | None = None) -> None:
        self.result = result
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class JobFact:
    id: int
    name: str
    arguments: dict[str, Any]
    state: JobState
    attempt: int
    cancel_requested: bool
    phase: str
    done: int
    total: int
    figures: dict[str, Any] | None
    result: dict[str, Any] | None
    error: str | None
    created_by: str
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None

    @property
    def running(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)


def enqueue(
    session: Session, *, name: str, arguments: dict[str, Any], actor: Actor, now: dt.datetime
) -> JobFact:
    """Ask for long work in the caller's transaction; the same work waiting or running is returned instead."""
    open_states = (JobState.QUEUED, JobState.RUNNING)
    for job in session.scalars(
        select(Job).where(Job.name == name, Job.state.in_(open_states)).order_by(Job.id)
    ):
        if job.arguments == arguments:
            return _fact(job)
    job = Job(name=name, arguments=arguments, created_by=actor.name, created_at=now)
    session.add(job)
    session.flush()
    return _fact(job)


def claim(session: Session, *, now: dt.datetime) -> JobFact | None:
    """Take the oldest job that waits, or whose worker fell silent, under a new fencing token.

    SKIP LOCKED lets workers on PostgreSQL pass each other; SQLite has one writer at a time.
    """
    waiting = or_(Job.state == JobState.QUEUED, and_(Job.state == JobState.RUNNING, Job.lease_until < now))
    job = session.scalar(
        select(Job).where(waiting).order_by(Job.id).limit(1).with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    job.state = JobState.RUNNING
    job.attempt += 1
    job.started_at = job.started_at or now
    job.lease_until = now + LEASE
    job.phase, job.done, job.total, job.figures = "", 0, 0, None  # a dead worker's are no progress
    session.flush()
    return _fact(job)


def heartbeat(
    session: Session,
    *,
    job: JobFact,
    phase: str,
    done: int,
    total: int,
    now: dt.datetime,
    figures: Figures | None = None,
) -> None:
    """Report progress and keep the lease.

    Raises:
        JobLost: another worker has the job.
        JobCancelled: somebody asked to stop.
    """
    known = None if figures is None else dict(figures)
    kept = _as_holder(job).values(
        phase=phase[:60], done=done, total=total, figures=known, lease_until=now + LEASE
    )
    row = session.execute(kept.returning(Job.cancel_requested)).one_or_none()
    if row is None:
        raise JobLost(f"job {job.id} went to another worker")
    if row.cancel_requested:
        raise JobCancelled(f"job {job.id} was cancelled")


def finish(
    session: Session,
    *,
    job: JobFact,
    state: JobState,
    now: dt.datetime,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """Close the job; raises JobLost if it is no longer this worker's."""
    closed = _as_holder(job).values(
        state=state,
        arguments=_told(job.arguments),
        result=result,
        error=error,
        finished_at=now,
        lease_until=None,
    )
    if session.execute(closed.returning(Job.id)).one_or_none() is None:
        raise JobLost(f"job {job.id} went to another worker")


def cancel(session: Session, *, job_id: int, now: dt.datetime) -> JobFact:
    """Stop a job at once that waits or whose worker fell silent, and any other at its next report.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound("job_unknown", f"There is no job {job_id}.")
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        raise Conflict("job_ended", f"Job {job_id} is {job.state} already.")
    job.cancel_requested = True
    if job.lease_until is None or job.lease_until < now:
        job.state, job.finished_at, job.lease_until = JobState.CANCELLED, now, None
        job.arguments = _told(job.arguments)
    session.flush()
    return _fact(job)


def cancel_for(session: Session, *, name: str, arguments: dict[str, Any], now: dt.datetime) -> None:
    """Stop the jobs that do just this; none may be waiting or running."""
    open_states = (JobState.QUEUED, JobState.RUNNING)
    for job in session.scalars(select(Job).where(Job.name == name, Job.state.in_(open_states))):
        if job.arguments == arguments:
            cancel(session, job_id=job.id, now=now)


def get_job(session: Session, *, job_id: int) -> JobFact:
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound("job_unknown", f"There is no job {job_id}.")
    return _fact(job)


def list_jobs(session: Session, *, limit: int = 50) -> list[JobFact]:
    return [_fact(job) for job in session.scalars(select(Job).order_by(Job.id.desc()).limit(limit))]


def latest_jobs(session: Session, *, name: str, argument: str, limit: int = 100) -> dict[Any, JobFact]:
    """The newest job of a name for each value of an argument, among the last `limit` of that name."""
    query = select(Job).where(Job.name == name).order_by(Job.id.desc()).limit(limit)
    newest: dict[Any, JobFact] = {}
    for job in session.scalars(query):
        newest.setdefault(job.arguments.get(argument), _fact(job))
    return newest


def open_job(session: Session, *, name: str) -> JobFact | None:
    """The newest waiting or running job of a name."""
    open_states = (JobState.QUEUED, JobState.RUNNING)
    query = select(Job).where(Job.name == name, Job.state.in_(open_states)).order_by(Job.id.desc()).limit(1)
    job = session.scalar(query)
    return _fact(job) if job else None


def _told(arguments: dict[str, Any]) -> dict[str, Any]:
    """What of a job's arguments stays on record."""
    return {name: value for name, value in arguments.items() if name != SEALED}


def _as_holder(job: JobFact) -> Update:
    return update(Job).where(Job.id == job.id, Job.attempt == job.attempt, Job.state == JobState.RUNNING)


def _fact(job: Job) -> JobFact:
    return JobFact(
        job.id,
        job.name,
        job.arguments,
        JobState(job.state),
        job.attempt,
        job.cancel_requested,
        job.phase,
        job.done,
        job.total,
        job.figures,
        job.result,
        job.error,
        job.created_by,
        job.created_at,
        job.started_at,
        job.finished_at,
    )
