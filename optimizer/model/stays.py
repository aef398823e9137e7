"""Goods that go to a warehouse and stay there, so that the lane carries its minimum.

They serve nobody, so they are worth shipping only beside goods that do: only the model of everything at once
has them, where minimums are rows. Without minimums they never pay, so every other bound holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.model.build import Builder, Floats, Ints, Layout
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.rules.limits import Leg


@dataclass(frozen=True, kw_only=True)
class Stays:
    """Of one SKU the lots whose units may stay in a warehouse, arrays [K]: lot, house, the most units and
    what one costs until the horizon ends."""

    lot: Ints
    house: Ints
    most: Floats
    cost: Floats


def stays(net: Network, item: Item, lot: Ints, house: Ints) -> Stays:
    """Units of these lots [K] in these warehouses [K]."""
    supplier = item.supplier[item.lots.offer[lot]]
    volume, weeks = item.sku.volume, net.weeks - item.arrive[lot, house]
    return Stays(
        lot=lot,
        house=house,
        most=np.ceil(net.minimum_in[supplier, house] / (volume or 1.0)),
        cost=volume * net.cost_in[supplier, house] + item.sku.holding_cost * weeks,
    )


def add_stays(
    builder: Builder, net: Network, item: Item, layout: Layout, *, whole: bool
) -> tuple[Stays, Ints]:
    """Those over lanes with a minimum that arrive in time, and their columns: taken from what is ordered."""
    least = net.minimum_in[item.supplier[item.lots.offer]]
    arrive = item.arrive[: len(least), : len(net.warehouses)]
    lot, house = np.nonzero((least > 0) & (arrive < net.weeks) & (item.sku.volume > 0))
    found = stays(net, item, lot, house)
    columns = builder.columns(found.cost, upper=found.most, integer=whole)
    builder.put(layout.flow[lot], columns, 1.0)
    return found, columns


def stay_legs(net: Network, item: Item, some: Stays) -> list[Leg]:
    """The lane and week of departure of each."""
    found = []
    for lot, house in zip(some.lot.tolist(), some.house.tolist(), strict=True):
        supplier = item.offers[item.lots.offer[lot]].supplier
        leaves = int(item.arrive[lot, len(net.warehouses)])
        found.append((supplier, net.problem.warehouses[house].id, leaves))
    return found


def stay_uses(net: Network, item: Item, some: Stays) -> tuple[Ints, Ints, Floats]:
    """Uses of shared rows by a unit of each: (number, row, amount) of lanes, docks and storage."""
    coupling, lot, house = net.coupling, some.lot, some.house
    supplier = item.supplier[item.lots.offer[lot]]
    arrive = item.arrive[lot, house]
    rows = [
        coupling.lane_in[supplier, house, item.arrive[lot, len(net.warehouses)]],
        coupling.inbound[house, arrive],
        *(np.where(arrive <= week, coupling.storage[house, week], -1) for week in range(net.weeks)),
    ]
    number, row = np.tile(np.arange(len(lot)), len(rows)), np.concatenate(rows)
    kept = row >= 0
    return number[kept], row[kept], np.full(int(kept.sum()), item.sku.volume)
