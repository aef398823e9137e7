"""A group buy's CSV at two sizes: validation, first and second import, memory and CPU per row.

    python benchmarks/import_scale.py [--rows 1000000 4000000] [--repeats 3] [--postgres URL]

The file is generated: one day of a sale, 400 SKUs in 31 regions, two buyers for every three orders, ids in
the order of time. The floor of validation is a bare read of the same file as text. CPU counts this process,
all its threads and, on PostgreSQL, the backend. Every measurement has a process of its own, so that its peak
memory is its own; repeats are in turns. Without --postgres only SQLite is measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
SKUS, REGIONS = 400, 31
WRITTEN_AT_ONCE = 1_000_000
TEXTS = ("external_id", "unit_price")
"""What is text in JSON, though it looks like a number."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 4_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--postgres", default="", help="URL of a PostgreSQL database that may be emptied")
    parser.add_argument("--only", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(MEASUREMENTS[options.only[0]](Path(options.only[1]), options.postgres)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            path = write(Path(folder) / f"{rows}.csv", rows=rows)
            _report(path, rows, options.postgres, repeats=options.repeats)


def write(path: Path, *, rows: int) -> Path:
    """The orders of one day, as the mapping `headwater` reads them; written in parts, as they may be many."""
    with path.open("wb") as file:
        for start in range(0, rows, WRITTEN_AT_ONCE):
            part = _orders(pl.int_range(start, min(start + WRITTEN_AT_ONCE, rows)), rows=rows)
            part.write_csv(file, include_header=start == 0)
    return path


def _orders(line: pl.Expr, *, rows: int) -> pl.DataFrame:
    opening = pl.lit(dt.datetime(2026, 11, 11))
    return pl.select(
        (pl.lit("20261111") + (line + 1_000_000_000).cast(pl.String)).alias("external_id"),
        pl.lit("paid").alias("commitment"),
        pl.format("SKU-{}", line * 7919 % SKUS).alias("sku"),
        pl.format("R-{}", line * 17 % REGIONS).alias("region"),
        (line % 3 + 1).alias("quantity"),
        pl.format("{}.90", line * 7919 % SKUS % 60 + 5).alias("unit_price"),
        (opening + pl.duration(milliseconds=line * 86_000_000 // rows))
        .dt.strftime("%Y-%m-%dT%H:%M:%S+08:00")
        .alias("ordered_at"),
        pl.format("buyer{}", line * 7919 % (rows * 2 // 3)).alias("buyer"),
    )


def _report(path: Path, rows: int, url: str, *, repeats: int) -> None:
    runs = [{what: _measure(what, path, url) for what in MEASUREMENTS} for _ in range(repeats)]

    def median(what: str, figure: str) -> float:
        return statistics.median(run[what][figure] for run in runs)

    floor = median("read", "seconds")
    print(f"{rows:,} rows, {repeats} repeats in turns, medians; {'PostgreSQL' if url else 'SQLite'}")
    for what in ("parse", "checked", "validate"):
        print(f"  {what} ÷ bare read as text: {floor / median(what, 'seconds'):.2f}, by CPU ", end="")
        print(f"{median('read', 'cpu') / median(what, 'cpu'):.2f}")
    first, again = (median("import", name) for name in ("seconds", "again_seconds"))
    goal = 0.18 if url else 0.3
    ratio = median("json", "cpu") / median("validate", "cpu")
    print(f"  the same as JSON lines takes {ratio:.2f} × the CPU of CSV, read and checked (goal ≤ 4)")
    print(
        f"  bare insert of the rows ÷ import: {median('insert', 'seconds') / first:.3f} (goal ≥ {goal})",
        end="",
    )
    print(f", by CPU {median('insert', 'cpu') / median('import', 'cpu'):.3f}")
    print(f"  import {first:.1f} s, CPU {median('import', 'cpu') / rows * 1e6:.1f} s per million rows")
    print(
        f"  the same rows again {again:.1f} s: {first / again:.2f}× the first (goal ≥ 1.3), by CPU ", end=""
    )
    print(f"{median('import', 'cpu') / median('import', 'again_cpu'):.2f}×")
    print(f"  peak memory {max(run['import']['peak_mb'] for run in runs):.0f} MB (goal ≤ 700)")


def _measure(what: str, path: Path, url: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--only", what, str(path), "--postgres", url]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(found.splitlines()[-1])  # type: ignore[no-any-return]


def _timed(work: Callable[[], object], backend: Callable[[], float] = lambda: 0.0) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time() + backend()
    work()
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() + backend() - cpu}


def bare_read(path: Path, _url: str) -> dict[str, float]:
    return _timed(lambda: pl.read_csv(path, infer_schema=False))


def parse(path: Path, _url: str) -> dict[str, float]:
    """Encoding, headings, and every line looked at for being whole."""
    from app.stages.imports import queries, readers

    plan = queries.mapping("headwater")
    return _timed(lambda: sum(one.height for one in readers.read(path, file_name=path.name, mapping=plan)))


def checked(path: Path, _url: str) -> dict[str, float]:
    """The same, and every cell checked but those that name buyers."""
    return _timed(_checking(path, without=("buyer",)))


def validate(path: Path, _url: str) -> dict[str, float]:
    """The same, every cell checked, and buyers made pseudonyms."""
    return _timed(_checking(path))


def json_lines(path: Path, _url: str) -> dict[str, float]:
    """The same of the rows as JSON lines."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "lines.ndjson"
        pl.read_csv(path, schema_overrides=dict.fromkeys(TEXTS, pl.String)).write_ndjson(other)
        return _timed(_checking(other))


def _checking(path: Path, without: tuple[str, ...] = ()) -> Callable[[], None]:
    from app.stages.imports import queries, readers
    from app.stages.imports.rules import check

    plan = queries.mapping("headwater")

    def work() -> None:
        for block in readers.read(path, file_name=path.name, mapping=plan):
            rows = block.rows.drop(without)
            found = check(rows, plan, block.headings, currency="CNY", key=b"k", channel="c")
            assert found.rows.height == block.rows.height

    return work


def bare_insert(path: Path, url: str) -> dict[str, float]:
    """The rows into a table without keys, in order, committed: COPY of the file, or `executemany`."""
    from benchmarks.import_orders import backends, bare

    if url:
        import psycopg

        columns = "a text, b text, c text, d text, e int, f float8, g text, h text"
        content = path.read_bytes()
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(f"CREATE TEMPORARY TABLE line ({columns})")

            def copy() -> None:
                with connection.cursor().copy("COPY line FROM STDIN (FORMAT csv, HEADER)") as copied:
                    copied.write(content)
                connection.commit()

            return _timed(copy, backends(url))

    with tempfile.TemporaryDirectory() as folder:
        found = bare(pl.read_csv(path).rows(), Path(folder))
        return {"seconds": found["seconds"], "cpu": found["cpu_seconds"]}


def imported(path: Path, url: str) -> dict[str, float]:
    """The file, and then the same rows in a file that is another one."""
    from app import intake
    from app.core import schema
    from app.core.db import Database
    from app.stages.catalog import operations as catalog
    from benchmarks.import_orders import backends

    with tempfile.TemporaryDirectory() as folder:
        db = Database(url or f"sqlite:///{folder}/import.db")
        schema.migrate(db)
        if url:
            from support.postgres import empty

            empty(url)
        with db.transaction() as session:
            skus = [(f"SKU-{number}", None, True) for number in range(SKUS)]
            regions = [f"R-{number}" for number in range(REGIONS)]
            catalog.register_unknown(session, skus=skus, regions=regions, timezone="Asia/Shanghai")
        first = _timed(lambda: intake.import_orders(db, file=_file(path), now=lambda: NOW), backends(url))
        other = _with_rows_swapped(path, Path(folder) / "again.csv")
        again = _timed(lambda: intake.import_orders(db, file=_file(other), now=lambda: NOW), backends(url))
        db.dispose()
    # not ru_maxrss, which a new process takes over from the one that wrote the file
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
    return {**first, "again_seconds": again["seconds"], "again_cpu": again["cpu"], "peak_mb": peak}


def _file(path: Path) -> Any:
    from app.core.access import SYSTEM
    from app.stages.demand.operations import OrderFile

    return OrderFile(
        path=path,
        file_name=path.name,
        channel="sale",
        mapping="headwater",
        actor=SYSTEM,
        pseudonym_key=b"benchmark",
        currency="CNY",
        timezone="Asia/Shanghai",
    )


def _with_rows_swapped(path: Path, other: Path) -> Path:
    """The same rows in a file with another digest."""
    with path.open("rb") as source, other.open("wb") as target:
        head, one, two = (source.readline() for _ in range(3))
        target.write(head + two + one)
        shutil.copyfileobj(source, target, 1 << 20)
    return other


MEASUREMENTS: dict[str, Callable[[Path, str], dict[str, float]]] = {
    "read": bare_read,
    "parse": parse,
    "checked": checked,
    "validate": validate,
    "json": json_lines,
    "insert": bare_insert,
    "import": imported,
}

if __name__ == "__main__":
    main()
