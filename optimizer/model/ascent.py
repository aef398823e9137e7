"""A bound for one SKU with very many ways, and which of its lots a plan better than a known one can use.

At a price of each demand every lot is a knapsack of its own, open where it earns more than it costs to open
(Lagrangian relaxation of the demands; Cornuejols, Sridharan & Thizy, 1991). Prices follow the averaged plan
(the volume algorithm of Barahona & Anbil, 2000). What shared rules charge or forbid is left out, so the bound
holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.build import Floats, tally
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.rules.limits import locked_lots

STEPS, PATIENCE = 500, 15
# How much of the averaged plan is the newest, and how far above the bound the first target is.
NEWEST, TARGET = 0.1, 0.05
LEAST_FACTOR = 1e-3
NO_WAY = 1e30


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """One SKU as lots and facts [N] that serve demands [D]: what it costs at least and holds at most.

    cost [N, D] is for a unit, opening [N] for any at all, room [N] the most units.
    """

    cost: Floats
    need: Floats
    short: Floats
    opening: Floats
    room: Floats


@dataclass(frozen=True, kw_only=True)
class Ascent:
    """price [D] of a unit of each demand, rent [N] of a unit of each lot's room, and the bound they prove.

    forced [N]: what a plan with the lot costs more than bound at least. opened [N]: lots that earn their
    cost.
    """

    price: Floats
    rent: Floats
    bound: float
    forced: Floats
    opened: NDArray[np.bool_]


def relaxation(net: Network, item: Item) -> Relaxation:
    """The SKU's least costs: a supplier's opening cost is spread over its lots."""
    lots, count = item.lots, len(item.lots.week)
    paid = {net.problem.offers[number].supplier for number, _ in locked_lots(net.problem)}
    suppliers = net.problem.suppliers
    award = np.array([0.0 if one.id in paid else one.award_cost for one in suppliers], dtype=np.float64)
    owner = item.supplier[lots.offer]
    lots_of = tally(owner, weights=np.ones(count), minlength=len(suppliers))
    risk = np.array([net.problem.supplier_of[one.supplier].risk for one in item.offers])
    least = np.array([min(price for _, price in one.breaks) for one in item.offers]) * (1.0 + risk)
    unit = np.concatenate([least[lots.offer], np.zeros(len(item.facts.units))])
    return Relaxation(
        cost=item.cost.min(axis=1) + unit[:, None],
        need=item.need.astype(np.float64),
        short=item.short,
        opening=np.concatenate(
            [lots.order_cost + (award / np.maximum(lots_of, 1.0))[owner], np.zeros(len(item.facts.units))]
        ),
        room=np.concatenate([lots.most, item.facts.units]).astype(np.float64),
    )


def least_lots(one: Relaxation, *, cost: float) -> int:
    """How many lots a plan of at most this cost has at least: what it may leave unmet is bounded by it."""
    unmet = cost / max(float(one.short.min(initial=np.inf)), 1e-9)
    held = np.cumsum(np.sort(one.room)[::-1])
    needed = float(one.need.sum()) * (1 - 1e-6) - unmet
    if needed <= 0 or needed > held[-1]:  # all lots together can't serve it: then so many say nothing
        return 0
    return int(np.searchsorted(held, needed)) + 1


def ascend(one: Relaxation, *, least: int) -> Ascent:
    """The best prices found, where at least so many lots are open."""
    cost = np.where(np.isfinite(one.cost), one.cost, NO_WAY)
    price = np.minimum(np.sort(cost, axis=0)[min(2, len(cost) - 1)], one.short)
    best, mean = _open(one, cost, price, least)
    factor, idle = 1.0, 0
    for _ in range(STEPS):
        gradient = one.need - mean
        length = float(gradient @ gradient)
        if factor < LEAST_FACTOR or length < 1e-12:
            break
        step = factor * TARGET * factor * abs(best.bound) / length
        found, served = _open(one, cost, np.clip(best.price + step * gradient, 0.0, one.short), least)
        mean = NEWEST * served + (1 - NEWEST) * mean
        idle = 0 if found.bound > best.bound + 1e-6 * abs(best.bound) else idle + 1
        best = found if found.bound > best.bound else best
        if idle >= PATIENCE:
            factor, idle = factor / 2, 0
    return best


def _open(one: Relaxation, cost: Floats, price: Floats, least: int) -> tuple[Ascent, Floats]:
    """Every lot's knapsack at the prices, and what the open ones serve [D]."""
    gain = cost - price
    order = np.argsort(gain, axis=1, kind="stable")
    gains = np.take_along_axis(gain, order, axis=1)
    wants = one.need[order]
    before = np.cumsum(wants, axis=1) - wants
    take = np.clip(one.room[:, None] - before, 0.0, wants) * (gains < 0)
    value = one.opening + (gains * take).sum(axis=1)
    full = (take < wants) & (gains < 0)
    edge = np.take_along_axis(gains, full.argmax(axis=1)[:, None], axis=1)[:, 0]
    ranked = np.argsort(value, kind="stable")
    opened = value < 0
    opened[ranked[:least]] = True
    served = np.zeros(len(one.need))
    np.add.at(served, order[opened], take[opened])
    exchanged = max(0.0, float(value[opened].max(initial=0.0)))
    return Ascent(
        price=price,
        rent=-np.where(full.any(axis=1), edge, 0.0),
        bound=float(price @ one.need) + float(value[opened].sum()),
        forced=np.where(opened, 0.0, np.maximum(value - exchanged, 0.0)),
        opened=opened,
    ), served
