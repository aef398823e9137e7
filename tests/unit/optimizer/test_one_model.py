"""Everything in one model: stopped at once with the best plan so far; one SKU with too many ways for it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from optimizer import Infeasible, Problem, Settings, Solution, SolverError, check, solve
from optimizer.model.ascent import ascend, least_lots, relaxation
from optimizer.model.item import compile_item
from optimizer.model.network import network
from optimizer.search import at_once as at_once_module
from optimizer.search import child as child_module
from optimizer.search import solving as solving_module


def places(*, places: int = 12, customers: int = 40, seed: int = 0) -> Problem:
    """One SKU, many places that cost something to open and hold only so much."""
    rng = np.random.default_rng(seed)
    here, there = rng.uniform(0, 100, (places, 2)), rng.uniform(0, 100, (customers, 2))
    distance = np.linalg.norm(here[:, None] - there[None], axis=2)
    need = rng.integers(5, 40, customers)
    return Problem.from_json(
        {
            "schema": "allocation/1",
            "weeks": 1,
            "continuous": True,
            "suppliers": [
                {
                    "id": f"S{at}",
                    "award_cost": float(rng.integers(2000, 6000)),
                    "horizon_capacity": float(need.sum() / rng.uniform(3, 6)),
                }
                for at in range(places)
            ],
            "regions": [{"id": f"R{at}"} for at in range(customers)],
            "skus": [{"id": "K"}],
            "offers": [{"supplier": f"S{at}", "sku": "K", "breaks": [[0, 1]]} for at in range(places)],
            "lanes": [
                {"from": f"S{a}", "to": f"R{b}", "cost": float(distance[a, b])}
                for a in range(places)
                for b in range(customers)
            ],
            "demand": [
                {"sku": "K", "region": f"R{at}", "week": 0, "quantity": int(units)}
                for at, units in enumerate(need)
            ],
        }
    )


def planned(problem: Problem, **more: Any) -> Solution:
    answer = solve(problem, Settings(gap=0.0), **more)
    assert not isinstance(answer, Infeasible)
    return answer


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_model_of_the_lots_a_better_plan_can_use_finds_and_proves_the_best_plan(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = places(seed=seed)
    best = planned(problem)
    monkeypatch.setattr(solving_module, "SECOND_OPINION_WAYS", -1)
    wide = planned(problem)
    assert wide.objective == pytest.approx(best.objective, rel=1e-9)
    assert wide.gap <= 1e-9


def test_the_bound_of_demand_prices_is_below_the_best_plan_and_near_it() -> None:
    problem = places()
    net = network(problem)
    loose = relaxation(net, compile_item(net, problem.skus[0]))
    best = planned(problem).objective
    found = ascend(loose, least=least_lots(loose, cost=best))
    assert 0.97 * best < found.bound <= best
    assert found.bound >= ascend(loose, least=0).bound - 1e-6 * best


def test_a_child_process_gives_the_plan_of_this_one_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = places()
    here = planned(problem)
    monkeypatch.setattr(at_once_module, "APART_WAYS", 0)
    seen: list[dict[str, Any]] = []
    apart = planned(problem, progress=seen.append)
    assert json.dumps(apart.to_json() | {"seconds": 0}) == json.dumps(here.to_json() | {"seconds": 0})
    assert seen[-2]["incumbent"] == pytest.approx(apart.objective)


def test_whoever_cancels_one_model_gets_the_planners_plan_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = places(places=40, customers=60)
    monkeypatch.setattr(at_once_module, "APART_WAYS", 0)
    monkeypatch.setattr(child_module, "LOOK", 0.01)
    told = []

    def cancel(state: dict[str, Any]) -> bool:
        told.append(state)
        return len(told) < 4

    stopped = planned(problem, progress=cancel)
    assert stopped.limit == "cancelled"
    assert {one["phase"] for one in told[1:]} == {"at once"}
    assert check(problem, stopped).total == pytest.approx(stopped.objective)
    assert stopped.objective == pytest.approx(told[-1]["incumbent"])
    assert not stopped.unmet


def test_a_search_whose_process_dies_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once_module, "APART_WAYS", 0)
    monkeypatch.setattr(child_module, "_work", _dies)
    with pytest.raises(SolverError, match="ended before it was done"):
        planned(places(), progress=lambda state: None)


def _dies(*_: Any) -> None:
    raise SystemExit(3)
