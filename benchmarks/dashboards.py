"""What the dashboards ask of a large demand pool: rows of roll-ups read, and milliseconds.

    python benchmarks/dashboards.py [--skus 200] [--days 90] [--repeats 15] [--again] [--postgres URL]

The pool has a cell for each SKU, region (31) and day, in ten campaigns; with --again all of it was received
again as well. Rows are those of the level that a query reads, with its filters. The goals are at most 10,000
rows and 10 ms at the median; the floor is the shortest question, for the newest day, in the same turns.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import func, select

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from app.core import schema  # noqa: E402
from app.core.access import SYSTEM  # noqa: E402
from app.core.db import Database  # noqa: E402
from app.stages.catalog import operations as catalog  # noqa: E402
from app.stages.catalog import queries as codes  # noqa: E402
from app.stages.demand import operations as demand  # noqa: E402
from app.stages.demand import queries as demands  # noqa: E402
from app.stages.demand.operations import rollups  # noqa: E402
from app.stages.demand.operations.turns import take_turn  # noqa: E402
from app.stages.demand.queries.cells import level, received  # noqa: E402

NOW, FIRST = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC), dt.date(2026, 8, 1)
REGIONS, CAMPAIGNS, MONTH = 31, 10, dt.timedelta(days=28)
HEAD = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skus", type=int, default=200)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--again", action="store_true", help="every cell was received again as well")
    parser.add_argument("--postgres", default="", help="URL of a PostgreSQL database that may be emptied")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = Database(options.postgres or f"sqlite:///{folder}/pool.db")
        schema.migrate(db)
        if options.postgres:
            from support.postgres import empty

            empty(options.postgres)
        ids = _fill(db, Path(folder), skus=options.skus, days=options.days, again=options.again)
        cells = options.skus * REGIONS * options.days
        print(f"{cells:,} cells of SKU × region × day, medians of {options.repeats} turns")
        _measure(db, *ids, until=FIRST + dt.timedelta(days=options.days), repeats=options.repeats)
        db.dispose()


def _fill(db: Database, folder: Path, *, skus: int, days: int, again: bool) -> tuple[int, int]:
    """A campaign and a SKU to ask about."""
    named = [f"SKU-{number}" for number in range(skus)]
    lines = [
        f"C{number},C,,{named[number]},2026-08-01T00:00:00+08:00,"
        "2026-12-01T00:00:00+08:00,100,1.2,2026-12-07,,0:9.90\n"
        for number in range(CAMPAIGNS)
    ]
    (folder / "campaigns.csv").write_text(HEAD + "".join(lines), encoding="utf-8")
    regions = [f"R-{number}" for number in range(REGIONS)]
    with db.transaction() as session:
        goods = [(code, None, True) for code in named]
        catalog.register_unknown(session, skus=goods, regions=regions, timezone="Asia/Shanghai")
        demand.import_campaigns(session, path=folder / "campaigns.csv", actor=SYSTEM, now=NOW)
        here = take_turn(session, channel="sale", currency="CNY", now=NOW)
        sku_ids = codes.sku_ids(session)
        campaigns = [one.id for one in demands.list_campaigns(session)]
        sold = pl.DataFrame(
            {
                "sku_id": [sku_ids[code] for code in named],
                "campaign_id": [campaigns[number % CAMPAIGNS] for number in range(skus)],
            }
        )
        places = pl.DataFrame({"region_id": [id_ for id_, _ in codes.region_ids(session).values()]})
        last = FIRST + dt.timedelta(days=days - 1)
        dates = pl.select(day=pl.date_range(FIRST, last)).with_columns(
            channel_id=pl.lit(here.id), reason=pl.lit("valid")
        )
        measures = {name: pl.lit(3, dtype=pl.Int64) for name in rollups.MEASURES}
        measures["sketch"] = pl.lit(None, dtype=pl.Binary)
        cells = sold.join(places, how="cross").join(dates, how="cross").with_columns(**measures)
        nothing = {name: pl.lit(0, dtype=pl.Int64) for name in ("units", "valid_units", "amount_minor")}
        known = cells.with_columns(reason=pl.lit("duplicate"), **nothing)
        rollups.add(session, [cells, known] if again else [cells])
    return campaigns[0], sku_ids[named[0]]


def _measure(db: Database, campaign_id: int, sku_id: int, *, until: dt.date, repeats: int) -> None:
    campaign, sku, since = {"campaign_id": campaign_id}, {"sku_id": sku_id}, until - MONTH
    asked: dict[str, tuple[Any, dict[str, int], bool]] = {
        "newest day": (demands.latest_day, {}, False),
        "waterfall of everything": (demands.waterfall, {}, False),
        "waterfall of a campaign": (demands.waterfall, campaign, False),
        "waterfall of a SKU": (demands.waterfall, sku, False),
        "days of everything": (demands.daily_units, {}, False),
        "days of a campaign": (demands.daily_units, campaign, False),
        "days of a SKU in a campaign": (demands.daily_units, campaign | sku, False),
        "SKUs of 28 days": (demands.sku_units, {}, True),
    }
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(repeats):
        for name, (question, which, month) in asked.items():
            with db.reading() as session:
                started = time.perf_counter()
                question(session, **which, **({"since": since, "until": until} if month else {}))
                taken[name].append((time.perf_counter() - started) * 1000)
    for name, (_, which, month) in asked.items():
        table = received(level(sku_id=sku_id) if month else level(**which))
        query = select(func.count(table.day)).where(*(table[key] == value for key, value in which.items()))
        query = query.where(table.day >= since) if month else query
        with db.reading() as session:
            rows = int(session.scalar(query) or 0)
        print(f"  {name:<30} {rows:>8,} rows  {statistics.median(taken[name]):7.2f} ms")


if __name__ == "__main__":
    main()
