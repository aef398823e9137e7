"""Rows that come again are told from new and changed ones, however their ids lie among those of others."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from sqlalchemy import insert, update

from app.core.db import Database
from app.stages.catalog.models import Region, Sku
from app.stages.demand.models import Channel, Signal
from app.stages.demand.operations import known, storing

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
ROWS = 60
OFTEN = [f"{number:03}" for number in range(0, ROWS, 2)]
ASKED = (["000"], ["058", "059"], OFTEN, [*OFTEN, "Z"], ["Z", "007", "C001", "003", "007"])


def _rows(ids: list[str]) -> pl.DataFrame:
    """A signal for each id; most have a buyer, some of them a price of their own."""
    number = pl.int_range(len(ids), dtype=pl.Int64)
    return pl.DataFrame({"external_id": ids}).select(
        number.alias("row"),
        "external_id",
        *(pl.lit(1, pl.Int64).alias(name) for name in ("channel_id", "sku_id", "region_id")),
        *(pl.lit(None, pl.Int64).alias(name) for name in ("batch_id", "campaign_id")),
        pl.lit("paid").alias("commitment"),
        (pl.col("external_id").str.len_chars().cast(pl.Int64)).alias("quantity"),
        pl.when(pl.col("external_id").str.starts_with("C")).then(5).otherwise(7).cast(pl.Int64).alias("unit_price_minor"),
        pl.when(pl.col("external_id") != "010").then(pl.lit("b" * 32)).alias("buyer"),
        pl.lit(NOW).cast(pl.Datetime("us", "UTC")).alias("ordered_at"),
        pl.lit(NOW.date()).alias("day"),
        pl.lit("placed").alias("status"),
        pl.lit("valid").alias("reason"),
    )  # fmt: skip


@pytest.fixture
def pool(db: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Signals of every id from 000 to 059, and two far away; blocks are few ids here."""
    monkeypatch.setattr(known, "FEW", 2)
    monkeypatch.setattr(known, "AROUND", 1)
    sku = {"id": 1, "code": "S", "name": "S", "volume": 1, "holding_cost_minor": 0, "state": "draft"}
    ids = [*(f"{number:03}" for number in range(ROWS)), "C001", "Z"]
    with db.transaction() as session:
        session.execute(insert(Sku).values(goods=True, **sku))
        session.execute(insert(Region).values(id=1, code="R", name="R", timezone="UTC", state="draft"))
        session.execute(insert(Channel).values(id=1, code="C", currency="EUR", created_at=NOW))
        assert storing.insert_new(session, _rows(ids)).height == len(ids)
    return db


def test_what_is_there_is_found(pool: Database) -> None:
    with pool.transaction() as session:
        for asked in ASKED:
            for strange in ([], ["0070", "Y"]):
                rows = _rows(sorted({*asked, *strange}))
                assert known.unknown(session, rows)["external_id"].to_list() == strange
                with session.begin_nested() as before:
                    assert storing.insert_new(session, rows)["external_id"].to_list() == strange
                    before.rollback()


def test_the_same_rows_are_the_same(pool: Database) -> None:
    with pool.transaction() as session:
        for asked in ASKED:
            assert known.same_content(session, _rows(asked), channel_id=1).all()


def test_one_row_with_another_content_is_told(pool: Database) -> None:
    rows = _rows([*OFTEN, "Z"])
    changes = {
        "quantity": 9,
        "unit_price_minor": 8,
        "commitment": "pledge",
        "status": "cancelled",
        "buyer": "c" * 32,
        "ordered_at": NOW + dt.timedelta(microseconds=1),
    }
    with pool.transaction() as session:
        for name, value in changes.items():
            other = pl.when(pl.col("external_id") == "Z").then(pl.lit(value).cast(rows.schema[name]))
            changed = rows.with_columns(other.otherwise(pl.col(name)).alias(name))
            same = known.same_content(session, changed, channel_id=1)
            assert same.to_list() == [*[True] * len(OFTEN), False], name


def test_who_was_forgotten_is_no_other_content(pool: Database) -> None:
    with pool.transaction() as session:
        session.execute(update(Signal).where(Signal.external_id == "Z").values(buyer=None))
        assert known.same_content(session, _rows([*OFTEN, "Z"]), channel_id=1).all()
        named = _rows(["010"]).with_columns(pl.lit("b" * 32).alias("buyer"))
        assert known.same_content(session, named, channel_id=1).all()
