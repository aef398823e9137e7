"""Telling file formats apart, and each format as blocks of text columns."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from app.core.errors import RuleBroken
from app.stages.imports.readers import text
from app.stages.imports.readers.text import Record, Refused
from app.stages.imports.rules.mapping import Mapping

BLOCK_ROWS = 65_536
WHOLE = 10_000_000
"""Rows of a block where an order's lines must stay together; such exports are small."""
MOST_COLUMNS = 2_000
MOST_UNPACKED = 2 * 1024**3
ROOT = Path(__file__).parents[4]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a file: `rows` has `row` and one text column a field, `refused` are lines that can't be split.

    `headings` names the heading of each field in this file.
    """

    headings: dict[str, str]
    rows: pl.DataFrame
    refused: list[Refused]


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, *, file_name: str, mapping: Mapping) -> Iterator[Block]:
    """The file's rows, block by block.

    Raises:
        RuleBroken: the file as a whole can't be used; the code and the sentence say why and what to do.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if not head.strip():
        raise refusal("file_empty", file_name, "the file is empty", "export it again")
    if head.startswith(b"PAR1"):
        yield from _parquet(path, file_name, mapping)
    elif head.startswith(b"PK"):
        yield from _packed(path, file_name, mapping)
    else:
        with path.open("rb") as file:
            yield from _blocks(_records(file, file_name), file_name, mapping)


def refusal(code: str, file_name: str, why: str, remedy: str, **data: Any) -> RuleBroken:
    return RuleBroken(code, f"{file_name}: {why}; {remedy}.", file=file_name, **data)


def _records(file: IO[bytes], file_name: str) -> Iterator[Record]:
    """Lists of cells from CSV or JSON lines, the headings first."""
    encoding = text.encoding_of(file)
    if encoding is None:
        raise refusal(
            "encoding_unknown",
            file_name,
            "the text is neither UTF-8, UTF-16 nor GB18030",
            "save it as CSV in UTF-8 and try again",
        )
    with io.TextIOWrapper(file, encoding=encoding, newline="") as lines:
        first = next((line for line in lines if line.strip()), "")
        lines.seek(0)
        is_json = first.lstrip().startswith("{")
        yield from text.json_records(lines) if is_json else text.csv_records(lines, first)


def _blocks(records: Iterator[Record], file_name: str, mapping: Mapping, **fixed: str) -> Iterator[Block]:
    """Cut records into blocks of the mapped columns; `fixed` are fields read from the file's name."""
    first = next(records, None)
    if first is None:
        raise refusal("file_empty", file_name, "the file has no rows", "export it again")
    if isinstance(first, Refused):
        raise refusal(
            "file_unreadable", file_name, f"the headings can't be read: {first.sentence}", "export it again"
        )
    found = [cell.strip() for cell in first.cells]
    if len(found) > MOST_COLUMNS:
        raise refusal(
            "too_many_columns", file_name, f"{len(found):,} columns", f"a file has at most {MOST_COLUMNS:,}"
        )
    headings = mapping.choose(found, file_name=file_name)
    places = {field: found.index(heading.strip()) for field, heading in headings.items()}
    size, empty = WHOLE if mapping.line_number or mapping.fill_down else BLOCK_ROWS, True
    cells: list[Record] = []
    refused: list[Refused] = []
    for record in records:
        empty = False
        if isinstance(record, Refused):
            refused.append(record)
        elif (broken := record.misfit(len(found))) is not None:
            refused.append(broken)
        else:
            cells.append(record)
        if len(cells) + len(refused) >= size:
            yield Block(headings, _frame(cells, places, mapping, fixed), refused)
            cells, refused = [], []
    if empty:
        raise refusal(
            "file_header_only", file_name, "there are headings but no rows", "export the orders too"
        )
    if cells or refused:
        yield Block(headings, _frame(cells, places, mapping, fixed), refused)


def _frame(
    cells: list[Record], places: dict[str, int], mapping: Mapping, fixed: dict[str, str]
) -> pl.DataFrame:
    columns = {
        field: pl.Series(field, [record.cells[place] for record in cells], dtype=pl.String)
        for field, place in places.items()
    }
    rows = pl.Series("row", [record.row for record in cells], dtype=pl.Int64)
    frame = pl.DataFrame([rows, *columns.values()]).with_columns(
        pl.lit(value).alias(field) for field, value in fixed.items()
    )
    return _filled_down(frame, mapping)


def _filled_down(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Copy what an order says only on its first line to its other lines."""
    fields = [field for field in mapping.fill_down if field in frame.columns]
    if not fields:
        return frame
    blank = [
        pl.when(pl.col(field).str.strip_chars() == "").then(None).otherwise(pl.col(field)).alias(field)
        for field in fields
    ]
    return frame.with_columns(blank).with_columns(
        pl.col(field).forward_fill().over("external_id") for field in fields
    )


def _packed(path: Path, file_name: str, mapping: Mapping) -> Iterator[Block]:
    """A spreadsheet, or a ZIP of CSV files such as a report with one file per reward tier."""
    with _readable(file_name), zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if sum(member.file_size for member in members) > MOST_UNPACKED:
            raise refusal("file_too_large", file_name, "it unpacks to more than 2 GB", "split the export")
        if any(member.filename == "[Content_Types].xml" for member in members):
            yield from _blocks(_sheet(path, file_name), file_name, mapping)
            return
        yield from _members(archive, members, file_name, mapping)


def _members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], file_name: str, mapping: Mapping
) -> Iterator[Block]:
    """Each CSV in turn; rows are numbered on through the whole archive."""
    reports = sorted(
        (one for one in members if one.filename.lower().endswith(".csv")), key=lambda one: one.filename
    )
    if not reports:
        raise refusal(
            "file_unreadable", file_name, "the ZIP holds no CSV file", "send the report as exported"
        )
    passed = 0
    for member in reports:
        name = member.filename.rsplit("/", 1)[-1]
        match = re.search(mapping.member_name, name) if mapping.member_name else None
        fixed = match.groupdict() if match else {}
        with archive.open(member) as packed:
            content = io.BytesIO(packed.read())
        last = 0
        for block in _blocks(
            _records(content, f"{file_name}/{name}"), f"{file_name}/{name}", mapping, **fixed
        ):
            rows = block.rows.with_columns(pl.col("row") + passed)
            refused = [one.moved(passed) for one in block.refused]
            last = max([last, *rows["row"].to_list()[-1:], *(one.row for one in refused)])
            yield Block(block.headings, rows, refused)
        passed = max(last, passed)


def _sheet(path: Path, file_name: str) -> Iterator[Record]:
    """The first sheet, read by a child process with limits: a hostile workbook can abort its reader."""
    command = [sys.executable, "-m", "app.stages.imports.readers.sheet", str(path)]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    )
    assert child.stdout is not None
    try:
        for line in child.stdout:
            row, cells = json.loads(line)
            yield Record(row, cells)
        if child.wait(timeout=10) != 0:
            raise refusal(
                "file_unreadable", file_name, "the workbook is broken or too large", "save it as CSV"
            )
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def _parquet(path: Path, file_name: str, mapping: Mapping) -> Iterator[Block]:
    with _readable(file_name):
        schema = pl.read_parquet_schema(path)
        found = list(schema)
        if len(found) > MOST_COLUMNS:
            raise refusal(
                "too_many_columns",
                file_name,
                f"{len(found):,} columns",
                f"a file has at most {MOST_COLUMNS:,}",
            )
        headings = mapping.choose(found, file_name=file_name)
        places = {
            field: next(name for name in found if name.strip() == heading.strip())
            for field, heading in headings.items()
        }
        nested = [name for name in places.values() if schema[name].is_nested()]
        if nested:
            raise refusal(
                "column_nested", file_name, f"column {nested[0]!r} holds lists", "write one value a cell"
            )
        scan = pl.scan_parquet(path).select(
            pl.col(name).cast(pl.String).alias(field) for field, name in places.items()
        )
        total = pl.scan_parquet(path).select(pl.len()).collect().item()
        if total == 0:
            raise refusal(
                "file_header_only", file_name, "there are columns but no rows", "export the orders too"
            )
        size = WHOLE if mapping.line_number or mapping.fill_down else BLOCK_ROWS
        for start in range(0, total, size):
            frame = scan.slice(start, size).collect().with_row_index("row", offset=start + 1)
            yield Block(headings, _filled_down(frame.with_columns(pl.col("row").cast(pl.Int64)), mapping), [])


@contextmanager
def _readable(file_name: str) -> Iterator[None]:
    """Turn what a reader says of a broken file into a refusal; its panics are no ordinary exceptions."""
    try:
        yield
    except (RuleBroken, GeneratorExit):
        raise
    except (pl.exceptions.PolarsError, zipfile.BadZipFile, OSError, ValueError, EOFError) as error:
        raise refusal("file_unreadable", file_name, "the file is broken", "export it again") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise refusal("file_unreadable", file_name, "the file is broken", "export it again") from None
