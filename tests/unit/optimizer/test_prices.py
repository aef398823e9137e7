"""Prices of shared rows: where room is scarce they prove more than none do."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.allocation_scale import problem
from optimizer import Problem
from optimizer.form.clock import never
from optimizer.model.network import Network, network
from optimizer.model.parts import Effort
from optimizer.search.combining import lagrangian
from optimizer.search.prices import find_prices
from optimizer.search.workers import Crew, Workers


def scarce() -> Network:
    """A quarter of the capacity that such a network has."""
    data = problem(8, suppliers=3, warehouses=2, regions=4, sold_in=2).to_json()
    for one in data["suppliers"]:
        one["capacity"] = [max(100.0, value / 4) for value in one["capacity"]]
    return network(Problem.from_json(json.loads(json.dumps(data))))


def test_where_room_is_scarce_prices_prove_more_than_none() -> None:
    net, effort = scarce(), Effort(relaxed=True)
    skus, none = [sku.id for sku in net.problem.skus], np.zeros(len(net.coupling.room))

    def bound(workers: Workers, prices: np.ndarray) -> float:
        return lagrangian(net, workers.sweep(skus, prices, effort, deadline=never()), prices)

    with Workers(net, Crew()) as workers:
        found, on_time = find_prices(net, workers, skus, effort, lambda _: None, deadline=never(), known=none)
        assert on_time
        assert (found >= 0).all() and found.any()
        assert bound(workers, found) > 1.02 * bound(workers, none)


def test_prices_from_before_room_was_scarce_are_no_worse_a_start_than_none() -> None:
    net, effort = scarce(), Effort(relaxed=True)
    skus, rows = [sku.id for sku in net.problem.skus], len(net.coupling.room)
    with Workers(net, Crew()) as workers:

        def proven(known: np.ndarray) -> float:
            prices, _ = find_prices(net, workers, skus, effort, lambda _: None, deadline=never(), known=known)
            return lagrangian(net, workers.sweep(skus, prices, effort, deadline=never()), prices)

        assert proven(np.full(rows, 0.01)) > 0.995 * proven(np.zeros(rows))
