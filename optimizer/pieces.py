"""Pieces for the models of one SKU: every way with its uses of shared rows, or the best way under prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.block import Piece, lot_uses
from optimizer.build import Floats, Ints, tally
from optimizer.item import Item
from optimizer.network import Network

NONE = np.zeros(0, dtype=np.int64)
NOTHING = np.zeros(0)


def full_piece(
    net: Network, item: Item, *, ways: NDArray[np.bool_] | None = None, lots: NDArray[np.bool_] | None = None
) -> tuple[Piece, Ints]:
    """The piece with every way (or those where ways[N, V, D]) and the via of each route."""
    open_ways = np.isfinite(item.cost)
    if ways is not None:
        open_ways &= ways
    if lots is not None:
        open_ways[: len(lots)] &= lots[:, None, None]
    source, via, demand = (one.astype(np.int64) for one in np.nonzero(open_ways))
    route, row, amount = route_uses(net, item, source, via, demand)
    left_fact, left_row, left_amount = leftover_uses(net, item)
    count = len(item.lots.week)
    piece = Piece(
        item=item,
        need=item.need,
        short=item.short,
        source=source,
        demand=demand,
        cost=item.cost[source, via, demand],
        lot_extra=np.zeros(count),
        leftover=item.leftover,
        lots_allowed=np.ones(count, np.int64) if lots is None else lots.astype(np.int64),
        use_route=route,
        use_row=row,
        use_amount=amount,
        left_fact=left_fact,
        left_row=left_row,
        left_amount=left_amount,
    )
    return piece, via


def route_uses(net: Network, item: Item, source: Ints, via: Ints, demand: Ints) -> tuple[Ints, Ints, Floats]:
    """Inbound in the week a lot's units arrive (facts' arrivals are counted already), storage until they
    ship."""
    coupling = net.coupling
    houses = len(net.warehouses)
    lots = len(item.lots.week)
    stored = via < houses
    arrive = item.arrive[source, np.minimum(via, houses)]
    ship = item.ship[source, via, demand]
    routes: list[Ints] = []
    rows: list[Ints] = []
    fresh = np.flatnonzero(stored & (source < lots))
    if len(fresh):
        routes.append(fresh)
        rows.append(coupling.inbound[via[fresh], arrive[fresh]])
    for week in range(net.weeks):
        held = np.flatnonzero(stored & (arrive <= week) & (week < ship))
        if len(held):
            routes.append(held)
            rows.append(coupling.storage[via[held], week])
    return _kept(routes, rows, item.sku.volume)


def leftover_uses(net: Network, item: Item) -> tuple[Ints, Ints, Floats]:
    facts: list[Ints] = []
    rows: list[Ints] = []
    for week in range(net.weeks):
        held = np.flatnonzero((item.facts.warehouse >= 0) & (item.facts.week <= week))
        if len(held):
            facts.append(held)
            rows.append(net.coupling.storage[item.facts.warehouse[held], week])
    return _kept(facts, rows, item.sku.volume)


def _kept(numbers: list[Ints], rows: list[Ints], volume: float) -> tuple[Ints, Ints, Floats]:
    if not numbers:
        return NONE, NONE, NOTHING
    number, row = np.concatenate(numbers).astype(np.int64), np.concatenate(rows).astype(np.int64)
    kept = row >= 0
    return number[kept], row[kept], np.full(int(kept.sum()), volume)


def route_prices(net: Network, item: Item, prices: Floats) -> Floats:
    """What the shared rows of warehouses add to each way's cost, [N, V, D], under prices by shared row."""
    coupling = net.coupling
    houses, lots = len(net.warehouses), len(item.lots.week)
    added = np.zeros(item.cost.shape)
    priced = np.append(prices, 0.0)
    inbound, storage = priced[coupling.inbound], priced[coupling.storage]
    if houses == 0 or not (inbound.any() or storage.any()):
        return added
    at = np.arange(houses)[None, :]
    arrive = np.minimum(item.arrive[:, :houses], net.weeks - 1)
    added[:lots, :houses] += inbound[at, arrive[:lots]][:, :, None]
    total = np.concatenate([np.zeros((houses, 1)), np.cumsum(storage, axis=1)], axis=1)
    ship = np.clip(item.ship[:, :houses], 0, net.weeks)
    added[:, :houses] += total[at[:, :, None], ship] - total[at, arrive][:, :, None]
    return added * item.sku.volume


def leftover_prices(net: Network, item: Item, prices: Floats) -> Floats:
    """What storage prices add to a fact that is never used, [F]."""
    fact, row, amount = leftover_uses(net, item)
    return tally(fact, weights=prices[row] * amount, minlength=len(item.facts.week))


def lot_prices(net: Network, item: Item, prices: Floats) -> Floats:
    """What the shared rows of suppliers add to a unit of each lot, [L]."""
    lot, row, amount = lot_uses(net, item)
    return tally(lot, weights=prices[row] * amount, minlength=len(item.lots.week))
