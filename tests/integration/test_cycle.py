"""One turn of the cycle, from orders to alerts; broken off, repeated, and from the command line."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app import cycle
from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import JobCancelled
from app.stages.alerts import queries as alerts
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from app.stages.demand import queries as demand
from app.stages.forecasts import operations as forecasts
from app.stages.stock import operations as stock
from app.stages.stock.rules import MovementKind
from support import shop
from support.brand import MERCHANDISER, MONDAY, NOW, SETTINGS, load

Turn = Callable[..., cycle.CycleFact]


@pytest.fixture
def brand(db: Database, tmp_path: Path) -> None:
    load(db, tmp_path)


@pytest.fixture
def turn(db: Database, config: Config) -> Turn:
    def run(**changes: object) -> cycle.CycleFact:
        given: dict[str, object] = {"as_of": MONDAY, "now": lambda: NOW, "settings": SETTINGS, **changes}
        return cycle.run_cycle(db, config=config, actor=SYSTEM, **given)  # type: ignore[arg-type]

    return run


@pytest.mark.usefixtures("brand")
def test_a_turn_forecasts_plans_asks_and_alerts(db: Database, turn: Turn) -> None:
    told: list[str] = []
    fact = turn(progress=lambda phase, *_: told.append(phase))
    with db.reading() as session:
        plan = plans.get_plan(session, run_id=fact.allocation_run_id)
        asked = lines.supplier_lines(session, actor=MERCHANDISER)
    assert fact.series == 2
    assert (fact.plan_cost_minor, fact.unmet_units) == (plan.cost_minor, plan.unmet_units)
    assert sum(line.quantity for line in asked) == fact.planned_units
    assert fact.asked_lines == len(asked)
    assert fact.alerts >= 2
    assert [phase for phase in dict.fromkeys(told) if ":" not in phase and phase != "forecasting"] == [
        "forecast",
        "landings",
        "allocate",
        "plan",
        "alerts",
    ]
    assert json.loads(json.dumps(fact.as_dict()))["as_of"] == "2026-11-23"


@pytest.mark.usefixtures("brand")
def test_a_repeated_turn_does_no_work_twice(turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    first = turn()
    for stage in (forecasts, allocation):
        monkeypatch.setattr(stage, "compute", lambda *_, **__: pytest.fail("computed twice"))
    again = turn()
    assert (again.forecast_run_id, again.allocation_run_id) == (
        first.forecast_run_id,
        first.allocation_run_id,
    )
    assert (again.asked_lines, again.alerts) == (0, first.alerts)


@pytest.mark.usefixtures("brand")
def test_a_turn_broken_off_goes_on_from_what_is_stored(
    db: Database, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(phase: str, *_: object) -> None:
        if phase.startswith("allocate: "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        turn(progress=power_cut)
    with db.reading() as session:
        assert plans.latest_plan(session, today=MONDAY) is None
    monkeypatch.setattr(forecasts, "compute", lambda *_, **__: pytest.fail("forecast twice"))
    assert turn().asked_lines > 0


@pytest.mark.usefixtures("brand")
def test_a_plan_of_another_week_than_the_one_that_holds_asks_nobody_and_says_so(
    app: Flask, db: Database, turn: Turn, now: dt.datetime
) -> None:
    def standing() -> tuple[object, ...]:
        with db.reading() as session:
            shown = plans.latest_plan(session, today=MONDAY)
            return shown, lines.supplier_lines(session, actor=MERCHANDISER), alerts.open_alerts(session)

    held = turn()
    assert held.holds
    before = standing()
    others = [turn(as_of=MONDAY + dt.timedelta(weeks=weeks)) for weeks in (-2, 1)]
    assert [(one.holds, one.asked_lines, one.alerts) for one in others] == [(False, 0, held.alerts)] * 2
    assert len({held.allocation_run_id, *(one.allocation_run_id for one in others)}) == 3
    assert standing() == before
    with db.reading() as session:
        held_on = plans.latest_plan(session, today=others[1].as_of)
        base = plans.last_asked(session, as_of=others[1].as_of)
    assert held_on is not None and base is not None
    assert held_on.run_id == base.run_id == held.allocation_run_id  # its week alone makes no preview hold
    key = shop.bearer(db, now=now)
    told = {
        address: app.test_client().get(f"/plan{address}", headers=key).get_data(as_text=True)
        for address in ("", *(f"?run={one.allocation_run_id}" for one in others))
    }
    assert ["of an earlier week" in page for page in told.values()] == [False, True, False]
    assert ["a preview of a week to come" in page for page in told.values()] == [False, False, True]
    assert all(f"Suppliers go by plan {held.allocation_run_id} of" in told[one] for one in list(told)[1:])


@pytest.mark.usefixtures("brand")
@pytest.mark.parametrize("moved", [False, True], ids=["as it was seen ahead", "otherwise"])
def test_a_week_planned_ahead_is_asked_for_in_the_turn_of_its_week(
    db: Database, turn: Turn, moved: bool
) -> None:
    """Anew where anything moved; the preview itself where nothing did. Open lines of before are withdrawn."""
    week, later = MONDAY + dt.timedelta(weeks=1), NOW + dt.timedelta(weeks=1)
    turn()
    ahead = turn(as_of=week)
    assert (ahead.holds, ahead.asked_lines) == (False, 0)
    if moved:
        with db.transaction() as session:
            given = {"sku_id": 1, "warehouse_id": 1, "kind": MovementKind.ADJUSTMENT, "source": "a count"}
            stock.move(session, quantity=5, now=later, **given)
    fact = turn(as_of=week, now=lambda: later)
    assert fact.holds and fact.asked_lines > 0
    assert (fact.allocation_run_id == ahead.allocation_run_id) == (not moved)
    with db.reading() as session:
        plan = plans.latest_plan(session, today=week)
        asked = lines.supplier_lines(session, actor=MERCHANDISER, states=["asked"])
    assert plan is not None and (plan.run_id, plan.asked_at) == (fact.allocation_run_id, later)
    assert {line.run_id for line in asked} == {plan.run_id}


@pytest.mark.usefixtures("brand")
def test_a_plan_nobody_was_asked_for_says_so(app: Flask, db: Database, turn: Turn, now: dt.datetime) -> None:
    def stop(phase: str, *_: object) -> None:
        if phase.startswith("allocate: "):
            raise JobCancelled("enough")

    with pytest.raises(JobCancelled):
        turn(progress=stop)
    key = shop.bearer(db, now=now)
    note = "Suppliers have not been asked for this plan"
    assert note in app.test_client().get("/plan", headers=key).text
    turn()
    assert note not in app.test_client().get("/plan", headers=key).text


@pytest.mark.usefixtures("brand")
def test_a_plan_stopped_before_the_day_begins_elsewhere_is_no_preview(db: Database, turn: Turn) -> None:
    """It is Tuesday in Shanghai and Monday by UTC: the plan of Tuesday was made on its day."""
    early = dt.datetime(2026, 11, 23, 17, tzinfo=dt.UTC)
    tuesday = MONDAY + dt.timedelta(days=1)

    def stop(phase: str, *_: object) -> None:
        if phase.startswith("allocate: "):
            raise JobCancelled("enough")

    turn(as_of=MONDAY - dt.timedelta(weeks=1), now=lambda: NOW - dt.timedelta(weeks=1))
    with pytest.raises(JobCancelled) as stopped:
        turn(as_of=tuesday, now=lambda: early, progress=stop)
    with db.reading() as session:
        plan = plans.latest_plan(session, today=tuesday)
    assert plan is not None and stopped.value.result is not None
    assert (plan.run_id, plan.ahead) == (stopped.value.result["allocation_run_id"], False)


def stirred(db: Database, *, times: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let stock move during the first `times` computations."""
    compute, calls = allocation.compute, []

    def stir(frozen: allocation.FrozenProblem, **settings: object) -> object:
        calls.append(1)
        if len(calls) <= times:
            with db.transaction() as session:
                stock.move(
                    session,
                    sku_id=1,
                    warehouse_id=1,
                    quantity=1,
                    kind=MovementKind.ADJUSTMENT,
                    source=f"count {len(calls)}",
                    now=NOW,
                )
        return compute(frozen, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(allocation, "compute", stir)
    return calls


@pytest.mark.usefixtures("brand")
def test_inputs_that_moved_once_are_planned_again(
    db: Database, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = stirred(db, times=1, monkeypatch=monkeypatch)
    assert turn().asked_lines > 0
    assert len(calls) == 2


@pytest.mark.usefixtures("brand")
def test_inputs_that_keep_moving_are_a_conflict(
    db: Database, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stirred(db, times=9, monkeypatch=monkeypatch)
    with pytest.raises(Conflict) as moved:
        turn()
    assert moved.value.code == "inputs_moved"


@pytest.mark.usefixtures("brand")
def test_an_answer_makes_the_next_turn_a_new_plan_that_keeps_it(db: Database, turn: Turn) -> None:
    first = turn()
    with db.transaction() as session:
        line = lines.supplier_lines(session, actor=MERCHANDISER)[0]
        confirmation.record_answer(session, actor=SYSTEM, line_id=line.id, version=1, kind="confirm", now=NOW)
    second = turn(now=lambda: NOW + dt.timedelta(hours=1))
    assert second.allocation_run_id != first.allocation_run_id
    with db.reading() as session:
        kept = plans.plan_lines(session, run_id=second.allocation_run_id, supplier_id=line.supplier_id)
        confirmed = lines.supplier_lines(session, actor=MERCHANDISER, states=["confirmed"])
    assert sum(one.locked_quantity for one in kept) == line.quantity
    assert [one.id for one in confirmed] == [line.id]


@pytest.mark.usefixtures("brand")
def test_a_turn_first_closes_campaigns_whose_time_is_over(db: Database, turn: Turn) -> None:
    after_close = dt.datetime(2026, 12, 5, 9, tzinfo=dt.UTC)
    turn(as_of=after_close.date(), now=lambda: after_close)
    with db.reading() as session:
        assert [one.state for one in demand.list_campaigns(session)] == ["missed"]


def test_an_empty_house_is_told_what_to_do(turn: Turn) -> None:
    with pytest.raises(RuleBroken, match="Import orders"):
        turn()


@pytest.mark.usefixtures("brand")
def test_the_command_prints_a_summary_and_with_json_one_object(app: Flask) -> None:
    runner = app.test_cli_runner()
    said = runner.invoke(args=["run-cycle", "--as-of", "2026-11-23"])
    assert said.exit_code == 0, said.output
    for words in ("planned", "unmet", "lower bound", "shares above 40 %", "concentration:sku:BAG:units"):
        assert words in said.output
    told = json.loads(runner.invoke(args=["run-cycle", "--json"]).stdout.splitlines()[-1])
    assert told["warning"] is None
    assert told["unmet_units"] == 0
    assert {"demand_units", "series", "plan_cost_minor", "bound_minor", "alerts"} <= told.keys()


@pytest.mark.usefixtures("brand")
def test_a_day_long_after_the_last_order_is_warned_of(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["run-cycle", "--as-of", "2027-03-01"])
    assert "--as-of 2026-11-18" in result.stderr


def test_a_day_that_is_none_is_refused(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["run-cycle", "--as-of", "2010-02-30"])
    assert result.exit_code == 2
    assert "2010-02-30" in result.stderr


@pytest.mark.usefixtures("brand")
def test_two_turns_at_once_end_with_one_plan_and_ask_once(
    db: Database, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = allocation.compute

    def overtaken(frozen: allocation.FrozenProblem, **settings: object) -> object:
        monkeypatch.setattr(allocation, "compute", compute)
        turn()
        return compute(frozen, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(allocation, "compute", overtaken)
    fact = turn()
    with db.reading() as session:
        assert [plan.run_id for plan in plans.list_plans(session)] == [fact.allocation_run_id]
        asked = lines.supplier_lines(session, actor=MERCHANDISER)
    assert sum(line.quantity for line in asked) == fact.planned_units
