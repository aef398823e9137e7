"""The life of a campaign on both databases: drafted, checked, launched, filled, extended, closed, decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import audit
from app.core.access import SYSTEM, Role
from app.core.db import Database
from app.stages.alerts import operations as alerts
from app.stages.alerts.queries import open_alerts
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge
from app.stages.imports import queries as batches
from support import brand
from support.shop import bearer

NOW = brand.NOW
URL = "/api/v1/campaigns"
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
DRAFT: dict[str, Any] = {
    "code": "PS-1",
    "name": "Bags",
    "variants": [{"sku": "BAG", "option": "black"}],
    "opens_at": "2026-11-20T00:00:00+00:00",
    "closes_at": "2026-12-04T00:00:00+00:00",
    "expected_units": 10,
    "go_factor_percent": 120,
    "due_week": "2026-12-28",
    "tiers": [{"min_units": 0, "unit_price_minor": 20_000}, {"min_units": 12, "unit_price_minor": 18_000}],
    "deposit_minor": 3_000,
    "balance_due_at": "2026-12-10T00:00:00+00:00",
}
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def network(db: Database, tmp_path: Path) -> None:
    brand.load_network(db, tmp_path)


@pytest.fixture
def ask(db: Database, client: FlaskClient) -> Ask:
    """ask("POST", path, status, body) – the answer's JSON, as a merchandiser."""
    headers = bearer(db, now=NOW)

    def send(method: str, path: str, status: int, body: Any = None) -> Any:
        answer = client.open(URL + path, method=method, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    return send


def launched(ask: Ask, **change: Any) -> dict[str, Any]:
    drafted = ask("POST", "", 201, {**DRAFT, **change})
    return dict(ask("POST", f"/{drafted['id']}/launch", 200, {"version": drafted["version"]}))


def pledge(
    db: Database, id_: str, *, at: str = "2026-11-22T10:00:00+00:00", quantity: int = 1, **cells: str
) -> demand.PledgeResult:
    sent = {
        "external_id": id_,
        "commitment": "deposit",
        "sku": "BAG",
        "region": "CN-GD",
        "quantity": str(quantity),
        "unit_price": "200.00",
        "currency": "CNY",
        "ordered_at": at,
        "buyer": f"b{id_}",
        "campaign": "PS-1",
        **cells,
    }
    with db.transaction() as session:
        rows = [SentPledge("shop", sent)]
        return demand.take_pledges(session, rows=rows, actor=SYSTEM, now=NOW, settings=SETTINGS)[0]


def correct(db: Database, id_: str, *, at: str, **said: Any) -> demand.CorrectionFact:
    with db.transaction() as session:
        return demand.correct_pledge(
            session,
            channel="shop",
            external_id=id_,
            changed_at=dt.datetime.fromisoformat(at),
            actor=SYSTEM,
            now=dt.datetime(2026, 12, 20, tzinfo=dt.UTC),
            currency="CNY",
            **said,
        )


def steps(db: Database, campaign_id: int) -> tuple[int, dict[str, int]]:
    with db.reading() as session:
        assert demands.recount(session) == []
        water = demands.waterfall(session, campaign_id=campaign_id)
    return water.valid_units, {one.reason: one.units for one in water.steps}


def test_a_draft_is_edited_copied_and_launched_once(ask: Ask, db: Database) -> None:
    one = ask("POST", "", 201, DRAFT)
    assert (one["state"], one["go_units"], one["steps"]) == ("draft", 12, ["launch", "cancel"])
    assert ask("POST", "", 409, DRAFT)["code"] == "campaign_exists"
    changed = {**DRAFT, "expected_units": 20, "version": 1}
    edited = ask("PUT", f"/{one['id']}", 200, changed)
    assert (edited["expected_units"], edited["version"]) == (20, 2)
    assert ask("PUT", f"/{one['id']}", 409, changed)["code"] == "campaign_changed"
    open_ = ask("POST", f"/{one['id']}/launch", 200, {"version": 2})
    assert (open_["state"], open_["launched_at"] is not None) == ("open", True)
    assert ask("PUT", f"/{one['id']}", 422, {**changed, "version": 3})["code"] == "campaign_launched"
    assert ask("POST", f"/{one['id']}/launch", 422, {"version": 3})["code"] == "campaign_move"
    copy = ask("POST", f"/{one['id']}/copy", 201, {"code": "PS-2"})
    assert copy["opens_at"].startswith("2026-11-27") and copy["due_week"] == "2027-01-04"
    assert (copy["state"], copy["tiers"], copy["variants"]) == ("draft", one["tiers"], one["variants"])
    with db.reading() as session:
        told = [entry.action for entry in audit.entries(session)]
    assert [one for one in told if one.startswith("campaign.")] == [
        "campaign.drafted",
        "campaign.launched",
        "campaign.edited",
        "campaign.drafted",
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "a/b"}, "code_invalid"),
        ({"closes_at": "2026-11-19T00:00:00+00:00"}, "close_before_opening"),
        ({"variants": [{"sku": "NOBODY"}]}, "sku_unknown"),
        ({"variants": [{"sku": "BAG"}, {"sku": "BAG"}]}, "variant_twice"),
        (
            {"tiers": [{"min_units": 0, "unit_price_minor": 1}, {"min_units": 0, "unit_price_minor": 2}]},
            "tier_twice",
        ),
    ],
)
def test_nonsense_is_not_kept(ask: Ask, change: dict[str, Any], code: str) -> None:
    refused = ask("POST", "", 422, {**DRAFT, **change})
    assert refused["code"] == "campaign_invalid"
    assert [one["code"] for one in refused["errors"]] == [code]
    assert ask("GET", "", 200) == []


def test_a_launch_is_refused_with_every_failed_check_and_the_earliest_week(ask: Ask) -> None:
    bad = {
        "due_week": "2026-12-14",
        "deposit_minor": 9_000,
        "balance_due_at": "2026-12-01T00:00:00+00:00",
        "tiers": [{"min_units": 5, "unit_price_minor": 20_000}],
    }
    one = ask("POST", "", 201, {**DRAFT, **bad})
    dry = ask("GET", f"/{one['id']}/launch-outlook", 200)
    refused = ask("POST", f"/{one['id']}/launch", 422, {"version": 1})
    codes = ["tier_missing", "deposit_too_high", "balance_before_close", "due_week_unreachable"]
    assert [error["code"] for error in refused["errors"]] == codes
    assert [check["code"] for check in dry["failures"]] == codes
    assert dry["earliest_week"] == refused["errors"][-1]["earliest"] == "2026-12-21"
    assert ask("GET", f"/{one['id']}", 200)["state"] == "draft"


def test_pledges_are_taken_from_the_opening_to_the_close_by_the_channels_time(
    ask: Ask, db: Database, tmp_path: Path
) -> None:
    draft = ask("POST", "", 201, DRAFT)
    assert pledge(db, "early").flaws[0].code == "campaign_not_open"
    ask("POST", f"/{draft['id']}/launch", 200, {"version": 1})
    assert pledge(db, "before", at="2026-11-19T23:59:59+00:00").flaws[0].code == "campaign_not_open"
    assert pledge(db, "after", at="2026-12-04T00:00:00+00:00").flaws[0].code == "campaign_closed"
    assert pledge(db, "last", at="2026-12-03T23:59:59+00:00").outcome == "accepted"
    rows = [
        f"F{day},pledge,BAG,CN-GD,1,200.00,CNY,2026-{day}T10:00:00+00:00,u{day},PS-1,"
        for day in ("11-19", "11-20", "12-03", "12-04")
    ]
    brand.load_orders(db, tmp_path, rows=rows)
    assert steps(db, draft["id"]) == (3, {})
    with db.reading() as session:
        batch = batches.list_batches(session)[0]
        codes = [one.code for one in batches.rejected_rows(session, batch_id=batch.id)]
    assert codes == ["campaign_not_open", "campaign_closed"]


def test_in_the_fill_phase_pledges_only_grow(ask: Ask, db: Database) -> None:
    one = launched(ask, fill_starts_at="2026-12-01T00:00:00+00:00")
    for id_ in ("A", "B", "C"):
        pledge(db, id_, quantity=3)
    refusals = [{"quantity": 2}, {"status": "cancelled"}, {"status": "test"}]
    for said in refusals:
        with pytest.raises(Exception, match="can only grow") as refused:
            correct(db, "A", at="2026-12-02T00:00:00+00:00", **said)
        assert refused.value.code == "fill_phase"  # type: ignore[attr-defined]
    assert correct(db, "A", at="2026-12-02T00:00:00+00:00", quantity=5).quantity == 5
    correct(db, "B", at="2026-11-30T23:59:59+00:00", quantity=1)  # made before the phase, told afterwards
    correct(db, "A", at="2026-11-30T23:59:59+00:00", quantity=4)
    assert steps(db, one["id"]) == (5 + 1 + 3, {})
    correct(db, "A", at="2026-12-05T00:00:00+00:00", quantity=2)  # after the close units come back
    correct(db, "C", at="2026-12-05T00:00:00+00:00", status="cancelled")
    assert steps(db, one["id"]) == (2 + 1, {"cancelled": 3})


def test_what_waited_for_its_pledge_is_heard_in_order_and_what_is_refused_stays_on_record(
    ask: Ask, db: Database
) -> None:
    one = launched(ask, fill_starts_at="2026-12-01T00:00:00+00:00")
    correct(db, "A", at="2026-12-02T00:00:00+00:00", quantity=3)
    correct(db, "A", at="2026-11-30T00:00:00+00:00", quantity=5)
    correct(db, "A", at="2026-12-02T00:00:00+00:00", status="cancelled")
    pledge(db, "A", quantity=2)
    assert steps(db, one["id"]) == (5, {})
    with db.reading() as session:
        refused = [e.data for e in audit.entries(session) if e.action == "pledge.correction_refused"]
    assert [one.get("quantity", one.get("status")) for one in refused] == ["cancelled", 3]


def test_units_above_the_cap_are_over_it_by_the_order_they_were_made(ask: Ask, db: Database) -> None:
    one = launched(ask, cap_units=12, late_until="2026-12-08T00:00:00+00:00")
    pledge(db, "late", at="2026-12-05T00:00:00+00:00", quantity=4)
    assert steps(db, one["id"]) == (4, {})
    pledge(db, "first", at="2026-11-21T00:00:00+00:00", quantity=6)
    pledge(db, "second", at="2026-11-22T00:00:00+00:00", quantity=5)
    assert steps(db, one["id"]) == (11, {"over_cap": 4})
    pledge(db, "small", at="2026-12-06T00:00:00+00:00", quantity=1)
    assert steps(db, one["id"]) == (12, {"over_cap": 4})
    correct(db, "first", at="2026-11-23T00:00:00+00:00", status="cancelled")
    assert steps(db, one["id"]) == (10, {"cancelled": 6})
    assert pledge(db, "gone", at="2026-12-08T00:00:00+00:00").flaws[0].code == "campaign_closed"
    dry = ask("GET", f"/{one['id']}/close-outlook", 200)
    assert (dry["valid_units"], dry["late_units"], dry["goes"]) == (5, 5, False)


def test_somebody_may_count_what_is_over_the_cap(ask: Ask, db: Database) -> None:
    one = launched(ask, cap_units=12)
    pledge(db, "A", quantity=12)
    pledge(db, "B", at="2026-11-22T11:00:00+00:00", quantity=2)
    with db.transaction() as session:
        excluded = demands.list_exclusions(session, reason="over_cap")
        assert excluded[0].evidence == {"cap_units": 12}
        demand.undo_exclusion(session, actor=SYSTEM, exclusion_id=excluded[0].id, now=NOW)
    pledge(db, "C", at="2026-11-22T12:00:00+00:00")
    assert steps(db, one["id"]) == (14, {"over_cap": 1})


def test_an_extension_keeps_the_orders_and_moves_the_dates(ask: Ask, db: Database) -> None:
    one = launched(ask, fill_starts_at="2026-12-01T00:00:00+00:00")
    pledge(db, "A", quantity=3)
    said = {"version": one["version"], "days": 3, "reason": "The live stream moved"}
    later = ask("POST", f"/{one['id']}/extend", 200, said)
    assert later["closes_at"].startswith("2026-12-07") and later["fill_starts_at"].startswith("2026-12-04")
    assert later["balance_due_at"].startswith("2026-12-13") and later["valid_units"] == 3
    again = {"version": later["version"], "days": 30, "reason": "More"}
    refused = ask("POST", f"/{one['id']}/extend", 422, again)
    assert "due_week_unreachable" in [error["code"] for error in refused["errors"]]
    moved = ask("POST", f"/{one['id']}/extend", 200, {**again, "due_week": "2027-02-01"})
    assert (moved["due_week"], moved["state"]) == ("2027-02-01", "open")
    kinds = [(d["kind"], d["reason"]) for d in ask("GET", f"/{one['id']}/decisions", 200)]
    assert kinds == [("extend", "More"), ("extend", "The live stream moved"), ("launch", None)]


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


@pytest.mark.parametrize("role", [Role.SUPPLIER, Role.WAREHOUSE_PLANNER])
def test_only_merchandisers_touch_campaigns(db: Database, client: FlaskClient, role: Role) -> None:
    supplier = brand.supplier(db, "DG").supplier_id if role is Role.SUPPLIER else None
    headers = bearer(db, role, now=NOW, supplier_id=supplier)
    paths = [("POST", "", DRAFT), ("POST", "/1/launch", {"version": 1}), ("GET", "/1/close-outlook", None)]
    for method, path, body in paths:
        assert client.open(URL + path, method=method, json=body, headers=headers).status_code == 403


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


def test_the_command_line_tries_and_takes_every_step(ask: Ask, db: Database, app: Flask) -> None:
    draft = ask("POST", "", 201, DRAFT)
    runner = app.test_cli_runner()

    def say(*arguments: str) -> str:
        result = runner.invoke(args=list(arguments))
        assert result.exit_code == 0, result.output
        return result.output.strip()

    assert say("campaign-outlook", "PS-1") == "It can be launched."
    assert say("campaign-step", "PS-1", "launch") == "PS-1 is open now."
    pledge(db, "A", quantity=12)
    assert "Closed now, it goes: 12 valid units, go line 12" in say("campaign-outlook", "PS-1")
    assert say("campaign-step", "PS-1", "extend", "--days", "2", "--reason", "More") == "PS-1 is open now."
    assert "12 of 12 to go, closes 2026-12-06" in say("campaigns")
    assert say("campaign-step", "PS-1", "close", "--reason", "Enough") == "PS-1 is reached now."
    assert say("campaign-step", "PS-1", "produce") == "PS-1 is in production now."
    refused = runner.invoke(args=["campaign-step", "PS-1", "cancel", "--reason", "No", "--json"])
    assert refused.exit_code == 1 and '"campaign_move"' in refused.stdout
    assert runner.invoke(args=["campaign-step", "PS-2", "launch"]).exit_code == 1
    assert runner.invoke(args=["campaign-step", "PS-1", "close", "--days", "2"]).exit_code == 2
    kinds = [(d["kind"], d["decided_by"]) for d in ask("GET", f"/{draft['id']}/decisions", 200)]
    assert [kind for kind, _ in kinds] == ["produce", "go", "extend", "launch"]
