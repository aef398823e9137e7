"""Devices, addresses and payments of pledges: pseudonyms from the first byte, by file and by request."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core.access import SYSTEM, Actor, Role
from app.core.db import Base, Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge
from support.shop import send

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
OPENING = dt.datetime(2026, 11, 10, 4, 0, 7, tzinfo=dt.UTC)
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
REGIONS = ("CN-GD", "CN-ZJ", "CN-FJ")
FIELDS = (
    "external_id", "commitment", "sku", "region", "quantity", "unit_price", "currency", "ordered_at", "buyer",
    "campaign", "status", "device", "address", "payment", "account_created_at",
)  # fmt: skip
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-28,,0:19.90\n"
)


@pytest.fixture
def pool(db: Database, tmp_path: Path) -> Database:
    path = tmp_path / "campaigns.csv"
    path.write_text(CAMPAIGN, encoding="utf-8")
    with db.transaction() as session:
        catalog.register_unknown(
            session, skus=[("MUG", None, True)], regions=REGIONS, timezone="Asia/Shanghai"
        )
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    return db


def pledge(number: int, name: str, **traces: str) -> dict[str, str]:
    at = OPENING + dt.timedelta(minutes=97 * number, seconds=7 * number)
    cells = (f"{name}{number}", "pledge", "MUG", REGIONS[number % 3], "1", "19.90", "CNY", at.isoformat())
    return {**dict(zip(FIELDS, cells, strict=False)), "buyer": f"{name}{number}", "campaign": "C1", **traces}


def absorb(db: Database, folder: Path, rows: list[dict[str, str]], name: str = "p.csv") -> demand.ImportFact:
    lines = [",".join(row.get(field, "") for field in FIELDS) for row in rows]
    return send(db, folder / name, "\n".join([",".join(FIELDS), *lines]), now=NOW, pseudonym_key=b"key")


def everything(db: Database) -> str:
    """All that stands in the database."""
    with db.reading() as session:
        tables = [f'SELECT * FROM "{name}"' for name in Base.metadata.tables]
        return "\n".join(repr(session.execute(text(query)).all()) for query in tables)


def test_a_farm_that_shares_a_device_is_excluded_with_what_it_shares(pool: Database, tmp_path: Path) -> None:
    people = [pledge(n, "h", device=f"d{n}", address=f"a{n}") for n in range(60)]
    farm = [pledge(n, "b", device="emulator", address=f"x{n}") for n in range(60, 72)]
    absorb(pool, tmp_path, [*people, *farm])
    with pool.reading() as session:
        found = demands.list_exclusions(session, reason="suspected", limit=100)
        assert demands.recount(session) == []
    assert len(found) == 12
    assert found[0].evidence["rule"] == "shared_devices"
    assert {name: found[0].evidence[name] for name in ("buyers", "devices", "addresses")} == {
        "buyers": 12, "devices": 1, "addresses": 12,
    }  # fmt: skip


def test_small_rings_of_new_accounts_are_excluded_and_a_person_may_undo_it(
    pool: Database, tmp_path: Path
) -> None:
    def traced(number: int, name: str, card: str, days: int) -> dict[str, str]:
        made = OPENING + dt.timedelta(minutes=97 * number, days=-days)
        home = f"{name}{number}"
        return pledge(number, name, address=home, payment=card, account_created_at=made.isoformat())

    people = [traced(n, "h", f"own{n}", 3 + 11 * n) for n in range(60)]
    rings = [traced(n, "b", f"ring{n // 4}", 2 + n % 5) for n in range(60, 80)]
    absorb(pool, tmp_path, [*people, *rings])
    with pool.transaction() as session:
        found = demands.list_exclusions(session, reason="suspected", limit=100)
        assert demands.recount(session) == []
        assert {one.evidence["rule"] for one in found} == {"alike"} and len(found) == 20
        figures = [found[0].evidence[name] for name in ("pledges", "buyers", "addresses", "payments")]
        assert figures == [4, 4, 4, 1] and found[0].evidence["expected_pledges"] < 1
        who = Actor("anna@brand.example", Role.MERCHANDISER)
        demand.undo_exclusion(session, actor=who, exclusion_id=found[0].id, now=NOW)
        assert demand.exclude_suspected(session, now=NOW) == 0
        assert demands.waterfall(session).valid_units == 61


def test_nothing_of_device_address_or_payment_is_kept_in_clear(pool: Database, tmp_path: Path) -> None:
    canaries = {"device": "CANARY-phone", "address": "Canary Road 7 Shanghai", "payment": "canary-4111"}
    absorb(pool, tmp_path, [pledge(1, "h", **canaries), {**pledge(2, "h", **canaries), "quantity": "x"}])
    with pool.transaction() as session:
        sent = [SentPledge("shop", pledge(3, "h", **canaries))]
        assert demand.take_pledges(session, rows=sent, actor=SYSTEM, now=NOW, settings=SETTINGS)
    kept = everything(pool).lower()
    assert "canary" not in kept
    with pool.reading() as session:
        rows = session.execute(text("SELECT device, address, payment FROM signal_trace")).all()
    assert len(rows) == 2 and rows[0] == rows[1]
    assert all(len(one) == 32 for one in rows[0]) and len(set(rows[0])) == 3


def test_an_address_is_the_same_in_capitals_and_with_other_commas(pool: Database, tmp_path: Path) -> None:
    one, other = "Long Road 7  Shanghai", "LONG ROAD 7 SHANGHAI."
    absorb(pool, tmp_path, [pledge(1, "h", address=one), pledge(2, "h", address=other)])
    with pool.reading() as session:
        assert session.execute(text("SELECT count(DISTINCT address) FROM signal_trace")).scalar_one() == 1


def test_a_pledge_sent_again_from_another_device_is_the_same_pledge(pool: Database, tmp_path: Path) -> None:
    first = absorb(pool, tmp_path, [pledge(1, "h", device="one")])
    again = absorb(pool, tmp_path, [pledge(1, "h", device="two")], "q.csv")
    assert (first.accepted, again.duplicate, again.rejected) == (1, 1, 0)


def test_a_time_of_an_account_that_is_none_is_refused_with_its_column(pool: Database, tmp_path: Path) -> None:
    fact = absorb(pool, tmp_path, [pledge(1, "h", account_created_at="soon"), pledge(2, "h")])
    assert (fact.accepted, fact.rejected) == (1, 1)
    with pool.reading() as session:
        where = 'SELECT "column", code FROM rejected_row'
        assert session.execute(text(where)).all() == [("account_created_at", "date_invalid")]
