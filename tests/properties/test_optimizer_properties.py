"""Random tiny problems: the plan costs what trying everything costs, in one model or SKU by SKU."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from optimizer import Infeasible, Problem, Settings, Solution, check, solve
from optimizer.form.errors import BrokenRule
from optimizer.rules.book import Book
from optimizer.rules.checking import check_quantities
from optimizer.search import solving as solving_module
from support.plain import cheapest
from support.problems import MOST, built, small, tiny

QUIET = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])


def cheapest_of_all(problem: Problem) -> float:
    """Try every order quantity up to MOST and every delivery of them."""
    best = float("inf")
    keys = [("S", "A", 0), ("S", "A", 1), ("T", "A", 0), ("T", "A", 1)]
    for amounts in itertools.product(range(MOST + 1), repeat=4):
        orders = {key: units for key, units in zip(keys, amounts, strict=True) if units}
        best = min(best, _cheapest_delivery(problem, orders))
    return best


def _cheapest_delivery(problem: Problem, orders: dict[tuple[str, str, int], int]) -> float:
    """Deliver as the checker's rules allow: every split of each order's units between shipping and
    surplus."""
    needs = {(one.sku, one.region, one.week): one.quantity for one in problem.demand}
    try:
        check_quantities(problem, Book(orders=orders, flows={}, unmet=needs))
    except BrokenRule:
        return float("inf")
    total = sum(needs.values())
    best = float("inf")
    for shipped in itertools.product(*(range(min(units, total) + 1) for units in orders.values())):
        if sum(shipped) > total:
            continue
        flows = {}
        for (supplier, sku, week), units in zip(orders, shipped, strict=True):
            if units:
                flows[sku, supplier, "R", week + problem.offer_of[supplier, sku].lead_weeks] = units
        for first in range(min(sum(shipped), needs["A", "R", 0]) + 1):
            met = {0: first, 1: sum(shipped) - first}
            unmet = {key: left for key, need in needs.items() if (left := need - met[key[2]])}
            if min(unmet.values(), default=0) < 0:
                continue
            try:
                cost = check_quantities(problem, Book(orders=orders, flows=flows, unmet=unmet)).total
            except BrokenRule:
                continue
            best = min(best, cost)
    return best


def planned(data: dict[str, Any], settings: Settings) -> Solution:
    answer = solve(built(data), settings)
    assume(not isinstance(answer, Infeasible))
    assert not isinstance(answer, Infeasible)
    return answer


@pytest.mark.slow
@FEW
@given(tiny())
def test_a_tiny_plan_costs_what_trying_everything_costs(data: dict[str, Any]) -> None:
    problem = built(data)
    assume(sum(one.quantity for one in problem.demand) > 0)
    solution = planned(data, Settings(gap=0.0))
    assert solution.objective == pytest.approx(cheapest_of_all(problem), abs=1e-6)
    assert solution.gap <= 1e-6


@pytest.mark.slow
@QUIET
@given(small())
def test_a_small_plan_costs_what_the_plain_model_says(data: dict[str, Any]) -> None:
    problem = built(data)
    answer, best = solve(problem, Settings(gap=0.0)), cheapest(problem)
    assert isinstance(answer, Infeasible) == (best is None)
    if not isinstance(answer, Infeasible) and best is not None:
        loose = 1e-3 if problem.continuous else 1e-6
        assert answer.objective <= best + loose * max(1.0, best)


@QUIET
@given(small())
def test_every_plan_passes_its_check_and_is_proven(data: dict[str, Any]) -> None:
    solution = planned(data, Settings(gap=0.0))
    assert solution.gap <= 1e-5
    assert all(one.reason for one in (*solution.unmet, *solution.late))


@pytest.mark.slow
@QUIET
@given(small())
def test_sku_by_sku_never_claims_more_than_the_truth(data: dict[str, Any]) -> None:
    for number, supplier in enumerate(data["suppliers"]):
        supplier["award_cost"] = 12.0 * number
    best = planned(data, Settings(gap=0.0))
    limit = solving_module.AT_ONCE_WAYS
    solving_module.AT_ONCE_WAYS = -1
    try:
        parts = planned(data, Settings(gap=0.0))
    finally:
        solving_module.AT_ONCE_WAYS = limit
    assert parts.bound <= best.objective + 1e-6 * max(1.0, best.objective)
    assert parts.objective >= best.objective - 1e-6 * max(1.0, best.objective)


@FEW
@given(small())
def test_one_sku_of_many_ways_costs_what_one_model_says(data: dict[str, Any]) -> None:
    own = data["skus"][0]["id"]
    data["skus"] = data["skus"][:1]
    for rows in ("offers", "demand", "stock", "locked", "previous"):
        data[rows] = [one for one in data[rows] if one["sku"] == own]
    assume(any(one["quantity"] for one in data["demand"]))
    best = planned(data, Settings(gap=0.0))
    limit = solving_module.SECOND_OPINION_WAYS
    solving_module.SECOND_OPINION_WAYS = -1
    try:
        wide = planned(data, Settings(gap=0.0))
    finally:
        solving_module.SECOND_OPINION_WAYS = limit
    assert wide.objective == pytest.approx(best.objective, abs=1e-5)
    assert wide.bound <= best.objective + 1e-5


@FEW
@given(small())
def test_the_same_problem_gives_the_same_plan_to_the_byte(data: dict[str, Any]) -> None:
    first, second = planned(data, Settings()).to_json(), planned(data, Settings()).to_json()
    first.pop("seconds")
    second.pop("seconds")
    assert json.dumps(first) == json.dumps(second)


@FEW
@given(small())
def test_a_plan_read_back_from_its_json_still_passes(data: dict[str, Any]) -> None:
    problem = built(data)
    document = json.loads(json.dumps(planned(data, Settings()).to_json(), allow_nan=False))
    check(problem, Solution.from_json(document))
