"""Pieces for the models of one SKU: every way with its uses of shared rows, or the best way under prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.model.block import lot_uses, money_uses, setup_uses
from optimizer.model.build import Floats, Ints, tally
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.model.piece import Piece

NONE = np.zeros(0, dtype=np.int64)
NOTHING = np.zeros(0)


def full_piece(
    net: Network,
    item: Item,
    *,
    waits: NDArray[np.bool_] | None = None,
    lots: NDArray[np.bool_] | None = None,
    tight: NDArray[np.bool_] | None = None,
) -> tuple[Piece, Ints]:
    """The piece with every way (of the lots [L] if given) and the via of each route.

    tight [N, V, D]: ways whose flow is held to their lot's yes/no one by one (all if not given).
    waits [W, R]: lanes from warehouses that goods may have to wait for; their routes come with every delay.
    """
    open_ways = np.isfinite(item.cost)
    if lots is not None:
        open_ways[: len(lots)] &= lots[:, None, None]
    source, via, demand = (one.astype(np.int64) for one in np.nonzero(open_ways))
    cost = item.cost[source, via, demand]
    delay = np.zeros(len(source), dtype=np.int64)
    if waits is not None and waits.any():
        source, via, demand, delay, cost = _delayed(net, item, waits, source, via, demand)
    route, row, amount = route_uses(net, item, source, via, demand, delay)
    left_fact, left_row, left_amount = leftover_uses(net, item)
    count = len(item.lots.week)
    piece = Piece(
        item=item,
        need=item.need,
        short=item.short,
        source=source,
        demand=demand,
        cost=cost,
        lot_extra=np.zeros(count),
        order_extra=np.zeros(count),
        money_extra=np.zeros(len(item.offers)),
        delay=delay,
        leftover=item.leftover,
        lots_allowed=np.ones(count, np.int64) if lots is None else lots.astype(np.int64),
        tight=np.ones(len(source), dtype=bool) if tight is None else tight[source, via, demand],
        use_route=route,
        use_row=row,
        use_amount=amount,
        left_fact=left_fact,
        left_row=left_row,
        left_amount=left_amount,
    )
    return piece, via


def _delayed(
    net: Network, item: Item, waits: NDArray[np.bool_], source: Ints, via: Ints, demand: Ints
) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    """Every route, and where its lane may have to be waited for every later week that is not too late."""
    houses = len(net.warehouses)
    stored = via < houses
    house = np.minimum(via, max(houses - 1, 0))
    region = item.region[demand]
    lead = net.lead_out[house, region] if houses else np.zeros(len(via), dtype=np.int64)
    latest = item.last[demand] - lead - item.ship[source, via, demand]
    most = (
        np.where(stored & waits[house, region], latest, 0) if houses else np.zeros(len(via), dtype=np.int64)
    )
    number = np.repeat(np.arange(len(source)), np.maximum(most, 0) + 1)
    first = np.concatenate([[0], np.cumsum(np.maximum(most, 0) + 1)[:-1]])
    delay = np.arange(len(number)) - first[number]
    source, via, demand = source[number], via[number], demand[number]
    cost = item.cost[source, via, demand] + delay * waiting_cost(net, item, source, via, demand)
    worth = (cost < item.short[demand]) | (source >= len(item.lots.week)) | (delay == 0) | net.minimums
    return source[worth], via[worth], demand[worth], delay[worth], cost[worth]


def waiting_cost(net: Network, item: Item, source: Ints, via: Ints, demand: Ints) -> Floats:
    """What a unit of each route costs for a week it waits in the warehouse: it comes late by one more."""
    return item.sku.holding_cost + item.late_cost[demand]


def route_uses(
    net: Network, item: Item, source: Ints, via: Ints, demand: Ints, delay: Ints | None = None
) -> tuple[Ints, Ints, Floats]:
    """Inbound in the week a lot's units arrive (facts' arrivals are counted already), storage until they
    ship, throughput, and the lanes they take."""
    coupling = net.coupling
    houses = len(net.warehouses)
    lots = len(item.lots.week)
    stored = via < houses
    arrive = item.arrive[source, np.minimum(via, houses)]
    ship = item.ship[source, via, demand] + (0 if delay is None else delay)
    routes: list[Ints] = []
    rows: list[Ints] = []
    fresh = np.flatnonzero(stored & (source < lots))
    if len(fresh):
        routes.append(fresh)
        rows.append(coupling.inbound[via[fresh], arrive[fresh]])
        if (coupling.lane_in >= 0).any():
            supplier = item.supplier[item.lots.offer[source[fresh]]]
            routes.append(fresh)
            rows.append(coupling.lane_in[supplier, via[fresh], item.arrive[source[fresh], houses]])
    direct = np.flatnonzero(~stored & (source < lots))
    if len(direct) and (coupling.lane_direct >= 0).any():
        supplier = item.supplier[item.lots.offer[source[direct]]]
        leaves = item.arrive[source[direct], houses]
        routes.append(direct)
        rows.append(coupling.lane_direct[supplier, item.region[demand[direct]], leaves])
    out = np.flatnonzero(stored)
    if len(out) and (coupling.throughput >= 0).any():
        routes.append(out)
        rows.append(coupling.throughput[via[out]])
    if len(out) and (coupling.lane_out >= 0).any():
        routes.append(out)
        rows.append(coupling.lane_out[via[out], item.region[demand[out]], ship[out]])
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
    if houses < item.cost.shape[1] and lots and (coupling.lane_direct >= 0).any():
        leaves = np.minimum(item.arrive[:lots, houses], net.weeks - 1)
        supplier = item.supplier[item.lots.offer]
        rows = coupling.lane_direct[supplier[:, None], item.region[None, :], leaves[:, None]]
        added[:lots, houses] += priced[rows]
    through = priced[coupling.throughput]
    into = (coupling.lane_in >= 0).any()
    if houses == 0 or not (inbound.any() or storage.any() or through.any() or into):
        return added * item.sku.volume
    at = np.arange(houses)[None, :]
    added[:, :houses] += through[None, :, None]
    if into and lots:
        leaves = np.minimum(item.arrive[:lots, houses], net.weeks - 1)
        supplier = item.supplier[item.lots.offer]
        added[:lots, :houses] += priced[coupling.lane_in[supplier[:, None], at, leaves[:, None]]][:, :, None]
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


def order_prices(net: Network, item: Item, prices: Floats) -> Floats:
    """What the shared rows of suppliers add to ordering a lot at all, [L]."""
    lot, row, amount = setup_uses(net, item)
    return tally(lot, weights=prices[row] * amount, minlength=len(item.lots.week))


def money_prices(net: Network, item: Item, prices: Floats) -> Floats:
    """What caps of spend add to each unit of money an offer gets, [O]."""
    offer, row, amount = money_uses(net, item)
    return tally(offer, weights=prices[row] * amount, minlength=len(item.offers))
