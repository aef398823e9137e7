"""How a campaign ends: reached, missed, cancelled; balances, deposits, a person's word against the rule."""

from __future__ import annotations

import datetime as dt

from integration.campaigns.conftest import NOW, Ask, launched, pledge, steps

from app.core.db import Database
from app.stages.alerts import operations as alerts
from app.stages.alerts.queries import open_alerts
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands


def test_a_campaign_that_goes_asks_for_balances_at_the_price_reached(ask: Ask, db: Database) -> None:
    one = launched(ask, limited=[{"units": 2, "unit_price_minor": 15_000}], cap_units=13)
    pledge(db, "A", quantity=3)
    pledge(db, "B", at="2026-11-22T11:00:00+00:00", quantity=8, commitment="pledge", region="CN-FJ")
    pledge(db, "C", at="2026-11-22T12:00:00+00:00", quantity=1, commitment="paid")
    pledge(db, "D", at="2026-11-22T13:00:00+00:00", quantity=2)
    dry = ask("GET", f"/{one['id']}/close-outlook", 200)
    owed = (2 * 15_000 + 18_000 - 3 * 3_000) + 8 * 18_000
    assert (dry["goes"], dry["price_minor"], dry["next_tier_short"]) == (True, 18_000, None)
    assert dry["balance"] == {"pledges": 2, "buyers": 2, "units": 11, "amount_minor": owed}
    assert (dry["released_units"], dry["limited_units"]) == (0, 2)
    back = {one["why"]: one["amount_minor"] for one in dry["refunds"]}
    assert back == {"not_made": 2 * 3_000, "overpaid": 2_000, "replaced": 0}
    awards = ask("GET", f"/{one['id']}/limited", 200)
    assert [(a["external_id"], a["units"], a["unit_price_minor"]) for a in awards] == [("A", 2, 15_000)]
    assert ask("GET", f"/{one['id']}/balance/pledges", 200) == []
    said = {"version": one["version"], "reason": "Sold out"}
    closed = ask("POST", f"/{one['id']}/close", 200, said)
    assert (closed["state"], closed["closes_at"]) == ("reached", "2026-11-23T09:00:00+00:00")
    balance = ask("GET", f"/{one['id']}/balance", 200)
    assert balance["total"] == dry["balance"] and {r["units"] for r in balance["regions"]} == {3, 8}
    assert len(ask("GET", f"/{one['id']}/balance/pledges?limit=1&offset=1", 200)) == 1
    back = ask("GET", f"/{one['id']}/refunds", 200)
    assert [(r["external_id"], r["amount_minor"]) for r in back] == [("D", 6_000), ("C", 2_000)]
    decision = ask("GET", f"/{one['id']}/decisions", 200)[0]
    assert (decision["kind"], decision["rule_goes"], decision["valid_units"]) == ("go", True, 12)
    assert decision["inputs"]["waterfall"]["steps"] == {"over_cap": 2} and decision["inputs"]["early"]
    with db.reading() as session:
        assert [one.pledges for one in demands.open_balances(session)] == [2]
    version = closed["version"]
    for step, state in (("produce", "in_production"), ("ship", "shipping"), ("finish", "closed")):
        answer = ask("POST", f"/{one['id']}/step", 200, {"version": version, "step": step})
        version = answer["version"]
        assert answer["state"] == state
    assert (
        ask("POST", f"/{one['id']}/step", 422, {"version": version, "step": "ship"})["code"]
        == "campaign_move"
    )


def test_a_deposit_that_a_paid_order_replaced_stands_in_the_list_once(ask: Ask, db: Database) -> None:
    one = launched(ask)
    pledge(db, "A", quantity=3, buyer="ann")
    pledge(db, "B", at="2026-11-22T11:00:00+00:00", quantity=2, buyer="bob")
    pledge(db, "C", at="2026-11-22T12:00:00+00:00", quantity=10, commitment="paid", buyer="ann")
    dry = ask("GET", f"/{one['id']}/close-outlook", 200)
    assert (dry["valid_units"], dry["price_minor"]) == (12, 18_000)
    ask("POST", f"/{one['id']}/close", 200, {"version": one["version"], "reason": "Sold out"})
    back = ask("GET", f"/{one['id']}/refunds", 200)
    assert [(r["why"], r["external_id"], r["amount_minor"]) for r in back] == [
        ("replaced", "A", 9_000),
        ("overpaid", "C", 10 * 2_000),
    ]
    paged = [ask("GET", f"/{one['id']}/refunds?limit=1&offset={at}", 200) for at in range(3)]
    assert [page[0] for page in paged[:2]] == back and paged[2] == []


REQUIRED = round(3 * 0.92 + 2 * 0.75)


"""Of three units with a deposit and two without: what is expected to be paid, by the stated priors."""


def test_a_campaign_that_misses_requires_nothing_and_returns_its_deposits(ask: Ask, db: Database) -> None:
    one = launched(ask)
    pledge(db, "A", quantity=3)
    pledge(db, "B", quantity=2, commitment="pledge")
    pledge(db, "C", quantity=1, status="cancelled")
    with db.reading() as session:
        assert sum(r.units for r in demands.campaign_requirements(session, as_of=NOW.date())) == REQUIRED
    with db.transaction() as session:
        closing = dt.datetime(2026, 12, 4, tzinfo=dt.UTC)
        landing = {one["id"]: {"as_of": "2026-12-03", "median": 5}}
        assert demand.close_due_campaigns(session, now=closing, landings=landing) == 1
        assert demand.close_due_campaigns(session, now=closing) == 0
    with db.reading() as session:
        assert demands.campaign_requirements(session, as_of=NOW.date()) == []
    decision = ask("GET", f"/{one['id']}/decisions", 200)[0]
    assert (decision["kind"], decision["decided_by"], decision["rule_goes"]) == ("no_go", "rule:go", False)
    assert decision["inputs"]["landing"] == {"as_of": "2026-12-03", "median": 5}
    back = ask("GET", f"/{one['id']}/refunds", 200)
    assert [(r["external_id"], r["amount_minor"]) for r in back] == [("A", 9_000)]
    assert steps(db, one["id"]) == (5, {"cancelled": 1})
    missed = ask("GET", f"/{one['id']}", 200)
    said = {"version": missed["version"], "reason": ""}
    ask("POST", f"/{one['id']}/overrule", 422, said)
    went = ask("POST", f"/{one['id']}/overrule", 200, {**said, "reason": "The mill takes less"})
    assert (went["state"], went["valid_units"]) == ("reached", 5)
    with db.reading() as session:
        assert sum(r.units for r in demands.campaign_requirements(session, as_of=NOW.date())) == REQUIRED


def test_a_person_decides_against_the_rule_with_a_reason(ask: Ask, db: Database) -> None:
    one = launched(ask)
    pledge(db, "A", quantity=3)
    said = {"version": one["version"], "decision": "go", "reason": ""}
    assert ask("POST", f"/{one['id']}/close", 422, said)["code"] == "reason_missing"
    closed = ask("POST", f"/{one['id']}/close", 200, {**said, "reason": "A retailer takes the rest"})
    assert closed["state"] == "reached"
    decision = ask("GET", f"/{one['id']}/decisions", 200)[0]
    assert (decision["rule_goes"], decision["reason"]) == (False, "A retailer takes the rest")
    assert pledge(db, "B", at="2026-11-23T10:00:00+00:00").flaws[0].code == "campaign_closed"


def test_a_cancelled_campaign_takes_nothing_more_and_keeps_what_it_had(ask: Ask, db: Database) -> None:
    one = launched(ask)
    pledge(db, "A", quantity=3)
    assert ask("POST", f"/{one['id']}/cancel", 422, {"version": one["version"], "reason": " "})
    gone = ask("POST", f"/{one['id']}/cancel", 200, {"version": one["version"], "reason": "No fabric"})
    assert (gone["state"], gone["steps"], gone["valid_units"]) == ("cancelled", ["finish"], 3)
    assert pledge(db, "B", at="2026-11-23T09:30:00+00:00").flaws[0].code == "campaign_closed"
    assert pledge(db, "A", quantity=3).outcome == "duplicate"
    assert ask("GET", f"/{one['id']}/refunds", 200)[0]["amount_minor"] == 9_000


def test_an_open_balance_is_an_alert_from_a_week_before_its_date(ask: Ask, db: Database) -> None:
    one = launched(ask)
    pledge(db, "A", quantity=12)
    ask("POST", f"/{one['id']}/close", 200, {"version": one["version"], "reason": "Enough"})
    due = dt.datetime(2026, 12, 10, tzinfo=dt.UTC)
    for now, overdue in (
        (due - dt.timedelta(days=8), None),
        (due - dt.timedelta(days=7), False),
        (due + dt.timedelta(hours=1), True),
    ):
        with db.transaction() as session:
            alerts.refresh(session, run_id=0, now=now)
            found = open_alerts(session, kind="balance_due")
        assert [(alert.data["overdue"], alert.data["buyers"]) for alert in found] == (
            [] if overdue is None else [(overdue, 1)]
        )
