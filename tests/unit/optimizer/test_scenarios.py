"""Scenarios: the changed problem's own plan, against the base."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from unit.optimizer.allocation_problems import EXACT, document, need, offer, plan, with_suppliers

from optimizer import (
    Cancelled,
    CapacityChange,
    DemandChange,
    LaneClosed,
    PriceChange,
    Problem,
    ProblemError,
    Settings,
    Solution,
    SupplierOut,
    change_from_json,
    change_to_json,
    changed,
    draw_demand,
    robust,
    what_if,
)
from optimizer.model.item import compile_item
from optimizer.model.monolith import ways
from optimizer.model.network import network
from optimizer.search.at_once import APART_WAYS

TWO: dict[str, Any] = with_suppliers(2, [10.0, 13.0], demand=[need(100)])


def test_each_scenario_is_planned_and_held_against_the_base() -> None:
    problem, base = plan(TWO)
    out, dear, more = what_if(
        problem,
        [SupplierOut(supplier="S0"), PriceChange(factor=1.5, supplier="S0"), DemandChange(factor=1.2)],
        EXACT,
        base=base,
    )
    assert out.difference is not None and dear.difference is not None and more.difference is not None
    assert (out.difference.cost, out.difference.moved) == (300.0, 100)
    assert out.difference.shares == (
        {"supplier": "S0", "before": 1.0, "after": 0.0},
        {"supplier": "S1", "before": 0.0, "after": 1.0},
    )
    assert (dear.difference.cost, dear.difference.parts["purchase"]) == (300.0, 300.0)
    assert (more.difference.cost, more.difference.moved) == (200.0, 20)


def test_a_scenario_that_changes_nothing_is_the_base_plan() -> None:
    problem, base = plan(TWO)
    same, also = what_if(problem, [(), PriceChange(factor=1.0)], EXACT, base=base)
    assert same.answer == base == also.answer
    assert same.difference is not None and same.difference.cost == 0.0 and same.difference.moved == 0


def test_changes_of_one_scenario_hold_together() -> None:
    problem, base = plan(TWO)
    changes = (CapacityChange(factor=0.5), SupplierOut(supplier="S0"))
    (both,) = what_if(problem, [changes], EXACT, base=base)
    assert isinstance(both.answer, Solution)
    assert both.answer.objective == pytest.approx(1300.0)


def test_scenarios_in_processes_are_the_same_plans() -> None:
    """Also of so many ways that a search somebody listens to would be in a process of its own."""
    places = [f"R{number}" for number in range(25)]
    problem, base = plan(
        with_suppliers(2, [10.0, 13.0])
        | {
            "weeks": 12,
            "regions": [{"id": place} for place in places],
            "lanes": [{"from": one, "to": place} for one in ("S0", "S1") for place in places],
            "demand": [need(20, week=week, region=place) for week in range(12) for place in places],
        }
    )
    assert ways({"A": compile_item(network(problem), problem.skus[0])}) > 2 * APART_WAYS
    changes = [SupplierOut(supplier="S0"), DemandChange(factor=0.5)]
    alone = what_if(problem, changes, EXACT, base=base)
    together = what_if(problem, changes, Settings(gap=0.0, threads=2), base=base)

    def told(outcomes: Any) -> str:
        rows = [one.to_json() for one in outcomes]
        for row in rows:
            row["plan"].pop("seconds")
        return json.dumps(rows)

    assert told(alone) == told(together)


def test_a_scenario_without_a_plan_says_why() -> None:
    problem, base = plan(TWO | {"share_caps": [{"scope": "sku", "max_share": 0.5, "hard": True}]})
    (out,) = what_if(problem, [SupplierOut(supplier="S0")], EXACT, base=base)
    assert out.difference is None
    assert out.to_json()["plan"]["status"] == "infeasible"


def test_capacity_shrinks_in_every_week_and_for_every_offer() -> None:
    data = document(suppliers=[{"id": "S", "capacity": 90, "horizon_capacity": 200}])
    data["offers"][0] |= {"week_capacity": 45, "moq": 40}
    problem = changed(Problem.from_json(data), [CapacityChange(factor=0.7)])
    assert problem.suppliers[0].capacity == pytest.approx((63.0,) * 4)
    assert problem.suppliers[0].horizon_capacity == pytest.approx(140.0)
    # 31 units a week can't hold a MOQ of 40 any more
    assert (problem.offers[0].week_capacity, problem.offers[0].moq) == ((0,) * 4, 0)


def test_a_closed_lane_sends_goods_another_way() -> None:
    data = document(
        warehouses=[{"id": "W"}],
        lanes=[{"from": "S", "to": "R"}, {"from": "S", "to": "W", "cost": 1}, {"from": "W", "to": "R"}],
    )
    problem, base = plan(data)
    (closed,) = what_if(problem, [LaneClosed(source="S", target="R")], EXACT, base=base)
    assert closed.difference is not None and closed.difference.parts["freight"] == 95.0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (SupplierOut(supplier="X"), "supplier"),
        (PriceChange(factor=-1.0), "factor"),
        (DemandChange(factor=1.0, sku="X"), "sku"),
        (DemandChange(factor=1.0, region="X"), "region"),
        (LaneClosed(source="S0", target="X"), "lane"),
    ],
)
def test_a_change_of_what_is_not_there_is_refused(change: Any, path: str) -> None:
    with pytest.raises(ProblemError) as refused:
        what_if(Problem.from_json(TWO), [change], EXACT)
    assert refused.value.path == path


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "supplier_out", "supplier": "S"},
        {"kind": "price", "factor": 1.1, "sku": "A"},
        {"kind": "lane_closed", "source": "S", "target": "R"},
    ],
)
def test_changes_go_through_json_and_back(data: dict[str, Any]) -> None:
    assert change_to_json(change_from_json(data)) == data


@pytest.mark.parametrize(
    "data", [{"kind": "flood"}, {"kind": "price"}, {"kind": "supplier_out", "name": "S"}]
)
def test_changes_of_another_form_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ProblemError):
        change_from_json(data)


# --- demand that is not known ---


def newsvendor(short: float) -> Problem:
    """One order now, for a demand that shows later: what is too much is lost, what lacks costs short."""
    return Problem.from_json(
        document(offers=[offer()], demand=[need(50, short_cost=short, max_late_weeks=0)])
    )


def test_draws_follow_the_quantiles_and_are_the_same_each_time() -> None:
    problem = newsvendor(30.0)
    draws = draw_demand(problem, levels=[0.0, 1.0], quantiles=[[0.0, 100.0]], count=20, seed=3)
    assert draws.shape == (20, 1)
    assert sorted(int(one) // 5 for one in draws[:, 0]) == pytest.approx(list(range(20)), abs=1)
    again = draw_demand(problem, levels=[0.0, 1.0], quantiles=[[0.0, 100.0]], count=20, seed=3)
    assert np.array_equal(draws, again)


def test_a_dear_shortage_asks_for_more_than_the_middle_of_demand() -> None:
    draws = np.arange(5, 105, 10, dtype=np.int64).reshape(-1, 1)
    cheap, dear = (robust(newsvendor(short), draws, EXACT) for short in (12.0, 60.0))
    ordered = [sum(one.quantity for one in found.plan.orders) for found in (cheap, dear)]
    assert ordered[0] < 50 < ordered[1]
    # 10 a unit for 85 ordered, 60 for the 10 units that only the largest draw lacks
    assert dear.level == 0.8
    assert dear.expected == pytest.approx(850 + 60 * 10 / 10)
    assert dear.cvar == max(dear.costs) == pytest.approx(850 + 600)
    assert dear.expected == min(one["expected"] for one in dear.tried)


def test_caution_prefers_the_plan_whose_bad_days_are_cheaper() -> None:
    draws = np.arange(5, 105, 10, dtype=np.int64).reshape(-1, 1)
    bold, careful = (robust(newsvendor(25.0), draws, EXACT, caution=one) for one in (0.0, 1.0))
    assert careful.cvar <= bold.cvar
    assert bold.expected <= careful.expected


def test_draws_in_processes_judge_the_same_to_the_byte() -> None:
    draws = np.arange(5, 105, 30, dtype=np.int64).reshape(-1, 1)
    found = []
    for threads in (1, 2):
        one = robust(newsvendor(60.0), draws, Settings(gap=0.0, threads=threads)).to_json()
        one["plan"].pop("seconds")
        found.append(json.dumps(one))
    assert found[0] == found[1]


def test_stopped_draws_keep_the_candidates_that_met_them_all() -> None:
    draws = np.arange(5, 105, 10, dtype=np.int64).reshape(-1, 1)
    whole = robust(newsvendor(60.0), draws, EXACT)
    kept = robust(newsvendor(60.0), draws, EXACT, progress=lambda told: told["done"] < 25)
    assert (whole.limit, kept.limit) == (None, "cancelled")
    assert kept.tried == whole.tried[:2]
    with pytest.raises(Cancelled):
        robust(newsvendor(60.0), draws, EXACT, progress=lambda told: told["done"] < 5)


def test_stopped_scenarios_keep_those_that_were_planned() -> None:
    problem, base = plan(TWO)
    asked = [SupplierOut(supplier="S0"), DemandChange(factor=0.5)]
    (kept,) = what_if(problem, asked, EXACT, base=base, progress=lambda told: told["done"] < 1)
    assert kept.changes == (asked[0],) and kept.difference is not None
    assert kept.difference.cost == 300.0
    with pytest.raises(Cancelled):
        what_if(problem, asked, EXACT, base=base, progress=lambda _: False)


def two_skus() -> Problem:
    data = document(skus=[{"id": "A"}, {"id": "B"}], demand=[need(50), need(50) | {"sku": "B"}])
    data["offers"] += [data["offers"][0] | {"sku": "B"}]
    return Problem.from_json(data)


def test_skus_move_together_as_far_as_they_are_said_to() -> None:
    asked: dict[str, Any] = {"levels": [0.0, 1.0], "quantiles": [[0, 100], [0, 100]], "count": 400, "seed": 1}
    found = {}
    for common in (0.0, 0.5, 1.0):
        draws = draw_demand(two_skus(), **asked, common=common)
        found[common] = float(np.corrcoef(draws.T)[0, 1])
        # each by itself stays as its quantiles say
        assert np.quantile(draws, [0.25, 0.5, 0.75], axis=0) == pytest.approx(
            np.array([[25, 25], [50, 50], [75, 75]]), abs=6
        )
    assert abs(found[0.0]) < 0.15
    assert found[0.5] == pytest.approx(0.48, abs=0.12)  # of ranks: 6 / pi x asin(0.5 / 2)
    assert found[1.0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"quantiles": [[0, 100]]}, "quantiles"),
        ({"quantiles": [[0, 100], [5, 1]]}, "quantiles"),
        ({"quantiles": [[0, 100], [5, float("nan")]]}, "quantiles"),
        ({"levels": [0.9, 0.1]}, "levels"),
        ({"levels": [0.0, 1.1]}, "levels"),
        ({"common": 1.5}, "common"),
    ],
)
def test_quantiles_that_are_none_are_refused(changes: dict[str, Any], path: str) -> None:
    asked: dict[str, Any] = {"levels": [0.0, 1.0], "quantiles": [[0, 100], [0, 100]], "count": 4, "seed": 1}
    with pytest.raises(ProblemError) as refused:
        draw_demand(two_skus(), **(asked | changes))
    assert refused.value.path == path
