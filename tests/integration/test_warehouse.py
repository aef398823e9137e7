"""Inbound, receipts and available to promise in the database."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import Conflict, NotAllowed, NotFound, RuleBroken
from app.cycle import commitments
from app.stages.catalog import queries as catalog
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from app.stages.confirmation.queries import LineFact
from app.stages.stock import queries as stock
from app.stages.warehouse import operations, queries
from app.stages.warehouse.queries import AtpRow
from support.brand import (
    MERCHANDISER,
    MONDAY,
    NOW,
    PLANNER,
    ask,
    load,
    make_plan,
    store_forecast,
)


@pytest.fixture
def line(db: Database, tmp_path: Path) -> LineFact:
    """One confirmed line of bags to a warehouse; everything else is still asked."""
    load(db, tmp_path)
    ask(db, make_plan(db, store_forecast(db)))
    with db.transaction() as session:
        bag = catalog.sku_ids(session)["BAG"]
        (asked, *_) = lines.supplier_lines(session, actor=MERCHANDISER, sku_id=bag)
        return confirmation.record_answer(
            session, actor=SYSTEM, line_id=asked.id, version=1, kind="confirm", now=NOW
        )


def receive(db: Database, line: LineFact, quantity: int, reference: str = "DN-1") -> queries.ReceiptFact:
    with db.transaction() as session:
        return operations.receive(
            session, actor=PLANNER, line_id=line.id, reference=reference, quantity=quantity, now=NOW
        )


def on_hand(db: Database, line: LineFact) -> int:
    with db.reading() as session:
        return stock.on_hand(session).get((line.sku_id, line.warehouse_id or 0), 0)


def row(db: Database, code: str) -> AtpRow:
    with db.reading() as session:
        (found,) = queries.atp(session, as_of=MONDAY, weeks=8, search=code)
        return found


def test_a_receipt_moves_stock_once_however_often_it_is_sent(db: Database, line: LineFact) -> None:
    first = receive(db, line, 8)
    assert receive(db, line, 8, " DN-1 ") == first
    assert on_hand(db, line) == 8
    with db.reading() as session:
        assert queries.receipts(session, line_id=line.id) == [first]


def test_more_than_was_promised_does_not_come_in(db: Database, line: LineFact) -> None:
    receive(db, line, line.quantity - 1)
    with pytest.raises(RuleBroken) as over:
        receive(db, line, 2, "DN-2")
    assert over.value.code == "over_receipt"
    assert over.value.data["open"] == 1
    assert on_hand(db, line) == line.quantity - 1
    receive(db, line, 1, "DN-2")
    assert on_hand(db, line) == line.quantity


def test_a_reference_stands_for_one_receipt(db: Database, line: LineFact) -> None:
    receive(db, line, 5)
    with pytest.raises(Conflict) as used:
        receive(db, line, 6)
    assert used.value.code == "reference_used"
    with pytest.raises(RuleBroken):
        receive(db, line, 1, "  ")


def test_only_confirmed_lines_are_received_and_only_by_the_warehouse(db: Database, line: LineFact) -> None:
    with db.reading() as session:
        asked = lines.supplier_lines(session, actor=MERCHANDISER, states=["asked"])[0]
    with pytest.raises(RuleBroken) as early:
        receive(db, asked, 1)
    assert early.value.code == "line_not_confirmed"
    with pytest.raises(NotAllowed), db.transaction() as session:
        operations.receive(session, actor=MERCHANDISER, line_id=line.id, reference="x", quantity=1, now=NOW)
    with pytest.raises(NotFound), db.transaction() as session:
        operations.receive(session, actor=PLANNER, line_id=10**6, reference="x", quantity=1, now=NOW)


def test_what_is_received_is_no_longer_inbound_nor_locked(db: Database, line: LineFact) -> None:
    def confirmed_inbound() -> int:
        with db.reading() as session:
            return sum(cell.confirmed_units for cell in queries.inbound(session, as_of=MONDAY, weeks=12))

    assert confirmed_inbound() == line.quantity
    receive(db, line, 3)
    assert confirmed_inbound() == line.quantity - 3
    with db.reading() as session:
        assert [one.quantity for one in commitments(session, as_of=MONDAY).firm] == [line.quantity - 3]
    receive(db, line, line.quantity - 3, "DN-2")
    with db.reading() as session:
        assert commitments(session, as_of=MONDAY).firm == ()


def test_inbound_shows_asked_and_confirmed_units_volume_and_capacity(db: Database, line: LineFact) -> None:
    with db.reading() as session:
        cells = {cell.week: cell for cell in queries.inbound(session, as_of=MONDAY, weeks=12)}
        cell = cells[line.due_week]
        listed = queries.inbound_lines(session, warehouse_id=1, week=line.due_week, as_of=MONDAY)
        asked = lines.supplier_lines(session, actor=MERCHANDISER, states=["asked"])
    assert len(cells) == 12
    assert (cell.confirmed_units, cell.confirmed_volume) == (line.quantity, 2 * line.quantity)
    assert (cell.capacity, cell.over_capacity) == (400, False)
    assert sum(one.asked_units for one in cells.values()) == sum(one.quantity for one in asked)
    assert listed[0].line == line
    assert sum(one.open_units for one in listed) == cell.asked_units + cell.confirmed_units


def test_an_overdue_line_is_expected_this_week(db: Database, line: LineFact) -> None:
    later = line.due_week + dt.timedelta(weeks=2)
    with db.reading() as session:
        cell = queries.inbound(session, as_of=later, weeks=1)[0]
    assert cell.week == later
    assert cell.confirmed_units == line.quantity


def test_atp_counts_stock_and_confirmed_supply_against_pledges_and_not_what_is_asked(
    db: Database, line: LineFact
) -> None:
    bags, mugs = row(db, "BAG"), row(db, "MUG")
    due = [cell.committed for cell in bags.cells]
    assert sum(due) == 20
    assert sum(cell.supply for cell in bags.cells) == line.quantity
    assert bags.cells[-1].atp == max(line.quantity - 20, 0)
    assert mugs.on_hand == 40
    assert {cell.atp for cell in mugs.cells} == {40}
    assert sum(cell.asked for cell in mugs.cells) > 0


def test_a_promise_date_is_given_only_for_what_is_in_sight(db: Database, line: LineFact) -> None:
    with db.reading() as session:
        mug = catalog.sku_ids(session)["MUG"]
        assert queries.promise_date(session, sku_id=mug, quantity=40, as_of=MONDAY) == MONDAY
        assert queries.promise_date(session, sku_id=mug, quantity=41, as_of=MONDAY) is None
