"""Telling file formats apart, and each format as blocks of text columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl

from app.stages.imports.readers.packed import read_packed
from app.stages.imports.readers.tables import BLOCK_ROWS, Block, Part, blocks, choose, readable, refusal
from app.stages.imports.readers.texts import read_text
from app.stages.imports.rules.mapping import Mapping

MOST_ROWS = 100_000_000
"""Rows of a Parquet file, whose footer tells them before they are read: a small file can claim billions."""

FIRST_ROWS = 8_192
"""At most, of a Parquet file's first block: the database has something to do while larger ones are read."""

MAGIC = {b"PAR1": "Parquet", b"PK\x03\x04": "ZIP or XLSX", b"PK\x05\x06": "ZIP or XLSX"}
FOREIGN = {
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%pdf": "a PDF document",
    b"<html": "a web page",
    b"<!doctype": "a web page",
    b"<table": "a web page",
    b"<?xml": "an XML document",
    b"[{": "a JSON list",
}


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, *, file_name: str, mapping: Mapping) -> Iterator[Block]:
    """The file's rows, block by block.

    Raises:
        RuleBroken: the file as a whole can't be used; the code and the sentence say why and what to do.
    """
    kind = _kind(path, file_name=file_name)
    with readable(file_name):
        if kind == "Parquet":
            yield from _parquet(path, file_name=file_name, mapping=mapping)
        elif kind == "text":
            with path.open("rb") as file:
                fixed = mapping.in_name(file_name)
                yield from read_text(file, file_name=file_name, mapping=mapping, fixed=fixed)
        else:
            yield from read_packed(path, file_name=file_name, mapping=mapping)


def _kind(path: Path, *, file_name: str) -> str:
    """What the first bytes say. The name is not asked: some channels name a CSV export like a workbook."""
    with path.open("rb") as file:
        head = file.read(512)
    if not head.strip():
        raise refusal("file_empty", file_name, "the file is empty", "export it again")
    for magic, what in FOREIGN.items():
        if head.lstrip().lower().startswith(magic):
            raise refusal("file_kind", file_name, f"this is {what}", "export the orders as CSV or XLSX")
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "text")


def _parquet(path: Path, *, file_name: str, mapping: Mapping) -> Iterator[Block]:
    schema = pl.read_parquet_schema(path)
    columns = choose(list(schema), file_name=file_name, mapping=mapping)
    names = {field: list(schema)[place] for field, place in columns.places.items()}
    for name in names.values():
        if schema[name].is_nested() or schema[name] in (pl.Binary, pl.Duration):
            why = f"column {name!r} holds lists, bytes or durations"
            raise refusal("column_nested", file_name, why, "write one value a cell", column=name)
    total = pl.scan_parquet(path).select(pl.len()).collect().item()
    if total > MOST_ROWS:
        why = f"it has {total:,} rows"
        raise refusal("too_many_rows", file_name, why, f"split it into files of at most {MOST_ROWS:,}")
    scan = pl.scan_parquet(path).select(
        _as_text(name, schema[name]).alias(field) for field, name in names.items()
    )
    money = [names[field] for field in ("unit_price", "amount") if field in names]
    rounds = any(schema[name].is_float() for name in money)
    edges = [0, *range(min(FIRST_ROWS, BLOCK_ROWS), total, BLOCK_ROWS), total]
    parts: Iterator[Part] = (
        (scan.slice(start, end - start).collect().select(_rows(start), pl.all()), [])
        for start, end in pairwise(edges)
    )
    yield from blocks(parts, columns, file_name=file_name, mapping=mapping, rounds=rounds)


def _rows(start: int) -> pl.Expr:
    """Numbers of the rows, as if the headings were row 1."""
    return (pl.int_range(pl.len(), dtype=pl.Int64) + start + 2).alias("row")


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as text that says what it holds; of a float the 15 digits that mean something."""
    column = pl.col(name)
    if kind.is_float():
        whole = column.is_finite() & (column == column.floor()) & (column.abs() < 1e15)
        digits = column.round_sig_figs(15).cast(pl.String)
        return pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(digits)
    if isinstance(kind, pl.Datetime):
        form = "%Y-%m-%dT%H:%M:%S%.6f" + ("+00:00" if kind.time_zone else "")
        return (column.dt.convert_time_zone("UTC") if kind.time_zone else column).dt.strftime(form)
    return column.cast(pl.String)
