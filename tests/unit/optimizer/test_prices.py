"""Prices of shared rows: within the bounds they are given, and worth more than none where room is scarce."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.allocation_scale import problem
from optimizer import Problem
from optimizer.form.clock import never
from optimizer.model.fees import Fees
from optimizer.model.network import Network, network
from optimizer.model.parts import Effort, Part
from optimizer.search import prices as search
from optimizer.search.combining import lagrangian
from optimizer.search.master import Master
from optimizer.search.workers import Crew, Workers


def scarce() -> Network:
    """A quarter of the capacity that such a network has."""
    data = problem(8, suppliers=3, warehouses=2, regions=4, sold_in=2).to_json()
    for one in data["suppliers"]:
        one["capacity"] = [max(100.0, value / 4) for value in one["capacity"]]
    return network(Problem.from_json(json.loads(json.dumps(data))))


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0), st.integers(0, 30))
def test_prices_stay_within_their_bounds_and_room_left_is_worth_the_lowest(
    floor: float, more: float, room: int
) -> None:
    master = Master(
        room=np.array([float(room)]),
        ceiling=np.array([floor + more]),
        floor=np.array([floor]),
        fees=Fees(cost=np.zeros(0), of_row=np.array([-1])),
    )
    row, none = np.array([0]), np.zeros(0, dtype=np.int64)
    master.add([Part(sku="A", bound=0.0, cost=10.0, rows=row, amounts=np.array([10.0]))])
    master.add([Part(sku="A", bound=0.0, cost=40.0, rows=none, amounts=np.zeros(0))])
    (price,), cost, _ = master.prices()
    assert floor - 1e-9 <= price <= floor + more + 1e-9
    best = max(
        min(10.0 + 10.0 * one, 40.0) - one * room
        for one in (floor, floor + more, 3.0)
        if one <= floor + more and one >= floor
    )
    assert cost == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("least", [400, 0])
def test_where_room_is_scarce_prices_prove_more_than_none(
    least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a sample of the SKUs comes first, as in large problems."""
    monkeypatch.setattr(search, "MANY_SKUS", least)
    net, effort = scarce(), Effort(relaxed=True)
    skus, none = [sku.id for sku in net.problem.skus], np.zeros(len(net.coupling.room))

    def bound(workers: Workers, prices: np.ndarray) -> float:
        return lagrangian(net, workers.sweep(skus, prices, effort, deadline=never()), prices)

    with Workers(net, Crew()) as workers:
        found, on_time = search.find_prices(
            net, workers, skus, effort, lambda _: None, deadline=never(), known=none
        )
        assert on_time
        assert (found >= 0).all() and found.any()
        assert bound(workers, found) > 1.02 * bound(workers, none)
