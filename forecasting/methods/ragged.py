"""Series of unlike lengths side by side, so that a recursion over time runs for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.input.panel import Panel, positions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ragged:
    """n series, longest first: column j of `values` (T, n) is series j, oldest first, zeros after its end.

    With the longest first, the series that go on at time t are the first `alive[t]` columns: a slice, where a
    mask would cost as much as the arithmetic. `lengths` (n,) falls, `alive` is (T,).
    """

    values: Floats
    lengths: Ints
    alive: Ints

    @property
    def inside(self) -> Bools:
        """(T, n): which cells hold an observation."""
        return np.asarray(np.arange(len(self.values))[:, None] < self.lengths)

    def replaced(self, values: Floats) -> Ragged:
        """The same lengths with other values; what lies outside becomes 0."""
        return Ragged(np.where(self.inside, values, 0.0), self.lengths, self.alive)


def ragged(panel: Panel, rows: Ints, *, most: int) -> Ragged:
    """The last `most` periods, or all, of series `rows` of the panel, which must come longest first."""
    lengths = np.minimum(panel.lengths[rows], most)
    longest = int(lengths.max(initial=0))
    values = np.zeros((longest, len(rows)))
    column = np.repeat(np.arange(len(rows)), lengths)
    time = positions(np.zeros(len(rows), dtype=np.int64), lengths)
    values[time, column] = panel.values[positions(panel.offsets[rows + 1] - lengths, lengths)]
    alive = np.searchsorted(-lengths, -np.arange(longest), side="left")
    return Ragged(values, lengths, alive)


def total(cells: Floats) -> Floats:
    """Sum over time, (T, n) to (n,), term by term.

    numpy adds up a lone column in another order than one of many; a series' forecast must not depend, even in
    the last bit, on the company it is computed in.
    """
    return np.asarray(cells.sum(axis=0) if cells.shape[1] > 1 else cells.cumsum(axis=0)[-1])


def accumulate(sums: Floats, cells: tuple[Floats, Floats, Floats]) -> None:
    """Add xx, xy, yy, xe, ye, ee of the cells x, y, e (K, k) to the first k columns of `sums` (6, K, n)."""
    x, y, e = cells
    on = e.shape[1]
    for held, (left, right) in zip(sums, ((x, x), (x, y), (y, y), (x, e), (y, e), (e, e)), strict=True):
        held[:, :on] += left * right
