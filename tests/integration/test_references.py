"""What refers to a row is never left without it, on both databases and by whatever way it is written."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DatabaseError

from app.core.db import Database
from app.stages.catalog.models import Region, Sku
from app.stages.demand.models import Channel, DemandDay, Signal

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
SIGNAL = {
    "channel_id": 1,
    "external_id": "A-1",
    "commitment": "paid",
    "sku_id": 1,
    "region_id": 1,
    "quantity": 2,
    "unit_price_minor": 100,
    "ordered_at": NOW,
    "day": NOW.date(),
    "status": "placed",
    "reason": "valid",
}
CELL = {
    "channel_id": 1,
    "sku_id": 1,
    "region_id": 1,
    "day": NOW.date(),
    "reason": "valid",
    "signals": 1,
    "units": 2,
    "raw_units": 2,
    "valid_units": 2,
    "amount_minor": 200,
}


@pytest.fixture
def network(db: Database) -> Database:
    """A SKU, a region and a channel, each with the id 1."""
    sku = {"id": 1, "code": "S", "name": "S", "volume": 1, "holding_cost_minor": 0, "state": "draft"}
    with db.transaction() as session:
        session.execute(insert(Sku).values(goods=True, **sku))
        session.execute(insert(Region).values(id=1, code="R", name="R", timezone="UTC", state="draft"))
        session.execute(insert(Channel).values(id=1, code="C", currency="EUR", created_at=NOW))
    return db


@pytest.mark.parametrize("column", ["channel_id", "batch_id", "sku_id", "region_id", "campaign_id"])
def test_a_signal_that_refers_to_nothing_is_refused(network: Database, column: str) -> None:
    with pytest.raises(DatabaseError), network.transaction() as session:
        session.execute(insert(Signal), [SIGNAL, {**SIGNAL, "external_id": "A-2", column: 99}])


@pytest.mark.parametrize("column", ["sku_id", "region_id", "channel_id"])
def test_a_cell_that_refers_to_nothing_is_refused(network: Database, column: str) -> None:
    with pytest.raises(DatabaseError), network.transaction() as session:
        session.execute(insert(DemandDay).values({**CELL, column: 99}))


def test_a_signal_cannot_be_changed_to_refer_to_nothing(network: Database) -> None:
    with network.transaction() as session:
        session.execute(insert(Signal).values(SIGNAL))
    with pytest.raises(DatabaseError), network.transaction() as session:
        session.execute(text("UPDATE signal SET sku_id = 99"))


@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = 99"])
@pytest.mark.parametrize("target", ["sku", "region", "channel"])
@pytest.mark.parametrize("row", [(Signal, SIGNAL), (DemandDay, CELL)], ids=["signal", "cell"])
def test_what_a_row_refers_to_stays(
    network: Database, row: tuple[type, dict[str, object]], target: str, statement: str
) -> None:
    model, values = row
    with network.transaction() as session:
        session.execute(insert(model).values(values))
    with pytest.raises(DatabaseError), network.transaction() as session:
        session.execute(text(statement.format(target)))


@pytest.mark.parametrize("target", ["sku", "region", "channel"])
def test_what_nothing_refers_to_may_go(network: Database, target: str) -> None:
    with network.transaction() as session:
        session.execute(text(f"DELETE FROM {target}"))
        assert session.scalar(text(f"SELECT count(*) FROM {target}")) == 0


@pytest.mark.parametrize("target", ["sku", "region", "channel"])
def test_a_delete_waits_for_a_signal_on_its_way_and_then_sees_it(network: Database, target: str) -> None:
    if network.is_sqlite:
        pytest.skip("SQLite has one writer")
    with network.engine.connect() as coming, network.engine.connect() as deleting:
        coming.execute(insert(Signal).values(SIGNAL))
        deleting.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(DatabaseError, match="lock timeout"):
            deleting.execute(text(f"DELETE FROM {target}"))
        deleting.rollback()
        coming.commit()
        with pytest.raises(DatabaseError, match=f"refers by {target}_id"):
            deleting.execute(text(f"DELETE FROM {target}"))


def test_what_is_referred_to_is_deleted_with_a_fresh_view_only(network: Database) -> None:
    if network.is_sqlite:
        pytest.skip("SQLite has one writer")
    strict = network.engine.execution_options(isolation_level="REPEATABLE READ")
    with strict.connect() as deleting, pytest.raises(DatabaseError, match="READ COMMITTED"):
        deleting.execute(text("DELETE FROM sku"))
