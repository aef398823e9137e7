"""Dense series: the mean of Theta and damped trend, leaning to a slow mean the rougher the series is.

Assimakopoulos & Nikolopoulos (2000), Gardner & McKenzie (1985) and simple exponential smoothing, all by
statsmodels. The plain mean of the first two beats either, and beats choosing between them by a backtest; on
erratic demand (Syntetos & Boylan's word) both chase noise, and a slow fixed smoothing beats them. A series
with two seasons or more is first freed of its season by classical decomposition, if the autocorrelation
test of the M3 competition finds one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.holtwinters import Holt, SimpleExpSmoothing

Floats = NDArray[np.float64]

# The 90 % point of |N(0, 1)|: the competition's test of whether a season is there.
SEASON_TEST = 1.645
# Below the first roughness only trends are fitted, above the second none: found alike on weekly wholesale
# demand, hospital counts and the M3 series, none of which is told apart by anything else.
SMOOTH_BELOW, ERRATIC_ABOVE = 0.05, 0.25
SLOW = 0.15


@dataclass(frozen=True)
class Fit:
    """Steps ahead (h,), the root mean squared one-step error in sample, and the method's name."""

    mean: Floats
    sigma: float
    method: str


@dataclass(frozen=True)
class Season:
    """`indices` (m,) starts at the first step ahead; `additive` says how they apply."""

    indices: Floats
    additive: bool

    def apply(self, mean: Floats) -> Floats:
        cycle = np.resize(self.indices, len(mean))
        return mean + cycle if self.additive else mean * cycle


def fit_dense(y: Floats, *, horizon: int, season_length: int) -> Fit:
    """Forecast `y` (T,), T ≥ 10, not all zero; scale-free, since fitted on y over its mean.

    Raises FloatingPointError when a fit is not finite, and what statsmodels raises.
    """
    scale = float(y.mean())
    plain, season = deseasonalise(y / scale, season_length)
    fit = _fit_plain(plain, horizon)
    mean, name = fit.mean, fit.method
    if season is not None:
        mean, name = season.apply(mean), f"{name}-s{season_length}"
    if not (np.isfinite(mean).all() and np.isfinite(fit.sigma)):
        raise FloatingPointError("the fit is not finite")
    return Fit(np.maximum(mean, 0.0) * scale, fit.sigma * scale, name)


def _fit_plain(y: Floats, horizon: int) -> Fit:
    lean = (roughness(y) - SMOOTH_BELOW) / (ERRATIC_ABOVE - SMOOTH_BELOW)
    if lean >= 1:
        return slow_forecast(y, horizon)
    damped, sigma = damped_forecast(y, horizon)
    trends = (theta_forecast(y, horizon) + damped) / 2
    if lean <= 0:
        return Fit(trends, sigma, "theta+damped")
    slow = slow_forecast(y, horizon)
    mean = (1 - lean) * trends + lean * slow.mean
    return Fit(mean, (1 - lean) * sigma + lean * slow.sigma, "theta+damped+ses")


def roughness(y: Floats) -> float:
    """Squared coefficient of variation of the noise: from differences, which a trend hardly touches."""
    steps = np.diff(y)
    return float(steps @ steps / (2 * len(steps) * y.mean() ** 2))


def cost(y: Floats) -> float:
    """About how many milliseconds the fits of `y` take, told from its shape."""
    return 1.0 if roughness(y) >= ERRATIC_ABOVE else 10.0


def slow_forecast(y: Floats, horizon: int) -> Fit:
    """statsmodels' simple exponential smoothing with a fixed, slow constant, begun at the early mean."""
    start = float(y[:10].mean())
    model = SimpleExpSmoothing(y, initialization_method="known", initial_level=start)
    result = model.fit(smoothing_level=SLOW, optimized=False)
    residual = y - np.asarray(result.fittedvalues)
    level = float(np.asarray(result.level)[-1])
    return Fit(np.full(horizon, level), float(np.sqrt(np.mean(residual**2))), "ses")


def theta_forecast(y: Floats, horizon: int) -> Floats:
    """Steps ahead (h,) of the Theta method with theta = 2, as simple smoothing with drift.

    After Hyndman & Billah (2003): half the slope of the line through `y`, added to statsmodels' simple
    exponential smoothing begun at the first value. statsmodels' own ThetaModel finds the same numbers (a
    test compares them) with its state-space smoother, at four times the cost.
    """
    model = SimpleExpSmoothing(y, initialization_method="known", initial_level=float(y[0]))
    result = model.fit()
    alpha = max(float(result.params["smoothing_level"]), 1e-8)
    time = np.arange(len(y)) - (len(y) - 1) / 2
    drift = float(time @ y / (time @ time)) / 2
    level = float(np.asarray(result.level)[-1])
    ahead = np.arange(horizon) + (1 - (1 - alpha) ** len(y)) / alpha
    return np.asarray(level + drift * ahead, dtype=np.float64)


def damped_forecast(y: Floats, horizon: int) -> tuple[Floats, float]:
    """Steps ahead (h,) of statsmodels' damped Holt, and its root mean squared one-step error."""
    model = Holt(y, damped_trend=True, initialization_method="legacy-heuristic")
    result = model.fit(use_brute=False)
    level, trend = float(np.asarray(result.level)[-1]), float(np.asarray(result.trend)[-1])
    damping = float(result.params["damping_trend"])
    residual = y - np.asarray(result.fittedvalues)
    mean = level + trend * np.cumsum(damping ** np.arange(1, horizon + 1))
    return mean, float(np.sqrt(np.mean(residual[1:] ** 2)))


def deseasonalise(y: Floats, length: int) -> tuple[Floats, Season | None]:
    """`y` freed of a season of `length` periods, and that season; `(y, None)` where there is none."""
    if length < 2 or len(y) < 2 * length or not has_season(y, length):
        return y, None
    trend = _centred_mean(y, length)
    additive = bool(y.min() <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        detrended = y - trend if additive else y / trend
    phase = np.arange(len(y)) % length
    means = np.array([np.nanmean(detrended[phase == step]) for step in range(length)])
    means = means - means.mean() if additive else means / means.mean()
    if not np.isfinite(means).all() or (not additive and means.min() <= 0):
        return y, None
    plain = y - means[phase] if additive else y / means[phase]
    return plain, Season(np.roll(means, -(len(y) % length)), additive)


def has_season(y: Floats, length: int) -> bool:
    """Whether the autocorrelation at one season stands out from those before it (Makridakis & Hibon 2000).

    With few seasons that autocorrelation misses a whole season of products; it is corrected for them, or no
    cycle of 52 weeks would ever be found in two or three years.
    """
    centred = y - y.mean()
    power = float(centred @ centred)
    if power <= 1e-12 * len(y):
        return False
    lags = np.array([centred[:-lag] @ centred[lag:] for lag in range(1, length + 1)]) / power
    limit = SEASON_TEST * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / len(y))
    return bool(lags[-1] * len(y) / (len(y) - length) > limit)


def _centred_mean(y: Floats, length: int) -> Floats:
    """Moving average over one season, NaN at both ends where it does not fit."""
    weights = np.ones(length + 1 if length % 2 == 0 else length) / length
    if length % 2 == 0:
        weights[[0, -1]] /= 2
    half = len(weights) // 2
    trend = np.full(len(y), np.nan)
    trend[half : len(y) - half] = np.convolve(y, weights, mode="valid")
    return trend
