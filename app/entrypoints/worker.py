"""The worker: takes jobs from the table, reports their progress, and gives way when its lease is lost."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import Callable
from typing import Any

import click
import structlog
from flask import Flask
from flask.cli import with_appcontext

from app.answers import PREVIEW
from app.core import jobs
from app.core.access import Actor, Role
from app.core.errors import HeadwaterError
from app.core.jobs import Figures, JobCancelled, JobFact, JobLost, JobState, Progress
from app.cycle import run_cycle as turn
from app.entrypoints import forgetting, resumable
from app.entrypoints.door import Services, services
from app.entrypoints.pulling import Puller
from app.questions import explain_plan, preview_counter, run_scenario

BEAT_SECONDS = 1.0
POLL_SECONDS = 1.0
log = structlog.get_logger()

Task = Callable[[Services, JobFact, Progress], dict[str, Any]]


def run_cycle(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """One turn of the planning cycle; arguments: as_of (ISO date)."""
    fact = turn(
        here.db,
        config=here.config,
        as_of=dt.date.fromisoformat(job.arguments["as_of"]),
        actor=Actor(job.created_by, Role.ADMINISTRATOR),
        now=here.clock,
        progress=progress,
    )
    with here.db.transaction() as session:
        jobs.enqueue(
            session,
            name="explain-plan",
            arguments={"run_id": fact.allocation_run_id},
            actor=Actor(job.created_by, Role.ADMINISTRATOR),
            now=here.clock(),
        )
    return fact.as_dict()


def explain(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """What binds a plan, what relief is worth, why shares are as they are; arguments: run_id."""
    run_id = int(job.arguments["run_id"])
    explain_plan(here.db, run_id=run_id, now=here.clock, progress=progress)
    return {"allocation_run_id": run_id}


def scenario(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """A plan's problem with something otherwise; arguments: scenario_id."""
    scenario_id = int(job.arguments["scenario_id"])
    run_scenario(here.db, config=here.config, scenario_id=scenario_id, progress=progress)
    return {"scenario_id": scenario_id}


def pull_channel(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """Pull a channel until its last page; arguments: channel."""
    return Puller(here, progress).pull(str(job.arguments["channel"]))


def import_upload(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """Import a file that came in parts; arguments: upload_id."""
    return resumable.import_upload(here, str(job.arguments["upload_id"]), job.created_by, progress)


def preview(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """What a counter-offer would do to the plan; arguments: line_id and version, which tells jobs apart."""
    line_id = int(job.arguments["line_id"])
    preview_counter(here.db, config=here.config, line_id=line_id, now=here.clock, progress=progress)
    return {"line_id": line_id}


TASKS: dict[str, Task] = {
    "run-cycle": run_cycle,
    "explain-plan": explain,
    "run-scenario": scenario,
    "pull-channel": pull_channel,
    resumable.JOB: import_upload,
    PREVIEW: preview,
    forgetting.JOB: forgetting.erase,
}


class Heart:
    """Keeps the lease of one job from a thread of its own, so that a long silent step does not lose it."""

    def __init__(self, here: Services, job: JobFact) -> None:
        self._here = here
        self._job = job
        self._latest: tuple[str, int, int, Figures | None] = ("", 0, 0, None)
        self._ended = threading.Event()
        self._stop_with: Exception | None = None
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def progress(self, phase: str, done: int, total: int, figures: Figures | None = None) -> None:
        """Called by the work: remembers where it is, and stops it when it must stop."""
        self._latest = (phase, done, total, figures)
        if self._stop_with is not None:
            raise self._stop_with

    def _beat(self) -> None:
        while self._stop_with is None:
            phase, done, total, figures = self._latest
            try:
                with self._here.db.transaction() as session:
                    jobs.heartbeat(
                        session,
                        job=self._job,
                        phase=phase,
                        done=done,
                        total=total,
                        figures=figures,
                        now=self._here.clock(),
                    )
            except (JobLost, JobCancelled) as end:
                self._stop_with = end
            if self._ended.wait(BEAT_SECONDS):
                return


def perform(here: Services, job: JobFact) -> JobState | None:
    """Do one claimed job and close it; None when it was lost to another worker."""
    bound = log.bind(job=job.id, name=job.name, attempt=job.attempt)
    try:
        with Heart(here, job) as heart:
            result = TASKS[job.name](here, job, heart.progress)
        return _close(here, job, JobState.DONE, result=result)
    except JobLost:
        bound.warning("job lost to another worker")
        return None
    except JobCancelled as stopped:
        return _close(here, job, JobState.CANCELLED, result=stopped.result)
    except HeadwaterError as refusal:
        return _fail(here, job, refusal.code, refusal.status, refusal.sentence)
    except Exception as error:  # the worker must outlive any job; the trace goes to the log
        bound.exception("job failed")
        return _fail(here, job, "unexpected", 500, f"unexpected {type(error).__name__}; see the log")


def _fail(here: Services, job: JobFact, code: str, status: int, sentence: str) -> JobState:
    """Close a job with why it failed; the code lets pages say it in the reader's language."""
    why = {"code": code, "status": status}
    return _close(here, job, JobState.FAILED, result=why, error=sentence)


def _close(
    here: Services,
    job: JobFact,
    state: JobState,
    *,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> JobState:
    with here.db.transaction() as session:
        jobs.finish(session, job=job, state=state, result=result, error=error, now=here.clock())
    log.info("job ended", job=job.id, name=job.name, state=state.value, error=error)
    return state


def work_off(here: Services) -> int:
    """Do every job that waits now; returns how many were taken."""
    taken = 0
    while (job := _claim(here)) is not None:
        perform(here, job)
        taken += 1
    return taken


def _claim(here: Services) -> JobFact | None:
    with here.db.transaction() as session:
        return jobs.claim(session, now=here.clock())


@click.command("worker")
@click.option("--once", is_flag=True, help="Stop when no job waits.")
@with_appcontext
def command(once: bool) -> None:
    """Do queued jobs until stopped."""
    here = services()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    work_off(here)
    while not once and not stop.wait(POLL_SECONDS):
        work_off(here)


def register(app: Flask) -> None:
    app.cli.add_command(command)
