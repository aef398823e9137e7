"""Workbooks, and ZIP files of CSV such as a report with one file per reward tier."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from app.core.errors import RuleBroken
from app.stages.imports.readers.tables import Block, blocks, choose, parts_of, refusal
from app.stages.imports.readers.text import Cells
from app.stages.imports.readers.texts import read_text
from app.stages.imports.rules.mapping import Mapping

MOST_UNPACKED = 512 * 1024**2
MOST_MEMBERS = 10_000
CHILD = Path(__file__).with_name("sheet.py")


def read_packed(path: Path, *, file_name: str, mapping: Mapping) -> Iterator[Block]:
    """The rows of a workbook's first sheet, or of all CSV files of an archive, numbered on.

    Raises:
        RuleBroken: `file_too_large`, `file_kind`, or what is wrong with a file in it.
    """
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        names = {member.filename for member in members}
        if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > MOST_UNPACKED:
            why = f"it unpacks to more than {MOST_UNPACKED // 1024**2} MB or {MOST_MEMBERS:,} files"
            raise refusal("file_too_large", file_name, why, "split the export, or send it as CSV")
        if any(name.endswith("vbaProject.bin") for name in names):
            raise refusal("file_kind", file_name, "this workbook has macros", "save it as XLSX or CSV")
        if "[Content_Types].xml" not in names:
            yield from _members(archive, members, file_name=file_name, mapping=mapping)
            return
    records = _sheet(path, file_name=file_name)
    header = next(records, None)
    if header is None:
        raise refusal("file_empty", file_name, "the first sheet has no rows", "export it again")
    columns = choose(header.cells, file_name=file_name, mapping=mapping)
    fixed = mapping.in_name(file_name)
    yield from blocks(parts_of(records, columns), columns, file_name=file_name, mapping=mapping, fixed=fixed)


def _members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], *, file_name: str, mapping: Mapping
) -> Iterator[Block]:
    """Each CSV in turn, of which not all may lack rows; these are numbered on through the whole archive."""
    reports = sorted(
        (one for one in members if one.filename.lower().endswith(".csv") and "__MACOSX" not in one.filename),
        key=lambda one: one.filename,
    )
    if not reports:
        why = "the ZIP holds no CSV file"
        raise refusal("file_unreadable", file_name, why, "send the report as it was exported")
    passed, empty = 0, []
    for member in reports:
        name = member.filename.rsplit("/", 1)[-1]
        content = archive.read(member)
        fixed = mapping.in_name(name)
        try:
            for block in read_text(
                io.BytesIO(content), file_name=f"{file_name}/{name}", mapping=mapping, fixed=fixed
            ):
                rows = block.rows.with_columns(pl.col("row") + passed)
                yield Block(block.headings, rows, [one.moved(passed) for one in block.refused], block.rounds)
        except RuleBroken as error:
            if error.code not in ("file_empty", "file_header_only"):
                raise
            empty.append(error)
        passed += max(content.count(b"\n"), content.count(b"\r")) + 1
    if len(empty) == len(reports):
        raise empty[0]


def _sheet(path: Path, *, file_name: str) -> Iterator[Cells]:
    """The first sheet, read by a child process with limits: a hostile workbook can abort its reader."""
    command = [sys.executable, "-I", str(CHILD), str(path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert child.stdout is not None
    try:
        for line in child.stdout:
            row, cells = json.loads(line)
            yield Cells(row, cells)
        if child.wait(timeout=10) != 0:
            why = "the workbook is broken, or needs more memory or time than an order file may"
            raise refusal("file_unreadable", file_name, why, "save it as CSV")
    finally:
        child.kill()
        child.stdout.close()
        child.wait()
