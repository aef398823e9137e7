"""What a counter-offer would do to the plan is known before it is taken; the next plan then does that."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

import optimizer
from app import cycle, questions
from app.core import jobs
from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.entrypoints import worker
from app.entrypoints.door import attached
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.allocation.queries import PlanFact
from app.stages.catalog import queries as catalog
from app.stages.confirmation import operations, queries
from app.stages.confirmation.queries import LineFact
from app.stages.forecasts.models import ForecastTotal
from support.brand import (
    MERCHANDISER,
    MONDAY,
    NOW,
    SETTINGS,
    ask,
    load,
    make_plan,
    store_forecast,
)


@pytest.fixture
def forecast(db: Database, tmp_path: Path) -> int:
    load(db, tmp_path)
    return store_forecast(db)


@pytest.fixture
def plan(db: Database, forecast: int) -> PlanFact:
    plan = make_plan(db, forecast)
    ask(db, plan)
    return plan


@pytest.fixture
def countered(db: Database, plan: PlanFact) -> LineFact:
    """The largest line of mugs, which its supplier would make about half of, in whole lots of ten."""
    with db.transaction() as session:
        mug = catalog.sku_ids(session)["MUG"]
        asked = queries.supplier_lines(session, actor=MERCHANDISER, sku_id=mug)
        line = max(asked, key=lambda one: (one.quantity, one.id))
        return operations.record_answer(
            session,
            actor=SYSTEM,
            line_id=line.id,
            version=line.version,
            kind="counter",
            quantity=half(line),
            now=NOW,
        )


def half(line: LineFact) -> int:
    return line.quantity // 20 * 10


def preview(db: Database, line: LineFact) -> queries.PreviewFact:
    one = Config(database_url=db.url, data_dir=Path(), secret_key="-", pseudonym_key=b"-", worker_processes=1)
    return questions.preview_counter(db, config=one, line_id=line.id, now=lambda: NOW)


def test_a_counter_offer_is_planned_with_and_without_before_it_is_taken(
    db: Database, plan: PlanFact, countered: LineFact
) -> None:
    found = preview(db, countered).result
    asked, accept, refuse = (found[name] for name in ("asked", "accept", "refuse"))
    assert asked["cost_minor"] == pytest.approx(plan.cost_minor, abs=100)
    assert asked["suppliers"][found["supplier"]] >= countered.quantity
    # both only restrict the plan's problem, so that its bound holds for them too
    assert min(accept["cost_minor"], refuse["cost_minor"]) >= plan.bound_minor
    supplier = found["supplier"]
    assert refuse["suppliers"].get(supplier, 0) == 0
    assert accept["suppliers"][supplier] >= half(countered)
    moved = found["moves"]["accept"]
    assert {"sku": "MUG", "supplier": supplier, "before": countered.quantity} in [
        {name: row[name] for name in ("sku", "supplier", "before")} for row in moved
    ]
    assert preview(db, countered).created_at == NOW  # kept, not found out again


def test_what_is_accepted_is_what_the_next_plan_does(
    db: Database, plan: PlanFact, countered: LineFact
) -> None:
    told = preview(db, countered).result["accept"]
    with db.transaction() as session:
        operations.settle_counter(
            session,
            actor=MERCHANDISER,
            line_id=countered.id,
            version=countered.version,
            accept=True,
            now=NOW,
        )
    with db.reading() as session:
        short = queries.limited(session, first_week=MONDAY)
        assert short == [(countered.supplier_id, countered.sku_id, countered.order_week, half(countered))]
        assert queries.limited(session, first_week=countered.order_week + dt.timedelta(weeks=1)) == []
    again = make_plan(db, plan.forecast_run_id)
    # both are within the gap of 1 % of their best
    assert again.cost_minor == pytest.approx(told["cost_minor"], rel=0.01)
    with db.reading() as session:
        lines = plans.plan_lines(
            session, run_id=again.run_id, supplier_id=countered.supplier_id, sku_id=countered.sku_id
        )
    then = [one for one in lines if one.order_week == countered.order_week]
    assert [(one.quantity, one.locked_quantity) for one in then] == [(half(countered), half(countered))]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_worker_finds_it_out_and_a_newer_version_is_asked_anew(
    app: Flask, db: Database, countered: LineFact
) -> None:
    with db.reading() as session:
        waiting = queries.supplier_lines(session, actor=MERCHANDISER, states=["asked"])[0]
    with pytest.raises(Conflict, match="settled"):
        preview(db, waiting)
    with db.transaction() as session:
        arguments = {"line_id": countered.id, "version": countered.version}
        job = jobs.enqueue(session, name="preview-counter", arguments=arguments, actor=SYSTEM, now=NOW)
    assert worker.work_off(attached(app)) == 1
    with db.reading() as session:
        assert jobs.get_job(session, job_id=job.id).result == {"line_id": countered.id}
        assert queries.preview(session, line_id=countered.id, version=countered.version)
        assert queries.preview(session, line_id=countered.id, version=countered.version + 1) is None


# --- what plans are made with ---


def freeze(db: Database, run_id: int, *, as_of: dt.date = MONDAY) -> allocation.FrozenProblem:
    with db.reading() as session:
        return allocation.freeze(
            session,
            forecast_run_id=run_id,
            as_of=as_of,
            commitments=cycle.commitments(session, as_of=as_of),
            currency="CNY",
            settings=plans.plan_settings(session),
        )


def set_policy(db: Database, *, service: dict[str, int], churn_minor: int | None = None) -> None:
    with db.transaction() as session:
        allocation.set_policy(session, service=service, churn_minor=churn_minor, actor=MERCHANDISER, now=NOW)


def test_a_service_level_plans_a_class_to_its_quantile_and_nothing_else(db: Database, forecast: int) -> None:
    with db.transaction() as session:
        mug = catalog.sku_ids(session)["MUG"]
        wide = update(ForecastTotal).where(ForecastTotal.sku_id == mug)
        session.execute(wide.values(hi_80=2 * ForecastTotal.mean, hi_95=3 * ForecastTotal.mean))
    before = freeze(db, forecast)
    set_policy(db, service={"B": 95})
    assert freeze(db, forecast).translation.demand_units == before.translation.demand_units
    set_policy(db, service={"A": 90})
    after = freeze(db, forecast)
    # eight weeks of 40 mugs become 80 each, pledges of bags stay
    assert after.translation.demand_units == before.translation.demand_units + 8 * 40
    assert (before.digest == after.digest, after.settings.service) == (False, {"A": 90})
    set_policy(db, service={})
    assert freeze(db, forecast).digest == before.digest


def test_a_charge_for_changes_holds_the_next_plan_to_the_last_and_stays_out_of_the_digest(
    db: Database, plan: PlanFact
) -> None:
    set_policy(db, service={}, churn_minor=150)
    frozen = freeze(db, plan.forecast_run_id)
    problem = frozen.translation.problem
    assert (frozen.base_run_id, problem.churn_cost) == (plan.run_id, 1.5)
    with db.reading() as session:
        lines = plans.plan_lines(session, run_id=plan.run_id)
    assert sum(one.quantity for one in problem.previous) == sum(one.quantity for one in lines)
    solution = allocation.compute(frozen)
    assert solution.cost.churn == 0.0
    assert freeze(db, plan.forecast_run_id).digest == frozen.digest


def test_the_next_turn_of_a_week_starts_from_what_suppliers_were_asked_for(
    db: Database, plan: PlanFact, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.reading() as session:
        asked = allocation.load_plan(session, run_id=plan.run_id).solution
    found: list[optimizer.Solution | None] = []
    solve = optimizer.solve

    def listen(*args: Any, start: optimizer.Solution | None = None, **more: Any) -> Any:
        found.append(start)
        return solve(*args, start=start, **more)

    monkeypatch.setattr(optimizer, "solve", listen)
    before = freeze(db, plan.forecast_run_id)
    allocation.compute(before)
    assert found == [asked]
    week_on = freeze(db, plan.forecast_run_id, as_of=MONDAY + dt.timedelta(weeks=1))
    assert week_on.start is None, "its weeks are other weeks"


@pytest.mark.parametrize(
    ("service", "churn", "code"),
    [({"A": 49}, None, "service_level"), ({"D": 90}, None, "service_level"), ({}, 0, "churn_charge")],
)
def test_a_policy_that_cannot_be_is_refused(
    db: Database, service: dict[str, int], churn: int | None, code: str
) -> None:
    with pytest.raises(RuleBroken) as refused:
        set_policy(db, service=service, churn_minor=churn)
    assert refused.value.code == code


def test_a_turn_is_made_with_what_was_set(db: Database, plan: PlanFact, config: Config) -> None:
    set_policy(db, service={"A": 90}, churn_minor=100)
    with db.reading() as session:
        run = cycle.forecast_runs.get_run(session, run_id=plan.forecast_run_id)
    assert run is not None
    watch = cycle._Watch(lambda *_: None)
    made = cycle._allocate(db, config, run, MONDAY, MERCHANDISER, lambda: NOW, None, watch)
    assert (made.settings["service"], made.settings["churn_minor"]) == ({"A": 90}, 100)
    assert made.settings["base_run_id"] == made.settings["start_run_id"] == plan.run_id
    assert SETTINGS.service is None
