"""Forecasts of every SKU × region, and of SKUs, regions and everything, made to add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from app.stages.forecasts.queries import FRAME_SCHEMA, TOTAL_SCHEMA

KEYS = {"series": ("sku_id", "region_id"), "sku": ("sku_id",), "region": ("region_id",), "all": ()}
TURNS = (("series",), ("sku",), ("region", "all"))
"""What is forecast together, and so shares its intervals' errors."""
WEEK = dt.timedelta(weeks=1)
PARTS = 1000
"""Progress is told in thousandths: what is forecast last is not known to the first."""


def forecast_hierarchy(
    history: pl.DataFrame,
    *,
    start: dt.date,
    horizon_weeks: int,
    calendar: pl.DataFrame | None,
    processes: int,
    progress: Callable[[int, int], None],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines (FRAME_SCHEMA) and totals (TOTAL_SCHEMA) of the weeks from `start` on.

    Totals are forecast themselves: sparse series hardly show a season that their sum shows plainly, and the
    intervals of a total come from errors that totals made. Then all are made to add up.
    """
    import forecasting  # statsmodels takes seconds to load, and only a forecast needs it

    made = [
        forecast_kinds(
            history,
            group,
            start=start,
            horizon_weeks=horizon_weeks,
            calendar=calendar,
            # Totals are few and count for much; of the series those that sell most are done as well.
            tier="auto" if number == 0 else "accurate",
            processes=processes,
            progress=_part(progress, number, len(TURNS)),
        )
        for number, group in enumerate(TURNS)
    ]
    keys = history.select("sku_id", "region_id").unique(maintain_order=True)
    groups = keys.select(
        _name("series").alias("unique_id"), *(_name(kind).alias(kind) for kind in ("sku", "region", "all"))
    )
    found = cells(pl.from_pandas(forecasting.reconcile(pl.concat(made), groups)))
    bottom = pl.col("sku_id").is_not_null() & pl.col("region_id").is_not_null()
    lines = found.filter(bottom).select(FRAME_SCHEMA.keys()).cast(FRAME_SCHEMA)  # type: ignore[arg-type]
    totals = found.filter(~bottom).select(TOTAL_SCHEMA.keys()).cast(TOTAL_SCHEMA)  # type: ignore[arg-type]
    return lines, totals


def forecast_kinds(
    history: pl.DataFrame,
    kinds: Sequence[str],
    *,
    start: dt.date,
    horizon_weeks: int,
    calendar: pl.DataFrame | None,
    tier: str = "auto",
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """The package's answer on all series or totals of these kinds (of KEYS), each by itself."""
    import forecasting

    made = forecasting.forecast_demand(
        pl.concat([_summed(history, kind) for kind in kinds]),
        horizon=horizon_weeks,
        freq="W",
        end=start - WEEK,
        calendar=calendar,
        tier=tier,
        processes=processes,
        progress=progress,
    )
    return pl.from_pandas(made)


def _part(progress: Callable[[int, int], None], number: int, count: int) -> Callable[[int, int], None]:
    return lambda done, total: progress(PARTS * number + PARTS * done // max(total, 1), PARTS * count)


def _name(kind: str) -> pl.Expr:
    """What a series or total is called: SKU and region, each left out where it stands for all."""
    parts = [
        pl.col(column).cast(pl.String) if column in KEYS[kind] else pl.lit("")
        for column in ("sku_id", "region_id")
    ]
    return pl.format("{}:{}", *parts)


def _summed(history: pl.DataFrame, kind: str) -> pl.DataFrame:
    """unique_id, ds, y of all series or totals of a kind."""
    named = history.select(_name(kind).alias("unique_id"), pl.col("week").alias("ds"), "units")
    summed = named.group_by("unique_id", "ds", maintain_order=True).agg(pl.col("units").sum().alias("y"))
    return summed.sort("ds", maintain_order=True) if kind != "series" else summed


def cells(made: pl.DataFrame) -> pl.DataFrame:
    """An answer of the package with SKU and region in place of names, null where they stand for all."""
    key = pl.col("unique_id").str.split_exact(":", 1)
    bounds: list[Any] = [
        pl.col(f"{side}-{level}").alias(f"{side}_{level}") for level in (80, 95) for side in ("lo", "hi")
    ]
    return made.select(
        *(
            pl.when(part != "").then(part).cast(pl.Int64).alias(column)
            for column, part in (
                ("sku_id", key.struct.field("field_0")),
                ("region_id", key.struct.field("field_1")),
            )
        ),
        pl.col("ds").cast(pl.Date).alias("week"),
        "mean",
        *bounds,
        "method",
    )
