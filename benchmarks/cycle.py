"""One whole turn of the planning cycle on a year of real orders, on fresh databases.

    python -m benchmarks.cycle [--turns 2] [--file FILE] [--processes 2]

Imports the order file (default: the real one of HEADWATER_SHARED; a seeded stand-in of the same shape where
it is absent), generates a network for its SKUs, turns the cycle as of the day after the last order, and
explains the plan. Prints seconds for each phase, the ratio allocation : explaining it : forecast : import,
CPU and peak memory, and whether every turn gave the same plan.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import polars as pl

from app import cycle, questions
from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.jobs import Figures
from app.core.schema import migrate
from app.cycle import CycleFact
from app.stages.demand import operations as demand
from app.stages.demand import queries as demand_queries
from app.stages.stock import operations as stock
from benchmarks.generated_network import read_sold, write_network

ORDERS = "data/online_retail_2009_2010.parquet"
CURRENCY = "GBP"
LIMIT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn on a fresh database; seconds by phase, import and network included."""

    fact: CycleFact
    rows: int
    offers: int
    seconds: dict[str, float]

    @property
    def cycle_seconds(self) -> float:
        return sum(self.fact.seconds.values())


def order_file(folder: Path) -> tuple[Path, str]:
    """The real order file, or a stand-in written to the folder; and which of them it is."""
    shared = Path(os.environ.get("HEADWATER_SHARED") or Path(__file__).parents[2] / "shared")
    if (shared / ORDERS).exists():
        return shared / ORDERS, "real orders"
    path = folder / "stand-in.parquet"
    stand_in().write_parquet(path)
    return path, "generated stand-in"


def stand_in(*, lines: int = 525_461, skus: int = 4_000, regions: int = 40, seed: int = 0) -> pl.DataFrame:
    """A year of order lines: few SKUs and one region sell most, 2 % of orders are cancelled."""
    draw = np.random.default_rng(seed)
    order = np.sort(draw.integers(0, lines // 20, lines))
    cancelled = draw.random(lines // 20) < 0.02
    minute = np.sort(draw.integers(0, 373 * 24 * 60, lines // 20))[order]
    sku = (draw.pareto(0.9, lines) * skus / 12).astype(int) % skus
    region = np.minimum(draw.pareto(1.5, lines // 20) * 3, regions - 1).astype(int)[order]
    return pl.DataFrame(
        {
            "Invoice": [f"{'C' if cancelled[one] else ''}{489_434 + one}" for one in order.tolist()],
            "StockCode": [f"{20_000 + one}" for one in sku.tolist()],
            "Description": [f"SKU {20_000 + one}" for one in sku.tolist()],
            "Quantity": np.where(cancelled[order], -1, 1) * draw.geometric(0.12, lines),
            "InvoiceDate": pl.Series(minute.tolist()).cast(pl.Int64) * 60_000_000,
            "Price": (sku % 90 + 5) / 10,
            "Customer ID": [f"{12_000 + one % 4_300}" for one in order.tolist()],
            "Country": [f"Region {one:02d}" for one in region.tolist()],
        }
    ).with_columns(
        InvoiceDate=pl.lit(dt.datetime(2009, 12, 1)) + pl.duration(microseconds=pl.col("InvoiceDate"))
    )


def turn(folder: Path, path: Path, *, processes: int) -> Turn:
    """Import, generate the network, turn the cycle: everything on a database of its own."""
    folder.mkdir()
    config = _config(folder, processes)
    db = Database(config.database_url)
    seconds: dict[str, float] = {}
    try:
        migrate(db)
        rows = _timed(seconds, "import", lambda: _import(db, path, config))
        offers = _timed(seconds, "network", lambda: _network(db, folder / "network", config))
        with db.reading() as session:
            last = demand_queries.latest_day(session)
        assert last is not None
        now = dt.datetime.combine(last, dt.time(12), dt.UTC)
        fact = cycle.run_cycle(
            db,
            config=config,
            as_of=last + dt.timedelta(days=1),
            actor=SYSTEM,
            now=lambda: now,
            progress=_Steps(),
        )
        _timed(seconds, "explain", lambda: _explain(db, fact, now))
    finally:
        db.dispose()
    return Turn(fact, rows, offers, {**seconds, **fact.seconds})


def _config(folder: Path, processes: int) -> Config:
    return Config(
        database_url=f"sqlite:///{folder / 'benchmark.db'}",
        data_dir=folder,
        secret_key="benchmark",
        pseudonym_key=b"benchmark",
        currency=CURRENCY,
        timezone="Europe/London",
        worker_processes=processes,
    )


def _timed(seconds: dict[str, float], name: str, step: Callable[[], int]) -> int:
    started = time.perf_counter()
    result = step()
    seconds[name] = time.perf_counter() - started
    return result


def _import(db: Database, path: Path, config: Config) -> int:
    with db.transaction() as session:
        return demand.import_orders(
            session,
            path=path,
            file_name=path.name,
            channel="history",
            mapping="uci-online-retail",
            actor=SYSTEM,
            now=dt.datetime(2011, 1, 1, tzinfo=dt.UTC),
            pseudonym_key=config.pseudonym_key,
            currency=config.currency,
            timezone=config.timezone,
        ).read


def _explain(db: Database, fact: CycleFact, now: dt.datetime) -> int:
    found = questions.explain_plan(db, run_id=fact.allocation_run_id, now=lambda: now, progress=_Steps())
    return len(found.relief) + len(found.caps) + len(found.why)


def _network(db: Database, folder: Path, config: Config) -> int:
    rows = write_network(folder, read_sold(db), currency=CURRENCY)
    with db.transaction() as session:
        stock.import_network(
            session,
            directory=folder,
            actor=SYSTEM,
            now=dt.datetime(2011, 1, 1, tzinfo=dt.UTC),
            currency=config.currency,
        )
    return rows["supply_offers"]


class _Steps:
    """Says each new phase on stderr, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._phase = ""

    def __call__(self, phase: str, _done: int, _total: int, _figures: Figures | None = None, /) -> None:
        if phase != self._phase:
            print(f"  {time.perf_counter() - self._started:7.1f} s  {phase}", file=sys.stderr, flush=True)
            self._phase = phase


def _report(turns: list[Turn], source: str) -> None:
    first = turns[0]
    fact, seconds = first.fact, first.seconds
    print(f"{source}: {first.rows:,} rows, {first.offers:,} supply offers, as of {fact.as_of}")
    print(f"{fact.series:,} series, {fact.demand_units:,} units wanted, {fact.planned_units:,} planned")
    print(f"{fact.unmet_units:,} unmet, {fact.asked_lines:,} lines asked, {fact.alerts:,} alerts")
    print(f"plan cost {fact.plan_cost_minor / 100:,.2f} {fact.currency}, gap {fact.gap:.2%}")
    for number, one in enumerate(turns, start=1):
        phases = "  ".join(f"{name} {spent:.1f} s" for name, spent in one.seconds.items())
        print(f"turn {number}: {phases}  (cycle {one.cycle_seconds:.1f} s)")
    shares = " : ".join(
        f"{seconds[name] / seconds['import']:.1f}" for name in ("allocate", "explain", "forecast")
    )
    print(f"allocation : explaining it : forecast : import = {shares} : 1.0")
    print(
        f"peak memory {_peak(resource.RUSAGE_SELF):,} MB, of a child {_peak(resource.RUSAGE_CHILDREN):,} MB"
    )
    print(f"CPU {_cpu(resource.RUSAGE_SELF):,.0f} s, of children {_cpu(resource.RUSAGE_CHILDREN):,.0f} s")
    print(f"plan digests: {', '.join(sorted({one.fact.plan_digest[:16] for one in turns}))}")


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss // 1024


@click.command()
@click.option("--turns", default=2, show_default=True, help="Turns, each on a fresh database.")
@click.option("--file", "path", type=click.Path(path_type=Path, exists=True), help="Another order file.")
@click.option("--processes", default=2, show_default=True)
def main(turns: int, path: Path | None, processes: int) -> None:
    """Measure whole turns; exit 1 when they differ or one takes more than ten minutes."""
    with tempfile.TemporaryDirectory(prefix="headwater-benchmark-") as name:
        folder = Path(name)
        found, source = (path, path.name) if path else order_file(folder)
        done = [turn(folder / f"turn-{number}", found, processes=processes) for number in range(turns)]
    _report(done, source)
    if len({one.fact.plan_digest for one in done}) > 1:
        sys.exit("the same inputs gave different plans")
    if max(one.cycle_seconds for one in done) > LIMIT_SECONDS:
        sys.exit(f"a turn took more than {LIMIT_SECONDS} seconds")


if __name__ == "__main__":
    main()
