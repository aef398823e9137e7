"""What is paid or allowed once for all SKUs: suppliers, warehouses and lanes that are used at all.

A flow to a demand is at most the demand where the place or lane is open: the strong form (Krarup & Pruzan,
1983).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.build import Builder, Floats, Ints, Layout
from optimizer.model.network import Network
from optimizer.model.piece import Piece
from optimizer.model.stays import Stays, stay_legs
from optimizer.rules.limits import Leg, locked_lots, locked_volume

Parts = list[tuple[Piece, Ints, Layout]]
Staying = list[tuple[Stays, Ints]]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What SKUs use that stay as they are: volume by lane and week of departure, those of them with something
    that is not locked, and the suppliers."""

    legs: dict[Leg, float]
    fresh: frozenset[Leg]
    suppliers: frozenset[str]


NOBODY = Beside(legs={}, fresh=frozenset(), suppliers=frozenset())


def waits(net: Network) -> NDArray[np.bool_]:
    """Lanes [W, R] out of warehouses that goods may wait for: with a capacity, minimum or fixed cost."""
    found = np.zeros((len(net.warehouses), len(net.regions)), dtype=bool)
    for lane in net.problem.lanes:
        if lane.source in net.warehouses and lane.target in net.regions:
            bound = lane.capacity is not None or lane.minimum > 0 or lane.fixed_cost > 0
            found[net.warehouses[lane.source], net.regions[lane.target]] = bound
    return found


def paid_already(net: Network) -> float:
    """What locked orders pay for suppliers, warehouses and lanes, whatever else is planned."""
    problem = net.problem
    facts = {key for key, volume in locked_volume(problem).items() if volume > 0}
    suppliers = {problem.offers[number].supplier for number, _ in locked_lots(problem)}
    houses = {target for _, target, _ in facts} & set(problem.warehouse_of)
    return (
        sum(problem.supplier_of[one].award_cost for one in sorted(suppliers))
        + sum(problem.warehouse_of[one].award_cost for one in sorted(houses))
        + sum(problem.lane_of[source, target].fixed_cost for source, target, _ in sorted(facts))
    )


class Openings:
    """Adds the yes/no columns of one model; gates are those without which a shared row has no room."""

    def __init__(
        self, builder: Builder, net: Network, parts: Parts, stays: Staying, beside: Beside = NOBODY
    ) -> None:
        self.builder, self.net, self.parts, self.stays, self.beside = builder, net, parts, stays, beside
        self.gates: dict[int, int] = {}
        self.facts = {key: volume for key, volume in locked_volume(net.problem).items() if volume > 0}
        for key, volume in beside.legs.items():
            self.facts[key] = self.facts.get(key, 0.0) + volume
        self._suppliers()
        self._warehouses()
        self._lanes()
        self._single_sources()

    def _suppliers(self) -> None:
        """A locked supplier is paid for already."""
        net = self.net
        costs = np.array([one.award_cost for one in net.problem.suppliers])
        for number, _ in locked_lots(net.problem):
            costs[net.suppliers[net.problem.offers[number].supplier]] = 0.0
        for one in self.beside.suppliers:
            costs[net.suppliers[one]] = 0.0
        paid = costs > 0
        if not paid.any():
            return
        chosen = np.full(len(costs), -1, dtype=np.int64)
        chosen[paid] = self.builder.columns(costs[paid], upper=1.0, integer=True)
        for at in np.flatnonzero(paid):
            for row in (*net.coupling.capacity[at], net.coupling.horizon[at]):
                if row >= 0:
                    self.gates[int(row)] = int(chosen[at])
        for piece, _, layout in self.parts:
            item = piece.item
            mine = np.flatnonzero(paid[item.supplier[item.lots.offer]])
            rows = self.builder.rows(len(mine), upper=0.0)
            owner = item.supplier[item.lots.offer[mine]]
            self.builder.put(rows, layout.used[mine], 1.0)
            self.builder.put(rows, chosen[owner], -1.0)
            fresh = np.flatnonzero(piece.source < len(item.lots.week))
            by = item.supplier[item.lots.offer[piece.source[fresh]]]
            fresh, by = fresh[paid[by]], by[paid[by]]
            several = _from_several_lots(piece, fresh, by)
            self._within_demand(piece, layout, fresh[several], by[several], chosen)

    def _within_demand(self, piece: Piece, layout: Layout, routes: Ints, place: Ints, chosen: Ints) -> None:
        """All flow of the routes from a place to a demand is at most the demand where the place is chosen."""
        if not len(routes):
            return
        width = len(piece.need)
        pairs, inverse = np.unique(place * width + piece.demand[routes], return_inverse=True)
        rows = self.builder.rows(len(pairs), upper=0.0)
        self.builder.put(rows[inverse], layout.routes[routes], 1.0)
        self.builder.put(rows, chosen[pairs // width], -piece.need[pairs % width].astype(np.float64))

    def _warehouses(self) -> None:
        net = self.net
        costs = np.array([one.award_cost for one in net.problem.warehouses])
        for place in {place for source, target, _ in self.facts for place in (source, target)}:
            if place in net.warehouses:
                costs[net.warehouses[place]] = 0.0
        paid = costs > 0
        if not paid.any():
            return
        chosen = np.full(len(costs) + 1, -1, dtype=np.int64)
        chosen[:-1][paid] = self.builder.columns(costs[paid], upper=1.0, integer=True)
        paid = np.append(paid, False)
        for at in np.flatnonzero(paid):
            if net.coupling.throughput[at] >= 0:
                self.gates[int(net.coupling.throughput[at])] = int(chosen[at])
        for piece, via, layout in self.parts:
            routes = np.flatnonzero(paid[via])
            self._within_demand(piece, layout, routes, via[routes], chosen)
        for some, columns in self.stays:
            mine = np.flatnonzero(paid[some.house])
            self._only_where(columns[mine], some.most[mine], chosen[some.house[mine]])

    def _only_where(self, columns: Ints, most: Floats, chosen: Ints) -> None:
        """Units [K] only where their place or lane is chosen."""
        rows = self.builder.rows(len(columns), upper=0.0)
        self.builder.put(rows, columns, 1.0)
        self.builder.put(rows, chosen, -most)

    def _lanes(self) -> None:
        """One yes/no a lane and week for what is new on it; where other goods go the fixed cost is paid, and
        what they lack of the minimum must come."""
        net, problem = self.net, self.net.problem
        bound = {key: one for key, one in problem.lane_of.items() if one.fixed_cost > 0 or one.minimum > 0}
        if not bound:
            return
        keys = [(a, b, week) for a, b in bound for week in range(net.weeks)]
        numbers = {key: at for at, key in enumerate(keys)}
        costs = [0.0 if key in self.facts else bound[key[:2]].fixed_cost for key in keys]
        must = [float(key in self.beside.fresh) for key in keys]
        chosen = self.builder.columns(np.array(costs), lower=must, upper=1.0, integer=True)
        least = np.array(
            [max(0.0, bound[key[:2]].minimum - self.facts.get(key, 0.0)) for key in keys], dtype=np.float64
        )
        minimum = self.builder.rows(len(keys), lower=0.0)
        self.builder.put(minimum, chosen, -least)
        for piece, via, layout in self.parts:
            for leg in legs(net, piece, via):
                on = np.array([numbers.get(key, -1) for key in leg], dtype=np.int64)
                routes = np.flatnonzero(on >= 0)
                self.builder.put(minimum[on[routes]], layout.routes[routes], piece.item.sku.volume)
                self._within_demand(piece, layout, routes, on[routes], chosen)
        for (piece, _, _), (some, columns) in zip(self.parts, self.stays, strict=True):
            on = np.array([numbers[key] for key in stay_legs(net, piece.item, some)], dtype=np.int64)
            self.builder.put(minimum[on], columns, piece.item.sku.volume)
            self._only_where(columns, some.most, chosen[on])

    def _single_sources(self) -> None:
        """Locked orders over lanes of their own leave no other lane."""
        problem = self.net.problem
        single = {one.id for one in problem.regions if one.single_source}
        lanes = [key for key in problem.lane_of if key[1] in single]
        if not lanes:
            return
        numbers = {key: at for at, key in enumerate(lanes)}
        facts = {key[:2] for key in self.facts}
        taken = {target for _, target in facts}
        open_ = np.array([key[1] not in taken or key in facts for key in lanes], dtype=np.float64)
        chosen = self.builder.columns(np.zeros(len(lanes)), upper=open_, integer=True)
        places = sorted(single)
        rows = self.builder.rows(len(places), upper=[1.0 if one not in taken else np.inf for one in places])
        self.builder.put(rows[[places.index(key[1]) for key in lanes]], chosen, 1.0)
        for piece, via, layout in self.parts:
            for leg in legs(self.net, piece, via):
                on = np.array([numbers.get(key[:2], -1) for key in leg], dtype=np.int64)
                routes = np.flatnonzero(on >= 0)
                self._within_demand(piece, layout, routes, on[routes], chosen)


def _from_several_lots(piece: Piece, routes: Ints, place: Ints) -> NDArray[np.bool_]:
    """Routes [R] from a place to a demand that has several lots there: one alone is within its own yes/no."""
    pair = place * max(len(piece.need), 1) + piece.demand[routes]
    lots = np.unique(np.stack([pair, piece.source[routes]]), axis=1)[0]
    pairs, count = np.unique(lots, return_counts=True)
    return np.isin(pair, pairs[count > 1])


def legs(net: Network, piece: Piece, via: Ints) -> list[list[tuple[str, str, int]]]:
    """The lanes and weeks of departure of every route: the first leg, and the one out of a warehouse."""
    item, problem, houses = piece.item, net.problem, len(net.warehouses)
    none = ("", "", -1)
    first, second = [], []
    count = len(item.lots.week)
    for source, v, demand, delay in zip(piece.source, via, piece.demand, piece.delay, strict=True):
        region = problem.regions[item.region[demand]].id
        target = region if v == houses else problem.warehouses[v].id
        if source < count:
            supplier = item.offers[item.lots.offer[source]].supplier
            first.append((supplier, target, int(item.arrive[source, houses])))
        else:
            first.append(none)
        second.append(none if v == houses else (target, region, int(item.ship[source, v, demand] + delay)))
    return [first, second]
