"""What every format has in common: headings, columns by field, blocks, and how a file is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import polars as pl

from app.core.errors import RuleBroken
from app.stages.imports.readers.text import Cells, Refused
from app.stages.imports.rules.mapping import Mapping

BLOCK_ROWS = 65_536
MOST_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a file: `rows` has `row` and one text column a field, `refused` are lines that can't be split.

    `headings` names the heading of each field in this file. With `rounds`, prices were binary floats.
    """

    headings: dict[str, str]
    rows: pl.DataFrame
    refused: list[Refused]
    rounds: bool = False

    @property
    def height(self) -> int:
        """How many rows of the file these are, refused ones included."""
        return self.rows.height + len(self.refused)

    @property
    def last_row(self) -> int:
        """The number of the last one in the file."""
        last = [self.rows["row"][-1]] if self.rows.height else []
        return max(0, *last, *(one.row for one in self.refused))

    def behind(self, row: int) -> Block:
        """Those that come after this row of the file."""
        if row == 0:
            return self
        refused = [one for one in self.refused if one.row > row]
        return Block(self.headings, self.rows.filter(pl.col("row") > row), refused, self.rounds)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the fields stand: the heading and the place of each, and how many headings there are."""

    headings: dict[str, str]
    places: dict[str, int]
    width: int

    def frame(self, rows: Sequence[Cells]) -> pl.DataFrame:
        """Cells as text columns by field."""
        numbers = pl.Series("row", [one.row for one in rows], dtype=pl.Int64)
        columns = [
            pl.Series(field, [one.cells[place] for one in rows], dtype=pl.String)
            for field, place in self.places.items()
        ]
        return pl.DataFrame([numbers, *columns])


Part = tuple[pl.DataFrame, list[Refused]]
"""Some rows by field, and lines that were refused among them."""


def refusal(code: str, file_name: str, why: str, remedy: str, **data: Any) -> RuleBroken:
    """A file that can't be used: what it is called, why, and what to do."""
    return RuleBroken(code, f"{file_name}: {why}; {remedy}.", file=file_name, **data)


def broken(file_name: str) -> RuleBroken:
    return refusal("file_unreadable", file_name, "the file is broken or incomplete", "export it again")


@contextmanager
def readable(file_name: str) -> Iterator[None]:
    """Turn what a reader says of a broken file into a refusal; its panics are no ordinary exceptions."""
    try:
        yield
    except (RuleBroken, GeneratorExit):
        raise
    except (pl.exceptions.PolarsError, BadZipFile, OSError, ValueError, EOFError, RuntimeError) as error:
        raise broken(file_name) from error
    except BaseException as error:
        if type(error).__name__ not in ("PanicException", "error"):  # Rust's, and zlib's
            raise
        raise broken(file_name) from None


def choose(found: Sequence[str], *, file_name: str, mapping: Mapping) -> Columns:
    """The columns of the mapping's fields.

    Raises:
        RuleBroken: `too_many_columns`, `column_missing`, or `column_twice` when two have a needed heading.
    """
    if len(found) > MOST_COLUMNS:
        why = f"it has {len(found):,} columns"
        raise refusal("too_many_columns", file_name, why, f"a file has at most {MOST_COLUMNS:,}")
    names = [heading.strip() for heading in found]
    headings = mapping.choose(names, file_name=file_name)
    for heading in headings.values():
        if names.count(heading) > 1:
            why = f"{names.count(heading)} columns are called {heading!r}"
            raise refusal("column_twice", file_name, why, "keep the one that counts", column=heading)
    return Columns(headings, {field: names.index(heading) for field, heading in headings.items()}, len(names))


def parts_of(
    records: Iterator[Cells | Refused], columns: Columns, *, size: int = BLOCK_ROWS
) -> Iterator[Part]:
    """Records as parts of at most `size` rows; those that do not fit under the headings are refused."""
    cells: list[Cells] = []
    refused: list[Refused] = []
    for record in records:
        misfit = record if isinstance(record, Refused) else record.misfit(columns.width)
        if misfit is not None:
            refused.append(misfit)
        elif isinstance(record, Cells):
            cells.append(record)
        if len(cells) + len(refused) >= size:
            yield columns.frame(cells), refused
            cells, refused = [], []
    if cells or refused:
        yield columns.frame(cells), refused


def blocks(
    parts: Iterator[Part],
    columns: Columns,
    *,
    file_name: str,
    mapping: Mapping,
    fixed: dict[str, str] | None = None,
    rounds: bool = False,
) -> Iterator[Block]:
    """Parts as blocks; `fixed` are fields read from the file's name.

    Where the lines of one order need each other, all parts make one block: such exports are small.

    Raises:
        RuleBroken: `file_header_only` when there are no rows at all.
    """
    empty = True
    if mapping.line_number or mapping.fill_down:
        parts = _together(parts)
    for rows, refused in parts:
        if rows.is_empty() and not refused:
            continue
        empty = False
        rows = rows.with_columns(pl.lit(value).alias(field) for field, value in (fixed or {}).items())
        yield Block(columns.headings, _filled_down(rows, mapping), refused, rounds)
    if empty:
        raise refusal(
            "file_header_only", file_name, "there are headings but no rows", "export the orders too"
        )


def _together(parts: Iterator[Part]) -> Iterator[Part]:
    kept = list(parts)
    if kept:
        refused = [line for _, lines in kept for line in lines]
        yield pl.concat([rows for rows, _ in kept]).sort("row"), refused


def _filled_down(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Copy what an order says only on its first line to its other lines."""
    fields = [field for field in mapping.fill_down if field in frame.columns]
    if not fields:
        return frame
    blank = [
        pl.when(pl.col(field).str.strip_chars() == "").then(None).otherwise(pl.col(field)).alias(field)
        for field in fields
    ]
    return frame.with_columns(blank).with_columns(
        pl.col(field).forward_fill().over("external_id") for field in fields
    )
