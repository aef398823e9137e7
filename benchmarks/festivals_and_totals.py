"""What the calendar and the totals' own forecasts are worth, on the sample brand at several origins.

    python benchmarks/festivals_and_totals.py [--origins 2026-11-16 …] [--seed 20261111]

Each origin is forecast eight weeks ahead as series alone, as series with the calendar, and as a cycle does:
series, SKUs, regions and everything with the calendar, made to add up. For each level WAPE, bias, and the
share of weeks within the 80 % interval; that of sums of series alone is as if series erred independently.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.sample.buyers import BuyerPool
from app.sample.demand import history_start, spot_demand, spot_orders
from app.sample.facts import load_brand
from app.sample.festivals import festivals
from app.stages.catalog.queries import CalendarFact
from app.stages.forecasts.operations.hierarchy import KEYS, cells, forecast_hierarchy, forecast_kinds
from app.stages.forecasts.translate import festival_weeks

WEEKS = 8
ORIGINS = (
    "2026-01-19", "2026-02-16", "2026-03-16", "2026-04-13", "2026-05-18", "2026-06-22",
    "2026-08-03", "2026-08-24", "2026-09-14", "2026-10-05", "2026-10-26", "2026-11-16",
)  # fmt: skip
BOUNDS = ("lo_80", "hi_80")


def sold(origin: dt.date, seed: int) -> tuple[pl.DataFrame, list[CalendarFact]]:
    """Weekly units up to eight weeks after `origin`, and the calendar; SKUs and regions are numbered."""
    as_of = origin + dt.timedelta(weeks=WEEKS)
    demand, pool, orders = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(3))
    brand = load_brand()
    known = festivals(history_start(as_of), as_of + dt.timedelta(days=60))
    spot = spot_demand(brand, as_of=as_of, known=known, rng=demand)
    rows = spot_orders(brand, spot, known=known, pool=BuyerPool(brand, pool), rng=orders)
    units = rows.select(
        *(
            pl.col(name)
            .replace_strict({one.code: number for number, one in enumerate(all_of)})
            .alias(f"{name}_id")
            for name, all_of in (("sku", brand.skus), ("region", brand.regions))
        ),
        pl.from_epoch("at", time_unit="s").dt.offset_by("8h").dt.date().dt.truncate("1w").alias("week"),
        pl.col("quantity").alias("units"),
    )
    weekly = units.group_by("sku_id", "region_id", "week").agg(pl.col("units").sum())
    return weekly.sort("sku_id", "region_id", "week"), [
        CalendarFact(one.day, one.kind, one.name) for one in known
    ]


def summed(lines: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Sums of lines, their half-widths added as squares."""
    mean = pl.col("mean").sum()
    halves = [(pl.col(name) - pl.col("mean")).pow(2).sum().sqrt() for name in BOUNDS]
    return lines.group_by(*keys, "week").agg(
        mean, (mean - halves[0]).clip(lower_bound=0).alias("lo_80"), (mean + halves[1]).alias("hi_80")
    )


def figures(found: pl.DataFrame, came: pl.DataFrame, keys: tuple[str, ...]) -> tuple[float, float, float]:
    actual = came.group_by(*keys, "week").agg(pl.col("units").sum())
    held = found.join(actual, on=[*keys, "week"], how="left", nulls_equal=True).with_columns(
        pl.col("units").fill_null(0)
    )
    error, units = held["mean"] - held["units"], held["units"].sum()
    inside = held.select(pl.col("units").is_between(*(pl.col(name) for name in BOUNDS))).to_series()
    return float(error.abs().sum() / units), float(error.sum() / units), float(inside.mean())


def measure(origin: dt.date, seed: int) -> list[tuple[str, str, tuple[float, float, float]]]:
    weekly, days = sold(origin, seed)
    history = weekly.filter(pl.col("week") < origin)
    came = weekly.filter(pl.col("week") >= origin).join(history, on=["sku_id", "region_id"], how="semi")
    first = history["week"].min()
    assert isinstance(first, dt.date)
    until = origin + dt.timedelta(weeks=WEEKS)
    calendar = festival_weeks(days, first=first, start=origin, until=until)
    rows = []
    alone = {
        name: cells(forecast_kinds(history, ["series"], start=origin, horizon_weeks=WEEKS, calendar=told))
        for name, told in (("series alone", None), ("with calendar", calendar))
    }
    lines, totals = forecast_hierarchy(
        history, start=origin, horizon_weeks=WEEKS, calendar=calendar, processes=1, progress=lambda *_: None
    )
    for kind, keys in KEYS.items():
        for name, found in alone.items():
            rows.append((kind, name, figures(found if kind == "series" else summed(found, keys), came, keys)))
        whole = totals.filter(
            *(pl.col(one).is_not_null() == (one in keys) for one in ("sku_id", "region_id"))
        )
        rows.append((kind, "as a cycle", figures(lines if kind == "series" else whole, came, keys)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origins", nargs="+", default=list(ORIGINS))
    parser.add_argument("--seed", type=int, default=20261111)
    chosen = parser.parse_args()
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for origin in chosen.origins:
        for kind, name, three in measure(dt.date.fromisoformat(origin), chosen.seed):
            found.setdefault((kind, name), []).append(three)
            print(
                f"{origin} {kind:>7} {name:<14}" + "".join(f"{100 * one:8.1f}" for one in three), flush=True
            )
    print(f"{len(chosen.origins)} origins             WAPE   |bias|   in 80 %  (means)")
    for (kind, name), three in found.items():
        wape, bias, inside = np.abs(np.array(three)).mean(axis=0)
        print(f"{kind:>18} {name:<14}{100 * wape:8.1f}{100 * bias:8.1f}{100 * inside:8.1f}")


if __name__ == "__main__":
    main()
