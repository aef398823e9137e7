"""No plan: which rules clash, and what would let them."""

from __future__ import annotations

from typing import Any

import pytest
from unit.optimizer.allocation_problems import EXACT, need, with_suppliers

from optimizer import Infeasible, Problem, Solution, solve
from optimizer.form.plan import Infeasible as Refused


def hard(share: float = 0.4, **more: Any) -> dict[str, Any]:
    return {"scope": "sku", "key": "A", "max_share": share, "hard": True} | more


def refused(data: dict[str, Any]) -> Refused:
    answer = solve(Problem.from_json(data), EXACT)
    assert isinstance(answer, Infeasible)
    return answer


def two(**more: Any) -> dict[str, Any]:
    return with_suppliers(2, [10.0, 11.0], **{"demand": [need(100)], "share_caps": [hard()]} | more)


def test_the_clash_names_the_cap_and_the_demand_and_nothing_else() -> None:
    found = refused(two(skus=[{"id": "A", "min_sources": 2}]))
    assert [[rule["rule"] for rule in group] for group in found.rules] == [["share_cap", "demand"]]
    numbers = found.rules[0][0]["numbers"]
    assert (numbers["suppliers"], numbers["most_each"], numbers["covered"]) == (2, 40, 80)
    assert found.conflict[1] == "demand [sku A]: 100 units are to be met"


def test_every_way_out_is_a_plan_with_its_cost_the_cheapest_first() -> None:
    found = refused(two())
    ways = {one["code"]: one for one in found.relaxations}
    assert ways["raise_cap"]["numbers"] == {"percent": 50}
    assert ways["raise_cap"]["cost"] == pytest.approx(50 * 10 + 50 * 11)
    # a priced cap: 10 % of the dearest price a unit above it, so 40 at 11 is not worth more than 1.1 each
    assert ways["soften_cap"]["cost"] == pytest.approx(60 * 10 + 40 * 11 + 20 * 1.1)
    # 20 units unmet at 100 each
    assert ways["leave_unmet"]["cost"] == pytest.approx(40 * 10 + 40 * 11 + 20 * 100)
    assert ways["leave_unmet"]["unmet"] == 20
    costs = [one["cost"] for one in found.relaxations]
    assert costs == sorted(costs)


def test_two_clashes_are_told_apart_and_one_change_resolves_both() -> None:
    data = two(skus=[{"id": "A"}, {"id": "B"}], share_caps=[hard(key=None)])
    data["offers"] += [{"supplier": "S0", "sku": "B", "breaks": [[0, 7.0]]}]
    data["demand"] += [need(10) | {"sku": "B"}]
    found = refused(data)
    assert len(found.rules) == 2
    assert found.lowest_share == 1.0
    assert found.relaxations[0]["caps"] == [
        {"scope": "sku", "key": "A", "max_share": 0.4},
        {"scope": "sku", "key": "B", "max_share": 0.4},
    ]
    assert {one["code"]: one["numbers"] for one in found.relaxations}["raise_cap"] == {"percent": 100}


def test_a_cap_of_the_whole_plan_clashes_too() -> None:
    found = refused(two(share_caps=[{"scope": "plan", "max_share": 0.4, "hard": True}]))
    assert found.conflict[0].startswith("share_cap [the whole plan]")
    assert isinstance(
        solve(Problem.from_json(two(share_caps=[{"scope": "plan", "max_share": 0.5}]))), Solution
    )
