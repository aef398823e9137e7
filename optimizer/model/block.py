"""The mixed-integer model of one SKU, added to a builder: alone with prices, or beside others with shared
rows.

Formulation: flow from a lot to a demand is at most the demand when the lot is ordered (the strong form of
Krarup & Pruzan, 1983); MOQ surplus is ordered but never flows; price breaks are modes
(optimizer/model/breaks.py); units under a share cap count against "this supplier is used", which makes the
relaxation see that spreading over suppliers costs their MOQs and order costs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optimizer.model.breaks import Modes, add_breaks
from optimizer.model.build import Builder, Floats, Ints, Layout
from optimizer.model.coupling import Coupling
from optimizer.model.cuts import add_least, add_lot_cuts, needed
from optimizer.model.engine import Arrays
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.model.piece import Piece

NO_COLUMNS = np.zeros(0, dtype=np.int64)


def fixed_cost(net: Network, item: Item) -> float:
    """Cost no decision changes: locked orders' freight, order cost, single-price purchase and cap excess."""
    total = 0.0
    seen = set()
    for one in net.locked.get(item.sku.id, []):
        number = net.problem.alternatives[one.supplier, one.sku][one.alternative]
        offer = net.problem.offers[number]
        if (number, one.week) not in seen:
            seen.add((number, one.week))
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
    used = builder.columns(lots.order_cost + piece.order_extra, upper=allowed, integer=True)
    price, risk = _single_price(item), risks(net, item) + piece.money_extra
    count = builder.columns(
        lots.multiple * ((price * (1.0 + risk))[lots.offer] + piece.lot_extra),
        upper=allowed * lots.most / lots.multiple,
        integer=lots.rigid,
    )
    unmet = builder.columns(piece.short, upper=piece.need.astype(np.float64))
    lot_count = len(lots.week)
    rows = builder.rows(len(piece.need), lower=piece.need, upper=piece.need)
    builder.put(rows[piece.demand], routes, 1.0)
    builder.put(rows, unmet, 1.0)
    flow = _add_lots(builder, piece, routes=routes, used=used, count=count)
    add_lot_cuts(builder, piece, used=used, count=count, unmet=unmet)
    facts = builder.rows(len(item.facts.units), lower=item.facts.units, upper=item.facts.units)
    from_fact = piece.source >= lot_count
    builder.put(facts[piece.source[from_fact] - lot_count], routes[from_fact], 1.0)
    builder.put(facts, leftover, 1.0)
    awarded, sourced = _add_awards(builder, net, item, used=used, awards=awards)
    modes = add_breaks(
        builder, piece, whole=not net.problem.continuous, factor=1.0 + risk, routes=routes, count=count
    )
    _add_caps(builder, piece, count=count, unmet=unmet, sourced=sourced, modes=modes)
    _add_churn(builder, item, count=count)
    own = price[lots.offer]
    money = [(lots.offer[own > 0], count[own > 0], (lots.multiple * own)[own > 0])]
    money += [entry for mode in modes for entry in mode.money()]
    offers, columns, amounts = (np.concatenate([one[i] for one in money]) for i in range(3))
    return Layout(
        routes=routes,
        flow=flow,
        leftover=leftover,
        used=used,
        count=count,
        unmet=unmet,
        awarded=awarded,
        money_offer=offers,
        money_column=columns,
        money_amount=amounts,
    )


def risks(net: Network, item: Item) -> Floats:
    """The risk of each offer's supplier, [O]."""
    return np.array([net.problem.supplier_of[one.supplier].risk for one in item.offers], dtype=np.float64)


def _single_price(item: Item) -> Floats:
    """Unit price of each offer that has one price; 0 where segments carry the price."""
    prices = [offer.breaks[0][1] if len(offer.breaks) == 1 else 0.0 for offer in item.offers]
    return np.array(prices, dtype=np.float64)


def _add_lots(builder: Builder, piece: Piece, *, routes: Ints, used: Ints, count: Ints) -> Ints:
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
    own &= piece.tight
    pairs, inverse = np.unique(piece.source[own] * width + piece.demand[own], return_inverse=True)
    strong = builder.rows(len(pairs), upper=0.0)
    builder.put(strong[inverse], routes[own], 1.0)
    lot, demand = pairs // width, pairs % width
    builder.put(strong, used[lot], -np.minimum(piece.need[demand], lots.most[lot]))
    return flow


def _add_awards(builder: Builder, net: Network, item: Item, *, used: Ints, awards: bool) -> tuple[Ints, Ints]:
    """One yes/no an offer and one a supplier [O] when anything counts them; locked ones are used whatever
    happens."""
    costs = np.array([offer.award_cost for offer in item.offers], dtype=np.float64)
    if not (awards or costs.any() or item.caps or item.sku.min_sources > 1):
        return NO_COLUMNS, NO_COLUMNS
    lots = item.lots
    locked = (item.locked_units > 0).astype(np.float64)
    awarded = builder.columns(costs, lower=locked, upper=1.0, integer=True)
    rows = builder.rows(len(lots.week), upper=0.0)
    builder.put(rows, used, 1.0)
    builder.put(rows, awarded[lots.offer], -1.0)
    some = builder.rows(len(item.offers), lower=-locked)
    builder.put(some[lots.offer], used, 1.0)
    builder.put(some, awarded, -1.0)
    sourced = _sources(builder, item, awarded)
    if item.sku.min_sources > 1:
        sources = builder.rows(len(lots.week), upper=0.0)
        builder.put(sources, used, float(item.sku.min_sources))
        each = np.unique(sourced)
        builder.put(np.repeat(sources, len(each)), np.tile(each, len(sources)), -1.0)
    return awarded, sourced


def _sources(builder: Builder, item: Item, awarded: Ints) -> Ints:
    """The yes/no of each offer's supplier [O]: that of the offer itself where a supplier has only one."""
    suppliers, of = np.unique(item.supplier, return_inverse=True)
    if len(suppliers) == len(item.offers):
        return awarded
    sourced = builder.columns(np.zeros(len(suppliers)), upper=1.0, integer=True)
    rows = builder.rows(len(item.offers), upper=0.0)
    builder.put(rows, awarded, 1.0)
    builder.put(rows, sourced[of], -1.0)
    some = builder.rows(len(suppliers), lower=0.0)
    builder.put(some[of], awarded, 1.0)
    builder.put(some, sourced, -1.0)
    return sourced[of]


def _add_caps(
    builder: Builder, piece: Piece, *, count: Ints, unmet: Ints, sourced: Ints, modes: list[Modes]
) -> None:
    item, lots = piece.item, piece.item.lots
    suppliers, first, of = np.unique(item.supplier, return_index=True, return_inverse=True)
    for cap in item.caps if len(suppliers) else ():
        free = np.array([cap.free[int(s)] for s in suppliers], dtype=np.float64)
        rows = builder.rows(len(suppliers), upper=0.0)
        builder.put(rows[of[lots.offer]], count, lots.multiple)
        builder.put(rows, sourced[first], -free)
        excess = builder.columns(np.zeros(0) if cap.hard else np.full(len(suppliers), cap.penalty))
        builder.put(rows[: len(excess)], excess, -1.0)
        beside = np.concatenate([excess, unmet])
        add_least(builder, needed(piece), free, units=sourced[first], beside=beside)
        for mode in modes:
            if (of == of[mode.offer]).sum() == 1:
                own = None if cap.hard else int(excess[of[mode.offer]])
                mode.cap(builder, free=float(free[of[mode.offer]]), excess=own)


def _add_churn(builder: Builder, item: Item, *, count: Ints) -> None:
    """What of the previous plan is not ordered again, by supplier and week."""
    churn, lots = item.churn, item.lots
    if not len(churn.units):
        return
    lost = builder.columns(np.full(len(churn.units), churn.cost), upper=churn.units)
    rows = builder.rows(len(churn.units), lower=churn.units)
    builder.put(rows, lost, 1.0)
    for row, supplier, week in zip(rows, churn.supplier, churn.week, strict=True):
        mine = np.flatnonzero((item.supplier[lots.offer] == supplier) & (lots.week == week))
        builder.put(row, count[mine], lots.multiple[mine])


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
    for number, offer in enumerate(item.offers):
        mine = np.flatnonzero(lots.offer == number)
        for material, taken in net.problem.recipe(offer):
            rows = coupling.material[net.materials[material], lots.week[mine]]
            found.append((mine, rows, np.full(len(mine), taken)))
    for cap, skus in enumerate(coupling.skus_of_cap):
        if item.sku.id in skus:
            found.append((numbers, coupling.share[cap, source], np.ones(len(numbers))))
    lot, row, amount = (np.concatenate([one[i] for one in found]) for i in range(3))
    kept = row >= 0
    return lot[kept].astype(np.int64), row[kept].astype(np.int64), amount[kept]


def setup_uses(net: Network, item: Item) -> tuple[Ints, Ints, Floats]:
    """Capacity each new order takes beside its units: (lot, row, amount)."""
    lots = item.lots
    numbers = np.flatnonzero(lots.setup > 0)
    source = item.supplier[lots.offer[numbers]]
    row = np.concatenate([net.coupling.capacity[source, lots.week[numbers]], net.coupling.horizon[source]])
    lot = np.tile(numbers, 2)
    kept = row >= 0
    return lot[kept], row[kept].astype(np.int64), lots.setup[lot[kept]]


def money_uses(net: Network, item: Item) -> tuple[Ints, Ints, Floats]:
    """Uses of caps of spend per unit of money an offer gets: (offer, row, amount)."""
    found: list[tuple[int, int, float]] = []
    for cap in net.coupling.spend:
        if item.sku.id in cap.skus:
            for supplier in np.flatnonzero(cap.row >= 0):
                for number, one in enumerate(item.supplier):
                    amount = float(one == supplier) - cap.max_share
                    found.append((number, int(cap.row[supplier]), amount))
    table = np.array(found).reshape(len(found), 3)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2].astype(np.float64)


def put_money(layout: Layout, offer: Ints, row: Ints, amount: Floats) -> tuple[Ints, Ints, Floats]:
    """Entries (row, column, value) of uses of money in a model."""
    use, entry = np.nonzero(offer[:, None] == layout.money_offer[None, :])
    return row[use], layout.money_column[entry], amount[use] * layout.money_amount[entry]


def couple(
    builder: Builder,
    net: Network,
    pieces: list[tuple[Piece, Layout]],
    *,
    room: Floats | None = None,
    gates: dict[int, int] | None = None,
    others: Iterable[tuple[Ints, Ints, Floats]] = (),
) -> dict[int, int]:
    """Add the shared rows the pieces use; returns model row by shared row. Soft rows get an excess column.

    gates: by shared row the yes/no column without which it has no room at all. others: more uses, as rows,
    columns and amounts.
    """
    coupling: Coupling = net.coupling
    limit = coupling.room if room is None else room
    entries: list[tuple[Ints, Ints, Floats]] = list(others)
    for piece, layout in pieces:
        lot, row, amount = lot_uses(net, piece.item)
        multiple = piece.item.lots.multiple[lot]
        entries.append((row, layout.count[lot], amount * multiple))
        lot, row, amount = setup_uses(net, piece.item)
        entries.append((row, layout.used[lot], amount))
        entries.append(put_money(layout, *money_uses(net, piece.item)))
        entries.append((piece.use_row, layout.routes[piece.use_route], piece.use_amount))
        entries.append((piece.left_row, layout.leftover[piece.left_fact], piece.left_amount))
    touched = np.unique(np.concatenate([one[0] for one in entries])).astype(np.int64)
    soft = np.isfinite(coupling.penalty)
    touched = np.union1d(touched, np.flatnonzero(soft & (limit < 0))).astype(np.int64)
    gated = np.array([int(one) in (gates or {}) for one in touched], dtype=bool)
    rows = builder.rows(len(touched), upper=np.where(gated, 0.0, limit[touched]))
    place = np.full(len(limit), -1, dtype=np.int64)
    place[touched] = rows
    for gate in touched[gated]:
        builder.put(place[gate], (gates or {})[int(gate)], -limit[gate])
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
