"""One alert per cause: opened, seen again, closed, opened anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.alerts import operations, queries
from app.stages.alerts.queries import AlertFact
from app.stages.allocation import operations as allocation
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Base, Limit, Scope
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from support.brand import (
    MERCHANDISER,
    NOW,
    ask,
    draw_landings,
    load,
    make_plan,
    store_forecast,
)

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
