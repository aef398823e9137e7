"""A child process that reads the first sheet of a workbook and prints its rows as JSON lines.

It runs alone because a hostile workbook can exhaust memory or abort the process that reads it, and as a
script that imports nothing of ours, so that it starts at once.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
from typing import Any

MEMORY = 1024**3
SECONDS = 120


def main(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    from python_calamine import CalamineWorkbook

    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
    width = 0
    for number, row in enumerate(rows, start=1):
        cells = [_text(cell) for cell in row]
        width = width or len(cells)
        if any(cells):
            print(json.dumps([number, cells + [""] * (width - len(cells))]))


def _text(cell: Any) -> str:
    """A cell as it would stand in a CSV; whole numbers without the ".0" that spreadsheets give them."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, float):
        return f"{cell:.15g}"  # what the spreadsheet shows: the digits beyond are not meant
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)


if __name__ == "__main__":
    main(sys.argv[1])
