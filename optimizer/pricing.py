"""What ordered units cost under an offer's price breaks."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer.problem import Offer, Problem


def spend(offer: Offer, units: int) -> float:
    """What units of one offer cost over the horizon under its price breaks."""
    if units <= 0:
        return 0.0
    if offer.price_mode == "all_units":
        return units * next(price for start, price in reversed(offer.breaks) if units >= start)
    ends = [start for start, _ in offer.breaks[1:]] + [units]
    parts = (
        (min(units, end) - start) * price
        for (start, price), end in zip(offer.breaks, ends, strict=True)
        if units > start
    )
    return math.fsum(parts)


def spends(
    problem: Problem, orders: dict[tuple[str, str, int], int]
) -> dict[tuple[str, str], tuple[float, int]]:
    """(money, units) over the horizon by (supplier, sku), in key order."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for (supplier, sku, _), units in orders.items():
        totals[supplier, sku] += units
    return {key: (spend(problem.offer_of[key], units), units) for key, units in sorted(totals.items())}
