"""Seasons of all series of a matrix at once: found by a test, removed by decomposition, put back.

The test is that of the M3 competition (Makridakis & Hibon 2000), the indices those of classical
decomposition, drawn towards no season at all by how uncertain they are (James & Stein 1961; for seasons,
Miller & Williams 2003, "Shrinkage estimators of time series seasonal factors and their effect on forecasting
accuracy"). Whether a season adds or multiplies is what describes the history better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.methods.ragged import Ragged, total

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# The 90 % point of N(0, 1). The shrinkage takes back what too lenient a test lets through.
STANDS_OUT = 1.28
TINY = 1e-300


@dataclass(frozen=True)
class Season:
    """`indices` (m, n) by position in the cycle, counted from each series' first value; `found` (n,) says
    where there is a season (elsewhere the indices change nothing), `additive` (n,) how it applies."""

    indices: Floats
    additive: Bools
    found: Bools

    def put_back(self, steps: Floats, data: Ragged) -> Floats:
        """Steps ahead (h, n) with their season."""
        position = (data.lengths + np.arange(len(steps))[:, None]) % len(self.indices)
        cycle = np.take_along_axis(self.indices, position, axis=0)
        return np.where(self.additive, steps + cycle, steps * cycle)


def remove_seasons(data: Ragged, cycles: tuple[int, ...]) -> tuple[Ragged, list[Season]]:
    """`data` freed of a season of each of `cycles` (periods, shortest first) that the test finds."""
    seasons = []
    for length in cycles:
        found = has_season(data, length)
        if found.any():
            season = decompose(data, length, found)
            data = _without(data, season)
            seasons.append(season)
    return data, seasons


def has_season(data: Ragged, length: int) -> Bools:
    """Whether (n,) the autocorrelation at one season stands out from those before it.

    With few seasons that autocorrelation misses a whole season of products; it is corrected for them, or no
    cycle of 52 weeks would ever be found in two or three years.
    """
    count = data.lengths
    if length < 2 or not len(count) or count[0] < 2 * length:
        return np.zeros(len(count), dtype=bool)
    centred = np.where(data.inside, data.values - total(data.values) / count, 0.0)
    power = total(centred**2)
    before, last = np.zeros(len(count)), np.zeros(len(count))
    for lag in range(1, length + 1):
        before += last**2
        last = total(centred[:-lag] * centred[lag:]) / np.maximum(power, TINY)
    limit = STANDS_OUT * np.sqrt((1 + 2 * before) / count)
    last = last * count / np.maximum(count - length, 1)
    return np.asarray((last > limit) & (count >= 2 * length) & (power > 1e-12 * count))


def decompose(data: Ragged, length: int, found: Bools) -> Season:
    """The season of each series in `found`: of the two kinds the one that leaves less unexplained."""
    trend = _centred_mean(data, length)
    added, add_error = _indices(data, trend, length, additive=True)
    times, times_error = _indices(data, trend, length, additive=False)
    positive = np.where(data.inside, data.values, np.inf).min(axis=0) > 0
    usable = positive & np.isfinite(times).all(axis=0) & (times > 0).all(axis=0)
    additive = ~usable | (add_error < times_error) | ~found
    indices = np.where(additive, np.where(found, added, 0.0), times)
    return Season(indices, additive, found)


def _without(data: Ragged, season: Season) -> Ragged:
    position = np.arange(len(data.values)) % len(season.indices)
    cycle = season.indices[position]
    factor = np.where(season.additive, 1.0, cycle)
    return data.replaced(np.where(season.additive, data.values - cycle, data.values / factor))


def _centred_mean(data: Ragged, length: int) -> Floats:
    """Moving average over one season (T, n), NaN at both ends where it does not fit."""
    trend = np.full(data.values.shape, np.nan)
    weights = np.ones(length + 1 - length % 2) / length
    if length % 2 == 0:
        weights[[0, -1]] /= 2
    half = length // 2
    if len(data.values) < len(weights):
        return trend
    middle = np.zeros((len(data.values) - 2 * half, data.values.shape[1]))
    for start, weight in enumerate(weights):
        middle += weight * data.values[start : start + len(middle)]
    trend[half : len(trend) - half] = middle
    trend[np.arange(len(trend))[:, None] >= data.lengths - half] = np.nan
    return trend


def _indices(data: Ragged, trend: Floats, length: int, *, additive: bool) -> tuple[Floats, Floats]:
    """Shrunk indices (m, n), and the sum of squares (n,) that trend and plain indices leave unexplained."""
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = data.values - trend if additive else data.values / trend
    known = np.isfinite(apart)
    count = _by_position(known.astype(np.float64), length)
    plain = _by_position(np.where(known, apart, 0.0), length) / np.maximum(count, 1)
    centre = total(plain) / length
    plain = plain - centre if additive else plain / np.maximum(centre, TINY)
    cycle = plain[np.arange(len(apart)) % length]
    left = np.where(known, apart - cycle, 0.0)
    weighed = left if additive else left * np.where(known, trend, 0.0)
    neutral = 0.0 if additive else 1.0
    shrunk = neutral + (1 - _shrinkage(plain - neutral, left, apart, known, count)) * (plain - neutral)
    return shrunk, total(weighed**2)


def _shrinkage(season: Floats, left: Floats, apart: Floats, known: Bools, count: Floats) -> Floats:
    """The share (n,) of James and Stein by which the season is drawn in: variance of an index over its size.

    With less than two full cycles nothing is left over to tell the noise from; then steps between neighbours
    tell it, which a long season hardly moves.
    """
    observed = count.sum(axis=0)
    freedom = observed - len(season)
    steps = np.diff(apart, axis=0)
    neighbours = total(np.where(known[1:] & known[:-1], steps, 0.0) ** 2) / np.maximum(observed - 1, 1) / 2
    residual = total(left**2) / np.maximum(freedom, 1)
    noise = np.where(freedom < len(season), neighbours, residual)
    size = total(season**2)
    variance = noise * len(season) / np.maximum(observed, 1)
    return np.asarray(np.clip((len(season) - 3) * variance / np.maximum(size, TINY), 0.0, 1.0))


def _by_position(cells: Floats, length: int) -> Floats:
    """Sums (m, n) over the cycles, by position in the cycle."""
    sums = np.zeros((length, cells.shape[1]))
    for start in range(0, len(cells), length):
        part = cells[start : start + length]
        sums[: len(part)] += part
    return sums
