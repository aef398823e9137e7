"""Methods that need no fit, computed for all series of a matrix at once.

Each takes a right-aligned matrix (n, T) and the lengths (n,) of its series and gives the level (n,), the
same for all steps ahead, and the root mean squared one-step error (n,) of the forecasts it would have made.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Coarser buckets than a quarter of weeks leave too few of them to smooth.
MOST_BUCKET = 13


def running_tsb(matrix: Floats, lengths: Ints, *, occurrence: float, size: float) -> tuple[Floats, Floats]:
    """Teunter, Syntetos & Babai (2011): smoothed probability of a sale × smoothed size of a sale.

    The first periods weigh 1/t each, so that the start is the plain mean and needs no initial value.
    Unlike Croston's, the level also falls while nothing is sold.
    """
    count, width = matrix.shape
    chance, amount, sales, squares = np.zeros((4, count))
    for column in range(width):
        age = column - (width - lengths)
        active = age >= 0
        y = matrix[:, column]
        squares += np.where(active & (age > 0), (y - chance * amount) ** 2, 0.0)
        sold = active & (y > 0)
        sales += sold
        weight = np.maximum(occurrence, 1.0 / np.maximum(age + 1, 1))
        chance = np.where(active, chance + weight * (sold - chance), chance)
        weight = np.maximum(size, 1.0 / np.maximum(sales, 1))
        amount = np.where(sold, amount + weight * (y - amount), amount)
    return chance * amount, np.sqrt(squares / np.maximum(lengths - 1, 1))


def by_buckets(matrix: Floats, lengths: Ints, *, smoothings: Floats) -> tuple[Floats, Floats]:
    """Two levels (n,) from sums over buckets of periods: from buckets as long as a sale is awaited on
    average, and the mean over all buckets from one period up to that.

    The first is ADIDA (Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos 2011), the second IMAPA
    (Petropoulos & Kourentzes 2015). Each is simple exponential smoothing with the best of `smoothings`, begun
    at nothing.
    """
    width = matrix.shape[1]
    awaited = np.rint(lengths / np.maximum((matrix > 0).sum(axis=1), 1))
    coarsest = np.clip(awaited, 1, np.clip(lengths, 1, MOST_BUCKET))
    single, level = np.zeros((2, len(lengths)))
    for size in range(1, int(coarsest.max(initial=0)) + 1):
        rows = np.flatnonzero(coarsest >= size)
        sums = matrix[rows, width % size :].reshape(len(rows), -1, size).sum(axis=2)
        single[rows] = _best_smoothing(sums, lengths[rows] // size, smoothings) / size
        level[rows] += single[rows]
    return single, np.asarray(level / coarsest)


def _best_smoothing(matrix: Floats, lengths: Ints, smoothings: Floats) -> Floats:
    """The last level (n,) of simple exponential smoothing from 0, with the constant that erred least."""
    count, width = matrix.shape
    level, squares = np.zeros((2, len(smoothings), count))
    for column in range(width):
        active = column >= width - lengths
        error = np.where(active, matrix[:, column] - level, 0.0)
        squares += error**2
        level += smoothings[:, None] * error
    return np.asarray(np.take_along_axis(level, squares.argmin(axis=0)[None], axis=0)[0])


def recent_mean(matrix: Floats, lengths: Ints, *, window: int) -> tuple[Floats, Floats]:
    """The mean of the last `window` periods; the spread counts one period more, off by all of it."""
    width = matrix.shape[1]
    used = np.minimum(lengths, window)
    inside = np.arange(width) >= width - used[:, None]
    mean = (matrix * inside).sum(axis=1) / np.maximum(used, 1)
    squares = ((matrix - mean[:, None]) ** 2 * inside).sum(axis=1)
    return mean, np.sqrt((squares + mean**2) / np.maximum(used, 1))
