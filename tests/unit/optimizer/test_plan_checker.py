"""The checker refuses every way of breaking a plan, each by the name of the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from unit.optimizer.allocation_problems import document, need, offer, plan

from optimizer import BrokenRule, Problem, Solution, Unmet, check
from optimizer.rules import limits

DATA = document(
    suppliers=[{"id": "S", "capacity": 80, "horizon_capacity": 150}, {"id": "T"}],
    warehouses=[{"id": "W", "storage": 40, "inbound": 70}],
    skus=[{"id": "A", "holding_cost": 0.1}],
    offers=[
        offer("S", 10.0, moq=20, multiple=10, max=70, order_cost=15.0),
        offer("T", 11.0, moq=5, week_capacity=40),
    ],
    lanes=[
        {"from": "S", "to": "W", "cost": 1.0},
        {"from": "T", "to": "W", "cost": 1.0},
        {"from": "W", "to": "R", "cost": 0.5},
    ],
    demand=[need(60), need(45, week=2)],
    locked=[{"supplier": "T", "sku": "A", "week": 0, "to": "W", "quantity": 12}],
)


@pytest.fixture(scope="module")
def planned() -> tuple[Problem, Solution]:
    return plan(DATA)


def _order(supplier: str, **more: int) -> Callable[[Solution], Solution]:
    def change(solution: Solution) -> Solution:
        at = next(i for i, one in enumerate(solution.orders) if one.supplier == supplier)
        rows = list(solution.orders)
        rows[at] = replace(rows[at], **more)  # type: ignore[arg-type]
        return replace(solution, orders=tuple(rows))

    return change


def _drop_flow(solution: Solution) -> Solution:
    return replace(solution, flows=solution.flows[1:])


def _more_flow(solution: Solution) -> Solution:
    first, *rest = solution.flows
    return replace(solution, flows=(replace(first, quantity=first.quantity + 1), *rest))


def _flow_from_nowhere(solution: Solution) -> Solution:
    return replace(solution, flows=(*solution.flows, replace(solution.flows[0], source="R", target="W")))


def _repeat_order(solution: Solution) -> Solution:
    return replace(solution, orders=(*solution.orders, solution.orders[0]))


def _invent_unmet(solution: Solution) -> Solution:
    return replace(solution, unmet=(Unmet(sku="A", region="R", week=0, quantity=5),))


def _cheaper(solution: Solution) -> Solution:
    return replace(solution, cost=replace(solution.cost, purchase=solution.cost.purchase - 1.0))


CHANGES: dict[str, tuple[Callable[[Solution], Solution], set[str]]] = {
    "a dropped flow": (_drop_flow, {"warehouse_balance", "delivery", "locked"}),
    "a larger flow": (_more_flow, {"supply", "warehouse_balance", "delivery"}),
    "an unknown lane": (_flow_from_nowhere, {"unknown_id"}),
    "an order below its MOQ": (_order("S", quantity=10), {"moq"}),
    "an order off its multiple": (_order("S", quantity=43), {"multiple"}),
    "an order above its max": (_order("S", quantity=80), {"max"}),
    "an order above its week capacity": (_order("T", quantity=41), {"week_capacity"}),
    "a locked order cut": (_order("T", quantity=11), {"locked"}),
    "an order outside the horizon": (_order("S", week=9), {"horizon"}),
    "a negative quantity": (_order("S", quantity=-20), {"quantity"}),
    "an order listed twice": (_repeat_order, {"quantity"}),
    "unmet demand that is met": (_invent_unmet, {"delivery"}),
    "a wrong cost": (_cheaper, {"cost"}),
    "a wrong objective": (lambda s: replace(s, objective=s.objective - 1.0), {"cost"}),
    "a bound above the cost": (lambda s: replace(s, bound=s.objective + 1.0), {"bound"}),
    "a gap that is not that of cost and bound": (lambda s: replace(s, bound=s.bound - 10.0), {"gap"}),
    "a gap of nothing": (lambda s: replace(s, bound=0.9 * s.objective, gap=0.0), {"gap"}),
    "an unknown supplier": (
        lambda s: replace(s, orders=(replace(s.orders[0], supplier="X"),)),
        {"unknown_id"},
    ),
    "a wrong price": (
        lambda s: replace(s, orders=(replace(s.orders[0], unit_price=9.0), *s.orders[1:])),
        {"price"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_plan_changed_by(name: str, planned: tuple[Problem, Solution]) -> None:
    problem, solution = planned
    change, rules = CHANGES[name]
    with pytest.raises(BrokenRule) as refused:
        check(problem, change(solution))
    assert refused.value.rule in rules
    assert refused.value.where


LIMITS = {
    "capacity": {"suppliers": [{"id": "S", "capacity": 20}, {"id": "T"}]},
    "horizon_capacity": {"suppliers": [{"id": "S", "horizon_capacity": 20}, {"id": "T"}]},
    "inbound": {"warehouses": [{"id": "W", "inbound": 10}]},
    "throughput": {"warehouses": [{"id": "W", "throughput": 10}]},
    "material": {
        "materials": [{"id": "M", "available": 10}],
        "skus": [{"id": "A", "holding_cost": 0.1, "materials": {"M": 1}}],
    },
    "lane_capacity": {"lanes": [*DATA["lanes"][:2], {"from": "W", "to": "R", "cost": 0.5, "capacity": 10}]},
    "lane_minimum": {"lanes": [*DATA["lanes"][:2], {"from": "W", "to": "R", "cost": 0.5, "minimum": 90}]},
    "storage": {"warehouses": [{"id": "W", "storage": 0}]},
    "share_cap": {"share_caps": [{"scope": "sku", "max_share": 0.6, "hard": True}]},
    "min_sources": {"skus": [{"id": "A", "holding_cost": 0.1, "min_sources": 3}]},
    "cost": {"share_caps": [{"scope": "plan", "max_share": 0.1, "penalty": 1.0}]},
}


@pytest.mark.parametrize("rule", LIMITS)
def test_a_plan_made_under_wider_limits_breaks(rule: str) -> None:
    wide = DATA | {"locked": [], "suppliers": [{"id": "S"}, {"id": "T"}], "warehouses": [{"id": "W"}]}
    wide |= {"demand": [need(60), need(45, week=2, late_cost=50.0)]}
    wide["suppliers"] = [{"id": "S", "capacity": [200, 0, 0, 0]}, {"id": "T", "capacity": 0}]
    wide["offers"] = [offer("S", 10.0, moq=20), offer("T", 11.0)]
    _, solution = plan(wide)
    tight = wide | {"suppliers": [{"id": "S"}, {"id": "T"}]} | LIMITS[rule]
    with pytest.raises(BrokenRule) as refused:
        check(Problem.from_json(tight), solution)
    assert refused.value.rule == rule


def test_caps_of_every_sku_group_the_skus_once(monkeypatch: pytest.MonkeyPatch) -> None:
    skus = [f"K{number}" for number in range(30)]
    caps = [{"scope": "sku", "key": one, "max_share": 0.5, "base": "units"} for one in skus]
    whole = {"scope": "plan", "key": None, "max_share": 0.9, "base": "units"}
    each = {"scope": "sku", "key": None, "max_share": 0.8, "base": "units"}
    problem = Problem.from_json(
        document(
            skus=[{"id": one} for one in skus],
            offers=[offer("S", 10.0, sku=one) for one in skus],
            demand=[need(number, sku=one) for number, one in enumerate(skus, 1)],
            share_caps=[*caps, whole, each],
        )
    )
    grouped = []
    known = limits.scope_groups

    def counted(problem: Problem, scope: str) -> dict[str, frozenset[str]]:
        grouped.append(scope)
        return known(problem, scope)

    monkeypatch.setattr(limits, "scope_groups", counted)
    rows = limits.cap_rows(problem)
    assert [(row.key, row.demand) for row in rows] == [
        *((one, number) for number, one in enumerate(skus, 1)),
        (None, 465),
        *((one, number) for number, one in enumerate(skus, 1)),
    ]
    assert grouped == ["sku"]
