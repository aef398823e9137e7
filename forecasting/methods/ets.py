"""Exponential smoothing with no, a linear or a damped trend, for all series of a matrix at once.

Additive errors, after Hyndman, Koehler, Ord & Snyder (2008), "Forecasting with exponential smoothing":
ŷ_t = ℓ + φb, ℓ ← ŷ_t + αe, b ← φb + βe. Given α, β and φ the errors are linear in the first level and trend,
so these have a closed form; the rest is searched over a grid and then about the best of it. The three are
not chosen between but averaged with Akaike weights (Kolassa 2011, "Combining exponential smoothing forecasts
using Akaike weights").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from forecasting.methods.ragged import Ragged, accumulate
from forecasting.methods.theta import Ahead

Floats = NDArray[np.float64]
Units = tuple[Floats, Floats, Floats, Floats]

ALPHAS = (0.05, 0.25, 0.5, 0.8)
# β as a share of α, the authors' bound on it being α itself; φ within their bounds.
SHARES = (0.0, 0.05, 0.3)
DAMPINGS, DAMPING_BOUNDS = (0.85, 0.96), (0.8, 0.98)
WIDTHS = (1.0, 0.6, 0.35, 0.18)
# Below this error, relative to a level of 1, models are equally good and the simplest is believed.
EXACT = 1e-12


@dataclass(frozen=True)
class Form:
    """A kind of trend: candidates (3, K) of α, β/α and φ, moves about the best, number of parameters."""

    grid: Floats
    moves: Floats
    trend: bool
    parameters: int


def _form(shares: tuple[float, ...], dampings: tuple[float, ...], *, parameters: int) -> Form:
    free = np.eye(3)[[True, len(shares) > 1, len(dampings) > 1]]
    grid = np.array(list(product(ALPHAS, shares, dampings))).T
    return Form(grid, np.vstack([np.zeros((1, 3)), free, -free]).T, len(shares) > 1, parameters)


LEVEL = _form((0.0,), (1.0,), parameters=3)
LINEAR = _form(SHARES, (1.0,), parameters=5)
DAMPED = _form(SHARES, DAMPINGS, parameters=6)
FORMS = (LEVEL, LINEAR, DAMPED)


@dataclass(frozen=True)
class Found:
    """Per series (n,): α, β/α, φ, the first level and trend, and the sum of squared errors."""

    alpha: Floats
    share: Floats
    damping: Floats
    level: Floats
    trend: Floats
    squares: Floats


def ets(data: Ragged, horizon: int) -> Ahead:
    """Steps ahead by the three forms, each weighing what Akaike's criterion says it should."""
    found = [fit(data, form) for form in FORMS]
    scores = np.array([_aicc(one, form, data) for one, form in zip(found, FORMS, strict=True)])
    weights = np.exp((scores.min(axis=0) - scores) / 2)
    weights /= weights.sum(axis=0)
    mean, squares = np.zeros((horizon, len(data.lengths))), np.zeros(len(data.lengths))
    for weight, one in zip(weights, found, strict=True):
        mean += weight * _ahead(data, one, horizon)
        squares += weight * one.squares
    return Ahead(mean, np.sqrt(np.maximum(squares, 0.0) / data.lengths))


def fit(data: Ragged, form: Form) -> Found:
    """Least squares over the grid of `form`, then about the best of it in ever smaller moves."""
    found = _best(data, form, form.grid[:, :, None])
    for width in WIDTHS:
        a, s, d = form.moves[:, :, None] * width
        alpha = np.clip(found.alpha + 0.14 * a, 0.005, 0.995)
        share = np.clip(found.share + s * (0.04 + 0.4 * found.share), 0.0, 0.99)
        moved = np.clip(found.damping + 0.05 * d, *DAMPING_BOUNDS)
        damping = np.where(d == 0, found.damping, moved)
        found = _best(data, form, np.array([alpha, share * form.trend, damping]))
    return found


def _best(data: Ragged, form: Form, candidates: Floats) -> Found:
    """The best of `candidates` (3, K, n) or, if the same for all series, (3, K, 1)."""
    alpha, share, damping = candidates
    sums = _sums(data, alpha, alpha * share, damping)
    level, trend, squares = _normal_equations(sums, form.trend)
    chosen = squares.argmin(axis=0)[None]
    cells = (alpha, share, damping, level, trend, squares)
    return Found(*(np.take_along_axis(np.broadcast_to(c, squares.shape), chosen, axis=0)[0] for c in cells))


def _sums(data: Ragged, alpha: Floats, beta: Floats, damping: Floats) -> Floats:
    """Sums (6, K, n) of the normal equations of the first level and trend.

    The errors of a start at 0 are `error`; a unit of first level or trend would take `by_level`, `by_trend`
    off them. How a unit fades does not depend on the data, so it is followed beside it.
    """
    shape = (alpha.shape[0], data.values.shape[1])
    level, trend, sums = np.zeros(shape), np.zeros(shape), np.zeros((6, *shape))
    unit = np.ones_like(alpha), np.zeros_like(alpha), np.zeros_like(alpha), np.ones_like(alpha)
    for t, on in enumerate(data.alive):
        a, b, d = alpha[:, :on], beta[:, :on], damping[:, :on]
        damped = d * trend[:, :on]
        ahead = level[:, :on] + damped
        error = data.values[t, :on] - ahead
        level[:, :on] = ahead + a * error
        trend[:, :on] = damped + b * error
        by_level, by_trend, unit = _fade(unit, alpha, beta, damping)
        accumulate(sums, (by_level[:, :on], by_trend[:, :on], error))
    return sums


def _fade(unit: Units, alpha: Floats, beta: Floats, damping: Floats) -> tuple[Floats, Floats, Units]:
    """What a unit of first level and of first trend add to the next forecast, and their states after it."""
    level, trend, level_of_trend, trend_of_trend = unit
    by_level, by_trend = level + damping * trend, level_of_trend + damping * trend_of_trend
    after = (
        (1 - alpha) * by_level,
        damping * trend - beta * by_level,
        (1 - alpha) * by_trend,
        damping * trend_of_trend - beta * by_trend,
    )
    return by_level, by_trend, after


def _normal_equations(sums: Floats, trend: bool) -> tuple[Floats, Floats, Floats]:
    """First level, first trend (0 without one) and the sum of squares."""
    xx, xz, zz, xe, ze, ee = sums
    if not trend:
        return xe / xx, np.zeros_like(xe), ee - xe * xe / xx
    determinant = xx * zz - xz * xz
    regular = determinant > 1e-10 * xx * zz
    determinant = np.where(regular, determinant, 1.0)
    level = np.where(regular, (zz * xe - xz * ze) / determinant, xe / xx)
    slope = np.where(regular, (xx * ze - xz * xe) / determinant, 0.0)
    return level, slope, ee - level * xe - slope * ze


def _aicc(found: Found, form: Form, data: Ragged) -> Floats:
    count, k = data.lengths, form.parameters
    error = np.maximum(found.squares / count, EXACT)
    return np.asarray(count * np.log(error) + 2 * k * count / np.maximum(count - k - 1, 1))


def _ahead(data: Ragged, found: Found, horizon: int) -> Floats:
    """Run through the history once more, and on: steps ahead (h, n)."""
    level, trend = found.level.copy(), found.trend.copy()
    beta = found.alpha * found.share
    for t, on in enumerate(data.alive):
        damped = found.damping[:on] * trend[:on]
        ahead = level[:on] + damped
        error = data.values[t, :on] - ahead
        level[:on] = ahead + found.alpha[:on] * error
        trend[:on] = damped + beta[:on] * error
    steps = np.zeros((horizon, len(level)))
    for step in range(horizon):
        trend = found.damping * trend
        level = level + trend
        steps[step] = level
    return steps
