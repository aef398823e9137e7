"""Setting what plans are made with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.stages.allocation import rules
from app.stages.allocation.models import PlanPolicy


def set_policy(
    session: Session, *, service: Mapping[str, int], churn_minor: int | None, actor: Actor, now: dt.datetime
) -> None:
    """Set the service levels and the charge for changes of every plan from the next one on.

    Args:
        service: percent by SKU class; a class that is left out is planned to its mean.
        churn_minor: minor units of money for a unit of the last plan that is not ordered again; None for
        none.

    Raises:
        RuleBroken: service_level, churn_charge.
    """
    actor.must_be(Role.MERCHANDISER)
    rules.check_policy(service=service, churn_minor=churn_minor)
    levels = {f"service_{name.lower()}": service.get(name) for name in rules.CLASSES}
    session.execute(delete(PlanPolicy))
    session.execute(insert(PlanPolicy).values(id=1, churn_minor=churn_minor, **levels))
    session.expire_all()
    data = {"service": dict(service), "churn_minor": churn_minor}
    audit.record(session, actor=actor, action="policy.set", subject="policy:plan", data=data, now=now)
