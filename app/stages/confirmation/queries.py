"""What can be asked about plan lines. One function narrows every query to what its reader may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session

from app.core.access import SYSTEM, Actor, Role
from app.core.errors import NotAllowed, NotFound
from app.stages.confirmation.models import Answer, CounterPreview, PlanLine, ProductionPlan
from app.stages.confirmation.rules import LineState, shortfall


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFact:
    """One line of a production plan: what is asked, what it stands to, and until when it can be answered.

    `due_week` is the week the goods are due at their destination. `deadline` is the last moment to answer.
    `region_withheld`: it goes straight to a region of fewer than five buyers, which the supplier is not told
    (for it `region_id` is None).
    """

    id: int
    plan_id: int
    run_id: int
    supplier_id: int
    sku_id: int
    warehouse_id: int | None
    region_id: int | None
    order_week: dt.date
    due_week: dt.date
    quantity: int
    unit_price_minor: int
    currency: str
    state: str
    version: int
    promised_quantity: int | None
    promised_week: dt.date | None
    first_promised_quantity: int | None
    first_promised_week: dt.date | None
    counter_refused: bool
    region_withheld: bool
    deadline: dt.datetime

    @property
    def shortfall(self) -> int:
        return shortfall(self.quantity, self.promised_quantity)


@dataclass(frozen=True, slots=True)
class AnswerFact:
    kind: str
    quantity: int | None
    week: dt.date | None
    note: str
    answered_by: str
    answered_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedLine:
    """Units a supplier has confirmed: a plain value the next turn of the cycle plans around."""

    line_id: int
    supplier_id: int
    sku_id: int
    warehouse_id: int | None
    region_id: int | None
    order_week: dt.date
    arrival_week: dt.date
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class ConfirmationRate:
    """Lines and units of one run by where they stand; `rate` is confirmed ÷ asked units, 0–1."""

    asked_units: int
    confirmed_units: int
    lines_by_state: dict[str, int]

    @property
    def rate(self) -> float:
        return self.confirmed_units / self.asked_units if self.asked_units else 0.0


@dataclass(frozen=True, slots=True)
class SupplierStanding:
    """Lines of one supplier in one run that were declined or ran out, for alerts."""

    supplier_id: int
    state: str
    lines: int
    units: int
    skus: int


@dataclass(frozen=True, slots=True)
class PreviewFact:
    """What taking or refusing a counter-offer would do to the plan that asked.

    result: run_id, supplier and sku (codes), currency; asked, accept and refuse, each None or with
    cost_minor, parts_minor, unmet, late (units), weeks_late (units times weeks) and suppliers (units of the
    SKU by code); moves of accept and of refuse: sku, supplier, week (its Monday), before, after.
    """

    line_id: int
    version: int
    result: dict[str, Any]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class WarehouseLoad:
    """Units of live lines due at one warehouse in one week, and their volume."""

    warehouse_id: int
    sku_id: int
    week: dt.date
    state: str
    units: int


_COLUMNS = (
    *(
        getattr(PlanLine, name)
        for name in LineFact.__dataclass_fields__
        if name not in ("run_id", "deadline")
    ),
    ProductionPlan.allocation_run_id.label("run_id"),
    ProductionPlan.deadline,
)


def _lines() -> Select[Any]:
    return select(*_COLUMNS).join(ProductionPlan, ProductionPlan.id == PlanLine.plan_id)


def _visible(query: Select[Any], actor: Actor) -> Select[Any]:
    """The one place that says whose lines an actor sees: a supplier its own, and nothing of anyone else's."""
    if actor.role is Role.SUPPLIER:
        if actor.supplier_id is None:
            raise NotAllowed("no_supplier", "This account belongs to no supplier.")
        return query.where(PlanLine.supplier_id == actor.supplier_id)
    actor.must_be(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
    return query


def _facts(rows: Iterable[Row[Any]], actor: Actor = SYSTEM) -> list[LineFact]:
    """Lines as this actor sees them: a supplier is not told the region of fewer than five buyers."""
    facts = [LineFact(**row._mapping) for row in rows]
    if actor.role is not Role.SUPPLIER:
        return facts
    return [replace(line, region_id=None) if line.region_withheld else line for line in facts]


def supplier_lines(
    session: Session,
    *,
    actor: Actor,
    states: Sequence[str] | None = None,
    run_id: int | None = None,
    sku_id: int | None = None,
    supplier_id: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[LineFact]:
    """Lines the actor may see, the earliest week first. `supplier_id` narrows what a buyer sees."""
    query = _visible(_lines(), actor)
    if states is not None:
        query = query.where(PlanLine.state.in_(states))
    for column, value in (
        (ProductionPlan.allocation_run_id, run_id),
        (PlanLine.sku_id, sku_id),
        (PlanLine.supplier_id, supplier_id),
    ):
        if value is not None:
            query = query.where(column == value)
    query = query.order_by(PlanLine.order_week, PlanLine.due_week, PlanLine.id).limit(limit).offset(offset)
    return _facts(session.execute(query), actor)


def count_lines(session: Session, *, actor: Actor) -> dict[str, int]:
    """How many lines the actor may see, by state."""
    columns: list[Any] = [PlanLine.state, func.count()]
    query = _visible(select(*columns), actor).group_by(PlanLine.state)
    return {row[0]: int(row[1]) for row in session.execute(query)}


def supplier_line(session: Session, *, actor: Actor, line_id: int) -> LineFact:
    """One line. Raises NotFound, also for a line of another supplier: that it exists is not told."""
    row = session.execute(_visible(_lines(), actor).where(PlanLine.id == line_id)).first()
    if row is None:
        raise NotFound("line_unknown", f"There is no line {line_id} for you to see.", line_id=line_id)
    return _facts([row], actor)[0]


def answers(session: Session, *, actor: Actor, line_id: int) -> list[AnswerFact]:
    """Everything said about a line, oldest first. Raises NotFound as `supplier_line` does."""
    supplier_line(session, actor=actor, line_id=line_id)
    columns = [getattr(Answer, name) for name in AnswerFact.__dataclass_fields__]
    rows = session.execute(select(*columns).where(Answer.line_id == line_id).order_by(Answer.id))
    return [AnswerFact(*row) for row in rows]


def counters(session: Session, *, actor: Actor, limit: int | None = None) -> list[LineFact]:
    """Counter-offers waiting for the buyer."""
    actor.must_be(Role.MERCHANDISER)
    return supplier_lines(session, actor=actor, states=[LineState.COUNTERED], limit=limit)


def committed(session: Session) -> list[CommittedLine]:
    """Every confirmed line at the terms it stands to, accepted counter-offers included."""
    line = PlanLine
    query = (
        select(
            line.id.label("line_id"),
            line.supplier_id,
            line.sku_id,
            line.warehouse_id,
            line.region_id,
            line.order_week,
            line.promised_week.label("arrival_week"),
            line.promised_quantity.label("quantity"),
            line.unit_price_minor,
        )
        .where(line.state == LineState.CONFIRMED)
        .order_by(line.id)
    )
    return [CommittedLine(**row) for row in session.execute(query).mappings()]


def declined(session: Session, *, first_week: dt.date) -> list[tuple[int, int]]:
    """(supplier, SKU) pairs to plan without: declined, or countered in a way the buyer refused.

    They are set aside until the week they were asked for has passed; then they may be asked again.
    """
    line = PlanLine
    query = (
        select(line.supplier_id, line.sku_id)
        .where((line.state == LineState.DECLINED) | line.counter_refused, line.order_week >= first_week)
        .distinct()
        .order_by(line.supplier_id, line.sku_id)
    )
    return [(supplier, sku) for supplier, sku in session.execute(query)]


def limited(session: Session, *, first_week: dt.date) -> list[tuple[int, int, dt.date, int]]:
    """(supplier, SKU, order week, units) where a line was confirmed with less than was asked, or later.

    The supplier has said what it makes: in that week no more than what it is asked for and has promised
    there.
    """
    line = PlanLine
    late = line.promised_week > line.due_week
    units = case((line.state == LineState.ASKED, line.quantity), (late, 0), else_=line.promised_quantity)
    short = (line.state == LineState.CONFIRMED) & ((line.promised_quantity < line.quantity) | late)
    keys = (line.supplier_id, line.sku_id, line.order_week)
    query = (
        select(*keys, func.sum(units))
        .where(
            line.state.in_([LineState.ASKED, LineState.COUNTERED, LineState.CONFIRMED]),
            line.order_week >= first_week,
        )
        .group_by(*keys)
        .having(func.sum(case((short, 1), else_=0)) > 0)
        .order_by(*keys)
    )
    return [(supplier, sku, week, int(most)) for supplier, sku, week, most in session.execute(query)]


def preview(session: Session, *, line_id: int, version: int) -> PreviewFact | None:
    """What was found out about a counter-offer, for this version of its line."""
    row = session.get(CounterPreview, line_id)
    if row is None or row.version != version:
        return None
    return PreviewFact(row.line_id, row.version, row.result, row.created_at)


def confirmation_rate(session: Session, *, run_id: int) -> ConfirmationRate:
    """How far the lines of a run are confirmed; withdrawn lines count as not asked."""
    line = PlanLine
    query = (
        select(line.state, func.count(), func.sum(line.quantity), func.sum(line.promised_quantity))
        .join(ProductionPlan, ProductionPlan.id == line.plan_id)
        .where(ProductionPlan.allocation_run_id == run_id)
        .group_by(line.state)
    )
    rows = {
        state: (int(lines), int(asked), int(promised or 0))
        for state, lines, asked, promised in session.execute(query)
    }
    return ConfirmationRate(
        sum(asked for state, (_, asked, _) in rows.items() if state != LineState.WITHDRAWN),
        rows.get(LineState.CONFIRMED, (0, 0, 0))[2],
        {state: lines for state, (lines, _, _) in rows.items()},
    )


def standing(session: Session, *, run_id: int) -> list[SupplierStanding]:
    """Declined and expired lines of a run, by supplier."""
    line = PlanLine
    query = (
        select(
            line.supplier_id,
            line.state,
            func.count(),
            func.sum(line.quantity),
            func.count(line.sku_id.distinct()),
        )
        .join(ProductionPlan, ProductionPlan.id == line.plan_id)
        .where(
            ProductionPlan.allocation_run_id == run_id,
            line.state.in_([LineState.DECLINED, LineState.EXPIRED]),
        )
        .group_by(line.supplier_id, line.state)
        .order_by(line.supplier_id, line.state)
    )
    return [
        SupplierStanding(row[0], row[1], int(row[2]), int(row[3]), int(row[4]))
        for row in session.execute(query)
    ]


def live_lines(
    session: Session, *, warehouse_id: int | None = None, line_id: int | None = None
) -> list[LineFact]:
    """Asked, countered and confirmed lines, for the stages that plan around them; never for a supplier."""
    query = _lines().where(PlanLine.state.in_([LineState.ASKED, LineState.COUNTERED, LineState.CONFIRMED]))
    if warehouse_id is not None:
        query = query.where(PlanLine.warehouse_id == warehouse_id)
    if line_id is not None:
        query = query.where(PlanLine.id == line_id)
    return _facts(session.execute(query.order_by(PlanLine.id)))
