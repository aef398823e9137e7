"""Collects columns, rows and coefficients array by array and hands them to the engine in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.model.engine import INF, Arrays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Builder:
    """Grows a model. columns and rows return the numbers they were given; put adds coefficients (added
    up)."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats, NDArray[np.bool_]]] = []
        self._rows: list[tuple[Floats, Floats]] = []
        self._triplets: list[tuple[Ints, Ints, Floats]] = []
        self.column_count = 0
        self.row_count = 0

    def columns(
        self, cost: Floats, *, lower: ArrayLike = 0.0, upper: ArrayLike = INF, integer: ArrayLike = False
    ) -> Ints:
        size = len(cost)
        one = (
            _full(lower, size),
            _full(upper, size),
            np.broadcast_to(np.asarray(integer, dtype=bool), (size,)).copy(),
        )
        self._columns.append((np.asarray(cost, dtype=np.float64), *one))
        self.column_count += size
        return np.arange(self.column_count - size, self.column_count)

    def rows(self, size: int, *, lower: ArrayLike = -INF, upper: ArrayLike = INF) -> Ints:
        self._rows.append((_full(lower, size), _full(upper, size)))
        self.row_count += size
        return np.arange(self.row_count - size, self.row_count)

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        row, column, value = np.broadcast_arrays(
            np.asarray(rows, np.int64), np.asarray(columns, np.int64), np.asarray(values, np.float64)
        )
        self._triplets.append((row.ravel(), column.ravel(), value.ravel()))

    def arrays(self, *, start: Floats | None = None) -> Arrays:
        cost, lower, upper, integer = (
            np.concatenate([one[i] for one in self._columns]) if self._columns else np.zeros(0)
            for i in range(4)
        )
        row_lower, row_upper = (
            np.concatenate([one[i] for one in self._rows]) if self._rows else np.zeros(0) for i in range(2)
        )
        rows, columns, values = self._matrix()
        return Arrays(
            cost=cost,
            lower=lower,
            upper=upper,
            integer=integer.astype(bool),
            row_lower=row_lower,
            row_upper=row_upper,
            rows=rows,
            columns=columns,
            values=values,
            start=start,
        )

    def _matrix(self) -> tuple[Ints, Ints, Floats]:
        if not self._triplets:
            empty = np.zeros(0, dtype=np.int64)
            return empty, empty, np.zeros(0)
        rows, columns, values = (np.concatenate([one[i] for one in self._triplets]) for i in range(3))
        keys = rows.astype(np.int64) * max(self.column_count, 1) + columns.astype(np.int64)
        unique, inverse = np.unique(keys, return_inverse=True)
        summed = np.bincount(inverse, weights=values, minlength=len(unique))
        kept = summed != 0.0
        unique = unique[kept]
        width = max(self.column_count, 1)
        return unique // width, unique % width, summed[kept]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Column numbers of one SKU in a model: routes, leftovers, lots' yes/no and counts, unmet, offers used.

    flow are the rows of its lots: what leaves is at most what is ordered.
    money of an offer is the sum of amount x column over its entries.
    """

    routes: Ints
    flow: Ints
    leftover: Ints
    used: Ints
    count: Ints
    unmet: Ints
    awarded: Ints
    money_offer: Ints
    money_column: Ints
    money_amount: Floats


def _full(value: ArrayLike, size: int) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (size,)).copy()


def tally(numbers: Ints, *, weights: ArrayLike, minlength: int) -> Floats:
    """Sums of weights by number, [minlength] floats also where there is nothing to add."""
    return np.bincount(numbers, weights=weights, minlength=minlength).astype(np.float64)
