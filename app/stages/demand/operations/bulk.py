"""Many rows into SQLite, and work one block ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

import polars as pl
from sqlalchemy.orm import Session

Item = TypeVar("Item")
ROWS_AT_ONCE = 200
"""Rows of one INSERT. Starting a statement costs as much as storing a row: this saves a quarter of the time."""


def insert_rows(
    session: Session, frame: pl.DataFrame, *, into: str, columns: Sequence[str], conflict: str
) -> None:
    """Insert all rows of `frame` on SQLite; columns that hold one value all over are written into the statement.

    Args:
        frame: the columns, as integers and text; text that is the same in all rows must be a word of ours.
        columns: those of the table `into`, in the order of `frame`.
        conflict: what follows ON CONFLICT.
    """
    constants = {name: _constant(frame[name]) for name in columns}
    one = "(" + ", ".join(constants[name] or "?" for name in columns) + ")"
    head, tail = f"INSERT INTO {into} ({', '.join(columns)}) VALUES ", f" ON CONFLICT {conflict}"
    rows = frame.select(name for name in columns if constants[name] is None).rows()
    whole = len(rows) // ROWS_AT_ONCE * ROWS_AT_ONCE
    run = session.connection().exec_driver_sql
    if whole:
        together = [
            tuple(chain.from_iterable(rows[start : start + ROWS_AT_ONCE]))
            for start in range(0, whole, ROWS_AT_ONCE)
        ]
        run(head + ", ".join([one] * ROWS_AT_ONCE) + tail, together)
    if rows[whole:]:
        run(head + one + tail, rows[whole:])


def _constant(column: pl.Series) -> str | None:
    """The SQL of a column's only value, where it is a number or a plain word."""
    least = column.min()
    if least != column.max() or 0 < column.null_count() < len(column):
        return None
    if least is None:
        return "NULL"
    if isinstance(least, int):
        return str(least)
    return f"'{least}'" if isinstance(least, str) and least.isidentifier() and least.isascii() else None


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made in another thread while the one before it is in use."""
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="one-ahead") as pool:
        coming: Any = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item
