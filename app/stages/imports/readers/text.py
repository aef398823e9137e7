"""Text files: which encoding, and their lines as records; a broken line is refused alone."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

DELIMITERS = (",", ";", "\t", "|")
CHUNK = 1 << 20
MOST_BROKEN = 1_000
"""Broken quotes of one piece, after which it is no use to go on: each costs a look at up to 128 KB."""

LINE_PROBLEMS = {
    "fields_missing": "The row has fewer cells than there are headings; complete it.",
    "fields_extra": "The row has more cells than there are headings; quote cells that hold a delimiter.",
    "line_malformed": "The line can't be split into cells; check its quotation marks.",
    "encoding_broken": "The line has bytes that are no text in this file's encoding; save the file as UTF-8.",
    "json_malformed": "The line is no JSON object with one value a member; write one object a line.",
    "cell_too_long": "A cell is longer than 131,072 characters; shorten it, or close its quotation mark.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that can't be used as a row. Nothing of the line is kept: it may name a buyer."""

    row: int
    column: str
    code: str
    sentence: str

    @staticmethod
    def of(code: str, *, row: int) -> Refused:
        return Refused(row, "", code, LINE_PROBLEMS[code])

    def moved(self, by: int) -> Refused:
        return Refused(self.row + by, self.column, self.code, self.sentence)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row; `row` is the number of its first line."""

    row: int
    cells: Sequence[str]

    def misfit(self, width: int) -> Refused | None:
        """Why this row does not fit under the headings, if so. Blank cells beyond them are harmless."""
        if len(self.cells) < width:
            return Refused.of("fields_missing", row=self.row)
        if any(cell.strip() for cell in self.cells[width:]):
            return Refused.of("fields_extra", row=self.row)
        if any("\ufffd" in cell for cell in self.cells):
            return Refused.of("encoding_broken", row=self.row)
        return None


def encoding_of(file: IO[bytes]) -> str | None:
    """The encoding of the text: by its mark, else UTF-8, else GB18030. The file is rewound.

    UTF-8 with a few broken lines is still UTF-8: they are refused, and the rest is read.
    """
    head = file.read(4)
    file.seek(0)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16" if _valid(file, "utf-16") else None
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if len(head) == 4 and zeros == b"\0\0":
            return encoding if _valid(file, encoding) else None
    if _valid(file, "utf-8") or _mostly_utf8(file):
        return "utf-8"
    return "gb18030" if _valid(file, "gb18030") else None


def _valid(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK):
            if encoding != "utf-8" or not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _mostly_utf8(file: IO[bytes]) -> bool:
    """Whether at least ten lines with more than ASCII are UTF-8 for each one that is not."""
    good = bad = 0
    for line in file:
        if not line.isascii():
            if _valid(io.BytesIO(line), "utf-8"):
                good += 1
            else:
                bad += 1
    file.seek(0)
    return good >= 10 * bad


def csv_records(content: str, *, delimiter: str, line: int = 1) -> Iterator[Cells | Refused]:
    """Records of CSV text whose first line has the number `line`. A broken line is refused alone.

    A stray quote would otherwise swallow the lines that follow; so the lines of a record are kept until it is
    whole, and put back when it turns out not to be.

    Raises:
        ValueError: so many lines are broken that this is no CSV.
    """
    source = _Lines(io.StringIO(content, newline=""), line)
    bad = 0
    while True:
        start = source.next_number
        source.taken.clear()
        try:
            cells = next(csv.reader(source, delimiter=delimiter, strict=True), None)
        except csv.Error as error:
            bad += 1
            if bad > MOST_BROKEN:
                raise ValueError("too many broken lines") from None
            alone = len(source.taken) == 1 and "limit" in str(error)
            source.put_back()
            yield Refused.of("cell_too_long" if alone else "line_malformed", row=start)
            continue
        if cells is None:
            return
        if cells:
            yield Cells(start, cells)


class _Lines:
    """Physical lines, numbered, that can be put back."""

    def __init__(self, lines: Iterator[str], first: int) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.next_number = first

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.next_number += 1
        self.taken.append(line)
        return line

    def put_back(self) -> None:
        """All lines taken but the first."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        self.next_number -= len(self.taken) - 1


def json_records(content: str, *, keys: Sequence[str], line: int = 1) -> Iterator[Cells | Refused]:
    """The members `keys` of JSON objects, one a line, as they are written: 19.90 is no 19.9."""
    for number, text in enumerate(content.split("\n"), start=line):
        if not text.strip():
            continue
        try:
            value = json_object(text)
            cells = [_cell(value.get(key)) for key in keys]
        except (ValueError, RecursionError):
            yield Refused.of("json_malformed", row=number)
        else:
            yield Cells(number, cells)


def json_object(text: str) -> dict[str, Any]:
    """Raises ValueError: it is no object, or names a member twice."""
    value = json.loads(
        text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_of_members
    )
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _of_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) < len(members):
        raise ValueError("a member twice")
    return value


def json_keys(content: str) -> list[str]:
    """All members of the objects in the text, in the order in which they are first seen."""
    keys: dict[str, None] = {}
    for text in content.split("\n"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            keys.update(dict.fromkeys(value))
    return list(keys)


def _cell(value: Any) -> str:
    """Raises ValueError: it is not one value, or text with half a character, which nobody can write."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        raise ValueError("not one value")
    value.encode()
    return value
