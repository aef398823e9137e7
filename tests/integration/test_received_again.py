"""What was received again stands beside no other cell, and the waterfall tells it wherever it is opened."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core import schema
from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import rollups
from support.opened import Came, opened
from support.shop import send

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
CAMPAIGNS = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-07,,0:19.90\n"
)
HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
ROW = "A{0:02},pledge,{1},{2},{3},19.90,CNY,2026-11-{4:02}T10:00:00+08:00,u{0},{5},"
ROWS = [
    ROW.format(number, sku, ("CN-GD", "CN-ZJ")[number % 3 % 2], 1 + number % 4, 2 + number % 5, campaign)
    for number, (sku, campaign) in enumerate([("MUG", "C1"), ("CUP", "")] * 12)
]
FINER = ("demand_day", "demand_sku_day", "campaign_day", "campaign_region_day")


@pytest.fixture(params=[(1, 50_000), (1, 2), (1_000, 0)], ids=["many", "most are there", "few"])
def pool(
    request: pytest.FixtureRequest, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """24 pledges, half of them of a campaign; of these 18 came again, then twelve of them once more."""
    many, most = request.param
    monkeypatch.setattr(rollups, "MANY", many)
    monkeypatch.setattr(rollups, "MOST", most)
    (tmp_path / "campaigns.csv").write_text(CAMPAIGNS, encoding="utf-8")
    with db.transaction() as session:
        skus = [("MUG", None, True), ("CUP", None, True)]
        catalog.register_unknown(session, skus=skus, regions=["CN-GD", "CN-ZJ"], timezone="Asia/Shanghai")
        demand.import_campaigns(session, path=tmp_path / "campaigns.csv", actor=SYSTEM, now=NOW)
    for number, rows in enumerate((ROWS, ROWS[:18], ROWS[6:18])):
        send(db, tmp_path / f"{number}.csv", "\n".join([HEAD, *rows]), now=NOW, channel="shop")
    return db


def look(db: Database) -> dict[str, Came]:
    """Of everything and of the campaign, the same by all ways."""
    with db.reading() as session:
        assert demands.recount(session) == []
        ways = opened(session, until=NOW.date())
    assert all(len(set(parts.values())) == 1 for parts in ways.values()), ways
    return {name: parts["whole"] for name, parts in ways.items()}


def beside(db: Database) -> dict[str, int]:
    """Rows of each finer level that count what was received again."""
    query = "SELECT coalesce(sum(signals), 0) FROM {} WHERE reason = 'duplicate'"
    with db.reading() as session:
        return {level: int(session.scalar(text(query.format(level))) or 0) for level in FINER}


def test_it_is_told_at_every_level_and_stands_beside_no_other_cell(pool: Database) -> None:
    found = look(pool)
    units = [1 + number % 4 for number in (*range(18), *range(6, 18))]
    assert (found["all"].signals, found["all"].units) == (30, sum(units))
    assert (found["campaign"].signals, found["campaign"].units) == (15, sum(units[::2]))
    assert beside(pool) == dict.fromkeys(FINER, 0)


def test_the_migration_takes_it_from_beside_the_others_and_puts_it_back(pool: Database) -> None:
    before = look(pool)
    schema.downgrade(pool, revision="0028")
    assert beside(pool) == dict(zip(FINER, (30, 30, 15, 15), strict=True))
    schema.migrate(pool)
    assert beside(pool) == dict.fromkeys(FINER, 0)
    assert look(pool) == before


def test_what_code_of_before_puts_beside_the_others_counts_as_well(pool: Database) -> None:
    before = look(pool)
    with pool.transaction() as session:
        run = session.connection().exec_driver_sql
        for level in (*FINER, "demand_total_day", "campaign_total_day"):
            key = ", ".join(name for name in rollups.KEYS[level] if name != "reason")
            finest = "campaign_day" if level.startswith("campaign") else "demand_day"
            run(
                f"INSERT INTO {level} ({key}, reason, signals, units, raw_units, valid_units, amount_minor) "
                f"SELECT {key}, 'duplicate', sum(signals), 0, sum(raw_units), 0, 0 FROM {finest} "
                f"WHERE reason = 'pledge' GROUP BY {key} ON CONFLICT ({', '.join(rollups.KEYS[level])}) "
                f"DO UPDATE SET signals = {level}.signals + excluded.signals, "
                f"raw_units = {level}.raw_units + excluded.raw_units"
            )
    after = look(pool)
    assert (after["all"].signals, after["campaign"].signals) == (30 + 24, 15 + 12)
    schema.downgrade(pool, revision="0028")
    assert beside(pool) == dict(zip(FINER, (54, 54, 27, 27), strict=True))
    schema.migrate(pool)
    assert look(pool) == after != before
