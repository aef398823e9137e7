"""Commitments: a graver one replaces lighter ones, interest is no demand, the unpaid count no more."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select, text

from app.core.access import SYSTEM, Actor, Role
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.models import Signal
from app.stages.demand.operations import PledgeSettings, SentPledge
from app.stages.demand.queries import BY, Scope
from support.shop import send

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
ANNA = Actor("anna@brand.example", Role.MERCHANDISER)
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
TERMS = "2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-28,9,0:19.90"
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    f"C1,One,,MUG,{TERMS}\nC1,One,,CUP,{TERMS}\n"
)


def _cells(row: str) -> dict[str, str]:
    return {name: cell for name, cell in zip(HEAD.split(","), row.split(","), strict=True) if cell}


class Pool:
    """A campaign of two SKUs, and pledges for it or outside of it."""

    def __init__(self, db: Database, folder: Any) -> None:
        self.db, self._folder = db, folder
        path = folder / "campaigns.csv"
        path.write_text(CAMPAIGN, encoding="utf-8")
        with db.transaction() as session:
            skus = [(code, None, True) for code in ("MUG", "CUP")]
            catalog.register_unknown(session, skus=skus, regions=["CN-GD", "CN-FJ"], timezone="Asia/Shanghai")
            demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
            self.campaign = demands.campaign_ids(session)["C1"]

    def row(self, identity: str, commitment: str, day: int, units: int = 2, **other: Any) -> str:
        told = {
            "sku": "MUG",
            "region": "CN-GD",
            "price": "19.90",
            "buyer": "u",
            "campaign": "C1",
            "status": "",
        }
        told |= other
        return (
            f"{identity},{commitment},{told['sku']},{told['region']},{units},{told['price']},CNY,"
            f"2026-11-{day:02}T10:00:00+08:00,{told['buyer']},{told['campaign']},{told['status']}"
        )

    def take(self, *rows: str) -> list[demand.PledgeResult]:
        sent = [SentPledge("shop", _cells(row)) for row in rows]
        with self.db.transaction() as session:
            return demand.take_pledges(session, rows=sent, actor=SYSTEM, now=NOW, settings=SETTINGS)

    def alone(self, row: str) -> bool:
        """One pledge by the short way; whether it was taken there."""
        with self.db.transaction() as session:
            sent = SentPledge("shop", _cells(row))
            plain = demand.take_plain_pledge(session, sent=sent, actor=SYSTEM, pseudonym_key=b"key")
            if plain is None:
                demand.take_pledge(session, sent=sent, actor=SYSTEM, now=NOW, settings=SETTINGS)
        return plain is not None

    def file(self, *rows: str, name: str = "pledges.csv") -> None:
        send(self.db, self._folder / name, "\n".join([HEAD, *rows]), now=NOW, pseudonym_key=b"key")

    def units(self, campaign: bool = True) -> dict[str, int]:
        """Units by reason; the roll-ups are a recount, and all steps add up in every direction."""
        with self.db.reading() as session:
            assert demands.recount(session) == []
            water = demands.waterfall(session, campaign_id=self.campaign if campaign else None)
            whole = demands.expected(session, scope=Scope())[0]
            for by in BY:
                parts = demands.expected(session, scope=Scope(), by=by)
                for name in ("raw_units", "valid_units", "expected_thousandths", "to_plan_thousandths"):
                    assert sum(getattr(one, name) for one in parts) == getattr(whole, name), (by, name)
                for one in parts:
                    left = one.valid_units * 1000 - one.unpaid_thousandths + one.interest_thousandths
                    assert left == one.expected_thousandths
        return {"valid": water.valid_units} | {step.reason: step.units for step in water.steps}

    def reasons(self) -> dict[str, str]:
        with self.db.reading() as session:
            return dict(session.execute(select(Signal.external_id, Signal.reason)).all())


@pytest.fixture
def pool(db: Database, tmp_path: Any) -> Pool:
    return Pool(db, tmp_path)


def test_a_later_graver_commitment_replaces_the_earlier_in_any_order_of_arrival(pool: Pool) -> None:
    rows = {
        "W": ("waitlist", 2),
        "P": ("pledge", 3),
        "D": ("deposit", 4),
        "O": ("paid", 5),
    }
    for number, order in enumerate(permutations(rows)):
        told = [pool.row(f"{one}{number}", *rows[one], buyer=f"u{number}") for one in order]
        with pool.db.transaction() as session:
            for one in told:
                sent = [SentPledge("shop", _cells(one))]
                demand.take_pledges(session, rows=sent, actor=SYSTEM, now=NOW, settings=SETTINGS)
    found = pool.reasons()
    assert {found[f"O{number}"] for number in range(24)} == {"valid"}
    assert {found[f"{one}{number}"] for number in range(24) for one in "WPD"} == {"superseded"}
    assert pool.units() == {"valid": 48, "superseded": 3 * 48}


def test_it_is_the_same_from_files_by_the_short_way_and_outside_of_campaigns(pool: Pool) -> None:
    pool.file(pool.row("P1", "pledge", 3), pool.row("O1", "paid", 4), pool.row("P2", "pledge", 3, buyer="v"))
    pool.file(pool.row("O2", "paid", 5, buyer="v"), name="more.csv")
    assert pool.alone(pool.row("P3", "pledge", 3, buyer="w"))
    assert not pool.alone(pool.row("O3", "paid", 4, buyer="w"))
    assert pool.units() == {"valid": 6, "superseded": 6}
    assert not pool.alone(pool.row("S1", "enquiry", 3, campaign=""))
    assert not pool.alone(pool.row("S2", "paid", 4, campaign=""))
    assert pool.alone(pool.row("S3", "paid", 5, campaign="", buyer="x"))
    pool.file(
        pool.row("S4", "wish_list", 5, campaign="", buyer="y"),
        pool.row("S5", "paid", 6, campaign="", buyer="y"),
    )
    for _ in range(2):
        with pool.db.transaction() as session:
            demand.replace_spot(session, now=NOW)
        assert {pool.reasons()[one] for one in ("S1", "S4")} == {"superseded"}
    assert pool.units(campaign=False)["superseded"] == 10


def test_what_a_graver_one_does_not_cover_stays_and_another_sku_is_another_thing(pool: Pool) -> None:
    pool.take(
        pool.row("P1", "pledge", 3, 1),
        pool.row("P2", "pledge", 4, 1),
        pool.row("P3", "pledge", 3, 2, sku="CUP"),
        pool.row("O1", "paid", 5, 1),
    )
    assert pool.reasons() == {"P1": "superseded", "P2": "valid", "P3": "valid", "O1": "valid"}
    with pool.db.transaction() as session:
        one = demands.list_exclusions(session, reason="superseded")[0]
        assert one.evidence == {"replaced_by": "O1", "commitment": "paid"}
        demand.undo_exclusion(session, actor=ANNA, exclusion_id=one.id, now=NOW)
    pool.take(pool.row("P4", "pledge", 6, 1))
    assert pool.reasons()["P1"] == "valid" and pool.units()["valid"] == 6


def test_what_is_replaced_comes_back_when_the_graver_one_was_no_word_of_its_buyer(pool: Pool) -> None:
    pool.take(pool.row("P", "pledge", 3), pool.row("O", "paid", 4))
    for status, left in (("test", "valid"), ("placed", "superseded"), ("cancelled", "superseded")):
        with pool.db.transaction() as session:
            demand.correct_pledge(
                session, channel="shop", external_id="O", status=status, actor=SYSTEM, now=NOW, currency="CNY"
            )
        assert pool.reasons()["P"] == left, status
    assert pool.units() == {"valid": 0, "cancelled": 2, "superseded": 2}


def test_interest_is_no_valid_demand_and_counts_for_what_becomes_of_it(pool: Pool) -> None:
    words = ("waitlist", "vote", "wish_list", "enquiry")
    pool.take(*(pool.row(word, word, 3, 10, buyer=word) for word in words))
    pool.take(
        pool.row("free", "waitlist", 3, 10, buyer="z", price="0"), pool.row("P", "pledge", 4, 8, buyer="p")
    )
    assert pool.units() == {"valid": 8, "interest": 50}
    with pool.db.reading() as session:
        one = demands.expected(session, scope=Scope(campaign_id=pool.campaign))[0]
        assert (one.valid_units, one.interest_units) == (8, 50)
        assert one.interest_thousandths == 10 * (300 + 100 + 50 + 30 + 300)
        assert one.to_plan_thousandths == one.expected_thousandths == 8 * 750 + 7_800
        need = demands.campaign_requirements(session, as_of=NOW.date())
        assert [r.units for r in need] == [14]
        campaign = demands.get_campaign(session, campaign_id=pool.campaign)
        assert (campaign.valid_units, campaign.go_units) == (8, 120)
    pool.take(pool.row("S", "pledge", 4, 8, buyer="s", campaign=""))
    with pool.db.reading() as session:
        assert demands.weekly_units(session, until=NOW.date())["units"].to_list() == [6]


def test_the_unpaid_count_no_more_until_they_pay(pool: Pool) -> None:
    pool.take(
        pool.row("P", "pledge", 3, 1),
        pool.row("D", "deposit", 3, 2, buyer="v"),
        pool.row("O", "paid", 3, 4, buyer="w"),
    )
    due = dt.datetime(2026, 12, 5, tzinfo=dt.UTC)
    with pool.db.transaction() as session:
        session.execute(
            text("UPDATE campaign SET state = 'reached', deposit_minor = 500, balance_due_at = :due"),
            {"due": due if not pool.db.is_sqlite else due.strftime("%Y-%m-%d %H:%M:%S.000000")},
        )
    for days, changed in ((6, 0), (8, 2), (9, 0)):
        with pool.db.transaction() as session:
            then = due + dt.timedelta(days=days)
            assert demand.exclude_unpaid(session, grace=dt.timedelta(days=7), now=then) == changed
    assert pool.units() == {"valid": 4, "unpaid": 3}
    with pool.db.reading() as session:
        assert {one.evidence["owes"] for one in demands.list_exclusions(session, reason="unpaid")} == {
            "balance"
        }
        assert [one.units for one in demands.open_balances(session)] == [3]
    pool.take(pool.row("DO", "paid", 20, 2, buyer="v"))
    assert pool.reasons() == {"P": "unpaid", "D": "superseded", "O": "valid", "DO": "valid"}
    with pool.db.transaction() as session:
        one = demands.list_exclusions(session, reason="unpaid")[0]
        demand.undo_exclusion(session, actor=ANNA, exclusion_id=one.id, now=NOW)
        assert demand.exclude_unpaid(session, grace=dt.timedelta(), now=due + dt.timedelta(days=9)) == 0
    assert pool.units() == {"valid": 7, "superseded": 2}


def test_weights_are_learnt_from_campaigns_that_went_and_told_payments(pool: Pool) -> None:
    with pool.db.transaction() as session:
        assert demand.learn_weights(session, now=NOW) and not demand.learn_weights(session, now=NOW)
        run = demands.current_run(session)
        assert {(one.commitment, one.permille) for one in run.weights} >= {("pledge", 750), ("vote", 100)}
    rows = [pool.row(f"P{n}", "pledge", 3, 1, buyer=f"b{n}") for n in range(40)]
    pool.take(*rows, *(pool.row(f"O{n}", "paid", 5, 1, buyer=f"b{n}") for n in range(10)))
    with pool.db.transaction() as session:
        assert not demand.learn_weights(session, now=NOW)
        session.execute(text("UPDATE campaign SET state = 'in_production'"))
        assert demand.learn_weights(session, now=dt.datetime(2026, 12, 2, tzinfo=dt.UTC))
        run = demands.current_run(session)
        one = next(w for w in run.weights if w.commitment == "pledge" and w.signals)
        assert (one.signals, one.converted, one.campaigns) == (40, 10, 1)
        assert 250 < one.lo_permille < one.permille < 750
        need = demands.campaign_requirements(session, as_of=NOW.date())
        assert [r.units for r in need] == [round(10 + 30 * one.permille / 1000)]
    assert pool.units() == {"valid": 40, "superseded": 10}


def test_every_cell_opens_to_its_signals_a_page_at_a_time(pool: Pool) -> None:
    pool.take(
        *(
            pool.row(f"P{n}", "pledge", 3 + n, 1, buyer=f"b{n}", region=("CN-GD", "CN-FJ")[n % 2])
            for n in range(9)
        )
    )
    with pool.db.reading() as session:
        for by in BY:
            for cell in demands.expected(session, scope=Scope(), by=by):
                if cell.key is None:
                    continue
                wanted = (
                    {"since": cell.key, "until": cell.key + dt.timedelta(days=1)}
                    if by == "day"
                    else {f"{by}_id": cell.key}
                )
                scope, seen, before = Scope(**wanted), [], None
                while page := demands.list_signals(session, scope=scope, before_id=before, limit=2):
                    seen += page
                    before = page[-1].id
                assert sum(one.quantity for one in seen) == cell.raw_units
                assert sum(one.expected_thousandths for one in seen) == cell.expected_thousandths
