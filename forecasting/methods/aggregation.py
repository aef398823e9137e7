"""Forecasts from coarser periods, read at the finer ones: what is noise in months is trend in quarters.

After Kourentzes, Petropoulos & Trapero (2014), "Improving forecasting by estimating time series structural
components across multiple frequencies": only on series freed of their season, and only to buckets that divide
the cycle.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from forecasting.methods.ragged import Ragged
from forecasting.methods.theta import Ahead

Floats = NDArray[np.float64]

BUCKETS = (2, 3)
# With fewer buckets, what is won in smoothness is lost in evidence.
FEWEST_BUCKETS = 24


def coarser(
    data: Ragged, horizon: int, size: int, models: Callable[[Ragged, int], Ahead]
) -> tuple[Floats, int]:
    """Steps ahead (h, k) of `models` on means over `size` periods, for the first k series, which are long
    enough for it."""
    count = int((data.lengths >= FEWEST_BUCKETS * size).sum())
    if not count:
        return np.zeros((horizon, 0)), 0
    buckets = _means(data, size, count)
    ahead = models(buckets, -(-horizon // size) + 1).mean
    return _between(ahead, size, horizon), count


def _means(data: Ragged, size: int, count: int) -> Ragged:
    """Means over `size` periods of the first `count` series, the odd periods at the beginning left out."""
    lengths = data.lengths[:count] // size
    start = data.lengths[:count] - lengths * size
    bucket = np.arange(lengths[0])[:, None]
    means = np.zeros((len(bucket), count))
    for inside in range(size):
        row = np.minimum(start + bucket * size + inside, len(data.values) - 1)
        means += np.take_along_axis(data.values[:, :count], row, axis=0) / size
    alive = np.searchsorted(-lengths, -np.arange(len(bucket)), side="left")
    return Ragged(np.where(bucket < lengths, means, 0.0), lengths, alive)


def _between(ahead: Floats, size: int, horizon: int) -> Floats:
    """Steps (h, n) on the straight lines through the middles of the buckets, prolonged at both ends."""
    place = (np.arange(horizon) - (size - 1) / 2) / size
    before = np.clip(np.floor(place).astype(np.int64), 0, len(ahead) - 2)
    share = (place - before)[:, None]
    return np.asarray((1 - share) * ahead[before] + share * ahead[before + 1])
