"""The relaxation of one SKU sees what its price breaks ask for: surplus, and shares above a cap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.optimizer.allocation_problems import document, need, offer, plan, with_suppliers

from optimizer import Problem
from optimizer.model.item import compile_item
from optimizer.model.network import network
from optimizer.model.parts import Effort, solve_part


def relaxed_cost(data: dict[str, Any]) -> float:
    net = network(Problem.from_json(data))
    item = compile_item(net, net.problem.skus[0])
    return solve_part(net, item, np.zeros(len(net.coupling.room)), Effort(relaxed=True)).bound


@pytest.mark.parametrize("mode", ["all_units", "incremental"])
def test_a_break_above_all_demand_is_not_had_without_its_surplus(mode: str) -> None:
    data = document(offers=[offer(breaks=[[0, 10.0], [400, 8.0]], price_mode=mode)], demand=[need(100)])
    _, solution = plan(data)
    assert relaxed_cost(data) == pytest.approx(solution.objective) == pytest.approx(1000.0)


def test_a_break_above_a_soft_cap_is_not_had_without_the_excess() -> None:
    data = with_suppliers(3, [10.0] * 3, demand=[need(100)])
    data["share_caps"] = [{"scope": "sku", "max_share": 0.4, "penalty": 3.0}]
    for row in data["offers"]:
        row["breaks"] = [[0, 10.0], [80, 9.5]]
    _, solution = plan(data)
    assert relaxed_cost(data) == pytest.approx(solution.objective) == pytest.approx(1000.0)


def test_a_break_above_a_hard_cap_is_not_had() -> None:
    data = with_suppliers(3, [10.0] * 3, demand=[need(100)])
    data["share_caps"] = [{"scope": "sku", "max_share": 0.4, "hard": True}]
    for row in data["offers"]:
        row["breaks"] = [[0, 10.0], [80, 5.0]]
    _, solution = plan(data)
    assert relaxed_cost(data) == pytest.approx(solution.objective) == pytest.approx(1000.0)


def test_locked_units_count_towards_a_break_and_its_cap() -> None:
    data = document(
        offers=[offer(breaks=[[0, 10.0], [80, 9.0]])],
        demand=[need(100)],
        locked=[{"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": 60}],
        share_caps=[{"scope": "sku", "max_share": 0.4, "penalty": 3.0}],
    )
    _, solution = plan(data)
    assert relaxed_cost(data) == pytest.approx(solution.objective) == pytest.approx(900.0 + 60 * 3.0)
