"""The mixed-integer model of one SKU, added to a builder: alone with prices, or beside others with shared
rows.

Formulation: flow from a lot to a demand is at most the demand when the lot is ordered (the strong form of
Krarup & Pruzan, 1983); MOQ surplus is ordered but never flows; price breaks are one (quantity, yes/no) pair a
segment; units under a share cap count against "this supplier is used", which makes the relaxation see that
spreading over suppliers costs their MOQs and order costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.build import Builder, Floats, Ints, Layout
from optimizer.engine import Arrays
from optimizer.item import Item
from optimizer.network import Coupling, Network
from optimizer.problem import Offer


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What the model of one SKU is built from. Routes [R]: source, demand, cost; need and short [D'].

    lot_extra [L] is added to a lot's unit price. use_route/use_row/use_amount are a route's uses of shared
    rows; the left_ arrays the same for facts never used. lots_allowed [L] says which lots may be ordered.
    """

    item: Item
    need: Ints
    short: Floats
    source: Ints
    demand: Ints
    cost: Floats
    lot_extra: Floats
    leftover: Floats
    lots_allowed: Ints
    use_route: Ints
    use_row: Ints
    use_amount: Floats
    left_fact: Ints
    left_row: Ints
    left_amount: Floats


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One price segment: from low to high units the offer costs fixed + price x units (risk included)."""

    low: float
    high: float
    fixed: float
    price: float


def segments(offer: Offer, *, risk: float, most: float) -> list[Segment]:
    """Price breaks as segments up to most units; all-units segments end one unit before the next starts."""
    found = []
    below = 0.0
    for number, (start, price) in enumerate(offer.breaks):
        last = number + 1 == len(offer.breaks)
        next_start = most if last else float(offer.breaks[number + 1][0])
        high = most if last else next_start - (1.0 if offer.price_mode == "all_units" else 0.0)
        fixed = below - price * start if offer.price_mode == "incremental" else 0.0
        if start <= most:
            factor = 1.0 + risk
            found.append(Segment(low=start, high=min(high, most), fixed=fixed * factor, price=price * factor))
        below += price * (next_start - start)
    return found


def fixed_cost(net: Network, item: Item) -> float:
    """Cost no decision changes: locked orders' freight, order cost, single-price purchase and cap excess."""
    total = 0.0
    seen = set()
    for one in net.locked.get(item.sku.id, []):
        offer = net.problem.offer_of[one.supplier, one.sku]
        if (one.supplier, one.week) not in seen:
            seen.add((one.supplier, one.week))
            total += offer.order_cost
        total += net.problem.lane_of[one.supplier, one.to].cost * item.sku.volume * one.quantity
        if len(offer.breaks) == 1:
            risk = net.problem.supplier_of[one.supplier].risk
            total += offer.breaks[0][1] * (1.0 + risk) * one.quantity
    for cap in item.caps:
        if not cap.hard:
            total += cap.penalty * sum(cap.fixed_excess.values())
    return total


def add_piece(
    builder: Builder, net: Network, piece: Piece, *, whole_routes: bool = False, awards: bool = False
) -> Layout:
    """Add the columns and rows of one SKU; rows shared with other SKUs come from couple()."""
    item = piece.item
    lots = item.lots
    routes = builder.columns(piece.cost, integer=whole_routes)
    leftover = builder.columns(piece.leftover)
    allowed = piece.lots_allowed.astype(np.float64)
    used = builder.columns(lots.order_cost, upper=allowed, integer=True)
    count = builder.columns(
        lots.multiple * (_single_price(net, item)[lots.offer] + piece.lot_extra),
        upper=allowed * (lots.most // lots.multiple),
        integer=True,
    )
    unmet = builder.columns(piece.short, upper=piece.need.astype(np.float64))
    lot_count = len(lots.week)
    rows = builder.rows(len(piece.need), lower=piece.need, upper=piece.need)
    builder.put(rows[piece.demand], routes, 1.0)
    builder.put(rows, unmet, 1.0)
    _add_lots(builder, piece, routes=routes, used=used, count=count)
    facts = builder.rows(len(item.facts.units), lower=item.facts.units, upper=item.facts.units)
    from_fact = piece.source >= lot_count
    builder.put(facts[piece.source[from_fact] - lot_count], routes[from_fact], 1.0)
    builder.put(facts, leftover, 1.0)
    awarded = _add_awards(builder, net, item, used=used, awards=awards)
    _add_caps(builder, item, count=count, awarded=awarded)
    _add_segments(builder, net, item, count=count)
    return Layout(routes=routes, leftover=leftover, used=used, count=count, unmet=unmet, awarded=awarded)


def _single_price(net: Network, item: Item) -> Floats:
    """Unit price with risk of each offer that has one price; 0 where segments carry the price."""
    return np.array(
        [
            offer.breaks[0][1] * (1.0 + net.problem.supplier_of[offer.supplier].risk)
            if len(offer.breaks) == 1
            else 0.0
            for offer in item.offers
        ],
        dtype=np.float64,
    )


def _add_lots(builder: Builder, piece: Piece, *, routes: Ints, used: Ints, count: Ints) -> None:
    lots = piece.item.lots
    size = len(lots.week)
    flow = builder.rows(size, upper=0.0)
    own = piece.source < size
    builder.put(flow[piece.source[own]], routes[own], 1.0)
    builder.put(flow, count, -lots.multiple)
    least = builder.rows(size, lower=0.0)
    builder.put(least, count, lots.multiple)
    builder.put(least, used, -lots.least)
    most = builder.rows(size, upper=0.0)
    builder.put(most, count, lots.multiple)
    builder.put(most, used, -lots.most)
    width = max(len(piece.need), 1)
    pairs, inverse = np.unique(piece.source[own] * width + piece.demand[own], return_inverse=True)
    strong = builder.rows(len(pairs), upper=0.0)
    builder.put(strong[inverse], routes[own], 1.0)
    lot, demand = pairs // width, pairs % width
    builder.put(strong, used[lot], -np.minimum(piece.need[demand], lots.most[lot]))


def _add_awards(builder: Builder, net: Network, item: Item, *, used: Ints, awards: bool) -> Ints:
    """One yes/no an offer when anything counts suppliers; locked offers are used whatever happens."""
    costs = np.array([offer.award_cost for offer in item.offers], dtype=np.float64)
    if not (awards or costs.any() or item.caps or item.sku.min_sources > 1):
        return np.zeros(0, dtype=np.int64)
    lots = item.lots
    locked = (item.locked_units > 0).astype(np.float64)
    awarded = builder.columns(costs, lower=locked, upper=1.0, integer=True)
    rows = builder.rows(len(lots.week), upper=0.0)
    builder.put(rows, used, 1.0)
    builder.put(rows, awarded[lots.offer], -1.0)
    some = builder.rows(len(item.offers), lower=-locked)
    builder.put(some[lots.offer], used, 1.0)
    builder.put(some, awarded, -1.0)
    if item.sku.min_sources > 1:
        sources = builder.rows(len(lots.week), upper=0.0)
        builder.put(sources, used, float(item.sku.min_sources))
        builder.put(np.repeat(sources, len(awarded)), np.tile(awarded, len(sources)), -1.0)
    return awarded


def _add_caps(builder: Builder, item: Item, *, count: Ints, awarded: Ints) -> None:
    lots = item.lots
    for cap in item.caps:
        free = np.array([cap.free[int(s)] for s in item.supplier], dtype=np.float64)
        rows = builder.rows(len(item.offers), upper=0.0)
        builder.put(rows[lots.offer], count, lots.multiple)
        builder.put(rows, awarded, -free)
        if not cap.hard:
            excess = builder.columns(np.full(len(item.offers), cap.penalty))
            builder.put(rows, excess, -1.0)


def _add_segments(builder: Builder, net: Network, item: Item, *, count: Ints) -> None:
    lots = item.lots
    for number, offer in enumerate(item.offers):
        mine = np.flatnonzero(lots.offer == number)
        locked = float(item.locked_units[number])
        most = float(lots.most[mine].sum()) + locked
        if len(offer.breaks) == 1 or most <= 0:
            continue
        parts = segments(offer, risk=net.problem.supplier_of[offer.supplier].risk, most=most)
        units = builder.columns(np.array([part.price for part in parts]))
        chosen = builder.columns(np.array([part.fixed for part in parts]), upper=1.0, integer=True)
        total = builder.rows(1, lower=locked, upper=locked)
        builder.put(total, units, 1.0)
        builder.put(total, count[mine], -lots.multiple[mine])
        builder.put(builder.rows(1, upper=1.0), chosen, 1.0)
        low = builder.rows(len(parts), lower=0.0)
        builder.put(low, units, 1.0)
        builder.put(low, chosen, [-part.low for part in parts])
        high = builder.rows(len(parts), upper=0.0)
        builder.put(high, units, 1.0)
        builder.put(high, chosen, [-part.high for part in parts])


def lot_uses(net: Network, item: Item) -> tuple[Ints, Ints, Floats]:
    """Uses of shared rows per unit ordered: (lot, row, amount), rows without a limit left out."""
    coupling = net.coupling
    lots = item.lots
    numbers = np.arange(len(lots.week))
    source = item.supplier[lots.offer]
    use = np.array([offer.capacity_use for offer in item.offers], dtype=np.float64)[lots.offer]
    found = [
        (numbers, coupling.capacity[source, lots.week], use),
        (numbers, coupling.horizon[source], use),
    ]
    for cap, skus in enumerate(coupling.skus_of_cap):
        if item.sku.id in skus:
            found.append((numbers, coupling.share[cap, source], np.ones(len(numbers))))
    lot, row, amount = (np.concatenate([one[i] for one in found]) for i in range(3))
    kept = row >= 0
    return lot[kept].astype(np.int64), row[kept].astype(np.int64), amount[kept]


def couple(
    builder: Builder, net: Network, pieces: list[tuple[Piece, Layout]], *, room: Floats | None = None
) -> dict[int, int]:
    """Add the shared rows the pieces use; returns model row by shared row. Soft rows get an excess column."""
    coupling: Coupling = net.coupling
    limit = coupling.room if room is None else room
    entries: list[tuple[Ints, Ints, Floats]] = []
    for piece, layout in pieces:
        lot, row, amount = lot_uses(net, piece.item)
        multiple = piece.item.lots.multiple[lot]
        entries.append((row, layout.count[lot], amount * multiple))
        entries.append((piece.use_row, layout.routes[piece.use_route], piece.use_amount))
        entries.append((piece.left_row, layout.leftover[piece.left_fact], piece.left_amount))
    touched = np.unique(np.concatenate([one[0] for one in entries])).astype(np.int64)
    soft = np.isfinite(coupling.penalty)
    touched = np.union1d(touched, np.flatnonzero(soft & (limit < 0))).astype(np.int64)
    rows = builder.rows(len(touched), upper=limit[touched])
    place = np.full(len(limit), -1, dtype=np.int64)
    place[touched] = rows
    for row, column, value in entries:
        builder.put(place[row], column, value)
    mine = touched[soft[touched]]
    excess = builder.columns(coupling.penalty[mine])
    builder.put(place[mine], excess, -1.0)
    return {int(one): int(place[one]) for one in touched}


def single_model(net: Network, piece: Piece, *, room: Floats | None = None) -> tuple[Arrays, Layout]:
    """The model of one SKU alone, or within room [rows] of the shared rows."""
    builder = Builder()
    layout = add_piece(builder, net, piece)
    if room is not None:
        couple(builder, net, [(piece, layout)], room=room)
    return builder.arrays(), layout
