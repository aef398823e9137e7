"""Random arrivals and demands of one region, matched as a solver of flows matches them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from optimizer.rules.matching import Arrival, Need, match

WEEKS = 8
# Costs count in ten-thousandths: dear and cheap ones together are what rounding can't take.
COSTS = st.one_of(st.integers(0, 30), st.integers(0, 30_000), st.integers(0, 30_000_000))
GRAIN = 1e-4


@st.composite
def matchings(draw: st.DrawFn) -> tuple[list[Arrival], list[Need]]:
    """Demands of different weeks; what comes for them within their time, and what else may."""
    weeks = draw(st.lists(st.integers(0, WEEKS - 1), unique=True, min_size=1, max_size=6))
    needs, arrivals = [], []

    def comes(week: int, units: int, *, locked: bool) -> None:
        wait = draw(COSTS) * GRAIN if locked else 0.0
        arrivals.append(Arrival(week=week, units=units, locked=locked, wait_cost=wait))

    for week in weeks:
        last = min(WEEKS - 1, week + draw(st.sampled_from([0, 1, WEEKS])))
        units = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
        for some in units:
            comes(draw(st.integers(week, last)), some, locked=draw(st.booleans()))
        needs.append(Need(week=week, units=sum(units), late_cost=draw(COSTS) * GRAIN, last_week=last))
    for locked in draw(st.lists(st.booleans(), max_size=2)):
        comes(draw(st.integers(0, WEEKS - 1)), draw(st.integers(1, 4)), locked=locked)
    return arrivals, needs


def least_cost(arrivals: list[Arrival], needs: list[Need]) -> float | None:
    """By a flow in whole numbers that may leave locked units alone and no others; None: there is none."""
    flow, sink = SimpleMinCostFlow(), len(arrivals) + len(needs)
    short = sum(one.units for one in needs) - sum(one.units for one in arrivals if not one.locked)
    if short < 0:
        return None
    may, source = sink + 1, sink + 2  # what is not planned comes from locked units
    flow.add_arc_with_capacity_and_unit_cost(source, may, short, 0)
    for i, arrival in enumerate(arrivals):
        flow.add_arc_with_capacity_and_unit_cost(may if arrival.locked else source, i, arrival.units, 0)
        for j, need in enumerate(needs):
            wait = need.week - arrival.week
            if arrival.week <= need.last_week and (arrival.locked or wait <= 0):
                cost = wait * arrival.wait_cost if wait > 0 else -wait * need.late_cost
                flow.add_arc_with_capacity_and_unit_cost(
                    i, len(arrivals) + j, arrival.units, round(cost / GRAIN)
                )
    for j, need in enumerate(needs):
        flow.add_arc_with_capacity_and_unit_cost(len(arrivals) + j, sink, need.units, 0)
    units = sum(one.units for one in needs)
    flow.set_node_supply(source, units)
    flow.set_node_supply(sink, -units)
    return flow.optimal_cost() * GRAIN if flow.solve() == flow.OPTIMAL else None


@settings(max_examples=200)
@given(matchings())
def test_demand_is_served_at_the_least_cost_whenever_it_can_be(
    made: tuple[list[Arrival], list[Need]],
) -> None:
    arrivals, needs = made
    found, least = match(arrivals, needs), least_cost(arrivals, needs)
    assert (found.left == 0) == (least is not None)
    if least is not None:
        assert found.late + found.waiting == pytest.approx(least, rel=1e-7, abs=1e-6)
