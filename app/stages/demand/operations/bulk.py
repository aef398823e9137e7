"""Many rows into a table: made ready in any thread, then written; and work one block ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import polars as pl
from sqlalchemy.orm import Session

from app.core.copying import copy_bytes, write_copy
from app.core.db import Base

Item = TypeVar("Item")
Made = TypeVar("Made")
ROWS_AT_ONCE = 200
"""Rows of one INSERT. Starting a statement costs about as much as a row: this saves a quarter of the time."""
STAGED = "staged_"
"""What the name of a temporary table begins with that has the columns of the table called like the rest."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows as the driver takes them: to write them is left to the database.

    `statements` are INSERTs with their parameters for SQLite, `copied` what COPY takes on PostgreSQL. What is
    not made ahead can be written once.
    """

    into: str
    columns: tuple[str, ...]
    rows: int
    statements: list[tuple[str, list[tuple[Any, ...]]]]
    copied: Iterable[bytes]


def on_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def pack(
    *frames: pl.DataFrame,
    into: str,
    columns: Sequence[str],
    sqlite: bool,
    conflict: str = "DO NOTHING",
    ahead: bool = True,
) -> Packed:
    """Make rows ready for the table `into`, those of each frame together and in its order.

    On SQLite a column with one value all over a frame is written into the statement, and columns of numbers
    that are the same are bound once: the cells that are bound are most of the work.

    Args:
        frames: text, whole numbers, days, and instants in UTC; text that is the same in all rows of a frame
            must be a word of ours. Rows that are alike belong into one frame.
        columns: those of the table that are given.
        conflict: what follows ON CONFLICT, on SQLite.
        ahead: or else what COPY takes is made while PostgreSQL writes what was made before.
    """
    some = [frame.select(columns) for frame in frames if frame.height]
    rows = sum(frame.height for frame in some)
    statements: list[tuple[str, list[tuple[Any, ...]]]] = []
    copied: list[Iterable[bytes]] = []
    for frame in some:
        if sqlite:
            statements += _inserts(_as_sqlite(frame), into=into, conflict=conflict)
        else:
            copied.append(copy_bytes(frame, into=Base.metadata.tables[into.removeprefix(STAGED)]))
    parts = chain.from_iterable(copied)
    return Packed(into, tuple(columns), rows, statements, list(parts) if ahead else parts)


def write(session: Session, packed: Packed) -> None:
    """Write what was packed for this kind of database, in the caller's transaction."""
    for statement, parameters in packed.statements:
        session.connection().exec_driver_sql(statement, parameters)
    if packed.rows and not packed.statements:
        write_copy(session, packed.copied, into=packed.into, columns=packed.columns)


def write_rows(
    session: Session,
    *frames: pl.DataFrame,
    into: str,
    columns: Sequence[str],
    conflict: str = "DO NOTHING",
) -> None:
    """Pack and write; arguments as there."""
    sqlite = on_sqlite(session)
    write(session, pack(*frames, into=into, columns=columns, sqlite=sqlite, conflict=conflict))


def _as_sqlite(frame: pl.DataFrame) -> pl.DataFrame:
    """Days and instants as SQLite keeps them; a cast takes half the time of a format."""
    return frame.with_columns(
        pl.col(pl.Date).cast(pl.String),
        pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None).cast(pl.String),
    )


def _inserts(frame: pl.DataFrame, *, into: str, conflict: str) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    bound: list[pl.Series] = []
    cells = _cells(frame, bound)
    head, tail = f"INSERT INTO {into} ({', '.join(frame.columns)}) VALUES ", f" ON CONFLICT {conflict}"
    whole = frame.height // ROWS_AT_ONCE * ROWS_AT_ONCE
    for start, end, size in ((0, whole, ROWS_AT_ONCE), (whole, frame.height, 1)):
        if start < end:
            rows = ", ".join(_row(cells, first=1 + number * len(bound)) for number in range(size))
            yield head + rows + tail, _flat([column[start:end] for column in bound], rows=size)


def _cells(frame: pl.DataFrame, bound: list[pl.Series]) -> list[str | int]:
    """What stands for each column: SQL, or its place among those that are bound, which are added to `bound`.

    The statement for few rows is the same every time, so that it is prepared once.
    """
    if frame.height < ROWS_AT_ONCE:
        bound += frame.get_columns()
        return list(range(frame.width))
    constants = [_constant(column) for column in frame.iter_columns()]
    if all(constants):
        constants[-1] = None  # something is left to say how many rows there are
    return [constant or _bind(bound, frame.to_series(place)) for place, constant in enumerate(constants)]


def _bind(bound: list[pl.Series], column: pl.Series) -> int:
    """The place of the column among those that are bound; that of an equal one, where there is one."""
    if column.dtype.is_integer():
        for place, other in enumerate(bound):
            if other.dtype == column.dtype and other.equals(column):
                return place
    bound.append(column)
    return len(bound) - 1


def _row(cells: list[str | int], *, first: int) -> str:
    """One row of VALUES; its first parameter has the number `first`."""
    return "(" + ", ".join(cell if isinstance(cell, str) else f"?{first + cell}" for cell in cells) + ")"


def _flat(columns: list[pl.Series], *, rows: int) -> list[tuple[Any, ...]]:
    """The cells row by row, the cells of `rows` rows in each tuple."""
    width, size = len(columns), rows * len(columns)
    cells: list[Any] = [None] * (len(columns[0]) * width)
    for place, column in enumerate(columns):
        cells[place::width] = column.to_list()
    return [tuple(cells[start : start + size]) for start in range(0, len(cells), size)]


def _constant(column: pl.Series) -> str | None:
    """The SQL of a column's only value, where it is a number or a plain word."""
    if column.null_count():
        return "NULL" if column.null_count() == len(column) else None
    least = column.min()
    if least != column.max():
        return None
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
