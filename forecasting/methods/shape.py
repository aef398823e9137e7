"""What kind of demand a series is: read off its shape, never off a backtest of that one series.

Classes after Syntetos, Boylan & Croston (2005), "On the categorization of demand patterns": the average
inter-demand interval (periods per period with demand) above 1.32 is intermittent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.input.panel import Panel

ZERO, SPARSE, SHORT, INTERMITTENT, DENSE = "zero", "mean-sparse", "mean-short", "imapa+tsb", "theta+ets"
KINDS = (ZERO, SPARSE, SHORT, INTERMITTENT, DENSE)

INTERMITTENT_ABOVE = 1.32
# Two sales give one interval between sales, which is no estimate of anything; four give three.
FEWEST_SALES = 4
# Up to six parameters are fitted to a dense series, and Akaike's criterion is corrected for ten values.
SHORTEST_DENSE = 10


@dataclass(frozen=True)
class Shape:
    """Per series (n,): periods since the first sale, and how many of them had a sale."""

    lengths: NDArray[np.int64]
    sales: NDArray[np.int64]

    @property
    def interval(self) -> NDArray[np.float64]:
        """Average inter-demand interval (n,), infinite where nothing was sold."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.sales > 0, self.lengths / np.maximum(self.sales, 1), np.inf)


def shape(panel: Panel) -> Shape:
    """Count the periods and the sales of each series."""
    sold = np.concatenate([[0], np.cumsum(panel.values > 0)])
    return Shape(panel.lengths, np.diff(sold[panel.offsets]))


def classify(panel: Panel) -> NDArray[np.object_]:
    """The method (n,), one of KINDS, that the shape of each series calls for."""
    seen = shape(panel)
    kind = np.full(len(panel), DENSE, dtype=object)
    kind[seen.interval > INTERMITTENT_ABOVE] = INTERMITTENT
    kind[(kind == INTERMITTENT) & (seen.sales < FEWEST_SALES)] = SPARSE
    kind[seen.lengths < SHORTEST_DENSE] = SHORT
    kind[seen.sales == 0] = ZERO
    return kind
