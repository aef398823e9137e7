"""What is known about a plan beyond its figures, and about inputs without one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.allocation.models import PlanDocument, PlanExplanation, PlanRefusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationFact:
    """Rows of codes and numbers; money is in minor units of the plan's currency.

    relief: rule, ids, step, saving, per_unit, shadow_price, words. caps: scope, key, cap, hard, demand,
    suppliers, floor, top, top_share, price, lowest, lowest_cost, words. why: sku, supplier, units, share,
    extra, per_unit, decided_by, deciding, instead, held_by, words. Places and SKUs are named by their codes.
    """

    run_id: int
    relief: list[dict[str, Any]]
    caps: list[dict[str, Any]]
    why: list[dict[str, Any]]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalFact:
    """Why inputs have no plan.

    clashes: groups of rules (rule, ids, numbers, words), none of which can be left out. relaxations: code,
    change, cost (minor units), unmet, caps, numbers; cheapest first.
    """

    id: int
    as_of: dt.date
    currency: str
    problem_digest: str
    clashes: list[list[dict[str, Any]]]
    relaxations: list[dict[str, Any]]
    lowest_share: float | None
    created_by: str
    created_at: dt.datetime
    decision: dict[str, Any] | None
    decided_by: str | None
    decided_at: dt.datetime | None


def explanation(session: Session, *, run_id: int) -> ExplanationFact | None:
    """What was found out about a plan, if anything was."""
    row = session.get(PlanExplanation, run_id)
    if row is None:
        return None
    return ExplanationFact(**{name: getattr(row, name) for name in ExplanationFact.__dataclass_fields__})


def can_be_explained(session: Session, *, run_id: int) -> bool:
    """Whether the plan's documents were kept."""
    query = select(PlanDocument.run_id).where(PlanDocument.run_id == run_id)
    return session.scalar(query) is not None


def get_refusal(session: Session, *, refusal_id: int) -> RefusalFact:
    """Raises NotFound."""
    row = session.get(PlanRefusal, refusal_id)
    if row is None:
        raise NotFound("refusal_unknown", f"There is no refusal {refusal_id}.", refusal_id=refusal_id)
    return _refusal(row)


def latest_refusal(session: Session) -> RefusalFact | None:
    """The inputs that were refused last."""
    order = (PlanRefusal.created_at.desc(), PlanRefusal.id.desc())
    row = session.scalars(select(PlanRefusal).order_by(*order).limit(1)).first()
    return None if row is None else _refusal(row)


def _refusal(row: PlanRefusal) -> RefusalFact:
    return RefusalFact(**{name: getattr(row, name) for name in RefusalFact.__dataclass_fields__})
