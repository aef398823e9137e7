"""Plans: which holds, which were made, and what each says of itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.allocation import rules
from app.stages.allocation.models import AllocationRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFact:
    """One accepted plan. Money is in minor units of `currency`; `gap` is (cost − bound) ÷ cost, 0–1.

    `cost_parts` holds purchase, award, order, freight, holding, late, short, risk, share and churn; they add
    up to `cost_minor`. Late, short, risk and share are prices of things nobody invoices; the rest is money
    spent. `settings` are those of `rules.PlanSettings`, and `stopped_by`: "time" when the time limit cut the
    search, so that the same inputs may give another plan next time; else null. `asked_at` is when suppliers
    were last asked for it; `ahead` says that it was made before its day.
    """

    run_id: int
    forecast_run_id: int
    as_of: dt.date
    weeks: int
    status: str
    currency: str
    problem_digest: str
    plan_digest: str
    settings: dict[str, Any]
    demand_units: int
    planned_units: int
    unmet_units: int
    cost_minor: int
    bound_minor: int
    gap: float
    cost_parts: dict[str, int]
    binding: list[dict[str, Any]]
    seconds: float
    created_by: str
    created_at: dt.datetime
    asked_at: dt.datetime | None
    ahead: bool

    @property
    def first_week(self) -> dt.date:
        return rules.monday(self.as_of)


def latest_plan(session: Session, *, today: dt.date) -> PlanFact | None:
    """The plan that holds: of the latest planning week up to that of `today`, the one stored last.

    One made later for an earlier week is history. One made ahead is a preview, also once its week has come,
    until suppliers are asked for it; it counts only where there is no other.
    """
    run, over = AllocationRun, rules.monday(today) + dt.timedelta(weeks=1)
    preview = run.ahead & run.asked_at.is_(None)
    reached = session.scalar(select(func.max(run.as_of)).where(run.as_of < over, ~preview))
    last = reached or session.scalar(select(func.max(run.as_of)))
    if last is None:
        return None
    first = rules.monday(last)
    query = select(run).where(run.as_of.between(first, first + dt.timedelta(days=6)))
    query = query.where(~preview) if reached else query
    return _plan(session.scalars(query.order_by(run.id.desc()).limit(1)).one())


def list_plans(session: Session, *, limit: int = 20, before_id: int | None = None) -> list[PlanFact]:
    """Plans, newest first."""
    query = select(AllocationRun).order_by(AllocationRun.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AllocationRun.id < before_id)
    return [_plan(run) for run in session.scalars(query)]


def get_plan(session: Session, *, run_id: int) -> PlanFact:
    """One plan. Raises NotFound."""
    run = session.get(AllocationRun, run_id)
    if run is None:
        raise NotFound("plan_unknown", f"There is no plan {run_id}.", run_id=run_id)
    return _plan(run)


def last_asked(session: Session, *, as_of: dt.date) -> PlanFact | None:
    """The plan up to a week that suppliers were asked for last: no preview, none whose search was ended."""
    over = rules.monday(as_of) + dt.timedelta(weeks=1)
    query = select(AllocationRun).where(AllocationRun.as_of < over, AllocationRun.asked_at.is_not(None))
    newest = (AllocationRun.asked_at.desc(), AllocationRun.id.desc())
    run = session.scalars(query.order_by(*newest).limit(1)).first()
    return None if run is None else _plan(run)


def find_plan(session: Session, *, problem_digest: str) -> PlanFact | None:
    """The plan made from exactly these inputs, if there is one."""
    query = select(AllocationRun).where(AllocationRun.problem_digest == problem_digest)
    run = session.scalars(query).first()
    return None if run is None else _plan(run)


def _plan(run: AllocationRun) -> PlanFact:
    values = {name: getattr(run, name) for name in PlanFact.__dataclass_fields__ if name != "run_id"}
    return PlanFact(run_id=run.id, **values)


def money_text(minor: int, *, currency: str) -> str:
    """Minor units as people write them: 1,234.50 in CNY, 1,235 in JPY."""
    digits = get_currency_precision(currency)
    return f"{minor / 10**digits:,.{digits}f}"
