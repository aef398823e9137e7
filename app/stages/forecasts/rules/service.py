"""Planning to a quantile of demand instead of its mean: how many units a service level asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from statistics import NormalDist
from typing import NamedTuple

Cell = tuple[int, int]
"""(SKU id, region id)."""
Means = Mapping[Cell, Mapping[dt.date, float]]

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
"""The probabilities that a band's bounds, read from low to high, are not exceeded."""
LOWEST_SERVICE, HIGHEST_SERVICE = 50, 97
"""Percent of weeks in which demand is to be covered: below, the mean is more; above, no quantile is kept."""

_SCORES = [NormalDist().inv_cdf(level) for level in LEVELS]


class Band(NamedTuple):
    """What a SKU may want in a week, over all its regions. Bounds are in order, the mean may lie anywhere."""

    mean: float
    lo_95: float
    lo_80: float
    hi_80: float
    hi_95: float

    @property
    def bounds(self) -> tuple[float, ...]:
        """Units at LEVELS. The mean stands for the median, and within the inner bounds."""
        middle = min(max(self.mean, self.lo_80), self.hi_80)
        return self.lo_95, self.lo_80, middle, self.hi_80, self.hi_95

    def quantile(self, level: float) -> float:
        """Units not exceeded with probability `level` (0–1), read between the bounds on a normal scale.

        Beyond the outer bounds nothing is known, and they are given.
        """
        score = NormalDist().inv_cdf(min(max(level, LEVELS[0]), LEVELS[-1]))
        bounds = self.bounds
        for low, high, left, right in zip(bounds, bounds[1:], _SCORES, _SCORES[1:], strict=False):
            if score <= right:
                return low + (high - low) * max(score - left, 0.0) / (right - left)
        return bounds[-1]

    def safety(self, level: float) -> float:
        """Units above the mean that a service level asks for, never below 0."""
        return max(self.quantile(level) - self.mean, 0.0)


def with_service(
    means: Means,
    bands: Mapping[tuple[int, dt.date], Band],
    *,
    levels: Mapping[int, float],
    fixed: Collection[tuple[Cell, dt.date]] = (),
) -> dict[Cell, dict[dt.date, float]]:
    """The means, with what the SKUs' service levels ask for on top, spread over regions like the means.

    The quantile is that of the SKU over all its regions: what one sells more another sells less, and
    quantiles region by region would add up to far more than that. Weeks are not pooled: what misses in a
    forecast is the SKU's level far more than one week, and levels miss in all weeks alike.

    Args:
        bands: by SKU id and week.
        levels: 0–1 by SKU id; a SKU without one is planned to its mean.
        fixed: cells and weeks that stay as they are, since a planner said so.
    """
    planned = {cell: dict(weeks) for cell, weeks in means.items()}
    totals: dict[tuple[int, dt.date], float] = {}
    for (sku, _), weeks in means.items():
        for week, mean in weeks.items():
            totals[sku, week] = totals.get((sku, week), 0.0) + mean
    kept = set(fixed)
    for (sku, region), weeks in means.items():
        if sku not in levels:
            continue
        for week, mean in weeks.items():
            band, total = bands.get((sku, week)), totals[sku, week]
            if band is not None and total > 0 and ((sku, region), week) not in kept:
                planned[sku, region][week] += band.safety(levels[sku]) * mean / total
    return planned
