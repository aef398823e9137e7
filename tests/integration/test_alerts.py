"""One alert per cause: opened, seen again, closed, opened anew."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask

from app.core.access import SYSTEM, Role
from app.core.db import Database
from app.stages.alerts import operations, queries
from app.stages.alerts.queries import AlertFact
from app.stages.allocation import operations as allocation
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Base, Limit, Scope
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from app.stages.confirmation.queries import LineFact
from support.brand import (
    MERCHANDISER,
    NOW,
    ask,
    draw_landings,
    load,
    make_plan,
    store_forecast,
)
from support.shop import bearer

LATER = NOW + dt.timedelta(hours=3)


@pytest.fixture
def plan(db: Database, tmp_path: Path) -> PlanFact:
    load(db, tmp_path)
    plan = make_plan(db, store_forecast(db))
    ask(db, plan)
    return plan


def refreshed(db: Database, plan: PlanFact, *, now: dt.datetime = NOW) -> dict[str, AlertFact]:
    with db.transaction() as session:
        found = operations.refresh(session, run_id=plan.run_id, now=now)
    return {alert.cause: alert for alert in found}


def limit(db: Database, percent: int) -> None:
    with db.transaction() as session:
        given = Limit(Scope.SKU, Base.UNITS, percent, False, None)
        allocation.set_limit(session, limit=given, actor=SYSTEM, now=NOW)


def test_a_single_source_is_named_with_all_its_numbers(db: Database, plan: PlanFact) -> None:
    alert = refreshed(db, plan)["concentration:sku:BAG:units"]
    assert (alert.kind, alert.owner) == ("concentration", "merchandiser")
    data = alert.data
    assert (data["scope"], data["scope_key"], data["base"], data["threshold"]) == ("sku", "BAG", "units", 0.4)
    assert (data["supplier"], data["share"], data["hhi"], data["effective_suppliers"]) == (
        "DG",
        1.0,
        1.0,
        1.0,
    )
    assert (data["eligible_suppliers"], data["can_hold"], data["lowest_reachable_share"]) == (1, False, 1.0)


def test_an_alert_seen_again_keeps_the_time_it_was_opened(db: Database, plan: PlanFact) -> None:
    first, second = refreshed(db, plan), refreshed(db, plan, now=LATER)
    assert first.keys() == second.keys()
    assert all(alert.opened_at == NOW and alert.seen_at == LATER for alert in second.values())
    assert [first[cause].id for cause in first] == [second[cause].id for cause in first]


def test_an_alert_is_closed_when_its_cause_is_gone_and_opened_anew_when_it_is_back(
    db: Database, plan: PlanFact
) -> None:
    opened = refreshed(db, plan)["concentration:sku:BAG:units"]
    limit(db, 100)
    assert "concentration:sku:BAG:units" not in refreshed(db, plan, now=LATER)
    limit(db, 40)
    again = refreshed(db, plan, now=LATER + dt.timedelta(days=1))["concentration:sku:BAG:units"]
    assert again.id == opened.id
    assert again.opened_at == LATER + dt.timedelta(days=1)
    assert again.closed_at is None


def test_declined_and_unanswered_lines_raise_one_alert_each_by_supplier(db: Database, plan: PlanFact) -> None:
    with db.transaction() as session:
        first = lines.supplier_lines(session, actor=MERCHANDISER)[0]
        confirmation.record_answer(
            session, actor=SYSTEM, line_id=first.id, version=1, kind="decline", now=NOW
        )
        operations.refresh_answers(session, run_id=plan.run_id, now=NOW)
    with db.transaction() as session:
        (declined,) = queries.open_alerts(session, kind="declined")
        assert declined.data["units"] == first.quantity
        confirmation.expire_overdue(session, now=NOW + dt.timedelta(days=6))
        operations.refresh_answers(session, run_id=plan.run_id, now=LATER)
        overdue = queries.open_alerts(session, kind="answer_overdue")
    assert sum(alert.data["units"] for alert in overdue) == plan.planned_units - first.quantity
    following = make_plan(db, plan.forecast_run_id)
    ask(db, following)
    assert not [cause for cause in refreshed(db, following, now=LATER) if cause.startswith("declined")]


def test_a_campaign_that_lands_below_its_go_line_is_at_risk(db: Database, plan: PlanFact) -> None:
    assert "campaign_at_risk:PS-BAG" not in refreshed(db, plan)  # nobody has seen where it lands
    draw_landings(db)
    alert = refreshed(db, plan)["campaign_at_risk:PS-BAG"]
    assert (alert.data["valid_units"], alert.data["go_units"]) == (20, 60)
    assert 20 < alert.data["projected_units"] < 60
    assert alert.data["chance"] < 0.5


def test_open_alerts_are_counted_and_listed_by_weight(db: Database, plan: PlanFact) -> None:
    found = refreshed(db, plan)
    with db.reading() as session:
        listed = queries.open_alerts(session)
        assert [alert.weight for alert in listed] == sorted((one.weight for one in listed), reverse=True)
        assert queries.count_open(session) == len(found) == sum(queries.count_open_by_kind(session).values())
        assert queries.count_open(session, owner="warehouse_planner") == 0
        assert queries.open_alerts(session, owner="merchandiser", limit=1) == listed[:1]


def decline(app: Flask, key: dict[str, str], line_id: int) -> int:
    body = {"version": 1, "kind": "decline", "note": "no clay"}
    answer = app.test_client().post(f"/api/v1/plan-lines/{line_id}/answers", json=body, headers=key)
    return answer.status_code


def asked_of_one(db: Database) -> tuple[int, list[LineFact]]:
    """A supplier with several lines, and these."""
    with db.reading() as session:
        asked = lines.supplier_lines(session, actor=MERCHANDISER, states=["asked"])
    by_supplier = {
        one.supplier_id: [line for line in asked if line.supplier_id == one.supplier_id] for one in asked
    }
    return max(by_supplier.items(), key=lambda pair: len(pair[1]))


def test_a_decline_raises_its_alert_as_it_comes_in(db: Database, plan: PlanFact, app: Flask) -> None:
    """From either door, in its own transaction; a confirmed line raises none."""
    supplier, (first, second) = asked_of_one(db)
    key = bearer(db, Role.SUPPLIER, now=NOW, supplier_id=supplier)
    with db.reading() as session:
        asked = lines.supplier_lines(session, actor=MERCHANDISER)
    (other,) = (line for line in asked if line.supplier_id != supplier)
    others = bearer(db, Role.SUPPLIER, now=NOW, supplier_id=other.supplier_id, email="other@x.example")
    path, body = f"/api/v1/plan-lines/{other.id}/answers", {"version": 1, "kind": "confirm"}
    assert app.test_client().post(path, json=body, headers=others).status_code == 201
    with db.reading() as session:
        assert queries.count_open(session) == 0
    assert decline(app, key, first.id) == 201
    with db.reading() as session:
        (alert,) = queries.open_alerts(session)
    assert (alert.kind, alert.owner, alert.data["lines"]) == ("declined", "merchandiser", 1)
    client = app.test_client()
    token = client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": "supplier@x.example", "password": "long enough!", "csrf_token": token}
    client.post("/sign-in", data=form)
    token = client.get("/supplier").text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"version": "1", "note": "none left", "csrf_token": token}
    assert client.post(f"/supplier/lines/{second.id}/decline", data=form).status_code == 303
    with db.reading() as session:
        (alert,) = queries.open_alerts(session)
    assert (alert.data["lines"], alert.data["units"]) == (2, first.quantity + second.quantity)


def test_declines_at_once_make_one_alert_of_all(db: Database, plan: PlanFact, app: Flask) -> None:
    supplier, theirs = asked_of_one(db)
    key, together = bearer(db, Role.SUPPLIER, now=NOW, supplier_id=supplier), Barrier(3)

    def send(line: LineFact) -> int:
        together.wait()
        return decline(app, key, line.id)

    def turn() -> int:
        together.wait()
        return len(refreshed(db, plan))

    with ThreadPoolExecutor(max_workers=3) as pool:
        turned = pool.submit(turn)
        assert list(pool.map(send, theirs[:2])) == [201, 201]
        assert turned.result() > 0
    with db.reading() as session:
        (alert,) = queries.open_alerts(session, kind="declined")
    assert alert.data["lines"] == 2
