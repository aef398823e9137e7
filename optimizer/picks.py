"""From model values to whole quantities of one SKU, and from all SKUs to the quantities of a plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from optimizer.block import Piece, lot_uses
from optimizer.book import Book
from optimizer.build import Floats, Ints, Layout, tally
from optimizer.item import Item
from optimizer.limits import locked_flows, locked_orders
from optimizer.network import Network
from optimizer.pieces import leftover_uses, route_uses

Key = TypeVar("Key")


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What one SKU does: extra units of each lot [L], and flows as source, via, demand, units, each [K]."""

    extra: Ints
    source: Ints
    via: Ints
    demand: Ints
    units: Ints


def idle_pick(item: Item) -> Pick:
    """Order nothing, use no fact: always possible."""
    none = np.zeros(0, dtype=np.int64)
    return Pick(extra=np.zeros(len(item.lots.week), np.int64), source=none, via=none, demand=none, units=none)


def read_pick(piece: Piece, layout: Layout, via: Ints, values: Floats) -> Pick:
    """Whole quantities of a full piece from the solver's values; a stray fraction is cut, never rounded
    up."""
    extra = np.rint(values[layout.count]).astype(np.int64) * piece.item.lots.multiple
    units = np.floor(values[layout.routes] + 1e-5).astype(np.int64)
    kept = np.flatnonzero(units > 0)
    return trim(
        piece.item,
        Pick(
            extra=extra,
            source=piece.source[kept],
            via=via[kept],
            demand=piece.demand[kept],
            units=units[kept],
        ),
    )


def trim(item: Item, pick: Pick) -> Pick:
    """Take back flow above what a source has (solver tolerances), and set a lot below its least to
    nothing."""
    lots = item.lots
    extra = np.where(pick.extra < lots.least, 0, np.minimum(pick.extra, lots.most))
    have = np.concatenate([extra, item.facts.units]).astype(np.int64)
    need = item.need.copy()
    units = pick.units.copy()
    for at in range(len(units)):
        source, demand = int(pick.source[at]), int(pick.demand[at])
        units[at] = min(units[at], have[source], need[demand])
        have[source] -= units[at]
        need[demand] -= units[at]
    kept = units > 0
    return Pick(
        extra=extra,
        source=pick.source[kept],
        via=pick.via[kept],
        demand=pick.demand[kept],
        units=units[kept],
    )


def quantities(net: Network, chosen: dict[str, tuple[Item, Pick]]) -> Book:
    """The orders, flows and unmet demand of all SKUs together, locked ones included."""
    orders: dict[tuple[str, str, int], int] = defaultdict(int, _positive(locked_orders(net.problem)))
    flows: dict[tuple[str, str, str, int], int] = defaultdict(int, _positive(locked_flows(net.problem)))
    met: dict[tuple[str, str, int], int] = defaultdict(int)
    for sku, (item, pick) in chosen.items():
        lots = item.lots
        for at in map(int, np.flatnonzero(pick.extra)):
            offer = item.offers[lots.offer[at]]
            orders[offer.supplier, sku, int(lots.week[at])] += int(pick.extra[at])
        for at in range(len(pick.units)):
            _add_flow(net, item, pick, at, flows)
            demand = net.demand[sku][pick.demand[at]]
            met[sku, demand.region, demand.week] += int(pick.units[at])
    unmet = {
        (one.sku, one.region, one.week): left
        for one in net.problem.demand
        if (left := one.quantity - met[one.sku, one.region, one.week]) > 0
    }
    return Book(orders=dict(sorted(orders.items())), flows=dict(sorted(flows.items())), unmet=unmet)


def _positive(units: dict[Key, int]) -> dict[Key, int]:
    return {key: value for key, value in units.items() if value}


def _add_flow(
    net: Network, item: Item, pick: Pick, at: int, flows: dict[tuple[str, str, str, int], int]
) -> None:
    problem, lots = net.problem, item.lots
    source, via, units = int(pick.source[at]), int(pick.via[at]), int(pick.units[at])
    region = problem.regions[item.region[pick.demand[at]]].id
    fresh = source < len(lots.week)
    if via == len(net.warehouses):
        if fresh:
            offer = item.offers[lots.offer[source]]
            leaves = int(lots.week[source]) + offer.lead_weeks
            flows[item.sku.id, offer.supplier, region, leaves] += units
        return  # a locked unit's way to its region is among the facts already
    house = problem.warehouses[via].id
    if fresh:
        offer = item.offers[lots.offer[source]]
        leaves = int(lots.week[source]) + offer.lead_weeks
        flows[item.sku.id, offer.supplier, house, leaves] += units
    flows[item.sku.id, house, region, int(item.ship[source, via, pick.demand[at]])] += units


def pick_uses(net: Network, item: Item, pick: Pick) -> Floats:
    """Use of every shared row by one SKU's pick (facts in storage included), [rows]."""
    lot, row, amount = lot_uses(net, item)
    size = len(net.coupling.room)
    used = tally(row, weights=amount * pick.extra[lot], minlength=size)
    route, row, amount = route_uses(net, item, pick.source, pick.via, pick.demand)
    used += tally(row, weights=amount * pick.units[route], minlength=size)
    fact, row, amount = leftover_uses(net, item)
    used += tally(row, weights=amount * left_units(item, pick)[fact], minlength=size)
    return used


def left_units(item: Item, pick: Pick) -> Ints:
    """Units of each fact that serve nobody, [F]."""
    count = len(item.lots.week)
    taken = tally(pick.source, weights=pick.units, minlength=count + len(item.facts.units))
    return (item.facts.units - taken[count:]).astype(np.int64)
