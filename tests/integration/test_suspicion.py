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
from app.core.errors import NotFound
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge, suspicion
from support.shop import send

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
        send(self.db, self._folder / name, "\n".join([HEAD, *rows]), now=NOW, pseudonym_key=b"key")

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


def odd(pool: Pool, name: str = "odd", hours: int = 30) -> list[str]:
    """Four pledges within a minute: odd, and no proof."""
    return [pool.row(f"{name}{n}", name, OPENING + dt.timedelta(hours=hours, seconds=13 * n), 1)
            for n in range(4)]  # fmt: skip


def waiting(pool: Pool, *, a_day: int = 20) -> demands.ReviewList:
    with pool.db.reading() as session:
        return demands.list_reviews(session, a_day=a_day, since=NOW - dt.timedelta(hours=9))


def test_what_is_only_odd_is_left_to_a_person(pool: Pool) -> None:
    pool.take([*pool.people(), *odd(pool)])
    asked = waiting(pool)
    assert [(one.signals, one.units, one.evidence["rule"]) for one in asked.clusters] == [(4, 4, "velocity")]
    assert pool.units() == {"valid": 64}
    with pool.db.transaction() as session:
        key = asked.clusters[0].key
        assert demand.confirm_cluster(session, actor=ANNA, cluster=key, now=NOW) == 4
    assert pool.units() == {"valid": 60, "suspected": 4}
    assert pool.judge() == 0
    after = waiting(pool)
    assert (after.clusters, after.waiting, after.decided_today) == ((), 0, 1)
    assert (after.precision.reviewed, after.precision.confirmed) == (1, 1)


def test_what_a_person_lets_count_is_asked_no_more_and_no_rule_excludes_it(pool: Pool) -> None:
    pool.take([*pool.people(), *odd(pool)])
    key = waiting(pool).clusters[0].key
    with pool.db.transaction() as session:
        demand.dismiss_cluster(session, actor=ANNA, cluster=key, now=NOW)
    assert (waiting(pool).clusters, waiting(pool).precision.reviewed) == ((), 1)
    assert waiting(pool).precision.confirmed == 0
    at = OPENING + dt.timedelta(hours=30, seconds=52)
    pool.take([pool.row("odd4", "odd", at, 1)], name="later.csv")
    with pool.db.reading() as session:
        query = "SELECT external_id FROM signal WHERE reason <> 'valid'"
        assert session.execute(text(query)).scalars().all() == ["odd4"]


def test_a_cluster_is_decided_on_once(pool: Pool) -> None:
    pool.take([*pool.people(), *odd(pool)])
    key = waiting(pool).clusters[0].key
    with pool.db.transaction() as session:
        demand.confirm_cluster(session, actor=ANNA, cluster=key, now=NOW)
    for decide in (demand.confirm_cluster, demand.dismiss_cluster):
        with pytest.raises(NotFound, match="load the list again"), pool.db.transaction() as session:
            decide(session, actor=ANNA, cluster=key, now=NOW)


def test_nobody_is_asked_more_than_so_much_a_day(pool: Pool) -> None:
    pool.take([*pool.people(), *odd(pool, "x", 20), *odd(pool, "y", 30), *odd(pool, "z", 40)])
    assert len(waiting(pool, a_day=2).clusters) == 2 and waiting(pool, a_day=2).waiting == 3
    with pool.db.transaction() as session:
        key = demands.list_reviews(session, a_day=9, since=NOW).clusters[0].key
        demand.dismiss_cluster(session, actor=ANNA, cluster=key, now=NOW)
    left = waiting(pool, a_day=2)
    assert (len(left.clusters), left.waiting, left.decided_today) == (1, 2, 1)


def test_from_a_higher_precision_on_a_person_is_asked_instead(pool: Pool) -> None:
    pool.take([*pool.people(), *pool.bots()])
    with pool.db.transaction() as session:
        demand.exclude_suspected(session, precision=0.999, now=NOW)
    assert pool.units()["valid"] == 60 + 16
    assert [one.signals for one in waiting(pool).clusters] == [8]
    assert pool.judge() == 12
    assert waiting(pool).clusters == ()


def test_a_rule_that_people_found_wrong_again_and_again_decides_no_more(pool: Pool) -> None:
    pool.take([*pool.people(), *pool.bots()])
    with pool.db.reading() as session:
        signal = session.execute(text("SELECT id FROM signal WHERE external_id = 'H1'")).scalar_one()
    rule = Actor("rule:review", Role.ADMINISTRATOR)
    for number in range(4):
        why = {"rule": "few_accounts", "score": 0.95, "pledges": number}
        with pool.db.transaction() as session:
            made = demand.exclude_signal(
                session, actor=rule, signal_id=signal, reason="suspected", evidence=why, now=NOW
            )
            demand.undo_exclusion(session, actor=ANNA, exclusion_id=made, now=NOW)
    assert pool.judge() == 12
    assert pool.units()["valid"] == 60 + 16
    assert [one.evidence["rule"] for one in waiting(pool).clusters] == ["few_accounts"]


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
