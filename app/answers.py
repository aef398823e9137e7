"""What suppliers answer, and what an answer sets off in other stages, in one transaction of the caller's."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from app.core import jobs
from app.core.access import Actor
from app.stages.alerts import operations as alerts
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation.queries import LineFact

PREVIEW = "preview-counter"
"""The job that finds out what a counter-offer would do to the plan; its arguments are those of `_of`."""


def take_answer(session: Session, *, actor: Actor, line_id: int, now: dt.datetime, **answer: Any) -> LineFact:
    """Record an answer (`confirmation.record_answer`). A decline is an alert at once; what a counter-offer
    would do to the plan is to be found out."""
    line = confirmation.record_answer(session, actor=actor, line_id=line_id, now=now, **answer)
    if line.state == "declined":
        alerts.refresh_answers(session, run_id=line.run_id, now=now)
    if line.state == "countered":
        ask_preview(session, line, actor=actor, now=now)
    return line


def ask_preview(session: Session, line: LineFact, *, actor: Actor, now: dt.datetime) -> jobs.JobFact:
    """Have it found out what the counter-offer would do to the plan."""
    return jobs.enqueue(
        session, name=PREVIEW, arguments=_of(line.id, version=line.version), actor=actor, now=now
    )


def settle_counter(
    session: Session, *, actor: Actor, line_id: int, version: int, accept: bool, now: dt.datetime
) -> LineFact:
    """Take or refuse a counter-offer (`confirmation.settle_counter`); nobody need know any more what it would
    do."""
    line = confirmation.settle_counter(
        session, actor=actor, line_id=line_id, version=version, accept=accept, now=now
    )
    jobs.cancel_for(session, name=PREVIEW, arguments=_of(line_id, version=line.version - 1), now=now)
    return line


def _of(line_id: int, *, version: int) -> dict[str, Any]:
    return {"line_id": line_id, "version": version}
