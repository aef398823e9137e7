"""Columns of text: those of orders repeat few values, so that what is asked of each value is asked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

LOOKED_AT = 1_000
"""Cells that tell whether a column repeats few values."""


@dataclass(frozen=True, slots=True)
class Column:
    """Cells of a block: `values` themselves, or, with `places`, where each cell stands among `values`."""

    values: pl.Series
    places: pl.Series | None = None
    text: bytes = b""
    """Of many values: all of them, one behind the other, to look at together."""

    @staticmethod
    def of(cells: pl.Series) -> Column:
        """The cells; where the first thousand are few values, each value once.

        All in one chunk: joined text of several makes polars abort where one is empty.
        """
        head = cells.head(LOOKED_AT).n_unique()
        if len(cells) < LOOKED_AT or head > LOOKED_AT * 9 // 10:
            cells = cells.rechunk()
            return Column(cells, text=_together(cells) if len(cells) >= LOOKED_AT else b"")
        if head == 1 and (cells.null_count() == len(cells) or cells.eq_missing(cells[0]).all()):
            return Column.constant(cells.name, cells[0], height=len(cells))
        numbered = cells.cast(pl.Categorical(pl.Categories.random()))
        places = numbered.to_physical()
        count = pl.select(pl.lit(places).max()).item()
        numbers = pl.Series(cells.name, range(0 if count is None else count + 1), dtype=pl.UInt32)
        values = numbers.cat.to(numbered.dtype).cast(pl.String)
        if cells.null_count():
            places = places.fill_null(len(values))
            values.append(pl.Series([None], dtype=pl.String))
        return Column(values, places)

    @staticmethod
    def constant(name: str, value: str | None, *, height: int) -> Column:
        first = pl.Series([0], dtype=pl.UInt32)
        return Column(pl.Series(name, [value], dtype=pl.String), first.new_from_index(0, height))

    @property
    def is_blank(self) -> bool:
        return self.places is not None and self.values.to_list() == [None]

    def blank(self, name: str, kind: Any) -> Column:
        """As many cells with nothing in them."""
        return Column(pl.Series(name, [None], dtype=kind), self.places)

    def change(self, change: Callable[[pl.Series], pl.Series]) -> Column:
        """The same cells, each value changed."""
        values = change(self.values)
        return Column(values, self.places, self.text if values is self.values else b"")

    def select(self, column: pl.Expr) -> Column:
        """The same cells, each value as the expression says, which knows it by its name."""
        return self.change(lambda values: values.to_frame().select_seq(column).to_series())

    def filter(self, kept: pl.Series) -> Column:
        """Some of the cells."""
        if self.places is None:
            return Column(self.values.filter(kept))
        return Column(self.values, self.places.filter(kept))

    def cells(self) -> pl.Expr:
        """Each cell; a value that all of them have is not written out."""
        if self.places is None:
            return pl.lit(self.values)
        return (
            pl.lit(self.values).first() if len(self.values) == 1 else pl.lit(self.values.gather(self.places))
        )

    @property
    def is_plain(self) -> bool:
        """Whether all of many values are printable ASCII without blanks, as their text tells."""
        letters = np.frombuffer(self.text, np.uint8)
        return len(letters) > 0 and bool(letters.min() > 0x20 and letters.max() < 0x7F)


def _together(cells: pl.Series) -> bytes:
    return (cells.str.join().item() or "").encode()
