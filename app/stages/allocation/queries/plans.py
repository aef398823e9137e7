"""What can be asked about plans: runs, lines, flows, unmet demand, shares, limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.allocation import rules
from app.stages.allocation.models import (
    AllocationFlow,
    AllocationLine,
    AllocationRun,
    AllocationShare,
    ConcentrationLimit,
    UnmetDemand,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFact:
    """One accepted plan. Money is in minor units of `currency`; `gap` is (cost − bound) ÷ cost, 0–1.

    `cost_parts` holds purchase, award, order, freight, holding, late, short, risk, share and churn; they add
    up to `cost_minor`. Late, short, risk and share are prices of things nobody invoices; the rest is money
    spent. `settings` are those of `rules.PlanSettings`, and `stopped_by`: "time" when the time limit cut the
    search, so that the same inputs may give another plan next time; else null.
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

    @property
    def first_week(self) -> dt.date:
        return rules.monday(self.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLineFact:
    """Units of one SKU from one supplier to one warehouse, or straight to one region.

    `locked_quantity` of them are confirmed already; the rest is newly asked. `surplus_quantity` of them are
    bought only for a MOQ, a lot or a price break.
    """

    id: int
    supplier_id: int
    sku_id: int
    warehouse_id: int | None
    region_id: int | None
    order_week: dt.date
    arrival_week: dt.date
    quantity: int
    unit_price_minor: int
    locked_quantity: int
    surplus_quantity: int


@dataclass(frozen=True, slots=True)
class SankeyLink:
    """Units over the whole plan from one supplier to one warehouse, or to one region direct."""

    supplier_id: int
    warehouse_id: int | None
    region_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class WarehouseLink:
    """Units over the whole plan from one warehouse to one region, stock that was there included."""

    warehouse_id: int
    region_id: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareFact:
    """One supplier's part of a scope, 0–1.

    `share` is of what is allocated (who will make it), `demand_share` of what is wanted (units only; the
    optimizer's cap is on that one). `scope_key` is a SKU code, a category, or empty for the whole plan.
    """

    scope: str
    scope_key: str
    base: str
    supplier_id: int
    amount: int
    scope_amount: int
    share: float
    demand_share: float | None
    hhi: float
    effective_suppliers: float


@dataclass(frozen=True, slots=True)
class UnmetFact:
    sku_id: int
    region_id: int
    week: dt.date
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class UnmetSku:
    """Unplanned units of one SKU over all regions and weeks; `reasons` maps reason code to units."""

    sku_id: int
    quantity: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class WeekFlow:
    """Units by week: ordered from suppliers, arriving at warehouses or regions, leaving warehouses."""

    week: dt.date
    ordered: int
    arriving: int
    leaving: int


def latest_plan(session: Session, *, today: dt.date) -> PlanFact | None:
    """The plan that holds: of the latest planning week up to that of `today`, the one stored last.

    One made later for an earlier week is history, one for a week to come counts only where there is no other.
    """
    over = rules.monday(today) + dt.timedelta(weeks=1)
    reached = func.max(case((AllocationRun.as_of < over, AllocationRun.as_of)))
    last = session.scalar(select(func.coalesce(reached, func.max(AllocationRun.as_of))))
    if last is None:
        return None
    first = rules.monday(last)
    of_week = AllocationRun.as_of.between(first, first + dt.timedelta(days=6))
    query = select(AllocationRun).where(of_week).order_by(AllocationRun.id.desc()).limit(1)
    return _plan(session.scalars(query).one())


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
    """The newest plan that suppliers were asked for up to a week: not one whose search somebody ended."""
    over = rules.monday(as_of) + dt.timedelta(weeks=1)
    newest = (AllocationRun.as_of.desc(), AllocationRun.id.desc())
    runs = session.scalars(
        select(AllocationRun).where(AllocationRun.as_of < over).order_by(*newest).limit(20)
    )
    return next((_plan(run) for run in runs if run.settings.get("stopped_by") != "cancelled"), None)


def find_plan(session: Session, *, problem_digest: str) -> PlanFact | None:
    """The plan made from exactly these inputs, if there is one."""
    query = select(AllocationRun).where(AllocationRun.problem_digest == problem_digest)
    run = session.scalars(query).first()
    return None if run is None else _plan(run)


def plan_lines(
    session: Session,
    *,
    run_id: int,
    supplier_id: int | None = None,
    sku_id: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[PlanLineFact]:
    """Lines of a plan in a fixed order; not for suppliers (theirs are in confirmation)."""
    line = AllocationLine
    query = select(
        line.id,
        line.supplier_id,
        line.sku_id,
        line.warehouse_id,
        line.region_id,
        line.order_week,
        line.arrival_week,
        line.quantity,
        line.unit_price_minor,
        line.locked_quantity,
        line.surplus_quantity,
    ).where(*_line_filter(run_id, supplier_id, sku_id))
    rows = session.execute(query.order_by(line.id).limit(limit).offset(offset))
    return [PlanLineFact(**row) for row in rows.mappings()]


def count_plan_lines(
    session: Session, *, run_id: int, supplier_id: int | None = None, sku_id: int | None = None
) -> int:
    query = select(func.count()).where(*_line_filter(run_id, supplier_id, sku_id))
    return session.execute(query.select_from(AllocationLine)).scalar_one()


def _line_filter(run_id: int, supplier_id: int | None, sku_id: int | None) -> list[ColumnElement[bool]]:
    wanted = [AllocationLine.run_id == run_id]
    if supplier_id is not None:
        wanted.append(AllocationLine.supplier_id == supplier_id)
    if sku_id is not None:
        wanted.append(AllocationLine.sku_id == sku_id)
    return wanted


def supplier_warehouse_flows(session: Session, *, run_id: int) -> list[SankeyLink]:
    """The left half of the plan's Sankey, largest first."""
    line, total = AllocationLine, func.sum(AllocationLine.quantity)
    ends = (line.supplier_id, line.warehouse_id, line.region_id)
    query = select(*ends, total).where(line.run_id == run_id).group_by(*ends).order_by(total.desc(), *ends)
    return [SankeyLink(row[0], row[1], row[2], int(row[3])) for row in session.execute(query)]


def warehouse_region_flows(session: Session, *, run_id: int) -> list[WarehouseLink]:
    """The right half of the plan's Sankey, largest first."""
    flow, total = AllocationFlow, func.sum(AllocationFlow.quantity)
    ends = (flow.warehouse_id, flow.region_id)
    query = select(*ends, total).where(flow.run_id == run_id).group_by(*ends).order_by(total.desc(), *ends)
    return [WarehouseLink(row[0], row[1], int(row[2])) for row in session.execute(query)]


def weekly_flows(session: Session, *, run_id: int) -> list[WeekFlow]:
    """Units by planning week, every week of the horizon."""
    plan = get_plan(session, run_id=run_id)
    line, flow = AllocationLine, AllocationFlow
    ordered = _by_week(session, line.order_week, line.quantity, line.run_id == run_id)
    arriving = _by_week(session, line.arrival_week, line.quantity, line.run_id == run_id)
    leaving = _by_week(session, flow.week, flow.quantity, flow.run_id == run_id)
    weeks = [rules.week_of(index, first=plan.first_week) for index in range(plan.weeks)]
    return [
        WeekFlow(week, ordered.get(week, 0), arriving.get(week, 0), leaving.get(week, 0)) for week in weeks
    ]


def _by_week(session: Session, week: Any, units: Any, condition: ColumnElement[bool]) -> dict[dt.date, int]:
    rows = session.execute(select(week, func.sum(units)).where(condition).group_by(week))
    return {row[0]: int(row[1]) for row in rows}


def shares(
    session: Session,
    *,
    run_id: int,
    scope: str | None = None,
    scope_key: str | None = None,
    base: str | None = None,
    above: int | None = None,
    limit: int | None = None,
) -> list[ShareFact]:
    """Shares of a plan, largest amounts above the line first.

    `above` keeps those strictly above that many percent, by integers: exactly 40 % is not above 40.
    """
    row = AllocationShare
    query = select(row).where(row.run_id == run_id)
    for column, value in ((row.scope, scope), (row.scope_key, scope_key), (row.base, base)):
        if value is not None:
            query = query.where(column == value)
    if above is not None:
        query = query.where(row.amount * 100 > above * row.scope_amount)
    excess = row.amount * 100 - (above or 0) * row.scope_amount
    query = query.order_by(excess.desc(), row.scope, row.scope_key, row.base, row.supplier_id).limit(limit)
    return [_share(found) for found in session.scalars(query)]


def unmet(
    session: Session, *, run_id: int, sku_id: int | None = None, limit: int | None = None
) -> list[UnmetFact]:
    """Unplanned demand cells, largest first."""
    cell = UnmetDemand
    query = select(cell.sku_id, cell.region_id, cell.week, cell.quantity, cell.reason).where(
        cell.run_id == run_id
    )
    if sku_id is not None:
        query = query.where(cell.sku_id == sku_id)
    query = query.order_by(cell.quantity.desc(), cell.sku_id, cell.region_id, cell.week).limit(limit)
    return [UnmetFact(*row) for row in session.execute(query)]


def unmet_by_sku(session: Session, *, run_id: int, limit: int | None = None) -> list[UnmetSku]:
    """Unplanned units by SKU with their reasons, largest first."""
    cell = UnmetDemand
    query = (
        select(cell.sku_id, cell.reason, func.sum(cell.quantity))
        .where(cell.run_id == run_id)
        .group_by(cell.sku_id, cell.reason)
    )
    found: dict[int, dict[str, int]] = {}
    for sku, reason, units in session.execute(query):
        found.setdefault(sku, {})[reason] = int(units)
    skus = [UnmetSku(sku, sum(reasons.values()), reasons) for sku, reasons in found.items()]
    return sorted(skus, key=lambda sku: (-sku.quantity, sku.sku_id))[:limit]


def limits(session: Session) -> Sequence[rules.Limit]:
    """The concentration limits that hold: what was set, or the default."""
    rows = session.scalars(
        select(ConcentrationLimit).order_by(ConcentrationLimit.scope, ConcentrationLimit.base)
    ).all()
    found = [
        rules.Limit(
            rules.Scope(row.scope), rules.Base(row.base), row.threshold_percent, row.hard, row.penalty_minor
        )
        for row in rows
    ]
    return tuple(found) or rules.DEFAULT_LIMITS


def _plan(run: AllocationRun) -> PlanFact:
    values = {name: getattr(run, name) for name in PlanFact.__dataclass_fields__ if name != "run_id"}
    return PlanFact(run_id=run.id, **values)


def _share(row: AllocationShare) -> ShareFact:
    return ShareFact(
        scope=row.scope,
        scope_key=row.scope_key,
        base=row.base,
        supplier_id=row.supplier_id,
        amount=row.amount,
        scope_amount=row.scope_amount,
        share=row.amount / row.scope_amount,
        demand_share=row.amount / row.demand_amount if row.demand_amount else None,
        hhi=row.hhi,
        effective_suppliers=rules.effective_suppliers(row.hhi),
    )


def money_text(minor: int, *, currency: str) -> str:
    """Minor units as people write them: 1,234.50 in CNY, 1,235 in JPY."""
    digits = get_currency_precision(currency)
    return f"{minor / 10**digits:,.{digits}f}"
