"""Suspected pledges in the pool: excluded by rule with evidence, taken back without it; a person's word."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import schema
from app.core.access import SYSTEM, Actor, Role
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge, suspicion

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
OPENING = dt.datetime(2026, 11, 10, 4, 0, 7, tzinfo=dt.UTC)
ANNA = Actor("anna@brand.example", Role.MERCHANDISER)
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,{closes}T00:00:00+08:00,100,1.2,2026-12-28,4,0:19.90\n"
)
REGIONS = ("CN-GD", "CN-ZJ", "CN-FJ")


class Pool:
    """A campaign with sixty people, and a burst of twelve pledges of two units by four accounts."""

    def __init__(self, db: Database, folder: Path, *, closes: str = "2026-12-01") -> None:
        self.db, self._folder = db, folder
        path = folder / "campaigns.csv"
        path.write_text(CAMPAIGN.format(closes=closes), encoding="utf-8")
        with db.transaction() as session:
            catalog.register_unknown(
                session, skus=[("MUG", None, True)], regions=REGIONS, timezone="Asia/Shanghai"
            )
            demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
            self.campaign = demands.campaign_ids(session)["C1"]

    def people(self) -> list[str]:
        return [self.row(f"H{n}", f"h{n}", OPENING + dt.timedelta(minutes=97 * n, seconds=7 * n), n)
                for n in range(60)]  # fmt: skip

    def bots(self) -> list[str]:
        return [self.row(f"B{n}", f"b{n % 4}", OPENING + dt.timedelta(hours=30, seconds=29 * n), 1, 2)
                for n in range(12)]  # fmt: skip

    def row(self, identity: str, buyer: str, at: dt.datetime, region: int, units: int = 1) -> str:
        place = REGIONS[region % 3]
        return f"{identity},pledge,MUG,{place},{units},19.90,CNY,{at.isoformat()},{buyer},C1,"

    def take(self, rows: list[str], *, name: str = "pledges.csv") -> None:
        path = self._folder / name
        path.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
        with self.db.transaction() as session:
            demand.import_orders(
                session,
                path=path,
                file_name=name,
                channel="shop",
                mapping="headwater",
                actor=SYSTEM,
                now=NOW,
                pseudonym_key=b"key",
                currency="CNY",
                timezone="Asia/Shanghai",
            )

    def online(self, rows: list[str]) -> None:
        sent = [
            SentPledge("shop", dict(zip(HEAD.split(","), row.split(",")[:-1], strict=False))) for row in rows
        ]
        with self.db.transaction() as session:
            results = demand.take_pledges(session, rows=sent, actor=SYSTEM, now=NOW, settings=SETTINGS)
            assert {one.outcome for one in results} == {"accepted"}

    def judge(self) -> int:
        with self.db.transaction() as session:
            return demand.exclude_suspected(session, now=NOW)

    def correct(self, identity: str, status: str) -> None:
        with self.db.transaction() as session:
            demand.correct_pledge(
                session,
                channel="shop",
                external_id=identity,
                status=status,
                actor=SYSTEM,
                now=NOW,
                currency="CNY",
            )

    def units(self) -> dict[str, int]:
        """Units by reason; the roll-ups are a recount and the steps add up."""
        with self.db.reading() as session:
            assert demands.recount(session) == []
            water = demands.waterfall(session, campaign_id=self.campaign)
            assert water.raw_units - sum(step.units for step in water.steps) == water.valid_units
            return {"valid": water.valid_units} | {step.reason: step.units for step in water.steps}

    def suspected(self) -> list[demands.ExclusionFact]:
        with self.db.reading() as session:
            return demands.list_exclusions(session, reason="suspected", limit=100)


@pytest.fixture
def pool(db: Database, tmp_path: Path) -> Pool:
    return Pool(db, tmp_path)


def test_a_file_with_a_burst_is_filtered_with_evidence(pool: Pool) -> None:
    pool.take([*pool.people(), *pool.bots()])
    assert pool.units() == {"valid": 60, "suspected": 24}
    one = pool.suspected()[0]
    assert one.created_by == "rule:suspected"
    assert one.evidence["rule"] == "few_accounts" and one.evidence["score"] >= 0.9
    assert (one.evidence["pledges"], one.evidence["buyers"]) == (12, 4)
    assert one.evidence["window_start"] == (OPENING + dt.timedelta(hours=30)).isoformat()
    assert 0 < one.evidence["expected_pledges"] < 1


def test_online_pledges_are_judged_by_the_cycle_and_then_no_longer_over_the_limit(pool: Pool) -> None:
    pool.online(pool.people())
    pool.online(pool.bots())
    assert pool.units() == {"valid": 60 + 16, "over_limit": 8}
    assert pool.judge() == 12
    assert pool.units() == {"valid": 60, "suspected": 24}
    assert pool.judge() == 0
    with pool.db.reading() as session:
        past = demands.list_exclusions(session, reason="over_limit", undone=True)
    assert {one.undone_by for one in past} == {"rule:suspected"} and len(past) == 4


def test_what_is_suspected_counts_again_when_the_evidence_is_gone(pool: Pool) -> None:
    pool.take([*pool.people(), *pool.bots()])
    for number in range(3, 12):
        pool.correct(f"B{number}", "cancelled")
    assert pool.judge() == 3
    assert pool.units() == {"valid": 60 + 6, "cancelled": 18}
    for number in range(3, 12):
        pool.correct(f"B{number}", "placed")
    pool.judge()
    assert pool.units() == {"valid": 60, "suspected": 24}


def test_what_a_person_counts_again_stays_counted_by_every_rule(pool: Pool) -> None:
    pool.take([*pool.people(), *pool.bots()])
    for exclusion in pool.suspected():
        with pool.db.transaction() as session:
            demand.undo_exclusion(session, actor=ANNA, exclusion_id=exclusion.id, now=NOW)
    assert pool.judge() == 0
    pool.take([pool.row("B99", "b1", OPENING + dt.timedelta(hours=80), 1)], name="later.csv")
    assert pool.units()["valid"] == 60 + 24 + 1


def test_what_a_person_excluded_stays_excluded_whatever_is_corrected(pool: Pool) -> None:
    pool.take(pool.people())
    with pool.db.transaction() as session:
        signal = session.execute(text("SELECT id FROM signal WHERE external_id = 'H5'")).scalar_one()
        demand.exclude_signal(
            session, actor=ANNA, signal_id=signal, reason="suspected", evidence={"note": "seen"}, now=NOW
        )
    assert pool.judge() == 0
    for status in ("cancelled", "placed"):
        pool.correct("H5", status)
    pool.judge()
    assert pool.units() == {"valid": 59, "suspected": 1}


def test_a_closed_campaign_is_not_judged_again(db: Database, tmp_path: Path) -> None:
    pool = Pool(db, tmp_path, closes="2026-11-20")
    pool.online([*pool.people(), *pool.bots()])
    with db.transaction() as session:
        assert demand.close_due_campaigns(session, now=NOW) == 1
    assert pool.judge() == 0


def test_what_is_only_odd_is_left_to_a_person(pool: Pool) -> None:
    odd = [pool.row(f"O{n}", "odd", OPENING + dt.timedelta(hours=30, seconds=13 * n), 1) for n in range(4)]
    pool.take([*pool.people(), *odd])
    with pool.db.transaction() as session:
        asked = demands.review_list(session, campaign_id=pool.campaign)
        assert [one.evidence["rule"] for one in asked] == ["velocity"] * 4
        assert demands.review_list(session, campaign_id=pool.campaign, limit=1) == asked[:1]
        for one in asked[:2]:
            demand.exclude_signal(
                session, actor=ANNA, signal_id=one.signal_id, reason="suspected", evidence={}, now=NOW
            )
        left = demands.review_list(session, campaign_id=pool.campaign)
    assert [one.signal_id for one in left] == [one.signal_id for one in asked[2:]]
    assert pool.units() == {"valid": 62, "suspected": 2}


def test_going_back_to_before_the_reason_lets_the_suspected_count_again(pool: Pool) -> None:
    pool.take([*pool.people(), *pool.bots()])
    schema.downgrade(pool.db, revision="0005")
    with pool.db.reading() as session:  # by hand: the code reads tables that came later
        counted = "SELECT reason, sum(valid_units) FROM campaign_day WHERE signals <> 0 GROUP BY reason"
        assert [tuple(row) for row in session.execute(text(counted))] == [("valid", 84)]
    schema.migrate(pool.db)
    assert pool.judge() == 12
    assert pool.units() == {"valid": 60, "suspected": 24}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_somebody_excludes_while_the_rule_is_judging_is_his(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.online([*pool.people(), *pool.bots()])
    judged_pledges = suspicion.judged_pledges

    def meanwhile(session: Session, *, campaign_id: int) -> pl.DataFrame:
        judged = judged_pledges(session, campaign_id=campaign_id)
        with pool.db.transaction() as other:
            signal = other.execute(text("SELECT id FROM signal WHERE external_id = 'B0'")).scalar_one()
            demand.exclude_signal(
                other, actor=ANNA, signal_id=signal, reason="test", evidence={"note": "ours"}, now=NOW
            )
        return judged

    monkeypatch.setattr(suspicion, "judged_pledges", meanwhile)
    assert pool.judge() == 11
    assert pool.units() == {"valid": 60, "test": 2, "suspected": 22}
