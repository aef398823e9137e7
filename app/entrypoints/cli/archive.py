"""Commands about closed days: to Parquet, and the roll-ups audited against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import polars as pl

from app.core.errors import RuleBroken
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import db, today
from app.stages.demand.queries.archive import archived_signals, audit_archive

ROWS_A_FILE = 1_000_000
SHOWN = 20
FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@command("archive-days")
@FOLDER
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), default="2000-01-01", help="The first day.")
@click.option(
    "--before", type=click.DateTime(["%Y-%m-%d"]), help="The first day that stays out; default: today."
)
def archive_days(folder: Path, since: dt.datetime, before: dt.datetime | None) -> dict[str, Any]:
    """Write the signals of closed days to FOLDER, Parquet files by day. Nothing leaves the database.

    Buyers are left out. A day that is there already is written anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    writer, line = DayWriter(folder), ProgressLine()
    with db().reading() as session:
        until = before.date() if before else today()
        for day, rows in archived_signals(session, since=since.date(), until=until):
            writer.take(day, rows)
            line.count("archiving", writer.rows, 0)
    writer.end_day()
    line.close()
    per_row = round(writer.size / writer.rows, 1) if writer.rows else 0.0
    return {"days": writer.days, "rows": writer.rows, "bytes": writer.size, "bytes_per_row": per_row}


@command("audit-archive")
@FOLDER
def audit(folder: Path) -> dict[str, Any]:
    """Hold the roll-ups of the archived days against the rows in FOLDER.

    A day that was corrected since it was archived differs: archive it again.
    """
    by_day: dict[dt.date, list[Path]] = {}
    for path in sorted(folder.glob("????-??-??.*.parquet")):
        by_day.setdefault(dt.date.fromisoformat(path.name[:10]), []).append(path)
    if not by_day:
        raise RuleBroken(
            "archive_empty", f"There is no archived day in {folder}; write one with archive-days."
        )
    found = []
    with db().reading() as session:
        for day, paths in by_day.items():
            found += audit_archive(session, archived=pl.scan_parquet(paths), days=[day])
    if found:
        raise RuleBroken(
            "archive_differs",
            f"{len(found):,} cells differ from the archive; archive days again that were corrected since.",
            errors=[asdict(one) for one in found[:SHOWN]],
        )
    return {"days": len(by_day), "differences": 0}


class DayWriter:
    """Files of one day after the other, each written aside first, so that none is ever half there."""

    def __init__(self, folder: Path) -> None:
        self.days = self.rows = self.size = 0
        self._folder = folder
        self._day: dt.date | None = None
        self._waiting: list[pl.DataFrame] = []
        self._number = 0

    def take(self, day: dt.date, rows: pl.DataFrame) -> None:
        if day != self._day:
            self.end_day()
            self._day = day
        self._waiting.append(rows)
        self.rows += rows.height
        if sum(one.height for one in self._waiting) >= ROWS_A_FILE:
            self._write()

    def end_day(self) -> None:
        if self._day is None:
            return
        if self._waiting:
            self._write()
        for old in self._folder.glob(f"{self._day}.*.parquet"):
            if int(old.name.split(".")[1]) >= self._number:
                old.unlink()
        self.days += 1
        self._number, self._day = 0, None

    def _write(self) -> None:
        path = self._folder / f"{self._day}.{self._number:03}.parquet"
        aside = path.with_suffix(".part")
        pl.concat(self._waiting).write_parquet(aside, compression="zstd", compression_level=9)
        self.size += aside.stat().st_size
        aside.replace(path)
        self._waiting, self._number = [], self._number + 1


commands = [archive_days, audit]
