"""Text files in pieces of a few megabytes, read column by column.

A piece with anything odd in it (a line too short or too long, a stray quote, bytes that are no text) is not
read this way, because polars takes short lines silently and refuses the whole piece for the rest: `None` says
that it must be read record by record, which names the line and the reason.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import polars as pl

PIECE_BYTES = 8 << 20
FIRST_BYTES = PIECE_BYTES // 10
"""Of a file's first rows: the database has something to do while larger pieces are read."""
LONGEST_LINE = 64 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines in UTF-8; `line` is the number of the first one, from 1."""

    data: bytes
    line: int

    @property
    def lines(self) -> int:
        return _count(self.data, b"\n") + (not self.data.endswith(b"\n"))

    def begun(self) -> Iterator[Piece]:
        """The first FIRST_BYTES or so, and the rest, where there is one."""
        cut = _cut(self.data[:FIRST_BYTES]) if len(self.data) > FIRST_BYTES else 0
        head = Piece(self.data[:cut], self.line)
        if cut:
            yield head
        if cut < len(self.data):
            yield Piece(self.data[cut:], self.line + head.data.count(b"\n"))


def pieces(file: IO[bytes], encoding: str, *, size: int = PIECE_BYTES) -> Iterator[Piece]:
    """The file cut behind whole lines, and not inside of quotes where that can be told.

    Lines may end with a carriage return alone, in the whole file.

    Raises:
        UnicodeDecodeError: the text is not in `encoding`; only UTF-8 is passed on as it is.
        ValueError: a line has no end.
    """
    carry, line, returns_only = b"", 1, False
    for chunk in _in_utf8(file, encoding, size=size):
        returns_only = returns_only or (line == 1 and b"\r" in chunk and b"\n" not in chunk)
        data = carry + (chunk.replace(b"\r", b"\n") if returns_only else chunk)
        cut = _cut(data)
        carry = data[cut:]
        if cut:
            piece = Piece(data[:cut], line)
            line += piece.lines
            yield piece
        elif len(carry) > LONGEST_LINE:
            raise ValueError("a line without end")
    if carry:
        yield Piece(carry, line)


def _in_utf8(file: IO[bytes], encoding: str, *, size: int) -> Iterator[bytes]:
    if encoding in ("utf-8", "utf-8-sig"):
        first = file.read(size)
        yield first.removeprefix(codecs.BOM_UTF8)
        while chunk := file.read(size):
            yield chunk
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    while chunk := file.read(size):
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _cut(data: bytes) -> int:
    """Behind the last line end with an even number of quotes before it, or else behind the last one."""
    last = data.rfind(b"\n")
    end = last
    quotes = data.count(b'"', 0, end + 1) if b'"' in data else 0
    while end >= 0 and quotes % 2:
        before = data.rfind(b"\n", 0, end)
        quotes -= data.count(b'"', before + 1, end)
        end = before
    return (end if end >= 0 else last) + 1


def _count(data: bytes, letter: bytes) -> int:
    """How often one byte is in the data, in a third of the time of `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == letter[0]))


def _only_before(data: bytes, letter: bytes, other: bytes) -> bool:
    """Whether one byte stands nowhere but before another."""
    letters = np.frombuffer(data, np.uint8)
    followers = letters[1:][letters[:-1] == letter[0]]
    return not data.endswith(letter) and bool((followers == other[0]).all())


def read_csv(piece: Piece, *, delimiter: str, width: int, places: Sequence[int]) -> pl.DataFrame | None:
    """The columns at `places` as text, named by their place, and `row`; None where a line is odd.

    Args:
        width: the number of headings, which every line must have as many cells as.
    """
    data = piece.data
    broken = not data.isascii() and b"\xef\xbf\xbd" in data
    if broken or width < 2 or (b"\r" in data and not _only_before(data, b"\r", b"\n")):
        return None
    frame = _parsed(data, delimiter=delimiter, width=width)
    if frame is None or frame.height != piece.lines or not _all_whole(frame, data, delimiter=delimiter):
        return None
    return frame.select(
        pl.int_range(piece.line, piece.line + frame.height).alias("row"), *(str(place) for place in places)
    )


def _parsed(data: bytes, *, delimiter: str, width: int) -> pl.DataFrame | None:
    schema = {str(place): pl.String() for place in range(width)}
    try:
        return pl.read_csv(
            data, has_header=False, separator=delimiter, schema=schema, empty_string_is_null=False
        )
    except (pl.exceptions.PolarsError, ValueError):
        return None


def _all_whole(frame: pl.DataFrame, data: bytes, *, delimiter: str) -> bool:
    """Whether no line is short: a short line has blank last cells, and the file fewer delimiters."""
    if not (frame.to_series(frame.width - 1) == "").any():
        return True
    between = (frame.width - 1) * frame.height
    if b'"' in data:
        inside = frame.select(pl.all().str.count_matches(delimiter, literal=True).sum()).sum_horizontal()
        between += int(inside[0])
    return data.count(delimiter.encode()) == between


def read_json(piece: Piece, *, keys: Sequence[str]) -> pl.DataFrame | None:
    """The members `keys` of the JSON objects, one a line, as text, and `row`; None where a line is odd."""
    try:
        frame = pl.read_ndjson(io.BytesIO(piece.data), schema={key: pl.String() for key in keys})
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if frame.height != piece.lines:
        return None
    return frame.select(pl.int_range(piece.line, piece.line + frame.height).alias("row"), *keys)
