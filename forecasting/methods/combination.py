"""What a dense series, freed of its season, is forecast by: means of models, leaning to a slow mean.

The plain mean of models beats each of them, and beats choosing between them by a backtest (Makridakis &
Hibon 2000; Petropoulos & Svetunkov 2020, "A simple combination of univariate models"). On erratic demand
(Syntetos & Boylan's word) all of them chase noise, and a slow fixed smoothing beats them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.methods.aggregation import BUCKETS, coarser
from forecasting.methods.autoregression import autoregression
from forecasting.methods.ets import ets
from forecasting.methods.ragged import Ragged, total
from forecasting.methods.theta import STANDARD, Ahead, theta

Floats = NDArray[np.float64]

# Below the first roughness only models are fitted, above the second none: found alike on weekly wholesale
# demand, hospital counts and the M3 series, none of which is told apart by anything else.
SMOOTH_BELOW, ERRATIC_ABOVE = 0.05, 0.25
SLOW = 0.15
# Histories of so many cycles and periods show how a series comes back to its cycle.
CYCLES_TO_REGRESS, PERIODS_TO_REGRESS = 10, 300


@dataclass(frozen=True)
class Made:
    """Steps ahead and the name (n,) of what made them."""

    ahead: Ahead
    name: NDArray[np.object_]


def bulk(data: Ragged, horizon: int, cycles: tuple[int, ...]) -> Made:
    """Theta, exponential smoothing and, on long histories, autoregression."""
    return _leaning(
        data, _regressed(data, horizon, cycles, Made(smooth(data, horizon), _named("theta+ets", data)))
    )


def accurate(data: Ragged, horizon: int, cycles: tuple[int, ...]) -> Made:
    """The same, and once more at coarser periods, for half of the mean."""
    made = Made(smooth(data, horizon), _named("theta+ets", data))
    sizes = [size for size in BUCKETS if cycles and cycles[0] % size == 0]
    seen, sums = np.zeros(len(data.lengths)), np.zeros_like(made.ahead.mean)
    for size in sizes:
        ahead, count = coarser(data, horizon, size, smooth)
        seen[:count] += 1
        sums[:, :count] += ahead
    mean = np.where(seen > 0, (made.ahead.mean + sums / np.maximum(seen, 1)) / 2, made.ahead.mean)
    name = made.name + np.where(seen > 0, "+mapa", "").astype(object)
    return _leaning(data, _regressed(data, horizon, cycles, Made(Ahead(mean, made.ahead.sigma), name)))


def smooth(data: Ragged, horizon: int) -> Ahead:
    """The mean of the optimised and the standard dynamic Theta model and of exponential smoothing."""
    members = theta(data, horizon), theta(data, horizon, weight=STANDARD), ets(data, horizon)
    mean = (members[0].mean + members[1].mean + members[2].mean) / 3
    return Ahead(mean, (members[0].sigma + members[1].sigma + members[2].sigma) / 3)


def _regressed(data: Ragged, horizon: int, cycles: tuple[int, ...], made: Made) -> Made:
    """Autoregression is one half of the mean where the history is long."""
    cycle = cycles[0] if cycles else 1
    count = int((data.lengths >= max(CYCLES_TO_REGRESS * cycle, PERIODS_TO_REGRESS)).sum())
    if not count:
        return made
    long = Ragged(data.values[:, :count], data.lengths[:count], np.minimum(data.alive, count))
    ahead = autoregression(long, horizon, cycle=cycle)
    mean, sigma, name = made.ahead.mean.copy(), made.ahead.sigma.copy(), made.name.copy()
    mean[:, :count] = (mean[:, :count] + ahead.mean) / 2
    sigma[:count] = (sigma[:count] + ahead.sigma) / 2
    name[:count] += "+ar"
    return Made(Ahead(mean, sigma), name)


def _leaning(data: Ragged, made: Made) -> Made:
    """The rougher a series is, the more of the slow mean."""
    lean = np.clip((roughness(data) - SMOOTH_BELOW) / (ERRATIC_ABOVE - SMOOTH_BELOW), 0.0, 1.0)
    slow = slow_mean(data, len(made.ahead.mean))
    mean = (1 - lean) * made.ahead.mean + lean * slow.mean
    sigma = (1 - lean) * made.ahead.sigma + lean * slow.sigma
    name = np.where(lean <= 0, made.name, np.where(lean >= 1, "ses", made.name + "+ses"))
    return Made(Ahead(mean, sigma), name.astype(object))


def roughness(data: Ragged) -> Floats:
    """Squared coefficient of variation of the noise (n,): from differences, which a trend hardly touches."""
    steps = np.where(data.inside[1:], np.diff(data.values, axis=0), 0.0)
    level = total(data.values) / data.lengths
    return np.asarray(total(steps**2) / (2 * (data.lengths - 1) * level**2))


def slow_mean(data: Ragged, horizon: int) -> Ahead:
    """Simple exponential smoothing with a fixed, slow constant, begun at the mean of the first ten values."""
    level = total(data.values[:10]) / 10
    squares = np.zeros(len(level))
    for t, on in enumerate(data.alive):
        error = data.values[t, :on] - level[:on]
        squares[:on] += error**2
        level[:on] += SLOW * error
    return Ahead(np.tile(level, (horizon, 1)), np.sqrt(squares / data.lengths))


def _named(name: str, data: Ragged) -> NDArray[np.object_]:
    return np.full(len(data.lengths), name, dtype=object)
