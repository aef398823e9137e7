"""What keeping buyers costs: CPU of an import of pledges and of single plain pledges, with and without.

    python benchmarks/buyers.py [--rows 300000] [--pledges 3000] [--repeats 5]

Without means that nobody is brought to a sketch, all else as it is. Runs take turns, each in a process and a
database of its own; CPU is that of the process and, on a throw-away PostgreSQL, of its backends.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

AT = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
CAMPAIGNS, DAYS = 4, 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--pledges", type=int, default=3_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measured(*options.only, pledges=options.pledges)))
        return
    from support import postgres

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pledges.parquet"
        pledges_file(path, options.rows)
        cluster = postgres.make_folder()
        try:
            url = postgres.start(cluster)
            postmaster = (cluster / "data" / "postmaster.pid").read_text().splitlines()[0]
            compare("SQLite", str(path), "sqlite", "0", options)
            compare("PostgreSQL", str(path), url, postmaster, options)
        finally:
            postgres.stop(cluster)


def compare(name: str, path: str, url: str, postmaster: str, options: Any) -> None:
    found: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
    for turn in range(options.repeats):
        for how in (("with", "without"), ("without", "with"))[turn % 2]:
            command = [sys.executable, __file__, "--pledges", str(options.pledges), "--only"]
            told = subprocess.run(
                [*command, path, url, postmaster, how], check=True, capture_output=True, text=True
            )
            found[how].append(json.loads(told.stdout.splitlines()[-1]))
    for what in ("import", "pledge"):
        kept, left = ([one[what] for one in found[how]] for how in ("with", "without"))
        pairs = statistics.median(one / other for one, other in zip(kept, left, strict=True))
        medians = f"{statistics.median(kept):.6f} s with, {statistics.median(left):.6f} without"
        least = min(kept) / min(left)
        print(f"{name} {what}: CPU {medians}; median of pairs {pairs:.3f}, least ÷ least {least:.3f}")


def pledges_file(path: Path, rows: int) -> None:
    """Pledges in order of time, one in eight of a buyer who came before."""
    line = pl.int_range(rows)
    at = pl.lit(AT) + pl.duration(seconds=line * (DAYS * 86_400 // rows or 1))
    pl.select(
        (pl.lit("P") + line.cast(pl.String).str.zfill(9)).alias("external_id"),
        pl.lit("pledge").alias("commitment"),
        (pl.lit("SKU") + (line % 20).cast(pl.String)).alias("sku"),
        (pl.lit("R") + (line * 7 % 12).cast(pl.String)).alias("region"),
        (line % 3 + 1).cast(pl.String).alias("quantity"),
        pl.lit("19.90").alias("unit_price"),
        pl.lit("CNY").alias("currency"),
        at.dt.strftime("%Y-%m-%dT%H:%M:%S+00:00").alias("ordered_at"),
        (pl.lit("buyer ") + pl.when(line % 8 == 7).then(line // 2).otherwise(line).cast(pl.String)).alias(
            "buyer"
        ),
        (pl.lit("C") + (line % CAMPAIGNS).cast(pl.String)).alias("campaign"),
    ).write_parquet(path)


def measured(path: str, url: str, postmaster: str, how: str, *, pledges: int) -> dict[str, float]:
    """CPU seconds of an import, and of one plain pledge, of this process and the database's."""
    from sqlalchemy import update

    from app import intake
    from app.core.access import SYSTEM
    from app.stages.demand import operations as demand
    from app.stages.demand.models import Campaign
    from app.stages.demand.operations import SentPledge, buyers, plain

    if how == "without":
        buyers.brought = lambda changes, signals: changes.with_columns(buyers._NOBODY)
        plain._sketch = lambda signal: None

    def cpu() -> float:
        backends = sum(map(used, children(int(postmaster)))) if int(postmaster) else 0.0
        return time.process_time() + backends

    with tempfile.TemporaryDirectory() as folder:
        db = prepared(folder, url)
        before = cpu()  # in decided campaigns nobody is suspected, which would take most of the time
        intake.import_orders(db, file=orders(path), now=lambda: AT)
        imported = cpu() - before
        with db.transaction() as session:
            session.execute(update(Campaign).values(state="open"))
        sent = [SentPledge("shop", cells(number)) for number in range(pledges + 200)]
        for place, one in enumerate(sent):
            if place == 200:  # statements are prepared
                before = cpu()
            with db.transaction() as session:
                assert demand.take_plain_pledge(session, sent=one, actor=SYSTEM, pseudonym_key=b"k")
        single = (cpu() - before) / pledges
        db.dispose()
    return {"import": imported, "pledge": single}


def prepared(folder: str, url: str) -> Any:
    """A new database with SKUs, regions and decided campaigns."""
    from sqlalchemy import insert

    from app.core import schema
    from app.core.db import Database
    from app.stages.catalog import operations as catalog
    from app.stages.demand.models import Campaign
    from support import postgres

    mine = f"sqlite:///{folder}/buyers.db"
    db = Database(mine if url == "sqlite" else postgres.create_database(url, f"b{time.time_ns()}"))
    schema.migrate(db)
    terms = {"name": "C", "state": "reached", "opens_at": AT - dt.timedelta(days=9), "expected_units": 1_000}
    terms |= {"closes_at": AT + dt.timedelta(days=90), "due_week": dt.date(2027, 3, 1)}
    with db.transaction() as session:
        skus = [(f"SKU{number}", None, True) for number in range(20)]
        regions = [f"R{number}" for number in range(12)]
        catalog.register_unknown(session, skus=skus, regions=regions, timezone="Asia/Shanghai")
        session.execute(insert(Campaign), [{"code": f"C{one}", **terms} for one in range(CAMPAIGNS)])
    return db


def orders(path: str) -> Any:
    from app.core.access import SYSTEM
    from app.stages.demand.operations import OrderFile

    return OrderFile(
        path=Path(path),
        file_name="pledges.parquet",
        channel="shop",
        mapping="headwater",
        actor=SYSTEM,
        pseudonym_key=b"k",
        currency="CNY",
        timezone="Asia/Shanghai",
    )


def cells(number: int) -> dict[str, str]:
    return {
        "external_id": f"S{number:09d}",
        "commitment": "pledge",
        "sku": f"SKU{number % 20}",
        "region": f"R{number % 12}",
        "quantity": "2",
        "unit_price": "19.90",
        "currency": "CNY",
        "ordered_at": (AT + dt.timedelta(minutes=number)).isoformat(),
        "buyer": f"single {number}",
        "campaign": f"C{number % CAMPAIGNS}",
    }


def children(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def used(pid: int) -> float:
    """CPU seconds of a process, and of those it waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / 100


if __name__ == "__main__":
    main()
