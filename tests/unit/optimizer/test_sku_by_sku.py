"""Problems too large for one model: same plan whatever the threads, honest bounds, progress, cancel, time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.allocation_scale import problem
from optimizer import (
    Cancelled,
    DemandChange,
    Infeasible,
    PriceChange,
    Problem,
    Settings,
    Solution,
    SupplierOut,
    changed,
    check,
    solve,
    what_if,
)
from optimizer.search import decomposition
from optimizer.search import solving as solving_module

FEW = problem(3, suppliers=3, warehouses=2, regions=3, sold_in=2)
# So close that no phase of the search is left out.
CLOSE = Settings(gap=1e-4, time_limit=3600)
# So much is wanted that there is no room for all.
DEARER = PriceChange(factor=1.1)
SCARCE, ROUGH = changed(FEW, [DemandChange(factor=4)]), replace(CLOSE, gap=0.05)


@pytest.fixture(autouse=True, scope="module")
def always_in_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving_module, "AT_ONCE_WAYS", -1)
        patch.setattr(solving_module, "SECOND_OPINION_WAYS", -1)
        yield


@pytest.fixture(scope="module")
def whole_search() -> tuple[Solution, list[dict[str, Any]]]:
    """A plan made without a stop, and what was told of it."""
    seen: list[dict[str, Any]] = []
    return planned(FEW, CLOSE, progress=seen.append), seen


def planned(made: Problem, settings: Settings, **more: Any) -> Solution:
    answer = solve(made, settings, **more)
    assert not isinstance(answer, Infeasible)
    return answer


def text(solution: Solution) -> str:
    return json.dumps(solution.to_json() | {"seconds": 0})


@pytest.mark.slow
def test_two_processes_give_the_plan_of_one_to_the_byte_also_when_one_is_killed(
    whole_search: tuple[Solution, list[dict[str, Any]]],
) -> None:
    killed: list[int] = []

    def kill_one(told: dict[str, Any]) -> None:
        if told["phase"] == "SKUs" and not killed:
            killed.append(min(one.pid or 0 for one in multiprocessing.active_children()))
            os.kill(killed[0], signal.SIGKILL)

    two = planned(FEW, replace(CLOSE, threads=2), progress=kill_one)
    assert killed and killed[0] not in {one.pid for one in multiprocessing.active_children()}
    assert text(two) == text(whole_search[0])


@pytest.fixture(scope="module")
def scarce() -> Solution:
    """The plan of SCARCE, found by shadow prices of its suppliers' weeks."""
    return planned(SCARCE, ROUGH)


@pytest.fixture(scope="module")
def dearer() -> tuple[Solution, list[dict[str, Any]]]:
    """Of SCARCE at higher prices the plan that starts from nothing, and what was told of it."""
    seen: list[dict[str, Any]] = []
    return planned(changed(SCARCE, [DEARER]), ROUGH, progress=seen.append), seen


def test_scenarios_start_from_the_base_whatever_the_threads_and_their_order(
    scarce: Solution, dearer: tuple[Solution, list[dict[str, Any]]]
) -> None:
    assert scarce.shadow_prices
    assert Solution.from_json(scarce.to_json()).shadow_prices == scarce.shadow_prices
    asked = [DEARER, SupplierOut(supplier="S0")]
    one = what_if(SCARCE, asked, ROUGH, base=scarce)
    two = what_if(SCARCE, asked[::-1], ROUGH, base=scarce)[::-1]
    for outcome, again in zip(one, two, strict=True):
        assert isinstance(outcome.answer, Solution) and isinstance(again.answer, Solution)
        made = changed(SCARCE, outcome.changes)
        threads = planned(made, replace(ROUGH, threads=2), start=scarce)
        assert text(outcome.answer) == text(again.answer) == text(threads)
        cold = dearer[0] if outcome is one[0] else planned(made, ROUGH)
        assert outcome.answer.bound <= cold.objective
        assert outcome.answer.objective <= cold.objective / (1 - ROUGH.gap)


def test_a_search_from_a_plan_has_fewer_rounds_of_prices(
    scarce: Solution, dearer: tuple[Solution, list[dict[str, Any]]]
) -> None:
    cold, told_cold = dearer
    told: list[dict[str, Any]] = []
    warm = planned(changed(SCARCE, [DEARER]), ROUGH, start=scarce, progress=told.append)
    assert max(cold.gap, warm.gap) <= ROUGH.gap
    rounds = [[one["phase"] for one in seen].count("prices") for seen in (told, told_cold)]
    assert rounds[0] < rounds[1]


def test_whoever_cancels_waits_for_no_process() -> None:
    """Its processes are ended, not waited for."""
    plan = planned(FEW, replace(CLOSE, threads=2), progress=lambda told: told["phase"] != "prices")
    assert plan.limit == "cancelled"
    assert not multiprocessing.active_children()


def test_the_bound_is_below_the_cost_and_the_gap_is_between_them(
    whole_search: tuple[Solution, list[dict[str, Any]]],
) -> None:
    solution, _ = whole_search
    assert 0 < solution.bound <= solution.objective
    assert solution.gap == pytest.approx((solution.objective - solution.bound) / solution.objective)
    assert solution.gap < 0.10
    assert check(FEW, solution).total == pytest.approx(solution.objective)


def test_progress_is_told_with_the_same_keys_in_every_phase(
    whole_search: tuple[Solution, list[dict[str, Any]]],
) -> None:
    _, seen = whole_search
    assert {tuple(one) for one in seen} == {("phase", "done", "total", "bound", "incumbent", "gap")}
    assert {"compile", "prices", "SKUs", "done"} <= {one["phase"] for one in seen}
    assert seen[-1]["gap"] is not None


def test_a_plan_to_start_from_is_told_before_any_price(
    whole_search: tuple[Solution, list[dict[str, Any]]],
) -> None:
    _, seen = whole_search
    first = next(one for one in seen if one["incumbent"] is not None)
    assert first["phase"] == "start"
    assert seen[-1]["incumbent"] <= first["incumbent"]


def opened(fee: float) -> Problem:
    """Four suppliers that cost a fee to open, two of which hold all demand."""
    suppliers, skus = ["S0", "S1", "S2", "S3"], [f"K{at}" for at in range(6)]
    return Problem.from_json(
        {
            "schema": "allocation/1",
            "weeks": 2,
            "suppliers": [{"id": one, "award_cost": fee, "capacity": 75} for one in suppliers],
            "regions": [{"id": "R"}],
            "skus": [{"id": one} for one in skus],
            "offers": [
                {
                    "supplier": supplier,
                    "sku": sku,
                    "order_cost": 1,
                    "breaks": [[0, 5 + (7 * i + 3 * j) % 4 * 0.1]],
                }
                for i, sku in enumerate(skus)
                for j, supplier in enumerate(suppliers)
            ],
            "lanes": [{"from": one, "to": "R"} for one in suppliers],
            "demand": [
                {"sku": sku, "region": "R", "week": week, "quantity": 20, "short_cost": 100}
                for sku in skus
                for week in (0, 1)
            ],
        }
    )


def test_what_opening_costs_is_in_the_bound_and_decides_who_is_used() -> None:
    costly, free = planned(opened(200.0), Settings(gap=0.0)), planned(opened(0.0), Settings(gap=0.0))
    assert len({one.supplier for one in costly.orders}) < len({one.supplier for one in free.orders})
    assert costly.bound - free.bound > 1.5 * 200
    assert costly.gap < 0.20


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_raised_by_progress_cancels_the_search(threads: int) -> None:
    class Stopped(Exception):
        pass

    def cancel(state: dict[str, Any]) -> None:
        if state["phase"] == "SKUs":
            raise Stopped

    with pytest.raises(Stopped):
        solve(FEW, Settings(threads=threads), progress=cancel)


def test_a_plan_cut_by_the_clock_is_still_valid_and_says_so() -> None:
    solution = planned(FEW, Settings(time_limit=0.0))
    assert solution.limit == "time"
    assert check(FEW, solution).total == pytest.approx(solution.objective)


def test_hard_rows_hold_after_the_repair() -> None:
    data = FEW.to_json()
    for one in data["suppliers"]:
        one["capacity"] = [max(100.0, value / 2) for value in one["capacity"]]
    for one in data["warehouses"]:
        one["inbound"] = 150
        one["storage"] = 100
    tight = Problem.from_json(json.loads(json.dumps(data)))
    solution = planned(tight, Settings(gap=0.2))  # the first plan that is mended is near enough
    assert check(tight, solution).total == pytest.approx(solution.objective)
    rules = {one.rule for one in solution.binding}
    assert "capacity" in rules


@pytest.mark.parametrize(("phase", "how"), [("start", "false"), ("prices", "raise"), ("combine", "false")])
def test_whoever_cancels_gets_the_best_plan_so_far(phase: str, how: str) -> None:
    def cancel(state: dict[str, Any]) -> bool | None:
        if state["phase"] == phase and how == "raise":
            raise Cancelled
        return state["phase"] != phase

    solution = planned(FEW, CLOSE, progress=cancel)
    assert solution.limit == "cancelled"
    assert check(FEW, solution).total == pytest.approx(solution.objective)
    assert solution.cost.short < sum(one.short_cost * one.quantity for one in FEW.demand) / 2


def test_a_search_that_has_the_gap_asked_for_makes_no_more_plans(
    whole_search: tuple[Solution, list[dict[str, Any]]],
) -> None:
    seen: list[str] = []
    wide = planned(FEW, Settings(gap=0.05), progress=lambda told: seen.append(told["phase"]))
    closer, all_told = whole_search
    assert wide.gap <= 0.05 and "combine" not in seen
    assert closer.gap <= wide.gap and "combine" in {told["phase"] for told in all_told}


def test_every_other_round_of_plans_gives_the_cheapest_choice_so_far(
    whole_search: tuple[Solution, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stops the search then has more than the first plan that was mended."""
    asked: list[int] = []
    chosen = decomposition._chosen

    def counted(workers: Any, plan: Any, pool: Any, *rest: Any) -> Any:
        found = chosen(workers, plan, pool, *rest)
        asked.append(max(len(parts) for parts in pool.master.columns.values()))
        assert found[0].cost() <= plan.cost() and not found[0].over().any()
        return found

    monkeypatch.setattr(decomposition, "_chosen", counted)
    assert text(planned(FEW, CLOSE)) == text(whole_search[0])
    assert asked[0] == 3 and len(asked) >= 2  # the first plan that fits, and two rounds


@pytest.mark.parametrize(("nearly", "looked"), [(1e9, True), (1.0, False)])
def test_a_mended_plan_nearly_within_the_gap_is_looked_at_before_more_plans_are_made(
    nearly: float, looked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decomposition, "NEARLY", nearly)
    seen: list[str] = []

    def until_more(told: dict[str, Any]) -> bool:
        seen.append(told["phase"])
        return bool(told["phase"] != "combine")

    solution = planned(FEW, CLOSE, progress=until_more)
    assert ("improve" in seen) == looked
    assert check(FEW, solution).total == pytest.approx(solution.objective)
