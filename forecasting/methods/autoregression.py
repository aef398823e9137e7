"""Autoregression on what a season leaves of long histories, for all series of a matrix at once.

An hourly load or a daily count comes back to its cycle after a disturbance, which smoothing takes for a new
level. Lags 1, 2 and one cycle, by ridge regression: three parameters, so only histories of many cycles may
use it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecasting.methods.ragged import Ragged, total
from forecasting.methods.theta import Ahead

Floats = NDArray[np.float64]

RIDGE = 1e-3


def autoregression(data: Ragged, horizon: int, *, cycle: int) -> Ahead:
    """Steps ahead from lags 1, 2 and `cycle`; every series must be longer than the cycle."""
    lags = sorted({1, 2, cycle})
    centre = total(data.values) / data.lengths
    apart = np.where(data.inside, data.values - centre, 0.0)
    weights, sigma = _regress(data, apart, lags)
    low, high = np.where(data.inside, data.values, centre).min(axis=0), data.values.max(axis=0)
    # A root beyond one would run away: a step stays within one range of what was ever seen.
    least, most = low - (high - low) - centre, high + (high - low) - centre
    known = _latest(data, apart, lags[-1])
    steps = np.zeros((horizon, len(centre)))
    for step in range(horizon):
        ahead = np.zeros(len(centre))
        for lag, weight in zip(lags, weights, strict=True):
            ahead += weight * known[-lag]
        steps[step] = np.clip(ahead, least, most)
        known = np.concatenate([known[1:], steps[step : step + 1]])
    return Ahead(steps + centre, sigma)


def _regress(data: Ragged, apart: Floats, lags: list[int]) -> tuple[Floats, Floats]:
    """Weights (lags, n) and the root mean squared error (n,)."""
    longest = lags[-1]
    aim = apart[longest:]
    past = [np.where(data.inside[longest:], apart[longest - lag : -lag], 0.0) for lag in lags]
    left = np.array([[total(one * other) for other in past] for one in past]).transpose(2, 0, 1)
    right = np.array([total(one * aim) for one in past]).T
    power = total(aim**2)
    left = left + (RIDGE * power + np.finfo(float).tiny)[:, None, None] * np.eye(len(lags))
    weights = np.linalg.solve(left, right[:, :, None])[:, :, 0].T
    error = aim - sum(weight * one for weight, one in zip(weights, past, strict=True))
    return weights, np.sqrt(total(error**2) / np.maximum(data.lengths - longest, 1))


def _latest(data: Ragged, apart: Floats, count: int) -> Floats:
    """The last `count` values (count, n) of each series."""
    row = data.lengths - count + np.arange(count)[:, None]
    return np.take_along_axis(apart, row, axis=0)
