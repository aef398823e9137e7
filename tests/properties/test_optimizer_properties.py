"""Random tiny problems: the plan costs what trying everything costs, in one model or SKU by SKU."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer import Infeasible, Problem, Settings, Solution, check, solve
from optimizer import solving as solving_module
from optimizer.book import Book
from optimizer.checking import check_quantities
from optimizer.errors import BrokenRule, ProblemError

QUIET = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
MOST = 4


@st.composite
def tiny(draw: st.DrawFn) -> dict[str, Any]:
    """One SKU, two suppliers, one region, two weeks: small enough to try everything.

    MOST is enough for every order. It covers all demand and every price break, with either multiple; and a
    unit beyond costs at least 2, more than the 1.6 it can save of the other supplier's excess share.
    """
    money = st.integers(2, 12)
    offers = []
    for name in ("S", "T"):
        start = draw(st.integers(2, MOST))
        breaks = [[0, draw(money)], [start, draw(money)]] if draw(st.booleans()) else [[0, draw(money)]]
        offers.append(
            {
                "supplier": name,
                "sku": "A",
                "moq": draw(st.integers(0, 3)),
                "multiple": draw(st.integers(1, 2)),
                "max": draw(st.sampled_from([None, 4, 5])),
                "lead_weeks": draw(st.integers(0, 1)),
                "order_cost": draw(st.integers(0, 6)),
                "award_cost": draw(st.sampled_from([0, 0, 5])),
                "setup_capacity": draw(st.sampled_from([0, 1])),
                "recipe": draw(st.sampled_from([None, {"M": 1}, {"M": 2}])),
                "price_mode": draw(st.sampled_from(["all_units", "incremental"])),
                "breaks": breaks,
            }
        )
    demand = [
        {
            "sku": "A",
            "region": "R",
            "week": week,
            "quantity": draw(st.integers(0, MOST // 2)),
            "late_cost": draw(st.integers(0, 3)),
            "short_cost": draw(st.integers(1, 30)),
            "max_late_weeks": draw(st.sampled_from([None, 0])),
        }
        for week in (0, 1)
    ]
    cap = draw(
        st.sampled_from(
            [
                {"scope": "sku", "penalty": 1},
                {"scope": "plan", "penalty": 4},
                {"scope": "sku", "base": "spend", "penalty": 1},
                {"scope": "plan", "base": "spend", "penalty": 2},
                {"scope": "material", "base": "spend", "penalty": 1},
                {"scope": "plan", "base": "units", "max_share": 0.5, "hard": True},
            ]
        )
    )
    return {
        "schema": "allocation/1",
        "weeks": 2,
        "suppliers": [
            {
                "id": "S",
                "capacity": draw(st.sampled_from([None, 3, 5])),
                "award_cost": draw(st.integers(0, 4)),
            },
            {"id": "T", "risk": draw(st.sampled_from([0.0, 0.5]))},
        ],
        "regions": [{"id": "R", "single_source": draw(st.booleans())}],
        "skus": [{"id": "A", "materials": draw(st.sampled_from([{}, {"M": 1}]))}],
        "materials": [{"id": "M", "available": draw(st.sampled_from([None, [3, 4], [6, 2]]))}],
        "offers": offers,
        "lanes": [
            {
                "from": name,
                "to": "R",
                "cost": draw(st.integers(0, 3)),
                "fixed_cost": draw(st.sampled_from([0, 3])),
                "minimum": draw(st.sampled_from([0, 2])),
                "capacity": draw(st.sampled_from([None, 3])),
            }
            for name in ("S", "T")
        ],
        "demand": demand,
        "share_caps": [cap],
        "previous": [
            {"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": draw(st.integers(1, 2))}
        ],
        "churn_cost": draw(st.sampled_from([0, 3])),
    }


def built(data: dict[str, Any]) -> Problem:
    """The problem, where no MOQ is above a capacity."""
    try:
        return Problem.from_json(data)
    except ProblemError:
        assume(False)
        raise


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


@st.composite
def small(draw: st.DrawFn) -> dict[str, Any]:
    """A few SKUs, suppliers, warehouses and regions with every supported feature on."""
    names = [f"S{i}" for i in range(draw(st.integers(1, 3)))]
    houses = [f"W{i}" for i in range(draw(st.integers(0, 2)))]
    regions = [f"R{i}" for i in range(draw(st.integers(1, 2)))]
    skus = [f"K{i}" for i in range(draw(st.integers(1, 3)))]
    weeks = draw(st.integers(1, 4))
    limit = st.sampled_from([None, 0, 15, 40])
    lead = st.integers(0, 1)
    cost = st.integers(0, 5)
    pairs = draw(st.lists(st.sampled_from([(s, k) for s in names for k in skus]), unique=True))
    offers = [
        {
            "supplier": s,
            "sku": k,
            "moq": draw(st.sampled_from([0, 5, 12])),
            "multiple": draw(st.sampled_from([1, 3])),
            "week_capacity": draw(st.sampled_from([None, 15, 30])),
            "lead_weeks": min(draw(lead), weeks - 1),
            "order_cost": draw(cost),
            "capacity_use": draw(st.sampled_from([1, 1.5])),
            "setup_capacity": draw(st.sampled_from([0, 4])),
            "recipe": draw(st.sampled_from([None, {"M": 2}])),
            "breaks": [[0, draw(st.integers(5, 9))], [20, draw(st.integers(3, 9))]],
            "price_mode": draw(st.sampled_from(["all_units", "incremental"])),
        }
        for s, k in pairs
    ]
    if offers and draw(st.booleans()):
        offers.append(offers[0] | {"recipe": {}, "breaks": [[0, 9]], "moq": 0})
    ends = [(s, w) for s in names for w in houses] + [(w, r) for w in houses for r in regions]
    ends += [(s, r) for s in names for r in regions]
    lanes = [
        {
            "from": a,
            "to": b,
            "cost": draw(cost),
            "lead_weeks": draw(lead),
            "fixed_cost": draw(st.sampled_from([0, 0, 5])),
            "minimum": draw(st.sampled_from([0, 0, 6])),
            "capacity": draw(st.sampled_from([None, None, 20])),
        }
        for a, b in draw(st.lists(st.sampled_from(ends), unique=True))
    ]
    demand = [
        {
            "sku": k,
            "region": r,
            "week": draw(st.integers(0, weeks - 1)),
            "quantity": draw(st.integers(0, 30)),
            "late_cost": draw(cost),
            "short_cost": draw(st.integers(1, 60)),
            "max_late_weeks": draw(st.sampled_from([None, 1])),
        }
        for k in skus
        for r in regions
    ]
    assume(any(one["quantity"] for one in demand))
    lanes_from = {one["from"]: one["to"] for one in lanes}
    locked = [
        {"supplier": s, "sku": k, "week": 0, "to": lanes_from[s], "quantity": draw(st.integers(1, 20))}
        for s, k in pairs
        if s in lanes_from and draw(st.booleans())
    ]
    return {
        "schema": "allocation/1",
        "weeks": weeks,
        "continuous": draw(st.booleans()),
        "suppliers": [{"id": s, "capacity": draw(limit), "horizon_capacity": draw(limit)} for s in names],
        "warehouses": [
            {
                "id": w,
                "storage": draw(limit),
                "inbound": draw(limit),
                "throughput": draw(limit),
                "award_cost": draw(cost),
            }
            for w in houses
        ],
        "regions": [{"id": r, "single_source": draw(st.booleans())} for r in regions],
        "materials": [{"id": "M", "available": draw(limit)}],
        "previous": [one | {"quantity": draw(st.integers(1, 20))} for one in locked],
        "churn_cost": draw(cost),
        "skus": [{"id": k, "volume": draw(st.sampled_from([1, 2])), "holding_cost": 0.25} for k in skus],
        "offers": offers,
        "lanes": lanes,
        "demand": demand,
        "stock": [
            {"sku": draw(st.sampled_from(skus)), "warehouse": w, "quantity": draw(st.integers(0, 25))}
            for w in houses
        ],
        "locked": locked,
        "share_caps": [
            {"scope": "sku", "max_share": 0.4, "penalty": draw(cost)},
            {"scope": "plan", "max_share": 0.5, "penalty": draw(cost)},
            {"scope": "plan", "base": "spend", "max_share": 0.6, "penalty": 0.5},
        ],
    }


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
