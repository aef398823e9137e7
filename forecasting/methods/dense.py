"""Dense series: each over its own mean and freed of its seasons, forecast by what the tier asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.input.panel import Panel
from forecasting.methods import combination, simple
from forecasting.methods.combination import Made
from forecasting.methods.ragged import Ragged, ragged, total
from forecasting.methods.seasons import remove_seasons
from forecasting.methods.theta import Ahead

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FALLBACK, FALLBACK_WINDOW = "mean-fallback", 13
# What lies further back than so many periods and cycles no smoothing remembers, and it only costs time.
MOST_PERIODS, MOST_CYCLES = 1500, 4


@dataclass(frozen=True)
class Fits:
    """mean (n, h) ≥ 0, sigma (n,) and method (n,)."""

    mean: Floats
    sigma: Floats
    method: NDArray[np.object_]


def fit_dense(panel: Panel, rows: Ints, *, horizon: int, cycles: tuple[int, ...], tier: str) -> Fits:
    """Forecast series `rows` (longest first, ten values or more, none all zero).

    A series whose models give no number falls back to its recent mean, and its method says so.
    """
    data = ragged(panel, rows, most=max(MOST_PERIODS, MOST_CYCLES * max(cycles, default=1)))
    scale = total(data.values) / data.lengths
    with np.errstate(all="ignore"):
        made = _fit(data.replaced(data.values / scale), horizon, cycles, tier)
    mean, sigma, method = np.maximum(made.ahead.mean, 0.0) * scale, made.ahead.sigma * scale, made.name
    failed = np.flatnonzero(~(np.isfinite(mean).all(axis=0) & np.isfinite(sigma)))
    if len(failed):
        level, spread = simple.recent_mean(
            panel.matrix(rows[failed]), data.lengths[failed], window=FALLBACK_WINDOW
        )
        mean[:, failed], sigma[failed], method[failed] = level, spread, FALLBACK
    return Fits(mean.T, sigma, method)


def _fit(data: Ragged, horizon: int, cycles: tuple[int, ...], tier: str) -> Made:
    plain, seasons = remove_seasons(data, cycles)
    made = _models(plain, horizon, cycles, tier)
    mean, name = made.ahead.mean, made.name
    for season in reversed(seasons):
        mean = season.put_back(mean, plain)
    for season in seasons:
        name = name + np.where(season.found, f"-s{len(season.indices)}", "").astype(object)
    return Made(Ahead(mean, made.ahead.sigma), name)


def _models(plain: Ragged, horizon: int, cycles: tuple[int, ...], tier: str) -> Made:
    if tier == "explain":
        from forecasting.methods.explain import explain  # statsmodels takes seconds to load

        return explain(plain, horizon, cycles)
    models = combination.accurate if tier == "accurate" else combination.bulk
    return models(plain, horizon, cycles)
