"""One SKU under prices: the best way for each lot and demand, and demands that look alike taken together.

Two demands look alike when every source serves them the same way and their costs differ by the same constant
whatever the source. Taking them together changes nothing but the size of the model: the constant is added
outside, and where costs differ by less than the tolerance the lowest is used, so the bound stays a bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.build import Floats, Ints
from optimizer.model.item import Item
from optimizer.model.network import Amounts, Network
from optimizer.model.picks import Pick, trim, whole_units
from optimizer.model.piece import Piece
from optimizer.model.pieces import (
    leftover_prices,
    leftover_uses,
    lot_prices,
    money_prices,
    order_prices,
    route_prices,
    route_uses,
)

# Costs closer than this part of the SKU's mean unit price count as equal when demands are taken together.
ALIKE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Clustered:
    """piece over clusters; cluster [D] of each demand; via [R] of each route; constant cost outside the
    model."""

    piece: Piece
    cluster: Ints
    via: Ints
    constant: float


def cluster(net: Network, item: Item, prices: Floats, *, priced: bool = True) -> Clustered:
    """Take alike demands together. priced=False chooses ways by prices but costs them without (for
    repair)."""
    full = item.cost + route_prices(net, item, prices)
    via = full.argmin(axis=1) if full.size else np.zeros((len(full), len(item.need)), dtype=np.int64)
    best = np.take_along_axis(full, via[:, None, :], axis=1)[:, 0, :]
    cost = best if priced else np.take_along_axis(item.cost, via[:, None, :], axis=1)[:, 0, :]
    ship = np.take_along_axis(item.ship, via[:, None, :], axis=1)[:, 0, :]
    base = np.where(np.isfinite(cost).any(axis=0), cost.min(axis=0, initial=np.inf), 0.0)
    above = cost - base[None, :]
    place = np.where(_has_limited_lanes(net)[item.region] & (not priced), item.region, -1)
    groups = _groups(item, above, via, ship, place)
    size = int(groups.max()) + 1 if len(groups) else 0
    need = np.bincount(groups, weights=item.need, minlength=size).astype(item.need.dtype)
    short = np.full(size, np.inf)
    np.minimum.at(short, groups, item.short - base)
    lowest = np.full((len(above), size), np.inf)
    np.minimum.at(lowest.T, groups, above.T)
    source, demand = (one.astype(np.int64) for one in np.nonzero(np.isfinite(lowest)))
    member = np.full(size, -1, dtype=np.int64)
    member[groups[::-1]] = np.arange(len(groups))[::-1]
    ways = via[source, member[demand]] if size else source
    constant = float((base * item.need).sum())
    piece = _piece(net, item, prices, need, short, source, demand, lowest, ways, member, priced=priced)
    return Clustered(piece=piece, cluster=groups, via=ways.astype(np.int64), constant=constant)


def _has_limited_lanes(net: Network) -> NDArray[np.bool_]:
    """Regions [R] whose lanes are rows: demands of two of them use different ones."""
    lanes = net.coupling.lane_out, net.coupling.lane_direct
    limited: NDArray[np.bool_] = np.logical_or.reduce([(rows >= 0).any(axis=(0, 2)) for rows in lanes])
    return limited


def _groups(item: Item, above: Floats, via: Ints, ship: Ints, place: Ints) -> Ints:
    """Number of the cluster of each demand, in order of first appearance of sorted keys."""
    if not len(item.need):
        return np.zeros(0, dtype=np.int64)
    scale = np.mean([offer.breaks[0][1] for offer in item.offers]) if item.offers else 1.0
    finite = np.isfinite(above)
    level = np.where(finite, np.rint(np.where(finite, above, 0.0) / (ALIKE * scale + 1e-9)), -1)
    keys = np.concatenate(
        [level, np.where(finite, via, -1), np.where(finite, ship, -1), place[None, :]]
    ).astype(np.int64)
    seen: dict[bytes, int] = {}
    columns = np.ascontiguousarray(keys.T)
    return np.array([seen.setdefault(one.tobytes(), len(seen)) for one in columns], dtype=np.int64)


def _piece(
    net: Network,
    item: Item,
    prices: Floats,
    need: Amounts,
    short: Floats,
    source: Ints,
    demand: Ints,
    cost: Floats,
    ways: Ints,
    member: Ints,
    *,
    priced: bool,
) -> Piece:
    count = len(item.lots.week)
    route, row, amount = route_uses(net, item, source, ways.astype(np.int64), member[demand])
    fact, fact_row, fact_amount = leftover_uses(net, item)
    extra = leftover_prices(net, item, prices) if priced else np.zeros(len(item.leftover))
    return Piece(
        item=item,
        need=need,
        short=short,
        source=source,
        demand=demand,
        cost=cost[source, demand],
        lot_extra=lot_prices(net, item, prices) if priced else np.zeros(count),
        order_extra=order_prices(net, item, prices) if priced else np.zeros(count),
        money_extra=money_prices(net, item, prices) if priced else np.zeros(len(item.offers)),
        delay=np.zeros(len(source), dtype=np.int64),
        leftover=item.leftover + extra,
        lots_allowed=np.ones(count, dtype=np.int64),
        tight=np.ones(len(source), dtype=bool),
        use_route=route,
        use_row=row,
        use_amount=amount,
        left_fact=fact,
        left_row=fact_row,
        left_amount=fact_amount,
    )


def only_lots(one: Clustered, kept: NDArray[np.bool_]) -> Clustered:
    """The same SKU with only some lots left to order."""
    piece = one.piece
    sources = np.append(kept, np.ones(len(piece.item.facts.units), dtype=bool))
    routes = np.flatnonzero(sources[piece.source])
    number = np.full(len(piece.source), -1, dtype=np.int64)
    number[routes] = np.arange(len(routes))
    used = np.flatnonzero(number[piece.use_route] >= 0) if len(piece.use_route) else piece.use_route
    smaller = replace(
        piece,
        source=piece.source[routes],
        demand=piece.demand[routes],
        cost=piece.cost[routes],
        delay=piece.delay[routes],
        lots_allowed=kept.astype(np.int64),
        tight=piece.tight[routes],
        use_route=number[piece.use_route[used]],
        use_row=piece.use_row[used],
        use_amount=piece.use_amount[used],
    )
    return replace(one, piece=smaller, via=one.via[routes])


def worth_asking(net: Network, item: Item, prices: Floats) -> NDArray[np.bool_]:
    """Lots [L] that no other lot of the same offer beats for every demand at the prices.

    A beaten lot's units can all move to the better one, which saves an order, as long as that one can hold
    them: so only lots that can hold all the SKU needs beat others, and only where terms are the same.
    """
    lots = item.lots
    kept = np.ones(len(lots.week), dtype=bool)
    if not len(item.need) or item.sku.min_sources > 1 or net.coupling.spend:
        return kept
    order = lots.order_cost + order_prices(net, item, prices)
    unit = (item.cost + route_prices(net, item, prices))[: len(kept)].min(axis=1)
    unit = unit + lot_prices(net, item, prices)[:, None]
    for number, offer in enumerate(item.offers):
        mine = np.flatnonzero(lots.offer == number)
        ample = lots.most[mine] >= max(int(item.need.sum()), offer.breaks[-1][0])
        free = (lots.fixed[mine] == 0) & ~np.isin(lots.week[mine], item.churn.week)
        cheaper = order[mine][None, :] <= order[mine][:, None] + 1e-12
        no_dearer = (unit[mine][None, :, :] <= unit[mine][:, None, :]).all(axis=2)
        before = np.arange(len(mine))[None, :] < np.arange(len(mine))[:, None]
        beats = no_dearer & cheaper & (~(no_dearer & cheaper).T | before)
        beats &= (ample & free)[None, :] & free[:, None]
        kept[mine] = ~beats.any(axis=1)
    return kept


def spread(one: Clustered, extra: Amounts, flow: Floats) -> Pick:
    """Whole flows per demand from flows per cluster: each route fills the cluster's demands in order."""
    item, piece = one.piece.item, one.piece
    left = item.need.copy()
    members = [np.flatnonzero(one.cluster == number) for number in range(len(piece.need))]
    members = [mine[np.argsort(-item.short[mine], kind="stable")] for mine in members]
    sources, vias, demands, units = [], [], [], []
    given = whole_units(item, flow)
    for at in np.flatnonzero(given > 0):
        give = given[at]
        for demand in members[piece.demand[at]]:
            take = min(give, left[demand])
            if take > 0:
                sources.append(int(piece.source[at]))
                vias.append(int(one.via[at]))
                demands.append(int(demand))
                units.append(take)
                left[demand] -= take
                give -= take
            if give == 0:
                break
    pick = Pick(
        extra=extra,
        source=np.array(sources, dtype=np.int64),
        via=np.array(vias, dtype=np.int64),
        demand=np.array(demands, dtype=np.int64),
        units=np.array(units, dtype=item.need.dtype),
    )
    return trim(item, pick)
