"""Demands that cost the same are planned together where they use the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unit.optimizer.allocation_problems import document, need

from optimizer import Problem
from optimizer.form.clock import never
from optimizer.model.clusters import cluster
from optimizer.model.item import compile_item
from optimizer.model.network import network
from optimizer.model.parts import Effort, idle_part
from optimizer.search.repair import Plan
from optimizer.search.workers import Crew, Fit, Workers


def two_regions(**lane: Any) -> Problem:
    lanes = [{"from": "S", "to": "R"}, {"from": "S", "to": "Q"} | lane]
    return Problem.from_json(
        document(
            suppliers=[{"id": "S", "award_cost": 5, "capacity": 50}],
            regions=[{"id": "R"}, {"id": "Q"}],
            lanes=lanes,
            demand=[need(10), need(10, region="Q")],
        )
    )


@pytest.mark.parametrize(("lane", "groups"), [({}, 1), ({"capacity": 4}, 2)])
def test_regions_are_apart_where_a_lane_to_one_is_limited(lane: dict[str, Any], groups: int) -> None:
    problem = two_regions(**lane)
    net = network(problem)
    made = cluster(net, compile_item(net, problem.skus[0]), np.zeros(len(net.coupling.room)), priced=False)
    assert len(set(made.cluster.tolist())) == groups


def test_a_sku_planned_anew_keeps_within_the_limit_of_a_lane_to_one_of_two_regions() -> None:
    net = network(two_regions(capacity=4))
    plan = Plan(net, {"A": idle_part(net, "A")}, np.zeros(len(net.coupling.room)))
    job = Fit(known=plan.parts["A"], room=plan.room_for("A"))
    with Workers(net, Crew()) as workers:
        (new,) = workers.sweep([job], plan.prices, Effort(), deadline=never())
    assert new.cost < plan.parts["A"].cost
    assert plan.fits(new)
