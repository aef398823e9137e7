"""One model a series, that a planner can be told: a level, a damped trend, and the season taken off before.

statsmodels' ETSModel by maximum likelihood (additive errors, damped additive trend; Hyndman, Koehler, Ord &
Snyder 2008). A hundred times slower than the bulk, for the few series somebody asks about.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting.methods.combination import Made
from forecasting.methods.ragged import Ragged
from forecasting.methods.theta import Ahead

Floats = NDArray[np.float64]

NAME = "damped-trend"


def explain(data: Ragged, horizon: int, cycles: tuple[int, ...]) -> Made:
    """Fit each series by itself; where a fit fails its steps are NaN, and the caller falls back."""
    count = len(data.lengths)
    mean, sigma = np.full((horizon, count), np.nan), np.full(count, np.nan)
    with warnings.catch_warnings():
        # A search that stops early still leaves usable smoothing constants.
        warnings.simplefilter("ignore")
        for column, length in enumerate(data.lengths):
            try:
                mean[:, column], sigma[column] = _fit(data.values[:length, column], horizon)
            except (ValueError, FloatingPointError, np.linalg.LinAlgError):
                continue
    return Made(Ahead(mean, sigma), np.full(count, NAME, dtype=object))


def _fit(y: Floats, horizon: int) -> tuple[Floats, float]:
    result = ETSModel(y, error="add", trend="add", damped_trend=True).fit(disp=False)
    return np.asarray(result.forecast(horizon)), float(np.sqrt(np.mean(np.asarray(result.resid) ** 2)))
