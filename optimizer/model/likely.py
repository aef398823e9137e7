"""The lots of a SKU that a good plan of it can use: what its relaxation orders, and what a plan has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.block import add_piece, couple
from optimizer.model.build import Builder, Floats
from optimizer.model.clusters import cluster
from optimizer.model.engine import run
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.rules.book import Book
from optimizer.rules.limits import locked_orders

# Relaxations: the first takes the cheapest way of each lot and demand, the next one minds what is full.
LOOKS = 2


def likely_lots(net: Network, item: Item, plan: Book) -> NDArray[np.bool_]:
    """Which lots [L] the best relaxation within the network's room orders, or the plan does."""
    return relaxation(net, item)[0] | ordered_lots(net, item, plan)


def relaxation(net: Network, item: Item) -> tuple[NDArray[np.bool_], Floats]:
    """The lots [L] that the best relaxation found within the network's room orders, and what a unit of every
    shared row is worth to it [rows]."""
    kept, least = np.ones(len(item.lots.week), dtype=bool), np.inf
    prices = best = np.zeros(len(net.coupling.room))
    for _ in range(LOOKS):
        one = cluster(net, item, prices, priced=False)
        builder = Builder()
        layout = add_piece(builder, net, one.piece)
        rows = couple(builder, net, [(one.piece, layout)])
        arrays = builder.arrays()
        found = run(replace(arrays, integer=np.zeros(len(arrays.cost), dtype=bool)))
        if found.values is None or found.duals is None:
            break
        prices = np.zeros(len(prices))
        prices[list(rows)] = np.maximum(0.0, -found.duals[list(rows.values())])
        if found.objective + one.constant < least:
            kept, best, least = found.values[layout.count] > 1e-7, prices, found.objective + one.constant
    return kept, best


def ordered_lots(net: Network, item: Item, plan: Book) -> NDArray[np.bool_]:
    """Which lots [L] the plan orders more of than is locked."""
    locked = locked_orders(net.problem)
    ordered = {
        (supplier, week)
        for (supplier, sku, week), units in plan.orders.items()
        if sku == item.sku.id and units > locked.get((supplier, sku, week), 0)
    }
    at = zip(item.lots.offer, item.lots.week, strict=True)
    return np.array([(item.offers[o].supplier, int(t)) in ordered for o, t in at], dtype=bool)
