"""A child process that reads the first sheet of a workbook and prints its rows as JSON lines.

It runs alone because a hostile workbook can exhaust memory or abort the process that reads it, and as a
script that imports nothing of ours, so that it starts at once.

The reader of the cells says nothing of a cell that holds an error such as #REF!, and gives numbers as floats
that have lost their last digits; so the sheet's own text is looked through for the errors first, and numbers
that were too long are printed as what they are now: damaged.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from typing import IO, Any

MEMORY = 1024**3
SECONDS = 120
LAST_ROW = 1_048_576
"""A workbook has no more rows; a file that claims one is broken, or built to keep its reader busy."""
CHUNK = 1 << 20
LONGEST_TAG = 1 << 10
ERROR_CELL = re.compile(rb"<(?:\w+:)?c\b(?=[^<>]*\bt=[\"']e[\"'])[^<>]*>")
PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
FIRST_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*\b\w+:id=[\"']([^\"']+)[\"']")


def main(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    if sheet.end is None or sheet.end[0] >= LAST_ROW:
        sys.exit(0 if sheet.end is None else "a row beyond the last")
    errors = set(_errors(path))
    width = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [
            "#ERROR" if (number, place) in errors else _text(cell) for place, cell in enumerate(row, start=1)
        ]
        width = width or len(cells)
        if any(cells):
            print(json.dumps([number, cells + [""] * (width - len(cells))]))


def _text(cell: Any) -> str:
    """A cell as it would stand in a CSV; whole numbers without the ".0" that spreadsheets give them."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.5E}"  # its last digits are lost: as a spreadsheet shows it
    if isinstance(cell, float):
        return f"{cell:.15g}"  # what the spreadsheet shows: the digits beyond are not meant
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, dt.date):  # a day, or an instant at midnight: the reader does not tell them apart
        return f"{cell} 00:00:00"
    return str(cell)


def _errors(path: str) -> Iterator[tuple[int, int]]:
    """Row and column, from 1, of the cells of the first sheet that hold an error."""
    with zipfile.ZipFile(path) as archive, archive.open(_first_sheet(archive)) as text:
        for tag in _tags(text):
            place = PLACE.search(tag)
            if place is None:
                sys.exit("an error in a cell that does not say where it is")
            column = 0
            for letter in place[1]:
                column = column * 26 + letter - 64
            yield int(place[2]), column


def _tags(text: IO[bytes]) -> Iterator[bytes]:
    """The opening tags of cells with an error; a tag that two pieces share is looked at with the second."""
    carry = b""
    while chunk := text.read(CHUNK):
        piece = carry + chunk
        end = piece.rfind(b"<", max(0, len(piece) - LONGEST_TAG))
        carry, piece = (piece[end:], piece[:end]) if end >= 0 else (b"", piece)
        yield from (found[0] for found in ERROR_CELL.finditer(piece))
    yield from (found[0] for found in ERROR_CELL.finditer(carry))


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The member that holds the first sheet."""
    names = {name.lower(): name for name in archive.namelist()}
    book = archive.read(names["xl/workbook.xml"]).decode("utf-8", "replace")
    links = archive.read(names["xl/_rels/workbook.xml.rels"]).decode("utf-8", "replace")
    found = FIRST_SHEET.search(book)
    for link in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", links) if found else ():
        if re.search(rf"\bId=[\"']{re.escape(found[1])}[\"']", link):  # type: ignore[index]
            target = re.search(r"\bTarget=[\"']([^\"']+)[\"']", link)
            place = target[1].removeprefix("/xl/").lstrip("/") if target else ""
            return names[f"xl/{place}".lower()]
    raise KeyError("the first sheet")


if __name__ == "__main__":
    main(sys.argv[1])
