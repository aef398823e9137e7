"""Text files: which encoding, and their lines as records; a broken line is refused alone."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

DELIMITERS = (",", ";", "\t", "|")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that can't be split into cells."""

    row: int
    column: str
    code: str
    sentence: str

    def moved(self, by: int) -> Refused:
        return Refused(self.row + by, self.column, self.code, self.sentence)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one row; `row` is the number of its first line."""

    row: int
    cells: list[str]

    def misfit(self, width: int) -> Refused | None:
        """Why this row does not fit under the headings, if so. Blank cells beyond them are harmless."""
        count = len(self.cells)
        if count < width:
            return Refused(
                self.row,
                "",
                "fields_missing",
                f"The row has {count} cells, the headings are {width}; complete it.",
            )
        if count > width and any(cell.strip() for cell in self.cells[width:]):
            return Refused(
                self.row,
                "",
                "fields_extra",
                f"The row has {count:,} cells, the headings are {width}; quote commas.",
            )
        return None


Record = Cells
"""What a reader yields for a row that could be split."""


def encoding_of(file: IO[bytes]) -> str | None:
    """The encoding all bytes are valid in: by their mark, else UTF-8, else GB18030. The file is rewound."""
    head = file.read(4)
    file.seek(0)
    if head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif len(head) == 4 and head[1] == head[3] == 0:
        candidates = ["utf-16-le"]
    elif len(head) == 4 and head[0] == head[2] == 0:
        candidates = ["utf-16-be"]
    else:
        candidates = ["utf-8", "gb18030"]
    return next((one for one in candidates if _valid(file, one)), None)


def _valid(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def csv_records(lines: io.TextIOWrapper, header: str) -> Iterator[Cells | Refused]:
    """Records of a CSV file. A broken line is refused alone, and reading goes on behind it.

    A stray quote would otherwise swallow the lines that follow; so the lines of a record are kept until it is
    whole, and put back when it turns out not to be.
    """
    delimiter = max(DELIMITERS, key=header.count)
    source = _Lines(lines)
    while True:
        start = source.number + 1
        source.taken.clear()
        try:
            cells = next(csv.reader(source, delimiter=delimiter, strict=True), None)
        except csv.Error as error:
            source.put_back()
            yield Refused(
                start,
                "",
                "line_malformed",
                f"The line can't be split into cells ({error}); check its quotes.",
            )
            continue
        if cells is None:
            return
        if any(cells):
            yield Cells(start, cells)


class _Lines:
    """Physical lines, numbered, that can be put back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def put_back(self) -> None:
        """All lines taken but the first."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def json_records(lines: io.TextIOWrapper) -> Iterator[Cells | Refused]:
    """One JSON object a line; the headings are the keys of the first one and of nobody after it."""
    keys: list[str] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError):
            yield Refused(
                number, "", "line_malformed", "The line is no JSON object; write one object a line."
            )
            continue
        if not isinstance(value, dict):
            yield Refused(
                number, "", "line_malformed", "The line is no JSON object; write one object a line."
            )
            continue
        if keys is None:
            keys = list(value)
            yield Cells(0, keys)
        yield Cells(number, [_cell(value.get(key)) for key in keys])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
