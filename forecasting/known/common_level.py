"""What all series share but no column explains: a slow drift, and shocks of single periods.

A festival falls on every series at once, so its effect can't be told from the season around it by comparing
series, only by following the common level from before it to after it. That level is a smooth path (second
differences small, Whittaker 1923) plus white noise, estimated together with the effects; how smooth and how
noisy is chosen by the marginal likelihood (Laplace; Rue & Held 2005, "Gaussian Markov Random Fields", ch. 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The newest so many periods have a common level of their own: the work grows with their cube.
MOST_PERIODS = 400
# Deviations of the log tried for: second differences of the path, and the shock of one period.
SMOOTHNESS = tuple(
    (bend, shock) for bend in (0.001, 0.003, 0.01, 0.03, 0.1) for shock in (0.01, 0.03, 0.1, 0.3)
)


@dataclass(frozen=True)
class Clock:
    """`at` (cells,) numbers each cell's period, 0 … `count` - 1, all older ones being 0; the path's shape."""

    at: Ints
    count: int
    curve: Floats
    waves: Floats

    def prior(self, bend: float, shock: float) -> tuple[Floats, float]:
        """Precision (count, count) of the common level, and the log of its determinant where it has any."""
        precision = self.curve / (bend**2 + shock**2 * self.curve)
        real = precision[self.curve > 0]
        return (self.waves * precision) @ self.waves.T, float(np.log(real).sum())

    def sums(self, values: Floats) -> Floats:
        """Sums by period (count, …) of `values` (cells, …)."""
        if values.ndim == 1:
            return np.asarray(np.bincount(self.at, weights=values, minlength=self.count), dtype=np.float64)
        return np.stack([self.sums(column) for column in values.T], axis=-1)


def clock(period: Ints) -> Clock:
    """For cells (cells,) of these periods."""
    first = max(int(period.min()), int(period.max()) - MOST_PERIODS + 1)
    at = np.maximum(period - first, 0)
    count = int(at.max()) + 1
    bends = np.diff(np.eye(count), n=2, axis=0)
    curve, waves = np.linalg.eigh(bends.T @ bends)
    return Clock(at, count, np.where(curve > 1e-10, curve, 0.0), waves)


def step(
    time: Clock,
    past: Floats,
    sold: tuple[Floats, Floats],
    now: tuple[Floats, Floats],
    *,
    variance: float,
    smoothness: tuple[tuple[float, float], ...] = SMOOTHNESS,
) -> tuple[Floats, Floats, tuple[float, float]]:
    """One Newton step of the slopes (k,) and the common level (count,), and the likeliest of `smoothness`.

    `past` (cells, k); `sold` are information and score of each cell's log (cells,); `now` where slopes and
    level stand; `variance` that of the slopes' prior.
    """
    information, score = sold
    slopes, level = now
    k = past.shape[1]
    data = _information(time, past, information)
    here = np.concatenate([slopes, level])
    aim = data @ here + np.concatenate([past.T @ score, time.sums(score)])
    data[np.diag_indices(k)] += 1 / variance
    best, found, chosen = -np.inf, here, smoothness[0]
    for bend, shock in smoothness:
        prior, weight = time.prior(bend, shock)
        whole = data.copy()
        whole[k:, k:] += prior
        try:
            root = cho_factor(whole, lower=True)
        except LinAlgError:
            continue
        at = cho_solve(root, aim)
        evidence = weight / 2 - float(np.log(np.diag(root[0])).sum()) + float(aim @ at) / 2
        if evidence > best:
            best, found, chosen = evidence, at, (bend, shock)
    return found[:k] - slopes, found[k:] - level, chosen


def doubt(
    time: Clock, past: Floats, information: Floats, *, variance: float, smoothness: tuple[float, float]
) -> Floats:
    """Covariance (k, k) of the slopes where they stand, the common level being as unknown."""
    k = past.shape[1]
    whole = _information(time, past, information)
    whole[np.diag_indices(k)] += 1 / variance
    whole[k:, k:] += time.prior(*smoothness)[0]
    return np.asarray(np.linalg.inv(whole)[:k, :k])


def _information(time: Clock, past: Floats, information: Floats) -> Floats:
    """Of slopes and common level together (k + count, k + count)."""
    k = past.shape[1]
    data = np.zeros((k + time.count, k + time.count))
    data[:k, :k] = (past * information[:, None]).T @ past
    data[:k, k:] = time.sums(past * information[:, None]).T
    data[k:, :k] = data[:k, k:].T
    data[k:, k:] = np.diag(time.sums(information))
    # The path's height and slope are free: what little is lent to them keeps the matrix regular.
    data[np.diag_indices(len(data))] += 1e-6
    return data
