"""Rows a second of an order import, over a bare insert of the same rows measured in the same run; and again.

    python benchmarks/import_orders.py [--file FILE] [--repeats 3] [--postgres URL]

The file is the real one of HEADWATER_SHARED (default ../shared), or a generated one with the same columns
where that is absent. The floor is `sqlite3.executemany`, or COPY on PostgreSQL, of the same rows into a table
without keys, committed; on SQLite also of the rows as they are stored. Then the same rows come again, in
another file. CPU counts this process and, on PostgreSQL, the server's. Every measurement has a process of its
own, so that its peak memory is its own. Without --postgres a throw-away cluster is used where PostgreSQL is
installed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

MAPPING = "uci-online-retail"


def main() -> None:
    options = _options()
    if options.only:
        print(json.dumps(MEASUREMENTS[options.only](Path(options.file), options.postgres or "")))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(options.file) if options.file else _file(Path(folder))
        print(f"{path.name}, {options.repeats} interleaved repeats, medians")
        _compare("SQLite", path, "", repeats=options.repeats, floor="sqlite-floor", most_mb=700, least=0.3)
        with _postgres(options.postgres) as url:
            if url:
                _compare("PostgreSQL", path, url, repeats=options.repeats, floor="postgres-floor", least=0.18)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", help="an order file in the columns of the mapping uci-online-retail")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database that may be emptied")
    parser.add_argument("--only", choices=sorted(MEASUREMENTS), help=argparse.SUPPRESS)
    return parser.parse_args()


def _file(folder: Path) -> Path:
    shared = Path(os.environ.get("HEADWATER_SHARED") or ROOT.parent / "shared")
    real = shared / "data" / "online_retail_2009_2010.parquet"
    return real if real.exists() else generated_file(folder / "generated.parquet")


def generated_file(path: Path, *, rows: int = 500_000) -> Path:
    """Order lines with about as many SKUs, countries and buyers as the real file; one in 50 is a return."""
    line = pl.int_range(rows)
    invoice, returned = line // 20, line % 50 == 7
    number = invoice + 480_000
    opening = pl.lit(dt.datetime(2009, 12, 1, 8))
    pl.select(
        (pl.when(returned).then(pl.lit("C")).otherwise(pl.lit("")) + number.cast(pl.String)).alias("Invoice"),
        (line * 7919 % 4600 + 20_000).cast(pl.String).alias("StockCode"),
        (pl.lit("SKU ") + (line * 7919 % 4600).cast(pl.String)).alias("Description"),
        pl.when(returned).then(-1).otherwise(line % 12 + 1).alias("Quantity"),
        (opening + pl.duration(minutes=invoice * 15)).dt.strftime("%Y-%m-%d %H:%M:%S").alias("InvoiceDate"),
        ((line % 97 + 25) / 100).alias("Price"),
        (invoice * 31 % 4400 + 12_000).cast(pl.Float64).alias("Customer ID"),
        (pl.lit("Country ") + (invoice % 40).cast(pl.String)).alias("Country"),
    ).write_parquet(path)  # fmt: skip
    return path


def _compare(
    name: str,
    path: Path,
    url: str,
    *,
    repeats: int,
    floor: str,
    most_mb: int | None = None,
    least: float | None = None,
) -> None:
    runs = [(_measure(floor, path, url), _measure("import", path, url)) for _ in range(repeats)]
    for clock in ("seconds", "cpu_seconds"):
        bare = statistics.median(run[0][clock] for run in runs)
        whole = statistics.median(run[1][clock] for run in runs)
        goal = f" (goal ≥ {least})" if least else ""
        print(f"{name} {clock}: floor {bare:.2f}, import {whole:.2f}, ratio {bare / whole:.3f}{goal}")
        again = statistics.median(run[1][f"again_{clock}"] for run in runs)
        print(f"{name} {clock}: the same rows again {again:.2f}, {whole / again:.2f}× the first (goal ≥ 1.3)")
    stored = [
        run[1]["as_stored_seconds"] / run[1]["seconds"] for run in runs if "as_stored_seconds" in run[1]
    ]
    if stored:
        print(f"{name} seconds: ratio {statistics.median(stored):.3f} to the rows as stored, 15 columns each")
    last = runs[-1][1]
    peak = max(run[1]["peak_mb"] for run in runs)
    print(f"{name} peak memory {peak:.0f} MB" + (f" (goal ≤ {most_mb})" if most_mb else ""))
    print(
        f"{name} rows {last['read']:,} = {last['accepted']:,} + {last['duplicate']:,} + {last['rejected']:,}"
    )
    sizes = [f"{what} {last[f'{what}_bytes']}" for what in ("table", "archive") if f"{what}_bytes" in last]
    print(f"{name} bytes a signal: {', '.join(sizes)}")
    print(f"{name} units in the roll-up equal a sum over the file: {last['units'] == distinct_units(path)}")


def _measure(what: str, path: Path, url: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--only", what, "--file", str(path), "--postgres", url]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(found.splitlines()[-1])  # type: ignore[no-any-return]


def distinct_units(path: Path) -> int:
    """Signed units of the distinct lines, from the file itself."""
    return int(pl.read_parquet(path).unique()["Quantity"].sum())


def _timed(work: Any, backend: Callable[[], float] = lambda: 0.0) -> dict[str, Any]:
    started, cpu = time.perf_counter(), time.process_time() + backend()
    result = work()
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() + backend() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **result,
    }


def sqlite_floor(path: Path, _url: str) -> dict[str, Any]:
    rows = pl.read_parquet(path).rows()
    with tempfile.TemporaryDirectory() as folder:
        return bare(rows, Path(folder))


def bare(rows: list[tuple[Any, ...]], folder: Path) -> dict[str, Any]:
    """The rows into a table without keys or types, committed."""
    width = len(rows[0])
    connection = sqlite3.connect(folder / "floor.db")
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"CREATE TABLE line ({', '.join(f'c{place}' for place in range(width))})")

    def work() -> dict[str, Any]:
        with connection:
            connection.executemany(f"INSERT INTO line VALUES ({', '.join('?' * width)})", rows)
        return {}

    return _timed(work)


def postgres_floor(path: Path, url: str) -> dict[str, Any]:
    import psycopg

    content = pl.read_parquet(path).write_csv(include_header=False).encode()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE line (a text, b text, c text, d int, e text, f float8, g float8, h text)"
        )

        def work() -> dict[str, Any]:
            with connection.cursor().copy("COPY line FROM STDIN (FORMAT csv)") as copy:
                copy.write(content)
            connection.commit()
            return {}

        return _timed(work, backends(url))


def backends(url: str) -> Callable[[], float]:
    """CPU seconds of the server's processes that serve this database, where they run on this machine."""
    if not url:
        return lambda: 0.0
    import psycopg

    def used() -> float:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchall()
        stats = [Path(f"/proc/{pid}/schedstat") for (pid,) in found]
        return sum(int(one.read_text().split()[0]) / 1e9 for one in stats if one.exists())

    return used


def whole_import(path: Path, url: str) -> dict[str, Any]:
    """The file, and then the same rows in a file that is another one."""
    from sqlalchemy import text

    from app.core import schema
    from app.core.db import Database

    with tempfile.TemporaryDirectory() as folder:
        db = Database(url or f"sqlite:///{folder}/import.db")
        schema.migrate(db)
        if url:
            from support.postgres import empty

            empty(url)
        result = _timed(lambda: _imported(db, path), backends(url))
        with db.reading() as session:
            result["units"] = int(session.scalar(text("SELECT sum(units) FROM demand_day")))
            result |= _bytes_a_row(session, Path(folder) / "archive", rows=result["accepted"])
            if not url:
                stored = session.execute(text("SELECT * FROM signal")).fetchall()
                result["as_stored_seconds"] = bare([tuple(row) for row in stored], Path(folder))["seconds"]
                del stored
        other = Path(folder) / "again.parquet"
        lines = pl.read_parquet(path)
        pl.concat([lines[1:2], lines[:1], lines[2:]]).write_parquet(other)
        again = _timed(lambda: _imported(db, other), backends(url))
        db.dispose()
        return result | {f"again_{clock}": again[clock] for clock in ("seconds", "cpu_seconds")}


def _imported(db: Any, path: Path) -> dict[str, int]:
    from app import intake
    from app.core.access import SYSTEM
    from app.stages.demand.operations import OrderFile

    file = OrderFile(
        path=path,
        file_name=path.name,
        channel="wholesale",
        mapping=MAPPING,
        actor=SYSTEM,
        pseudonym_key=b"benchmark",
        currency="GBP",
        timezone="Europe/London",
    )
    now = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
    fact = intake.import_orders(db, file=file, now=lambda: now)
    return {name: getattr(fact, name) for name in ("read", "accepted", "duplicate", "rejected")}


def _bytes_a_row(session: Any, folder: Path, *, rows: int) -> dict[str, Any]:
    """Of the archive of all days, and of the table with its indexes on PostgreSQL."""
    from sqlalchemy import text

    from app.entrypoints.cli.archive import DayWriter
    from app.stages.demand.queries.archive import archived_signals

    folder.mkdir()
    writer = DayWriter(folder)
    for day, part in archived_signals(session, since=dt.date(2000, 1, 1), until=dt.date(2100, 1, 1)):
        writer.take(day, part)
    writer.end_day()
    sizes = {"archive": writer.size / writer.rows}
    if session.get_bind().dialect.name == "postgresql":
        sizes["table"] = session.scalar(text("SELECT pg_total_relation_size('signal')")) / rows
    return {f"{what}_bytes": round(size, 1) for what, size in sizes.items()}


@contextlib.contextmanager
def _postgres(url: str | None) -> Iterator[str | None]:
    """The URL to measure on: the one given, or that of a throw-away cluster, or none."""
    from support import postgres

    if url:
        yield url
        return
    try:
        folder = postgres.make_folder()
        started = postgres.start(folder)
    except (RuntimeError, LookupError) as error:
        print(f"PostgreSQL is left out: {error}")
        yield None
        return
    try:
        yield postgres.create_database(started, "import_orders")
    finally:
        postgres.stop(folder)


MEASUREMENTS = {"import": whole_import, "sqlite-floor": sqlite_floor, "postgres-floor": postgres_floor}

if __name__ == "__main__":
    main()
