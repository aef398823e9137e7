"""What is known of one SKU at prices: a bound that knows lots come whole, and a plan near it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.optimizer.allocation_problems import need, with_suppliers

from benchmarks.allocation_scale import problem
from optimizer import Problem
from optimizer.model.item import Item, compile_item
from optimizer.model.network import Network, network
from optimizer.model.parts import Effort, Part, solve_part


def laid_out(*prices: float, units: int, **offer: Any) -> tuple[Network, Item]:
    data = with_suppliers(len(prices), list(prices))
    data["offers"] = [row | offer for row in data["offers"]]
    data["demand"] = [need(units)]
    net = network(Problem.from_json(data))
    return net, compile_item(net, net.problem.skus[0])


def planned(net: Network, item: Item, effort: Effort) -> Part:
    return solve_part(net, item, np.zeros(len(net.coupling.room)), effort)


def test_a_lot_that_can_have_one_size_only_comes_as_a_whole() -> None:
    net, item = laid_out(10.0, 10.0, units=230, moq=100, multiple=20, week_capacity=119)
    assert (item.lots.multiple == 100).all() and (item.lots.least == item.lots.most).all()
    lots_and_lateness = 3 * 100 * 10.0 + 30 * 5.0
    assert planned(net, item, Effort(relaxed=True)).bound == pytest.approx(lots_and_lateness)


def test_a_lot_of_several_sizes_keeps_its_multiple() -> None:
    _, item = laid_out(10.0, units=230, moq=100, multiple=20, week_capacity=120)
    assert (item.lots.multiple == 20).all()


def test_plans_of_the_small_mip_are_cheaper_than_dives_and_prove_the_same() -> None:
    net = network(problem(6, suppliers=5, warehouses=2, regions=8, sold_in=4))
    items = [compile_item(net, sku) for sku in net.problem.skus]
    quick, sought = ([planned(net, one, Effort(searched=how)) for one in items] for how in (False, True))
    assert [one.bound for one in sought] == [one.bound for one in quick]
    assert all(one.cost >= one.bound - 1e-6 for one in sought)
    assert sum(one.cost for one in sought) < sum(one.cost for one in quick) * 0.995
