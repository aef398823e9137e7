"""Many rows into a table of PostgreSQL by COPY in binary: nothing is escaped, and the server parses no text.

A row is the number of its cells and, for each, its length (-1 for null) and its bytes; numbers have the most
significant byte first (PostgreSQL's manual, COPY, "Binary Format").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, Integer, Table
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

ROWS_AT_ONCE = 8_192
"""Rows that are made ready together: what they take stays in the processor's cache."""
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
EPOCH = (date(2000, 1, 1) - date(1970, 1, 1)).days
"""PostgreSQL counts days and instants from the year 2000."""
FORMS = {pl.Int64: ">i8", pl.Int32: ">i4", pl.Float64: ">f8", pl.Boolean: "?"}

Cells = list[bytes]
"""A piece of every row, in the order of the rows."""


def copy_rows(session: Session, frame: pl.DataFrame, *, into: Table) -> None:
    """COPY the rows into a table of PostgreSQL, in the caller's transaction.

    Args:
        frame: named as the table's columns; text, bytes, whole numbers, floats, days, and instants in UTC.

    Raises:
        polars.exceptions.InvalidOperationError: a number does not fit its column.
    """
    write_copy(session, copy_bytes(frame, into=into), into=into.name, columns=frame.columns)


def copy_bytes(frame: pl.DataFrame, *, into: Table) -> Iterator[bytes]:
    """The rows as COPY takes them, in parts, each made when it is asked for; needs no database."""
    whole = {name: kind for name in frame.columns if (kind := _whole(into.c[name].type)) is not None}
    fitted = frame.with_columns(pl.col(name).cast(kind) for name, kind in whole.items())
    return map(_rows, fitted.iter_slices(ROWS_AT_ONCE))


def write_copy(session: Session, parts: Iterable[bytes], *, into: str, columns: Sequence[str]) -> None:
    """COPY what `copy_bytes` made of the columns into a table, in the caller's transaction.

    Args:
        into: a name of ours, never text from outside.
    """
    cursor: Any = session.connection().connection.cursor()
    with cursor.copy(f"COPY {into} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
        for part in chain([SIGNATURE], parts, [END]):
            copy.write(part)
    cursor.close()


def _whole(kind: TypeEngine[Any]) -> type[pl.DataType] | None:
    """How many bytes a column of whole numbers has, as a type; None for other columns."""
    if isinstance(kind, Integer):
        return pl.Int64 if isinstance(kind, BigInteger) else pl.Int32
    return None


def _rows(frame: pl.DataFrame) -> bytes:
    """What has the same length in every row is laid out together; only the rest is put between, by cells."""
    pieces: list[Cells] = []
    fixed: list[tuple[str, Any]] = [(">i2", frame.width)]
    for column in frame.iter_columns():
        if column.null_count() == len(column):
            fixed.append((">i4", -1))
        elif column.dtype == pl.String:
            _text(column, fixed, pieces)
        elif column.dtype == pl.Binary:
            _bytes(column, fixed, pieces)
        else:
            _number(column, fixed, pieces)
    _lay_out(fixed, pieces, rows=frame.height)
    return b"".join(chain.from_iterable(zip(*pieces, strict=True)))


def _lay_out(fixed: list[tuple[str, Any]], pieces: list[Cells], *, rows: int) -> None:
    """The fields of one length so far as one piece of each row; no field is left."""
    if fixed:
        kind = np.dtype([(str(place), form) for place, (form, _) in enumerate(fixed)])
        laid = np.empty(rows, kind)
        for place, (_, values) in enumerate(fixed):
            laid[str(place)] = values
        pieces.append(_cells(laid))
        fixed.clear()


def _cells(values: np.ndarray[Any, Any]) -> Cells:
    found: Cells = values.view(f"V{values.itemsize}").tolist()
    return found


def _text(column: pl.Series, fixed: list[tuple[str, Any]], pieces: list[Cells]) -> None:
    first = column[0]
    if first and column.null_count() == 0 and (column == first).all():
        cell = first.encode()
        fixed += [(">i4", len(cell)), (f"V{len(cell)}", np.void(cell))]
        return
    _bytes(column.cast(pl.Binary), fixed, pieces)


def _bytes(column: pl.Series, fixed: list[tuple[str, Any]], pieces: list[Cells]) -> None:
    fixed.append((">i4", column.bin.size().cast(pl.Int64).fill_null(-1).to_numpy()))
    _lay_out(fixed, pieces, rows=len(column))
    pieces.append(column.fill_null(b"").to_list())


def _number(column: pl.Series, fixed: list[tuple[str, Any]], pieces: list[Cells]) -> None:
    """Also days and instants, as days and microseconds since the epoch."""
    if column.dtype == pl.Date:
        column = (column.dt.epoch("d") - EPOCH).cast(pl.Int32)
    elif isinstance(column.dtype, pl.Datetime):
        column = column.dt.epoch("us") - EPOCH * 86_400_000_000
    form = FORMS[column.dtype.base_type()]
    length = np.dtype(form).itemsize
    if column.null_count() == 0:
        fixed += [(">i4", length), (form, column.to_numpy())]
        return
    there = column.is_not_null()
    fixed.append((">i4", pl.select(pl.when(there).then(length).otherwise(-1)).to_series().to_numpy()))
    _lay_out(fixed, pieces, rows=len(column))
    cells = _cells(column.fill_null(strategy="zero").to_numpy().astype(form))
    pieces.append([cell if known else b"" for cell, known in zip(cells, there, strict=True)])
