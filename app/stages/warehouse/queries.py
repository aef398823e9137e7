"""What comes in, where and when; what can still be promised; what was received."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.allocation.rules import monday, week_index, week_of
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries as confirmation
from app.stages.confirmation.models import PlanLine
from app.stages.confirmation.queries import LineFact
from app.stages.confirmation.rules import LineState
from app.stages.demand import queries as demand
from app.stages.stock import queries as stock
from app.stages.warehouse.models import Receipt
from app.stages.warehouse.rules import available_to_promise, promise_index

Weeks = dict[int, int]
"""Units by week, counted from the planning week of `as_of`."""


@dataclass(frozen=True, slots=True)
class InboundCell:
    """What is due at one warehouse in one week, still to come.

    Units asked (answers outstanding, counter-offers included) and confirmed; their volumes in storage units,
    which `capacity` (None: no limit) is measured in as well.
    """

    warehouse_id: int
    week: dt.date
    asked_units: int
    confirmed_units: int
    asked_volume: int
    confirmed_volume: int
    capacity: int | None

    @property
    def over_capacity(self) -> bool:
        """Whether more is confirmed or asked than the dock takes in that week."""
        return self.capacity is not None and self.asked_volume + self.confirmed_volume > self.capacity


@dataclass(frozen=True, slots=True)
class InboundLine:
    """One line due at a warehouse: `open_units` are still to come, `received_units` have."""

    line: LineFact
    week: dt.date
    open_units: int
    received_units: int


@dataclass(frozen=True, slots=True)
class ReceiptFact:
    id: int
    plan_line_id: int
    warehouse_id: int
    reference: str
    quantity: int
    received_by: str
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class AtpCell:
    """One week of one SKU. `asked` is shown beside the firm supply, and never promised from."""

    week: dt.date
    supply: int
    asked: int
    committed: int
    atp: int


@dataclass(frozen=True, slots=True)
class AtpRow:
    sku_id: int
    code: str
    on_hand: int
    cells: tuple[AtpCell, ...]


def received_by_line(session: Session) -> dict[int, int]:
    """Units received by plan line; lines without a receipt are left out."""
    query = select(Receipt.plan_line_id, func.sum(Receipt.quantity)).group_by(Receipt.plan_line_id)
    return {line: int(units) for line, units in session.execute(query)}


def receipts(session: Session, *, line_id: int) -> list[ReceiptFact]:
    """Everything received on one line, oldest first."""
    rows = session.execute(select(*_RECEIPT).where(Receipt.plan_line_id == line_id).order_by(Receipt.id))
    return [ReceiptFact(*row) for row in rows]


def find_receipt(session: Session, *, reference: str) -> ReceiptFact | None:
    row = session.execute(select(*_RECEIPT).where(Receipt.reference == reference)).first()
    return None if row is None else ReceiptFact(*row)


def received_units(session: Session, *, line_id: int) -> int:
    """Units received on one line; the line is locked, so that two gates can't both take in its last units."""
    session.execute(select(PlanLine.id).where(PlanLine.id == line_id).with_for_update())
    query = select(func.coalesce(func.sum(Receipt.quantity), 0)).where(Receipt.plan_line_id == line_id)
    return int(session.execute(query).scalar_one())


def inbound(session: Session, *, as_of: dt.date, weeks: int) -> list[InboundCell]:
    """Every warehouse in every one of `weeks` planning weeks; what is overdue counts in the first."""
    first = monday(as_of)
    volumes = {sku.id: sku.volume for sku in catalog.network(session).skus}
    units: dict[tuple[int, int, bool], list[int]] = defaultdict(lambda: [0, 0])
    for found in _open_lines(session, first=first):
        line, index = found.line, week_index(found.week, first=first)
        cell = units[line.warehouse_id or 0, index, line.state == LineState.CONFIRMED]
        cell[0] += found.open_units
        cell[1] += found.open_units * volumes.get(line.sku_id, 1)
    return [
        _cell(
            warehouse,
            week_of(index, first=first),
            units[warehouse.id, index, False],
            units[warehouse.id, index, True],
        )
        for warehouse in catalog.list_warehouses(session)
        for index in range(weeks)
    ]


def inbound_lines(session: Session, *, warehouse_id: int, week: dt.date, as_of: dt.date) -> list[InboundLine]:
    """The lines behind one cell of `inbound`, confirmed ones first."""
    lines = [
        found
        for found in _open_lines(session, first=monday(as_of), warehouse_id=warehouse_id)
        if found.week == week
    ]
    return sorted(lines, key=lambda found: (found.line.state != LineState.CONFIRMED, found.line.id))


def atp(
    session: Session,
    *,
    as_of: dt.date,
    weeks: int,
    search: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> list[AtpRow]:
    """Available to promise by SKU and planning week, over all warehouses; a page of SKUs by code.

    Supply is what is firm: on hand, and confirmed lines not yet received (to a warehouse, or straight to a
    region from this week on; a direct line of a week gone by counts as delivered and sold). Asked lines are
    shown beside it. Committed is what is promised: valid pledges of campaigns that are open, reached or in
    production, in their due week. Forecast is no promise and takes nothing away. Commitments and supply
    after the last week shown are looked ahead at as well.
    """
    skus = [sku for sku in catalog.list_skus(session, search=search, limit=limit, after=after) if sku.goods]
    first = monday(as_of)
    book = _book(session, as_of=as_of)
    return [
        AtpRow(sku.id, sku.code, book.on_hand.get(sku.id, 0), _cells(book, sku.id, first=first, weeks=weeks))
        for sku in skus
    ]


def promise_date(session: Session, *, sku_id: int, quantity: int, as_of: dt.date) -> dt.date | None:
    """The Monday of the first week whose cumulative ATP covers the quantity; None: not in sight."""
    book = _book(session, as_of=as_of)
    index = promise_index(_available(book, sku_id, weeks=1), quantity=quantity)
    return None if index is None else week_of(index, first=monday(as_of))


@dataclass(frozen=True, slots=True)
class _Book:
    on_hand: dict[int, int]
    supply: dict[int, Weeks]
    asked: dict[int, Weeks]
    committed: dict[int, Weeks]


def _book(session: Session, *, as_of: dt.date) -> _Book:
    """Everything that ATP is made of."""
    first = monday(as_of)
    on_hand: dict[int, int] = defaultdict(int)
    for (sku, _), units in stock.on_hand(session).items():
        on_hand[sku] += units
    supply: dict[int, Weeks] = defaultdict(lambda: defaultdict(int))
    asked: dict[int, Weeks] = defaultdict(lambda: defaultdict(int))
    for found in _open_lines(session, first=first, direct=True):
        into = supply if found.line.state == LineState.CONFIRMED else asked
        into[found.line.sku_id][week_index(found.week, first=first)] += found.open_units
    committed: dict[int, Weeks] = defaultdict(lambda: defaultdict(int))
    for need in demand.campaign_commitments(session, as_of=as_of):
        committed[need.sku_id][max(week_index(need.week, first=first), 0)] += need.units
    return _Book(on_hand, supply, asked, committed)


def _cells(book: _Book, sku: int, *, first: dt.date, weeks: int) -> tuple[AtpCell, ...]:
    available = _available(book, sku, weeks=weeks)
    supply, asked, committed = (part.get(sku, {}) for part in (book.supply, book.asked, book.committed))
    return tuple(
        AtpCell(
            week=week_of(index, first=first),
            supply=supply.get(index, 0),
            asked=asked.get(index, 0),
            committed=committed.get(index, 0),
            atp=available[index],
        )
        for index in range(weeks)
    )


def _available(book: _Book, sku: int, *, weeks: int) -> tuple[int, ...]:
    """ATP from this week to the last one anything is known of, `weeks` at least."""
    supply, committed = book.supply.get(sku, {}), book.committed.get(sku, {})
    last = max([weeks, *(week + 1 for week in (*supply, *committed))])
    return available_to_promise(
        book.on_hand.get(sku, 0),
        supply=[supply.get(week, 0) for week in range(last)],
        committed=[committed.get(week, 0) for week in range(last)],
    )


def _open_lines(
    session: Session, *, first: dt.date, warehouse_id: int | None = None, direct: bool = False
) -> Iterable[InboundLine]:
    """Live lines with units still to come, in the week they are due at the terms they stand to.

    A line to a warehouse stays open until it is received, however late. `direct` adds lines straight to a
    region.
    """
    received = received_by_line(session)
    for line in confirmation.live_lines(session, warehouse_id=warehouse_id):
        due = line.promised_week or line.due_week
        came = received.get(line.id, 0)
        still = (line.promised_quantity or line.quantity) - came
        if still > 0 and (line.warehouse_id is not None or (direct and due >= first)):
            yield InboundLine(line, max(due, first), still, came)


def _cell(
    warehouse: catalog.WarehouseFact, week: dt.date, asked: list[int], confirmed: list[int]
) -> InboundCell:
    return InboundCell(
        warehouse.id, week, asked[0], confirmed[0], asked[1], confirmed[1], warehouse.weekly_inbound
    )


_RECEIPT = [getattr(Receipt, field) for field in ReceiptFact.__dataclass_fields__]
