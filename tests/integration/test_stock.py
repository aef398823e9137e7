from __future__ import annotations

import datetime as dt
import shutil
import threading
from pathlib import Path

import pytest

from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.stock import operations as stock
from app.stages.stock import queries
from app.stages.stock.rules import MovementKind

TEMPLATE = Path(__file__).parents[2] / "docs" / "network-template"


@pytest.fixture
def cell(db: Database, now: dt.datetime, tmp_path: Path) -> dict[str, int]:
    """A SKU in a warehouse with 180 units."""
    folder = Path(shutil.copytree(TEMPLATE, tmp_path / "network"))
    with db.transaction() as session:
        stock.import_network(session, directory=folder, actor=SYSTEM, now=now, currency="CNY")
        return {
            "sku_id": catalog.sku_ids(session)["TEE-WHT-M"],
            "warehouse_id": catalog.warehouse_ids(session)["WH-EAST"],
        }


def move(db: Database, cell: dict[str, int], quantity: int, source: str, now: dt.datetime) -> bool:
    kind = MovementKind.RECEIPT if quantity > 0 else MovementKind.SHIPMENT
    with db.transaction() as session:
        return stock.move(session, **cell, quantity=quantity, kind=kind, source=source, now=now)


def on_hand(db: Database, cell: dict[str, int]) -> int:
    with db.reading() as session:
        return queries.units_on_hand(session, **cell)


def test_on_hand_is_the_sum_of_movements(db: Database, cell: dict[str, int], now: dt.datetime) -> None:
    assert move(db, cell, 20, "receipt:1", now)
    assert move(db, cell, -150, "shipment:1", now)
    assert on_hand(db, cell) == 50
    with db.reading() as session:
        assert queries.on_hand(session)[cell["sku_id"], cell["warehouse_id"]] == 50
        newest = queries.movements(session, **cell, limit=1)[0]
        assert (newest.quantity, newest.kind, newest.occurred_at) == (-150, "shipment", now)
        assert [one.quantity for one in queries.movements(session, **cell, before_id=newest.id)] == [20, 180]


def test_a_source_moves_stock_once(db: Database, cell: dict[str, int], now: dt.datetime) -> None:
    assert move(db, cell, 20, "receipt:1", now)
    assert not move(db, cell, 20, "receipt:1", now + dt.timedelta(hours=1))
    assert on_hand(db, cell) == 200
    with pytest.raises(Conflict) as refusal:
        move(db, cell, 25, "receipt:1", now)
    assert refusal.value.code == "source_used"
    assert on_hand(db, cell) == 200


def test_no_more_leaves_than_is_there(db: Database, cell: dict[str, int], now: dt.datetime) -> None:
    with pytest.raises(RuleBroken) as refusal:
        move(db, cell, -181, "shipment:1", now)
    assert refusal.value.code == "insufficient_stock"
    assert move(db, cell, -180, "shipment:1", now)
    with db.reading() as session:
        assert (cell["sku_id"], cell["warehouse_id"]) not in queries.on_hand(session)


def test_shipments_at_the_same_time_never_oversell(
    db: Database, cell: dict[str, int], now: dt.datetime
) -> None:
    outcomes: list[str] = []

    def ship(number: int) -> None:
        try:
            move(db, cell, -100, f"shipment:{number}", now)
            outcomes.append("shipped")
        except RuleBroken as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=ship, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["insufficient_stock"] * 3 + ["shipped"]
    assert on_hand(db, cell) == 80
