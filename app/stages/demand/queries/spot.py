"""Spot demand by week: what was ordered outside of campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Date, SQLColumnExpression, cast, func, select
from sqlalchemy.orm import Session

from app.stages.catalog.models import Sku
from app.stages.demand.models import LIGHTER, CampaignDay, DemandDay, Signal
from app.stages.demand.queries.cells import Columns, counted
from app.stages.demand.queries.weights import weights
from app.stages.demand.rules import Reason, kind_reason
from app.stages.demand.rules.weights import whole

_WEEKLY_SCHEMA = {"sku_id": pl.Int64, "region_id": pl.Int64, "week": pl.Date, "units": pl.Int64}


def weekly_units(
    session: Session, *, until: dt.date, sku_id: int | None = None, region_id: int | None = None
) -> pl.DataFrame:
    """Spot demand by planning week: units of goods that belong to no campaign, of all cells or some.

    Paid orders count as a whole; of every lighter commitment the part that is expected to be paid.

    Returns:
        sku_id (Int64), region_id (Int64), week (Date, its Monday), units (Int64), sorted by the first three;
        cells without units are left out. Returns count in the week they came back, so a cell can be negative.
        Signals of business days from `until` on are not counted.
    """
    everything, pledged = (
        _weekly(session, table=counted(finest), until=until, sku_id=sku_id, region_id=region_id)
        for finest in (DemandDay, CampaignDay)
    )
    pledged = pledged.with_columns(-pl.col("units"))
    lighter = _lighter(session, until=until, sku_id=sku_id, region_id=region_id)
    return (
        pl.concat([everything, pledged, lighter])
        .group_by("sku_id", "region_id", "week")
        .agg(pl.col("units").sum())
        .filter(pl.col("units") != 0)
        .sort("sku_id", "region_id", "week")
    )


def _weekly(
    session: Session, *, table: Columns, until: dt.date, sku_id: int | None, region_id: int | None
) -> pl.DataFrame:
    week = _monday(session, table.day)
    query = (
        select(table.sku_id, table.region_id, week, func.sum(table.valid_units))
        .join(Sku, Sku.id == table.sku_id)
        .where(table.day < until, table.valid_units != 0, Sku.goods)
        .group_by(table.sku_id, table.region_id, week)
    )
    if sku_id is not None:
        query = query.where(table.sku_id == sku_id)
    if region_id is not None:
        query = query.where(table.region_id == region_id)
    rows = session.execute(query).all()
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    frame = pl.DataFrame(
        [pl.Series(name, values) for name, values in zip(_WEEKLY_SCHEMA, columns, strict=True)]
    )
    if frame.schema["week"] == pl.String:  # SQLite computes with days as text
        frame = frame.with_columns(pl.col("week").str.to_date("%Y-%m-%d"))
    return frame.cast(_WEEKLY_SCHEMA)  # type: ignore[arg-type]


def _lighter(session: Session, *, until: dt.date, sku_id: int | None, region_id: int | None) -> pl.DataFrame:
    """What commitments outside of campaigns that are no paid orders add to their valid units, mostly less.

    Few signals are such, so they are counted themselves.
    """
    week = _monday(session, Signal.day)
    cell = (Signal.sku_id, Signal.region_id, week, Sku.category, Signal.commitment)
    query = (
        select(*cell, func.sum(Signal.quantity))
        .join(Sku, Sku.id == Signal.sku_id)
        .where(LIGHTER, Signal.day < until, Signal.reason.in_([Reason.VALID, Reason.INTEREST]), Sku.goods)
        .group_by(*cell)
    )
    if sku_id is not None:
        query = query.where(Signal.sku_id == sku_id)
    if region_id is not None:
        query = query.where(Signal.region_id == region_id)
    rows = session.execute(query).all()
    known = weights(session)
    cells: dict[tuple[int, int, Any], list[int]] = {}
    for sku, region, monday, category, commitment, units in rows:
        sums = cells.setdefault((sku, region, monday), [0, 0])
        sums[0] += int(units) * known.of(category, commitment)
        sums[1] += int(units) if kind_reason(commitment) is Reason.VALID else 0
    frame = pl.DataFrame(
        [(*key, whole(worth) - counted_already) for key, (worth, counted_already) in cells.items()],
        schema={**_WEEKLY_SCHEMA, "week": pl.String if _texts(rows) else pl.Date},
        orient="row",
    )
    if frame.schema["week"] == pl.String:
        frame = frame.with_columns(pl.col("week").str.to_date("%Y-%m-%d"))
    return frame


def _texts(rows: Sequence[Any]) -> bool:
    """SQLite computes with days as text."""
    return bool(rows) and isinstance(rows[0][2], str)


def _monday(session: Session, day: SQLColumnExpression[dt.date]) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "sqlite":
        return func.date(
            day, "weekday 0", "-6 days"
        )  # the Sunday at or after the day, then back to its Monday
    return cast(func.date_trunc("week", day), Date)
