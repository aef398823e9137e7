"""Who makes what of a plan and where it goes: lines, flows, and units by week."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.stages.allocation import rules
from app.stages.allocation.models import AllocationFlow, AllocationLine
from app.stages.allocation.queries.plans import get_plan


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


@dataclass(frozen=True, slots=True)
class WeekFlow:
    """Units by week: ordered from suppliers, arriving at warehouses or regions, leaving warehouses."""

    week: dt.date
    ordered: int
    arriving: int
    leaving: int


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
