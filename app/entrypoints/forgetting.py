"""Forgetting a buyer of very many signals: a job that names nobody to who looks at jobs."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from app.core import jobs, sealing
from app.core.access import Actor, Role
from app.core.jobs import JobCancelled, JobFact, Progress
from app.entrypoints.door import Services
from app.stages.demand import operations
from app.stages.demand.queries import privacy

JOB = "erase-buyer"


def ask(
    here: Services, session: Session, *, pseudonyms: list[str], done: operations.ErasedFact, actor: Actor
) -> JobFact:
    """Ask for the rest to be forgotten, behind what is `done`."""
    sealed = sealing.seal(json.dumps(pseudonyms), key=here.config.secret_key)
    arguments = {
        jobs.SEALED: sealed,
        "after": done.next_after,
        "signals": done.signals,
        "ballots": done.ballots,
    }
    return jobs.enqueue(session, name=JOB, arguments=arguments, actor=actor, now=here.clock())


def check_stop(session: Session, *, job_id: int, actor: Actor) -> None:
    """Raise NotAllowed where somebody would stop what only administrators ask for."""
    if jobs.get_job(session, job_id=job_id).name == JOB:
        actor.must_be(Role.ADMINISTRATOR)


def erase(here: Services, job: JobFact, progress: Progress) -> dict[str, Any]:
    """Forget a buyer, some thousand signals a transaction; killed or stopped, what is forgotten stays so.

    A killed one begins where it was asked to.

    Raises:
        JobCancelled: somebody asked to stop.
    """
    pseudonyms = json.loads(sealing.unseal(job.arguments[jobs.SEALED], key=here.config.secret_key))
    signals, after = int(job.arguments["signals"]), int(job.arguments["after"])
    with here.db.reading() as session:
        total = signals + privacy.count_of(session, pseudonyms=pseudonyms, after=after)
    actor = Actor(job.created_by, Role.ADMINISTRATOR)
    further: int | None = after
    try:
        while further is not None:
            progress("erasing", signals, total)
            with here.db.transaction() as session:
                done = operations.erase_buyer(
                    session, pseudonyms=pseudonyms, after=further, actor=actor, now=here.clock()
                )
            signals, further = signals + done.signals, done.next_after
    except JobCancelled as stopped:
        raise JobCancelled(str(stopped), result={"signals": signals}) from stopped
    return {"signals": signals, "ballots": job.arguments["ballots"]}
