"""Prices of the shared rows: the dual of choosing, for each SKU, a mix of the plans seen so far.

Column generation (Dantzig & Wolfe, 1960) with prices smoothed towards the best bound (Wentges, 1997). A hard
row may be exceeded in the master at a price a little above what a unit is worth, which keeps early prices
calm.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.model.build import Builder, Floats, Ints
from optimizer.model.engine import Arrays, run
from optimizer.model.fees import Fees
from optimizer.model.parts import Part


@dataclass(kw_only=True)
class Master:
    """Plans seen so far by SKU. room and ceiling [rows]: limits and the highest price each row may get.

    A row with a fee has its room as far as the fee is paid.
    """

    room: Floats
    ceiling: Floats
    fees: Fees
    columns: dict[str, list[Part]] = field(default_factory=dict)

    def add(self, parts: list[Part]) -> None:
        """Remember the plans of one sweep."""
        for one in parts:
            self.columns.setdefault(one.sku, []).append(one)

    def prices(self) -> tuple[Floats, float, Floats]:
        """Prices by row, the master's cost (the least relaxed cost, from above), and the rows it exceeds."""
        arrays, _, limits, excess = self._model(self.ceiling)
        answer = run(arrays)
        if answer.duals is None or answer.values is None:
            none = np.zeros(len(self.room))
            return none, answer.objective, none
        prices = np.clip(-answer.duals[limits], 0.0, self.ceiling)
        return prices, answer.objective, np.maximum(answer.values[excess], 0.0)

    def heaviest(self, above: Floats) -> list[Part]:
        """For each SKU the plan with the largest weight in the cheapest mix, the first where they are equal.

        above: what a unit over a limit costs, [rows].
        """
        arrays, weights, _, _ = self._model(above)
        answer = run(arrays)
        if answer.values is None:
            return [parts[0] for parts in self.columns.values()]
        left = iter(answer.values[weights].tolist())
        return [
            max(zip(parts, left, strict=False), key=lambda pair: pair[1])[0]
            for parts in self.columns.values()
        ]

    def _model(self, above: Floats) -> tuple[Arrays, Ints, Ints, Ints]:
        """The arrays, and where in them the weights of the plans, the rows and their excess stand."""
        builder = Builder()
        chosen = [one for parts in self.columns.values() for one in parts]
        costs = np.array([one.cost for one in chosen])
        weights = builder.columns(costs)
        owner = np.repeat(np.arange(len(self.columns)), [len(parts) for parts in self.columns.values()])
        rows = builder.rows(len(self.columns), lower=1.0, upper=1.0)
        builder.put(rows[owner], weights, 1.0)
        gated = np.flatnonzero(self.fees.of_row >= 0)
        limits = builder.rows(len(self.room), upper=np.where(self.fees.of_row >= 0, 0.0, self.room))
        opened = builder.columns(self.fees.cost, upper=1.0)
        builder.put(limits[gated], opened[self.fees.of_row[gated]], -self.room[gated])
        column = np.repeat(weights, [len(one.rows) for one in chosen])
        builder.put(
            limits[np.concatenate([one.rows for one in chosen])],
            column,
            np.concatenate([one.amounts for one in chosen]),
        )
        excess = builder.columns(above)
        builder.put(limits, excess, -1.0)
        return builder.arrays(), weights, limits, excess


def total_use(parts: list[Part], size: int) -> Floats:
    """Use of every row by all parts together, [rows]."""
    used = np.zeros(size)
    for one in parts:
        used[one.rows] += one.amounts
    return used
