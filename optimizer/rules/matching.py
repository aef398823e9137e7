"""Which arrivals in a region serve which demand, at the least cost, for one SKU and one region.

First come, first due is exact whenever a late week costs the same for every demand and it serves them all;
otherwise a small successive-shortest-path matching (Ahuja, Magnanti & Orlin, Network Flows, section 9.7)
finds the least cost.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from optimizer.form.problem import Quantity

# Ways whose costs differ by less than this part of the dearest arc cost the same.
SAME = 1e-9


class Need(NamedTuple):
    """units of demand due in week that the plan says are delivered."""

    week: int
    units: Quantity
    late_cost: float
    last_week: int


class Arrival(NamedTuple):
    """units coming in week; only locked units may wait for a later week (at wait_cost) or serve nobody."""

    week: int
    units: Quantity
    locked: bool = False
    wait_cost: float = 0.0


class Match(NamedTuple):
    """cost parts and (due week, weeks late, units) for each late part; left are units that can't be
    matched."""

    late: float = 0.0
    waiting: float = 0.0
    lateness: tuple[tuple[int, int, Quantity], ...] = ()
    left: Quantity = 0


def match(arrivals: list[Arrival], needs: list[Need]) -> Match:
    """Serve every need from the arrivals at the least cost; left > 0 when that is not possible."""
    if not any(one.locked for one in arrivals):
        in_order = sorted(needs, key=lambda n: n.week)
        pairs, left = _in_order(arrivals, in_order)
        same_cost = len({one.late_cost for one in needs}) <= 1
        if not left and (same_cost or all(a.week == n.week for a, n, _ in pairs)):
            return _priced(pairs, left)
        if left and all(a.last_week <= b.last_week for a, b in pairwise(in_order)):
            return _priced(pairs, left)  # else one that can wait may have taken what another can't
    return _priced(*_least_cost(arrivals, needs))


def _in_order(
    arrivals: list[Arrival], needs: list[Need]
) -> tuple[list[tuple[Arrival, Need, Quantity]], Quantity]:
    pairs: list[tuple[Arrival, Need, Quantity]] = []
    coming = [[one, one.units] for one in sorted(arrivals, key=lambda a: a.week)]
    index = 0
    left: Quantity = 0
    for need in needs:
        missing = need.units
        while missing and index < len(coming):
            arrival, units = coming[index]
            assert isinstance(arrival, Arrival) and not isinstance(units, Arrival)
            if units == 0:
                index += 1
                continue
            if not need.week <= arrival.week <= need.last_week:
                break
            take = min(missing, units)
            pairs.append((arrival, need, take))
            coming[index][1] = units - take
            missing -= take
        left += missing
    unused = sum(units for _, units in coming)
    return pairs, left + unused


def _arc(arrival: Arrival, need: Need) -> float | None:
    if arrival.week > need.last_week:
        return None
    if arrival.week >= need.week:
        return (arrival.week - need.week) * need.late_cost
    return (need.week - arrival.week) * arrival.wait_cost if arrival.locked else None


def _least_cost(
    arrivals: list[Arrival], needs: list[Need]
) -> tuple[list[tuple[Arrival, Need, Quantity]], Quantity]:
    """Units that must be used go first, so they are used whenever that is possible at all."""
    count = len(arrivals)
    flow: dict[tuple[int, int], Quantity] = {}
    supply = [one.units for one in arrivals]
    demand = [one.units for one in needs]
    arcs = {
        (i, count + j): cost
        for i, arrival in enumerate(arrivals)
        for j, need in enumerate(needs)
        if (cost := _arc(arrival, need)) is not None
    }
    must = [i for i, one in enumerate(arrivals) if not one.locked]
    may = [i for i, one in enumerate(arrivals) if one.locked]
    for sources in (must, may):
        while path := _cheapest_path(sources, supply, demand, arcs, flow):
            nodes, units = path
            for first, second in pairwise(nodes):
                forward = first < second
                arc = (first, second) if forward else (second, first)
                flow[arc] = flow.get(arc, 0) + (units if forward else -units)
            supply[nodes[0]] -= units
            demand[nodes[-1] - count] -= units
    pairs = [(arrivals[i], needs[j - count], units) for (i, j), units in sorted(flow.items()) if units]
    unused = sum(units for units, one in zip(supply, arrivals, strict=True) if not one.locked)
    return pairs, sum(demand) + unused


def _cheapest_path(
    sources: list[int],
    supply: list[Quantity],
    demand: list[Quantity],
    arcs: dict[tuple[int, int], float],
    flow: dict[tuple[int, int], Quantity],
) -> tuple[list[int], Quantity] | None:
    """The nodes from one of the sources that has units to a demand that lacks some, and how many can go."""
    count, far = len(supply), math.inf
    same = SAME * max(1.0, *arcs.values(), 0.0)
    distance = [0.0 if node in sources and supply[node] else far for node in range(count)]
    distance += [far] * len(demand)
    before = [-1] * len(distance)
    for _ in distance:
        changed = False
        for (i, j), cost in arcs.items():
            if distance[i] + cost < distance[j] - same:
                distance[j], before[j], changed = distance[i] + cost, i, True
            if flow.get((i, j), 0) and distance[j] - cost < distance[i] - same:
                distance[i], before[i], changed = distance[j] - cost, j, True
        if not changed:
            break
    ends = [j for j in range(count, len(distance)) if demand[j - count] and distance[j] < far]
    if not ends:
        return None
    nodes = [min(ends, key=lambda j: (distance[j], j))]
    units = demand[nodes[0] - count]
    while (previous := before[nodes[-1]]) >= 0:
        if previous >= count:
            units = min(units, flow[nodes[-1], previous])
        nodes.append(previous)
    return nodes[::-1], min(units, supply[nodes[-1]])


def _priced(pairs: list[tuple[Arrival, Need, Quantity]], left: int) -> Match:
    late = waiting = 0.0
    lateness = []
    for arrival, need, units in pairs:
        weeks = arrival.week - need.week
        late += max(weeks, 0) * need.late_cost * units
        waiting += max(-weeks, 0) * arrival.wait_cost * units
        if weeks > 0:
            lateness.append((need.week, weeks, units))
    return Match(late=late, waiting=waiting, lateness=tuple(sorted(lateness)), left=left)
