"""Dense series: the mean of Theta and exponential smoothing, leaning to a slow mean the rougher a series is.

The plain mean of models beats each of them, and beats choosing between them by a backtest (Makridakis &
Hibon 2000; Petropoulos & Svetunkov 2020, "A simple combination of univariate models"). On erratic demand
(Syntetos & Boylan's word) all of them chase noise, and a slow fixed smoothing beats them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting import simple
from forecasting.autoregression import autoregression
from forecasting.ets import ets
from forecasting.panel import Panel
from forecasting.ragged import Ragged, ragged, total
from forecasting.seasons import Season, remove_seasons
from forecasting.theta import STANDARD, Ahead, theta

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Below the first roughness only models are fitted, above the second none: found alike on weekly wholesale
# demand, hospital counts and the M3 series, none of which is told apart by anything else.
SMOOTH_BELOW, ERRATIC_ABOVE = 0.05, 0.25
SLOW = 0.15
# Histories of so many cycles and periods show how a series comes back to its cycle.
CYCLES_TO_REGRESS, PERIODS_TO_REGRESS = 10, 300
FALLBACK, FALLBACK_WINDOW = "mean-fallback", 13


@dataclass(frozen=True)
class Fits:
    """mean (n, h) ≥ 0, sigma (n,) and method (n,)."""

    mean: Floats
    sigma: Floats
    method: NDArray[np.object_]


def fit_dense(panel: Panel, rows: Ints, *, horizon: int, cycles: tuple[int, ...]) -> Fits:
    """Forecast series `rows` (longest first, ten values or more, none all zero), each over its own mean.

    A series whose models give no number falls back to its recent mean, and its method says so.
    """
    data = ragged(panel, rows)
    scale = total(data.values) / data.lengths
    with np.errstate(all="ignore"):
        ahead, method = _fit(data.replaced(data.values / scale), horizon, cycles)
    mean, sigma = np.maximum(ahead.mean, 0.0) * scale, ahead.sigma * scale
    failed = np.flatnonzero(~(np.isfinite(mean).all(axis=0) & np.isfinite(sigma)))
    if len(failed):
        level, spread = simple.recent_mean(
            panel.matrix(rows[failed]), data.lengths[failed], window=FALLBACK_WINDOW
        )
        mean[:, failed], sigma[failed], method[failed] = level, spread, FALLBACK
    return Fits(mean.T, sigma, method)


def _fit(data: Ragged, horizon: int, cycles: tuple[int, ...]) -> tuple[Ahead, NDArray[np.object_]]:
    plain, seasons = remove_seasons(data, cycles)
    lean = np.clip((roughness(plain) - SMOOTH_BELOW) / (ERRATIC_ABOVE - SMOOTH_BELOW), 0.0, 1.0)
    models, regressed = _models(plain, horizon, cycles)
    slow = slow_mean(plain, horizon)
    mean = (1 - lean) * models.mean + lean * slow.mean
    for season in reversed(seasons):
        mean = season.put_back(mean, plain)
    sigma = (1 - lean) * models.sigma + lean * slow.sigma
    return Ahead(mean, sigma), _names(lean, regressed, seasons)


def _models(plain: Ragged, horizon: int, cycles: tuple[int, ...]) -> tuple[Ahead, NDArray[np.bool_]]:
    """The mean of the models, and where (n,) autoregression is one half of it."""
    members = [theta(plain, horizon), theta(plain, horizon, weight=STANDARD), ets(plain, horizon)]
    smooth = _mean(members)
    cycle = cycles[0] if cycles else 1
    long = plain.lengths >= max(CYCLES_TO_REGRESS * cycle, PERIODS_TO_REGRESS)
    count = int(long.sum())
    if count:
        first = Ragged(plain.values[:, :count], plain.lengths[:count], np.minimum(plain.alive, count))
        regressed = autoregression(first, horizon, cycle=cycle)
        both = _mean([Ahead(smooth.mean[:, :count], smooth.sigma[:count]), regressed])
        smooth.mean[:, :count], smooth.sigma[:count] = both.mean, both.sigma
    return smooth, long


def _mean(members: list[Ahead]) -> Ahead:
    mean, sigma = members[0].mean, members[0].sigma
    for member in members[1:]:
        mean, sigma = mean + member.mean, sigma + member.sigma
    return Ahead(mean / len(members), sigma / len(members))


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


def _names(lean: Floats, regressed: NDArray[np.bool_], seasons: list[Season]) -> NDArray[np.object_]:
    base = np.where(regressed, "theta+ets+ar", "theta+ets").astype(object)
    name = np.where(lean <= 0, base, np.where(lean >= 1, "ses", base + "+ses"))
    for season in seasons:
        name = name + np.where(season.found, f"-s{len(season.indices)}", "").astype(object)
    return np.asarray(name, dtype=object)
