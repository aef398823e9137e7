"""Random small problems whose orders are placed: their flows cost what a search for plans finds at best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties.test_optimizer_properties import planned
from unit.optimizer.allocation_problems import document, need, offer, plan

from optimizer import Settings, Solution, solve
from optimizer.model.network import network
from optimizer.rules.checking import check_quantities
from optimizer.scenarios.flowing import GAP, cheapest_flows, flows_alone
from optimizer.scenarios.placed import cost_under, placed, with_demand
from support.problems import built, small

FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(small(), st.data())
def test_flows_of_placed_orders_cost_what_the_search_finds(data: dict[str, Any], draw: st.DataObject) -> None:
    lanes = [one | {"minimum": 0, "fixed_cost": 0} for one in data["lanes"]]
    regions = [one | {"single_source": False} for one in data["regions"]]
    houses = [one | {"award_cost": 0} for one in data["warehouses"]]
    data = data | {"lanes": lanes, "regions": regions, "warehouses": houses, "continuous": False}
    problem = built(data)
    left = placed(problem, planned(data, Settings()))
    assert flows_alone(left.problem)
    wanted = np.array([draw.draw(st.integers(0, 2 * one.quantity)) for one in problem.demand], dtype=np.int64)
    asked = with_demand(left.problem, wanted)
    net = network(asked)
    best = solve(asked, Settings(gap=0.0))
    assert isinstance(best, Solution)
    guess = draw.draw(st.sampled_from([0.0, 1.0, 50.0]))
    found = cheapest_flows(net, np.full(len(net.coupling.room), guess))
    assert found is not None
    cost = check_quantities(asked, found.book).total
    assert best.bound - 1e-5 <= cost
    assert cost <= best.objective * (1 + 3 * GAP) + 1e-4


def test_of_two_offers_of_a_supplier_each_has_what_was_ordered_of_it() -> None:
    """Alternatives share a supplier and a SKU; taken together they would hold the order twice."""
    problem, found = plan(document(offers=[offer(), offer(price=12.0)], demand=[need(50)]))
    assert [one.alternative for one in found.orders] == [0]
    left = placed(problem, found)
    assert cost_under(left, np.array([60]), Settings()) == pytest.approx(50 * 10.0 + 10 * 100.0)
    assert cost_under(replace(left, prices=None), np.array([60]), Settings()) == pytest.approx(1500.0)
