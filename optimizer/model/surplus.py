"""How much of a SKU may be worth ordering though nobody asks for it.

A unit beyond demand pays where it reaches a price break, gives other suppliers a larger share of what is
spent, or fills a lane up to its minimum and stays in the warehouse.
"""

from __future__ import annotations

import math

import numpy as np

from optimizer.form.problem import Offer, Sku
from optimizer.model.build import Floats
from optimizer.model.network import Network


def diluting(net: Network, sku: Sku, offers: tuple[Offer, ...]) -> Floats:
    """Units of each offer [O] that may be worth buying for a cap of spend alone.

    A unit of money more gives each other supplier max_share of it, and no more than 1 / max_share of them can
    be above a cap: where that is worth less than it costs, none.
    """
    worth = money = 0.0
    for cap in net.coupling.spend:
        if sku.id not in cap.skus or not (cap.row >= 0).any() or cap.max_share <= 0:
            continue
        penalty = float(net.coupling.penalty[cap.row[cap.row >= 0]].max())
        worth += penalty * cap.max_share * math.floor(1 / cap.max_share + 1e-9)
        money = max(money, cap.most / cap.max_share)
    if worth <= 1:
        return np.zeros(len(offers))
    prices = np.array([min(price for _, price in one.breaks) for one in offers], dtype=np.float64)
    return np.where(prices > 0, np.ceil(money / np.where(prices > 0, prices, 1.0)), 0.0)


def filling(net: Network, sku: Sku, offers: tuple[Offer, ...]) -> Floats:
    """Units of each offer [O] that fill the lanes from its supplier to warehouses up to their minimums."""
    lacking = net.minimum_in.sum(axis=1)[[net.suppliers[one.supplier] for one in offers]]
    return np.ceil(lacking / sku.volume) if sku.volume > 0 else np.zeros(len(offers))
