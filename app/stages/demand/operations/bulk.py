"""Many rows into SQLite, and work one block ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import polars as pl
from sqlalchemy.orm import Session

Item = TypeVar("Item")
Made = TypeVar("Made")
ROWS_AT_ONCE = 200
"""Rows of one INSERT. Starting a statement costs about as much as a row: this saves a quarter of the time."""


def insert_rows(
    session: Session, frame: pl.DataFrame, *, into: str, columns: Sequence[str], conflict: str
) -> None:
    """Insert all rows of `frame` on SQLite; a column with one value all over is written into the statement.

    Args:
        frame: the columns, as integers and text; text that is the same in all rows must be a word of ours.
        columns: those of the table `into`, in the order of `frame`.
        conflict: what follows ON CONFLICT.
    """
    constants = {name: _constant(frame[name]) for name in columns}
    constants[columns[0]] = None  # where all rows are the same, something is left to say how many
    one = "(" + ", ".join(constants[name] or "?" for name in columns) + ")"
    head, tail = f"INSERT INTO {into} ({', '.join(columns)}) VALUES ", f" ON CONFLICT {conflict}"
    bound = frame.select(name for name in columns if constants[name] is None)
    whole = bound.height // ROWS_AT_ONCE * ROWS_AT_ONCE
    run = session.connection().exec_driver_sql
    if whole:
        run(head + ", ".join([one] * ROWS_AT_ONCE) + tail, _flat(bound.head(whole), rows=ROWS_AT_ONCE))
    if whole < bound.height:
        run(head + one + tail, _flat(bound.slice(whole), rows=1))


def _flat(frame: pl.DataFrame, *, rows: int) -> list[tuple[Any, ...]]:
    """The cells row by row, the cells of `rows` rows in each tuple."""
    cells: list[Any] = [None] * (frame.height * frame.width)
    for place, column in enumerate(frame.iter_columns()):
        cells[place :: frame.width] = column.to_list()
    size = rows * frame.width
    return [tuple(cells[start : start + size]) for start in range(0, len(cells), size)]


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


def one_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The items, each made in another thread while the one before it is in use."""
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="one-ahead") as pool:
        coming: Any = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item


def map_ahead(work: Callable[[Item], Made], items: Iterator[Item]) -> Generator[Made, None, None]:
    """`work` of each item, done in another thread while the one before it is in use."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="map-ahead") as pool:
        waiting: Future[Made] | None = None
        for item in items:
            coming = pool.submit(work, item)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
