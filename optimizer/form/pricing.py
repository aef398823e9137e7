"""What ordered units cost under an offer's price breaks."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer.form.problem import Offer, Problem, Quantity

# In a continuous problem a quantity this close to a break (relative, above 1) has reached it: its parts are
# rounded to grains, each by less.
AT_BREAK = 1e-6


def spend(offer: Offer, units: Quantity) -> float:
    """What units of one offer cost over the horizon under its price breaks."""
    if units <= 0:
        return 0.0
    if offer.price_mode == "all_units":
        reached = units if isinstance(units, int) else units + AT_BREAK * max(1.0, units)
        return float(units * next(price for start, price in reversed(offer.breaks) if reached >= start))
    ends = [start for start, _ in offer.breaks[1:]] + [units]
    parts = (
        (min(units, end) - start) * price
        for (start, price), end in zip(offer.breaks, ends, strict=True)
        if units > start
    )
    return math.fsum(parts)


def spends(problem: Problem, lots: dict[tuple[int, int], Quantity]) -> dict[int, tuple[float, Quantity]]:
    """(money, units) over the horizon by number of the offer, in order."""
    totals: dict[int, Quantity] = defaultdict(int)
    for (number, _), units in lots.items():
        totals[number] += units
    return {one: (spend(problem.offers[one], units), units) for one, units in sorted(totals.items())}
