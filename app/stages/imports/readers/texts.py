"""CSV and JSON lines as blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import IO

import polars as pl

from app.stages.imports.readers import lines, pieces, text
from app.stages.imports.readers.pieces import Piece
from app.stages.imports.readers.tables import Block, Columns, Part, blocks, choose, parts_of, refusal
from app.stages.imports.readers.text import Cells
from app.stages.imports.rules.mapping import Mapping

SEPARATOR = re.compile(rb"\s*sep=([,;\t|])[ \t,;]*\r?\n", re.IGNORECASE)
"""A first line that tells spreadsheets how cells are separated, and is no row."""


def read_text(file: IO[bytes], *, file_name: str, mapping: Mapping, fixed: dict[str, str]) -> Iterator[Block]:
    """The rows of a text file; `fixed` are fields read from the file's name.

    Raises:
        RuleBroken: `encoding_unknown`, `file_empty`, `file_header_only`, or what is wrong with the headings.
    """
    encoding = text.encoding_of(file)
    if encoding is None:
        why = "the text is neither UTF-8, UTF-16 nor GB18030"
        raise refusal("encoding_unknown", file_name, why, "save it as CSV in UTF-8 and try again")
    parts = pieces.pieces(file, encoding)
    first = next((piece for piece in parts if piece.data.strip()), None)
    if first is None:
        raise refusal("file_empty", file_name, "the file has no rows", "export it again")
    read = _json if first.data.lstrip().startswith(b"{") else _csv
    columns, found = read(first, parts, file_name=file_name, mapping=mapping)
    yield from blocks(found, columns, file_name=file_name, mapping=mapping, fixed=fixed)


def _csv(
    first: Piece, others: Iterator[Piece], *, file_name: str, mapping: Mapping
) -> tuple[Columns, Iterator[Part]]:
    marked = SEPARATOR.match(first.data)
    blank = marked.end() if marked else 0
    blank += len(first.data[blank:]) - len(first.data[blank:].lstrip(b"\r\n"))
    start = first.line + first.data.count(b"\n", 0, blank)
    end = _header_end(first.data, blank)
    line = first.data[blank:end].decode("utf-8", errors="replace")
    delimiter = marked[1].decode() if marked else max(text.DELIMITERS, key=line.count)
    header = next(text.csv_records(line, delimiter=delimiter), None)
    if not isinstance(header, Cells):
        raise refusal("file_unreadable", file_name, "the headings can't be read", "export it again")
    columns = choose(header.cells, file_name=file_name, mapping=mapping)
    rest = Piece(first.data[end:], start + first.data.count(b"\n", blank, end))
    read = partial(_csv_part, columns=columns, delimiter=delimiter)
    return columns, chain.from_iterable(map(read, chain(rest.begun(), others)))


def _header_end(data: bytes, start: int) -> int:
    """Behind the first line end that is not inside of quotes."""
    end = start
    while True:
        found = data.find(b"\n", end)
        if found < 0:
            return len(data)
        end = found + 1
        if data.count(b'"', start, end) % 2 == 0:
            return end


def _csv_part(piece: Piece, *, columns: Columns, delimiter: str) -> Iterator[Part]:
    places = sorted(set(columns.places.values()))
    frame = pieces.read_csv(piece, delimiter=delimiter, width=columns.width, places=places)
    if frame is not None:
        named = [pl.col(str(place)).alias(field) for field, place in columns.places.items()]
        return iter([(frame.select("row", *named), [])])
    content = piece.data.decode("utf-8", errors="replace")
    return parts_of(text.csv_records(content, delimiter=delimiter, line=piece.line), columns)


def _json(
    first: Piece, others: Iterator[Piece], *, file_name: str, mapping: Mapping
) -> tuple[Columns, Iterator[Part]]:
    """The columns are the members of the objects in the first piece; an object may lack some."""
    columns = choose(lines.keys(first), file_name=file_name, mapping=mapping)
    needed = sorted(mapping.headings)
    everywhere = Columns(
        columns.headings, {f: needed.index(h) for f, h in columns.headings.items()}, len(needed)
    )
    read = partial(lines.read, columns=everywhere, needed=needed)
    return columns, map(read, chain(first.begun(), others))
