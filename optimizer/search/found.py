"""What a search comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optimizer.model.build import Floats
from optimizer.model.item import Item
from optimizer.model.picks import Pick


@dataclass(frozen=True, kw_only=True)
class Found:
    """The plan by SKU, its proven bound, and whether the clock cut the search. prices [rows]: of the shared
    rows where the bound was proven; None where all SKUs were one model."""

    chosen: Mapping[str, tuple[Item, Pick]]
    bound: float
    late: bool
    prices: Floats | None = None
