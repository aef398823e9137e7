"""Where goods go once all orders are placed: one linear program over all SKUs, grown by the ways it lacks.

With orders fixed, what is left is a flow from lots and stock to demands under shared docks, storage and
lanes. The program starts from the cheapest way of each lot and demand at given prices of what is shared, and
takes in every way that its duals say it lacks until those can't save anything worth while (column generation;
Gilmore & Gomory, 1961). Flows are whole but for the few that share a full dock; those are settled by a small
MIP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.form.problem import Problem, Sku
from optimizer.model.build import Builder, Floats, Ints, tally
from optimizer.model.engine import Arrays, run
from optimizer.model.item import compile_item
from optimizer.model.network import Network
from optimizer.model.openings import waits
from optimizer.model.picks import Pick, quantities, trim
from optimizer.model.piece import Piece
from optimizer.model.pieces import full_piece
from optimizer.rules.book import Book
from optimizer.search.closing import has_rules

# Ways left out, and whole units, may each make flows dearer by this part; how hard their MIP is searched.
GAP, NODES = 1e-4, 200
EPS = 1e-6


@dataclass(frozen=True, kw_only=True)
class Flowed:
    """The cheapest flows, and what one more of every shared row's room [rows] is worth to them."""

    book: Book
    prices: Floats


def flows_alone(problem: Problem) -> bool:
    """Whether flows are all there is to decide once orders are placed: no place or lane costs anything to
    open, no lane has rules, and units are whole."""
    paid = any(one.fixed_cost for one in problem.lanes) or any(one.award_cost for one in problem.warehouses)
    return not (paid or has_rules(problem) or problem.continuous)


def cheapest_flows(net: Network, prices: Floats) -> Flowed | None:
    """The cheapest flows of a problem whose orders cost nothing and whose flows_alone().

    prices [rows]: a guess at what shared room is worth; it changes the work, not the cost. None where whole
    units were not found within GAP of the linear program.
    """
    parts = [_Part(net, sku, waits(net), prices) for sku in net.problem.skus]
    while True:
        model, places = _program(net, parts)
        answer = run(model)
        if answer.values is None or answer.duals is None:
            return None
        prices = np.where(places >= 0, np.maximum(0.0, -answer.duals[places]), 0.0)
        if sum(part.grow(answer.duals, prices) for part in parts) <= GAP * abs(answer.objective) + EPS:
            break
    values = _whole(model, parts, answer.values)
    if values is None:
        return None
    chosen = {part.piece.item.sku.id: (part.piece.item, part.pick(values)) for part in parts}
    return Flowed(book=quantities(net, chosen), prices=prices)


class _Part:
    """The ways of one SKU, those of them that are in the program, and where they are in it."""

    def __init__(self, net: Network, sku: Sku, waiting: NDArray[np.bool_], prices: Floats) -> None:
        item = compile_item(net, sku)
        self.piece, self.via = full_piece(net, item, waits=waiting)
        self.active = _cheapest(self.piece, self.piece.cost + self._uses(prices))

    def _uses(self, prices: Floats) -> Floats:
        """What each way [R] uses of shared rows, at the prices [rows]."""
        piece = self.piece
        return tally(
            piece.use_route, weights=prices[piece.use_row] * piece.use_amount, minlength=len(piece.source)
        )

    def add(self, builder: Builder) -> list[tuple[Ints, Ints, Floats]]:
        """Columns and rows of the ways in the program; their uses of shared rows as (row, column, amount)."""
        piece, lots = self.piece, len(self.piece.item.lots.most)
        self.kept = np.flatnonzero(self.active)
        self.routes = builder.columns(piece.cost[self.kept])
        unmet = builder.columns(piece.short, upper=piece.need.astype(np.float64))
        left = builder.columns(piece.leftover)
        self.needs = builder.rows(len(piece.need), lower=piece.need, upper=piece.need)
        builder.put(self.needs[piece.demand[self.kept]], self.routes, 1.0)
        builder.put(self.needs, unmet, 1.0)
        units = np.concatenate([piece.item.lots.most, piece.item.facts.units]).astype(np.float64)
        least = np.where(np.arange(len(units)) < lots, -np.inf, units)
        self.sources = builder.rows(len(units), lower=least, upper=units)
        builder.put(self.sources[piece.source[self.kept]], self.routes, 1.0)
        builder.put(self.sources[lots:], left, 1.0)
        number = np.full(len(piece.source), -1, dtype=np.int64)
        number[self.kept] = self.routes
        mine = number[piece.use_route] >= 0
        return [
            (piece.use_row[mine], number[piece.use_route[mine]], piece.use_amount[mine]),
            (piece.left_row, left[piece.left_fact], piece.left_amount),
        ]

    def grow(self, duals: Floats, prices: Floats) -> float:
        """Take in the ways that the program lacks; what they save at most."""
        piece = self.piece
        served = duals[self.needs[piece.demand]] + duals[self.sources[piece.source]]
        reduced = np.where(self.active, 0.0, piece.cost + self._uses(prices) - served)
        self.active |= reduced < -EPS
        most = np.zeros(len(piece.need))
        np.maximum.at(most, piece.demand, -reduced)
        return float(most @ piece.need)

    def torn(self, values: Floats, *, widely: bool) -> Ints:
        """The columns of all ways to demands that some way serves with a fraction of a unit; widely: of the
        whole SKU, where there is such a demand."""
        demand, flow = self.piece.demand[self.kept], values[self.routes]
        torn = demand[np.abs(flow - np.rint(flow)) > EPS]
        return self.routes[np.isin(demand, torn) | (widely & bool(len(torn)))]

    def pick(self, values: Floats) -> Pick:
        """What flows, and of each lot as much as does."""
        piece, item = self.piece, self.piece.item
        units = np.rint(values[self.routes]).astype(np.int64)
        used = units > 0
        ways, units = self.kept[used], units[used]
        lots = len(item.lots.most)
        extra = tally(piece.source[ways], weights=units, minlength=lots + len(item.facts.units))[:lots]
        return trim(
            item,
            Pick(
                extra=extra.astype(np.int64),
                source=piece.source[ways],
                via=self.via[ways],
                demand=piece.demand[ways],
                units=units,
                delay=piece.delay[ways],
            ),
        )


def _cheapest(piece: Piece, cost: Floats) -> NDArray[np.bool_]:
    """One way [R] for each source and demand: that of least cost."""
    order = np.lexsort((cost, piece.demand, piece.source))
    pair = np.stack([piece.source[order], piece.demand[order]])
    first = np.append(True, (pair[:, 1:] != pair[:, :-1]).any(axis=0))[: len(order)]
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[first]] = True
    return chosen


def _program(net: Network, parts: list[_Part]) -> tuple[Arrays, Ints]:
    """The linear program, and the row of each shared row in it (-1: no way can use it)."""
    builder = Builder()
    entries = [entry for part in parts for entry in part.add(builder)]
    usable = [rows for part in parts for rows in (part.piece.use_row, part.piece.left_row)]
    touched = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *usable]))
    places = np.full(len(net.coupling.room), -1, dtype=np.int64)
    places[touched] = builder.rows(len(touched), upper=net.coupling.room[touched])
    for row, column, amount in entries:
        builder.put(places[row], column, amount)
    return builder.arrays(), places


def _whole(model: Arrays, parts: list[_Part], values: Floats) -> Floats | None:
    """Whole flows: what is torn is served anew in whole units, and all else stays."""
    flows = np.concatenate([part.routes for part in parts])
    cost = float(model.cost @ values)
    for widely in (False, True):
        torn = np.concatenate([part.torn(values, widely=widely) for part in parts])
        if not len(torn):
            return values
        stays = np.setdiff1d(flows, torn)
        lower, upper, integer = model.lower.copy(), model.upper.copy(), model.integer.copy()
        lower[stays] = upper[stays] = np.rint(values[stays])
        integer[torn] = True
        found = run(replace(model, lower=lower, upper=upper, integer=integer), gap=GAP, nodes=NODES)
        if found.values is not None and found.objective <= cost + 2 * GAP * abs(cost) + EPS:
            return found.values
    return None
