"""The possible orders of one SKU: which are worth having, and between which quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.form.problem import Offer, Quantity, Sku
from optimizer.model.network import NO_LANE, Amounts, Floats, Ints, Network
from optimizer.model.surplus import diluting, filling

# The least order where any number will do: a second source of nothing is none.
SOME = 1e-4


@dataclass(frozen=True, kw_only=True)
class Lots:
    """Possible new orders, one an offer and week. All arrays [L]; most is the largest useful extra quantity.

    Quantities here and below are whole numbers, or any in a continuous problem. rigid says which lots come in
    whole multiples; setup is the capacity an order takes beside its units.

    fixed are locked units in the same offer and week; they pay the order cost and count towards MOQ and max.
    """

    offer: Ints
    week: Ints
    multiple: Amounts
    least: Amounts
    most: Amounts
    order_cost: Floats
    fixed: Amounts
    rigid: NDArray[np.bool_]
    setup: Floats


def possible_lots(
    net: Network,
    sku: Sku,
    offers: tuple[Offer, ...],
    offer_at: Ints,
    week_at: Ints,
    cost: Floats,
    need: Amounts,
    locked: dict[tuple[int, int], Quantity],
) -> tuple[NDArray[np.bool_], Lots]:
    """Lots worth having: those that can reach a demand, and any that could fetch a break, a second source,
    a share of what is spent or a lane's minimum."""
    reach: NDArray[np.bool_] = np.asarray(np.isfinite(cost).any(axis=1), dtype=np.bool_)
    continuous = net.problem.continuous
    kind: type = np.float64 if continuous else np.int64
    useful = (reach * need).sum(axis=1) if len(need) else np.zeros(len(cost), dtype=kind)
    at = list(zip(offer_at.tolist(), week_at.tolist(), strict=True))
    fixed: Amounts = np.array([locked.get(one, 0) for one in at], kind)
    multiple: Amounts = np.array([one.multiple for one in offers], dtype=kind)[offer_at]
    rigid = np.full(len(offer_at), True) if not continuous else multiple != 1
    moq: Amounts = np.array([one.moq for one in offers], dtype=kind)[offer_at]
    last_break: Amounts = np.array([one.breaks[-1][0] for one in offers], dtype=kind)[offer_at]
    broken = np.array([len(one.breaks) > 1 for one in offers], dtype=bool)[offer_at]
    kept = net.previous.get(sku.id, {})
    before: Amounts = np.array([kept.get((net.suppliers[offers[o].supplier], t), 0) for o, t in at], kind)
    some = 1.0 if not continuous else SOME if sku.min_sources > 1 else 0.0
    least: Amounts = _up(np.maximum(moq - fixed, some), multiple, rigid).astype(kind)
    wanted = np.maximum(np.maximum(useful, before), np.where(broken, last_break, 0))
    idle = np.maximum(diluting(net, sku, offers), filling(net, sku, offers))[offer_at]
    wanted = np.maximum(wanted, useful + idle)
    most = np.maximum(_up(wanted, multiple, rigid), least)
    room = _room(net, offers, offer_at, week_at, fixed)
    most = np.minimum(most, np.where(rigid, room // multiple * multiple, room)).astype(kind)
    multiple = np.where(rigid & (most == least) & (most > 0), most, multiple)  # one size only
    pays = (before > 0) | (idle > 0)
    if len(need):
        pays |= reach.any(axis=1) | broken
    else:  # beside what is locked
        pays |= broken & np.isin(offer_at, [number for number, _ in locked])
    if sku.min_sources > 1:  # what pays may need another source beside it
        pays[:] = pays.any()
    keep = (most >= least) & pays
    setup = np.array([one.setup_capacity for one in offers], dtype=np.float64)[offer_at]
    order_cost = np.array([one.order_cost for one in offers], dtype=np.float64)[offer_at]
    lots = Lots(
        offer=offer_at[keep],
        week=week_at[keep],
        multiple=multiple[keep],
        least=least[keep],
        most=most[keep],
        order_cost=np.where(fixed > 0, 0.0, order_cost)[keep],
        fixed=fixed[keep],
        rigid=rigid[keep],
        setup=np.where(fixed > 0, 0.0, setup)[keep],
    )
    return keep, lots


def _up(units: Amounts, multiple: Amounts, rigid: NDArray[np.bool_]) -> Amounts:
    return np.where(rigid, -(-units // multiple) * multiple, units)


def _room(net: Network, offers: tuple[Offer, ...], offer_at: Ints, week_at: Ints, fixed: Amounts) -> Floats:
    """The largest extra quantity max, week_capacity, capacity and materials leave for one lot."""
    rooms = np.full(len(offer_at), float(NO_LANE * NO_LANE))
    coupling = net.coupling
    exact = net.problem.continuous
    for at, (o, t) in enumerate(zip(offer_at, week_at, strict=True)):
        offer = offers[o]
        if offer.max is not None:
            rooms[at] = min(rooms[at], offer.max - fixed[at])
        if offer.week_capacity is not None:
            rooms[at] = min(rooms[at], offer.week_capacity[t] - fixed[at])
        supplier = net.suppliers[offer.supplier]
        setup = 0.0 if fixed[at] else offer.setup_capacity
        uses = [
            (row, offer.capacity_use, setup)
            for row in (coupling.capacity[supplier, t], coupling.horizon[supplier])
        ]
        uses += [
            (coupling.material[net.materials[one], t], amount, 0.0)
            for one, amount in net.problem.recipe(offer)
        ]
        for row, use, start in uses:
            if row >= 0 and use > 0:
                free = max(0.0, coupling.room[row] - start + 1e-9) / use
                rooms[at] = min(rooms[at], free if exact else int(free))
            elif row >= 0 and start > coupling.room[row] + 1e-9:
                rooms[at] = 0.0
    return rooms
