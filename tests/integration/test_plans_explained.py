"""Plans that were stored can be asked about; inputs without a plan are kept, decided on and taken back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import optimizer
from app import cycle, questions
from app.core.access import SYSTEM
from app.core.audit import entries
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict, NotAllowed, NotFound, RuleBroken
from app.core.jobs import JobCancelled
from app.entrypoints import worker
from app.entrypoints.door import attached
from app.stages.allocation import operations, queries
from app.stages.allocation.operations import explaining
from app.stages.allocation.rules import Base, Limit, Scope
from support.brand import (
    MERCHANDISER,
    MONDAY,
    NOW,
    PLANNER,
    SETTINGS,
    load,
    make_plan,
    store_forecast,
)
from support.shop import bearer

HARD = Limit(Scope.SKU, Base.UNITS, 40, True, None)


@pytest.fixture
def brand(db: Database, tmp_path: Path) -> int:
    load(db, tmp_path)
    return store_forecast(db)


def freeze(db: Database, run_id: int) -> operations.FrozenProblem:
    with db.reading() as session:
        return operations.freeze(
            session,
            forecast_run_id=run_id,
            as_of=MONDAY,
            commitments=cycle.commitments(session, as_of=MONDAY),
            currency="CNY",
            settings=SETTINGS,
        )


def refuse(db: Database, run_id: int) -> queries.RefusalFact:
    """Bags have one supplier: under a hard limit of 40 % there is no plan."""
    with db.transaction() as session:
        operations.set_limit(session, limit=HARD, actor=MERCHANDISER, now=NOW)
    frozen = freeze(db, run_id)
    with pytest.raises(RuleBroken) as refused:
        operations.compute(frozen)
    assert refused.value.code == "plan_infeasible"
    with db.transaction() as session:
        return operations.keep_refusal(
            session, frozen=frozen, why=refused.value.data, actor=MERCHANDISER, now=NOW
        )


def test_a_stored_plan_is_still_the_plan_the_checker_accepts(db: Database, brand: int) -> None:
    plan = make_plan(db, brand)
    with db.reading() as session:
        kept = operations.load_plan(session, run_id=plan.run_id)
    cost = optimizer.check(kept.problem, kept.solution)
    assert round(cost.total * 100) == pytest.approx(plan.cost_minor, abs=len(kept.solution.orders))
    assert len(kept.solution.binding) >= len(plan.binding)


def test_a_plan_is_explained_once_in_minor_units(
    db: Database, brand: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        explaining, "MOST_ASKED", 2
    )  # every question plans again; two of a kind show the rest
    plan = make_plan(db, brand)
    found = questions.explain_plan(db, run_id=plan.run_id, now=lambda: NOW)
    bag = next(one for one in found.why if one["sku"] == "BAG")
    assert bag["decided_by"] == "only_source"
    assert {one["sku"] for one in found.why} == {"MUG", "BAG"}
    cap = next(one for one in found.caps if one["key"] == "MUG")
    # 40 of 320 are in stock; three suppliers share the rest
    assert cap["lowest"] >= cap["floor"] == pytest.approx((320 - 40) / 3 / 320)
    assert isinstance(cap["price"], int)
    assert all(isinstance(one["saving"], int) for one in found.relief)
    assert questions.explain_plan(db, run_id=plan.run_id, now=lambda: NOW + dt.timedelta(hours=1)) == found


def test_an_unknown_plan_cannot_be_explained(db: Database) -> None:
    with pytest.raises(NotFound, match="no plan 7"):
        questions.explain_plan(db, run_id=7, now=lambda: NOW)


def test_a_refusal_names_the_clash_and_the_ways_out(db: Database, brand: int) -> None:
    refusal = refuse(db, brand)
    assert [[rule["rule"] for rule in group] for group in refusal.clashes] == [["share_cap", "demand"]]
    assert refusal.clashes[0][0]["ids"] == {"scope": "sku", "key": "BAG"}
    assert refusal.lowest_share == 1.0
    assert {one["code"] for one in refusal.relaxations} == {"raise_cap", "soften_cap", "leave_unmet"}
    costs = [one["cost"] for one in refusal.relaxations]
    assert costs == sorted(costs) and all(isinstance(one, int) for one in costs)
    assert refuse(db, brand) == refusal


@pytest.mark.parametrize(("code", "after"), [("raise_cap", (100, True)), ("soften_cap", (40, False))])
def test_a_way_out_lets_the_next_plan_be_made_and_can_be_taken_back(
    db: Database, brand: int, code: str, after: tuple[int, bool]
) -> None:
    refusal = refuse(db, brand)
    with db.transaction() as session:
        decided = operations.decide(session, refusal_id=refusal.id, code=code, actor=MERCHANDISER, now=NOW)
    assert decided.decision is not None and decided.decided_by == MERCHANDISER.name
    with db.reading() as session:
        assert [(one.threshold_percent, one.hard) for one in queries.limits(session)] == [after]
    assert make_plan(db, brand).planned_units > 0
    with pytest.raises(Conflict, match="decided already"), db.transaction() as session:
        operations.decide(session, refusal_id=refusal.id, code=code, actor=MERCHANDISER, now=NOW)
    with db.transaction() as session:
        open_again = operations.take_back(session, refusal_id=refusal.id, actor=MERCHANDISER, now=NOW)
    assert open_again.decision is None
    with db.reading() as session:
        assert list(queries.limits(session)) == [HARD]
        actions = [one.action for one in entries(session)]
    assert {"refusal.decided", "refusal.taken_back", "limit.set"} <= set(actions)


def test_a_decision_is_not_taken_back_over_limits_set_since(db: Database, brand: int) -> None:
    refusal = refuse(db, brand)
    with db.transaction() as session:
        operations.decide(session, refusal_id=refusal.id, code="raise_cap", actor=MERCHANDISER, now=NOW)
        limit = Limit(Scope.SKU, Base.UNITS, 60, False, None)
        operations.set_limit(session, limit=limit, actor=MERCHANDISER, now=NOW)
    with pytest.raises(Conflict, match="set anew"), db.transaction() as session:
        operations.take_back(session, refusal_id=refusal.id, actor=MERCHANDISER, now=NOW)


def test_what_sets_no_limit_is_no_decision(db: Database, brand: int) -> None:
    refusal = refuse(db, brand)
    with pytest.raises(RuleBroken, match="Choose one"), db.transaction() as session:
        operations.decide(session, refusal_id=refusal.id, code="leave_unmet", actor=MERCHANDISER, now=NOW)
    with pytest.raises(Conflict, match="Nothing was decided"), db.transaction() as session:
        operations.take_back(session, refusal_id=refusal.id, actor=MERCHANDISER, now=NOW)
    with pytest.raises(NotAllowed), db.transaction() as session:
        operations.decide(session, refusal_id=refusal.id, code="raise_cap", actor=PLANNER, now=NOW)


def allocate(db: Database, config: Config, run_id: int) -> queries.PlanFact:
    """The step of a turn that makes the plan, from a forecast that is given."""
    with db.reading() as session:
        run = cycle.forecast_runs.get_run(session, run_id=run_id)
    assert run is not None
    watch = cycle._Watch(lambda *_: None)
    return cycle._allocate(db, config, run, MONDAY, MERCHANDISER, lambda: NOW, SETTINGS, watch)


def test_a_turn_keeps_why_it_has_no_plan(db: Database, brand: int, config: Config) -> None:
    with db.transaction() as session:
        operations.set_limit(session, limit=HARD, actor=MERCHANDISER, now=NOW)
    with pytest.raises(RuleBroken, match="No plan keeps all rules"):
        allocate(db, config, brand)
    with db.reading() as session:
        refusal = queries.latest_refusal(session)
        assert queries.latest_plan(session, today=MONDAY) is None
    assert refusal is not None and refusal.as_of == MONDAY


def test_a_cancelled_search_keeps_its_best_plan_and_is_not_the_last_word(db: Database, brand: int) -> None:
    frozen = freeze(db, brand)

    def stop(phase: str, *_: object) -> None:
        raise JobCancelled("enough")

    solution = operations.compute(frozen, progress=stop)
    assert solution.limit == operations.CANCELLED
    with db.transaction() as session:
        firm = cycle.commitments(session, as_of=MONDAY)
        plan = operations.store(
            session,
            frozen=frozen,
            solution=solution,
            commitments=firm,
            today=NOW.date(),
            actor=SYSTEM,
            now=NOW,
        )
    assert plan.settings["stopped_by"] == "cancelled"
    assert plan.problem_digest != frozen.digest
    whole = make_plan(db, brand)
    assert (whole.problem_digest, whole.settings["stopped_by"]) == (frozen.digest, None)


def test_progress_tells_the_bound_the_best_plan_and_the_gap(db: Database, brand: int) -> None:
    told: list[Any] = []
    operations.compute(freeze(db, brand), progress=lambda *report: told.append(report))
    figures = told[-1][3]
    assert 0 < figures["bound_minor"] <= figures["incumbent_minor"]
    assert 0 <= figures["gap"] < 0.02


# --- over HTTP ---


@pytest.fixture
def headers(db: Database) -> dict[str, str]:
    return bearer(db, now=NOW)


def test_the_api_explains_a_plan_in_the_background(
    app: Flask,
    client: FlaskClient,
    db: Database,
    brand: int,
    headers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick = optimizer.Explanation(why=({"extra": 1.5, "per_unit": None, "deciding": 1.5, "sku": "MUG"},))
    monkeypatch.setattr(operations, "compute_explanation", lambda *_, **__: quick)
    run_id = make_plan(db, brand).run_id
    address = f"/api/v1/plans/{run_id}/explanation"
    assert client.get(address, headers=headers).get_json()["code"] == "explanation_none"
    job = client.post(address, headers=headers)
    assert (job.status_code, job.get_json()["figures"]) == (202, None)
    assert worker.work_off(attached(app)) == 1
    found = client.get(address, headers=headers).get_json()
    assert (found["run_id"], found["relief"]) == (run_id, [])
    assert found["why"] == [{"extra": 150, "per_unit": None, "deciding": 150, "sku": "MUG"}]


def test_the_api_decides_and_takes_back(
    client: FlaskClient, db: Database, brand: int, headers: dict[str, str]
) -> None:
    assert client.get("/api/v1/refusals/latest", headers=headers).get_json()["code"] == "refusal_none"
    refusal = refuse(db, brand)
    assert client.get("/api/v1/refusals/latest", headers=headers).get_json()["id"] == refusal.id
    address = f"/api/v1/refusals/{refusal.id}/decision"
    assert client.put(address, headers=headers, json={"code": "flood"}).status_code == 422
    decided = client.put(address, headers=headers, json={"code": "soften_cap"}).get_json()
    assert decided["decision"]["code"] == "soften_cap"
    assert client.delete(address, headers=headers).get_json()["decision"] is None
    assert client.delete(address, headers=headers).status_code == 409
    assert client.get("/api/v1/refusals/99/decision", headers=headers).status_code == 405
    assert (
        client.put("/api/v1/refusals/99/decision", headers=headers, json={"code": "raise_cap"}).status_code
        == 404
    )


def test_a_scenario_is_planned_in_the_background_and_kept(
    app: Flask, client: FlaskClient, db: Database, brand: int, headers: dict[str, str]
) -> None:
    address = f"/api/v1/plans/{make_plan(db, brand).run_id}/scenarios"
    unknown = {"changes": [{"kind": "supplier_out", "supplier": "X"}]}
    assert client.post(address, headers=headers, json=unknown).get_json()["code"] == "scenario_invalid"
    changes = [{"kind": "supplier_out", "supplier": "YW"}, {"kind": "demand", "factor": 1.2}]
    made = client.post(address, headers=headers, json={"changes": changes})
    assert (made.status_code, made.get_json()["result"]) == (202, None)
    assert worker.work_off(attached(app)) == 1
    found = client.get(f"/api/v1/scenarios/{made.get_json()['id']}", headers=headers).get_json()
    assert found["result"]["cost_change_minor"] > 0
    assert client.get(address, headers=headers).get_json() == [found]


def test_a_drawn_demand_spreads_as_the_forecast_does(db: Database, tmp_path: Path) -> None:
    """One row a draw, one column a demand; a SKU's demands of all regions miss together."""
    load(db, tmp_path, campaign=False)
    plan = make_plan(db, store_forecast(db, spread=0.5))
    with db.transaction() as session:
        drafted = operations.draft_scenario(
            session,
            run_id=plan.run_id,
            changes=[{"kind": "demand_drawn", "draws": 40}],
            actor=MERCHANDISER,
            now=NOW,
        )
    with db.reading() as session:
        kept = operations.load_plan(session, run_id=plan.run_id)
        draws = operations.load_spread(session, scenario=drafted, kept=kept)
    assert draws is not None and draws.shape == (40, len(kept.problem.demand))
    weeks: dict[int, list[int]] = {}
    for column, one in enumerate(kept.problem.demand):
        assert (one.sku, one.quantity) == ("MUG", 20)
        weeks.setdefault(one.week, []).append(column)
    for columns in weeks.values():
        both = draws[:, columns].sum(axis=1)
        assert (
            0.92 * 40 <= both.mean() <= 1.08 * 40 and 40 * 0.25 <= both.min() < 25 and 55 < both.max() <= 70
        )
        assert (abs(draws[:, columns[0]] - draws[:, columns[-1]]) <= 1).all()


def test_stopped_draws_keep_the_levels_that_met_them_all(
    db: Database, tmp_path: Path, config: Config
) -> None:
    load(db, tmp_path, campaign=False)
    plan = make_plan(db, store_forecast(db, spread=0.5))
    with db.transaction() as session:
        drafted = operations.draft_scenario(
            session,
            run_id=plan.run_id,
            changes=[{"kind": "demand_drawn", "draws": 3}],
            actor=MERCHANDISER,
            now=NOW,
        )

    def run(most: int) -> None:
        def stop(phase: str, done: int, *_: object) -> None:
            if done > most:
                raise JobCancelled("enough")

        questions.run_scenario(db, config=config, scenario_id=drafted.id, progress=stop)

    with pytest.raises(JobCancelled):  # a plan and two of its draws are nothing to keep
        run(2)
    with pytest.raises(JobCancelled):
        run(4)
    with db.reading() as session:
        result = queries.get_scenario(session, scenario_id=drafted.id).result
    assert result is not None
    assert (result["stopped_by"], [one["level"] for one in result["tried"]]) == ("cancelled", [None])
