"""The dynamic Theta models, for all series of a matrix at once.

Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), "Models for optimising the theta method and their
relationship to state space models". One step ahead

    μ_t = ℓ_{t-1} + w · [(1-α)^{t-1} A_{t-1} + (1-(1-α)^t)/α · B_{t-1}],    ℓ_t = ℓ_{t-1} + α (y_t - ℓ_{t-1})

with A, B the line through the first t - 1 values and w = 1 - 1/θ. Given α this is linear in ℓ_0 and w: both
have a closed form, and only α is searched, over a grid and then finer about the best of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.methods.ragged import Ragged, accumulate

Floats = NDArray[np.float64]

# The authors' bounds on α, and the shares of its spacing by which the grid is refined.
ALPHAS = np.array([0.1, 0.17, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.93, 0.99])
FINER = (np.linspace(-0.75, 0.75, 7), np.linspace(-0.25, 0.25, 5))
# Errors count from the third value on: before it there is no line.
FIRST = 3
STANDARD = 0.5


@dataclass(frozen=True)
class Ahead:
    """Steps ahead (h, n), and the root mean squared one-step error in sample (n,)."""

    mean: Floats
    sigma: Floats


@dataclass(frozen=True)
class Lines:
    """Mean, slope and intercept (T + 1, n) of the line through the first t values of each series."""

    mean: Floats
    slope: Floats
    intercept: Floats


@dataclass(frozen=True)
class Solved:
    """α, w, the sum of squared errors, the last level and (1-α)^T: of candidates (K, n) or the best (n,)."""

    alpha: Floats
    weight: Floats
    squares: Floats
    level: Floats
    fade: Floats

    def best(self) -> Solved:
        """The candidate with the smallest sum of squares, per series."""
        chosen = self.squares.argmin(axis=0)[None]
        cells = (self.alpha, self.weight, self.squares, self.level, self.fade)
        return Solved(*(np.take_along_axis(cell, chosen, axis=0)[0] for cell in cells))


def theta(data: Ragged, horizon: int, *, weight: float | None = None) -> Ahead:
    """Steps ahead of the dynamic optimised Theta model; with `weight` ½, of the dynamic standard one (θ = 2).

    Every series must have three values or more.
    """
    lines = lines_through(data)
    found = fit(data, lines, weight=weight)
    sigma = np.sqrt(np.maximum(found.squares, 0.0) / (data.lengths - FIRST + 1))
    return Ahead(_ahead(data, lines, found, horizon), sigma)


def fit(data: Ragged, lines: Lines, *, weight: float | None = None) -> Solved:
    """Least squares over α, ℓ_0 and, unless given, w."""
    alpha = np.repeat(ALPHAS[:, None], data.values.shape[1], axis=1)
    found = _solve(data, lines, alpha, weight).best()
    spacing = np.interp(found.alpha, ALPHAS, np.gradient(ALPHAS))
    for shares in FINER:
        alpha = np.clip(found.alpha + shares[:, None] * spacing, ALPHAS[0], ALPHAS[-1])
        found = _solve(data, lines, alpha, weight).best()
    return found


def lines_through(data: Ragged) -> Lines:
    """The lines through the first t values, t from 0 to T, by the authors' recursion."""
    count, width = data.values.shape
    mean, slope, intercept = np.zeros((3, count + 1, width))
    for t in range(1, count + 1):
        on = data.alive[t - 1]
        mean[t, :on], slope[t, :on], intercept[t, :on] = _next_line(
            float(t), data.values[t - 1, :on], mean[t - 1, :on], slope[t - 1, :on]
        )
    return Lines(mean, slope, intercept)


def _next_line(
    t: NDArray[Any] | float, y: Floats, mean: Floats, slope: Floats
) -> tuple[Floats, Floats, Floats]:
    """Mean, slope and intercept of the line through t values, from those through t - 1 and the t-th."""
    slope = np.where(np.equal(t, 1), 0.0, ((t - 2) * slope + 6 * (y - mean) / t) / (t + 1))
    mean = ((t - 1) * mean + y) / t
    return mean, slope, mean - (t + 1) / 2 * slope


def _solve(data: Ragged, lines: Lines, alpha: Floats, weight: float | None) -> Solved:
    """ℓ_0 and w in closed form for candidates α (K, n), from the sums that their normal equations need.

    `level` is smoothed from 0, so that y_t - ℓ_{t-1} = error + ℓ_0 fade + w pull.
    """
    level, fade = np.zeros_like(alpha), np.ones_like(alpha)
    sums = np.zeros((6, *alpha.shape))
    for t in range(1, len(data.values) + 1):
        on = data.alive[t - 1]
        a, faded = alpha[:, :on], fade[:, :on]
        error = data.values[t - 1, :on] - level[:, :on]
        if t >= FIRST:
            pull = _pull(faded, a, lines.intercept[t - 1, :on], lines.slope[t - 1, :on])
            accumulate(sums, (faded, pull, error))
        level[:, :on] += a * error
        faded *= 1 - a
    start, weights, squares = _normal_equations(sums, weight)
    return Solved(alpha, weights, squares, level + fade * start, fade)


def _pull(fade: Floats, alpha: Floats, intercept: Floats, slope: Floats) -> Floats:
    """What w multiplies, where `fade` is (1-α)^{t-1}."""
    return np.asarray(fade * intercept + (1 - (1 - alpha) * fade) / alpha * slope)


def _normal_equations(sums: Floats, weight: float | None) -> tuple[Floats, Floats, Floats]:
    """ℓ_0, w in [0, 1], the sum of squares; the sums are of fade², fade·pull, pull², and with the error."""
    ff, fp, pp, fe, pe, ee = sums
    if weight is None:
        determinant = ff * pp - fp * fp
        regular = determinant > 1e-12 * ff * pp
        free = (ff * pe - fp * fe) / np.where(regular, determinant, 1.0)
        w = np.where(regular, np.clip(free, 0.0, 1.0), STANDARD)
    else:
        w = np.full_like(ee, weight)
    start = (fe - w * fp) / np.maximum(ff, 1e-300)
    return start, w, ee + start * (start * ff - 2 * fe + 2 * w * fp) + w * (w * pp - 2 * pe)


def _ahead(data: Ragged, lines: Lines, found: Solved, horizon: int) -> Floats:
    """Forecasts (h, n): each step takes the forecast before it for the value that came."""
    series, alpha, level = np.arange(len(data.lengths)), found.alpha, found.level
    mean, slope, intercept = (
        cell[data.lengths, series] for cell in (lines.mean, lines.slope, lines.intercept)
    )
    steps = np.zeros((horizon, len(series)))
    fade = found.fade
    for step in range(horizon):
        steps[step] = level + found.weight * _pull(fade, alpha, intercept, slope)
        mean, slope, intercept = _next_line(data.lengths + step + 1.0, steps[step], mean, slope)
        level, fade = level + alpha * (steps[step] - level), fade * (1 - alpha)
    return steps
