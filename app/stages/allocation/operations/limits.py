"""Setting the concentration limits."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.stages.allocation import rules
from app.stages.allocation.models import ConcentrationLimit


def set_limit(session: Session, *, limit: rules.Limit, actor: Actor, now: dt.datetime) -> None:
    """Set the concentration limit of one scope and base; the first one set replaces the default ones.

    Raises:
        RuleBroken: limit_threshold or limit_penalty out of range.
    """
    actor.must_be(Role.MERCHANDISER)
    if not 1 <= limit.threshold_percent <= 100:
        raise RuleBroken("limit_threshold", "A threshold is 1 to 100 percent.", given=limit.threshold_percent)
    if limit.penalty_minor is not None and limit.penalty_minor < 0:
        raise RuleBroken("limit_penalty", "A penalty is not negative.", given=limit.penalty_minor)
    key = {"scope": limit.scope.value, "base": limit.base.value}
    values = {
        "threshold_percent": limit.threshold_percent,
        "hard": limit.hard,
        "penalty_minor": limit.penalty_minor,
    }
    session.execute(delete(ConcentrationLimit).filter_by(**key))
    session.execute(insert(ConcentrationLimit).values(**key, **values))
    audit.record(
        session,
        actor=actor,
        action="limit.set",
        subject=f"limit:{limit.scope.value}:{limit.base.value}",
        data=values,
        now=now,
    )
