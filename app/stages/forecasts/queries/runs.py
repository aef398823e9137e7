"""Forecast runs: which there are, their lines and totals, and the history they stand on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl
from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.catalog import queries as catalog
from app.stages.catalog.models import Sku
from app.stages.demand import queries as demand
from app.stages.demand.models import CampaignDay, DemandDay
from app.stages.forecasts.models import ForecastLine, ForecastRun, ForecastTotal
from app.stages.forecasts.rules import monday


@dataclass(frozen=True, slots=True)
class ForecastRunFact:
    """`series` counts SKU × region pairs, `mean_units` is the sum of all means over all weeks."""

    id: int
    as_of: dt.date
    horizon_weeks: int
    fingerprint: str
    series: int
    mean_units: float
    created_by: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LineFact:
    """Units of one SKU in one region in the week that begins at Monday `week`."""

    sku_id: int
    region_id: int
    week: dt.date
    mean: float
    lo_80: float
    hi_80: float
    lo_95: float
    hi_95: float
    method: str


@dataclass(frozen=True, slots=True)
class WeekTotal:
    """Units of all series chosen, in the week that begins at Monday `week`."""

    week: dt.date
    mean: float
    lo_80: float
    hi_80: float
    lo_95: float
    hi_95: float


@dataclass(frozen=True, slots=True)
class WeekUnits:
    week: dt.date
    units: int


@dataclass(frozen=True, slots=True)
class FestivalWeek:
    """A week in which a promotion or holiday has `days` days."""

    week: dt.date
    kind: str
    name: str
    days: int


@dataclass(frozen=True, slots=True)
class FanChart:
    """What was sold by week, oldest first, what is forecast, and the promotions and holidays of both."""

    history: tuple[WeekUnits, ...]
    forecast: tuple[WeekTotal, ...]
    festivals: tuple[FestivalWeek, ...]


@dataclass(frozen=True, slots=True)
class MethodCount:
    """How many series a method made, and the units it stands for."""

    method: str
    series: int
    mean_units: float


def latest_run(session: Session, *, today: dt.date) -> ForecastRunFact | None:
    """The run to plan by: of the latest planning week up to that of `today`, the one stored last.

    One made later for an earlier week is history, one for a week to come counts only where there is no other.
    """
    over = monday(today) + dt.timedelta(weeks=1)
    reached = func.max(case((ForecastRun.as_of < over, ForecastRun.as_of)))
    last = session.scalar(select(func.coalesce(reached, func.max(ForecastRun.as_of))))
    if last is None:
        return None
    first = monday(last)
    of_week = ForecastRun.as_of.between(first, first + dt.timedelta(days=6))
    query = select(*_RUN).where(of_week).order_by(ForecastRun.id.desc()).limit(1)
    return ForecastRunFact(*session.execute(query).one())


def find_run(session: Session, *, fingerprint: str) -> ForecastRunFact | None:
    row = session.execute(select(*_RUN).where(ForecastRun.fingerprint == fingerprint)).one_or_none()
    return ForecastRunFact(*row) if row else None


def get_run(session: Session, *, run_id: int) -> ForecastRunFact | None:
    row = session.execute(select(*_RUN).where(ForecastRun.id == run_id)).one_or_none()
    return ForecastRunFact(*row) if row else None


def lines(
    session: Session, *, run_id: int, sku_id: int | None = None, region_id: int | None = None
) -> list[LineFact]:
    """The lines of a run by SKU, region and week."""
    query = _where(select(*_LINE), run_id, sku_id, region_id)
    query = query.order_by(ForecastLine.sku_id, ForecastLine.region_id, ForecastLine.week)
    return [LineFact(*row) for row in session.execute(query)]


def weekly_totals(
    session: Session, *, run_id: int, sku_id: int | None = None, region_id: int | None = None
) -> list[WeekTotal]:
    """Totals by week: of everything, a SKU or a region, or the lines of a SKU in a region."""
    table: type[ForecastLine] | type[ForecastTotal] = ForecastTotal
    if sku_id is not None and region_id is not None:
        table = ForecastLine
    columns = [getattr(table, field) for field in WeekTotal.__dataclass_fields__]
    query = select(*columns).where(
        table.run_id == run_id,
        table.sku_id.is_not_distinct_from(sku_id),
        table.region_id.is_not_distinct_from(region_id),
    )
    return [WeekTotal(*row) for row in session.execute(query.order_by(table.week))]


def method_mix(session: Session, *, run_id: int) -> list[MethodCount]:
    """The methods of a run, the one with most series first. All weeks of a series share one method."""
    first = select(func.min(ForecastLine.week)).where(ForecastLine.run_id == run_id).scalar_subquery()
    series = func.sum(case((ForecastLine.week == first, 1), else_=0))
    query = (
        select(ForecastLine.method, series, func.sum(ForecastLine.mean))
        .where(ForecastLine.run_id == run_id)
        .group_by(ForecastLine.method)
        .order_by(series.desc(), ForecastLine.method)
    )
    return [MethodCount(method, int(count), float(mean)) for method, count, mean in session.execute(query)]


def frame(session: Session, *, run_id: int, weeks: Sequence[dt.date] | None = None) -> pl.DataFrame:
    """The lines of a run, of all weeks or these, as a frame with LineFact's columns, by its first three."""
    query = _where(select(*_LINE), run_id, None, None)
    if weeks is not None:
        query = query.where(ForecastLine.week.in_(weeks))
    rows = session.execute(query).all()
    result = pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row")
    return result.sort("sku_id", "region_id", "week")


def fan_chart(
    session: Session, *, run_id: int, sku_id: int | None = None, region_id: int | None = None, weeks: int = 52
) -> FanChart:
    """The last `weeks` complete weeks before the run, and its forecast, for the series chosen.

    Raises:
        NotFound: there is no such run.
    """
    run = get_run(session, run_id=run_id)
    if run is None:
        raise NotFound("forecast_run_unknown", f"There is no forecast run {run_id}.", run_id=run_id)
    forecast = weekly_totals(session, run_id=run_id, sku_id=sku_id, region_id=region_id)
    start = monday(run.as_of)
    units: dict[dt.date, int] = {}
    since = start - dt.timedelta(weeks=weeks)
    for day, sold in _sold(session, since=since, until=start, sku_id=sku_id, region_id=region_id):
        units[monday(day)] = units.get(monday(day), 0) + sold
    past = [start - dt.timedelta(weeks=back) for back in range(weeks, 0, -1)]
    return FanChart(
        tuple(WeekUnits(week, units.get(week, 0)) for week in past),
        tuple(forecast),
        festivals(session, since=since, until=start + dt.timedelta(weeks=run.horizon_weeks)),
    )


def festivals(session: Session, *, since: dt.date, until: dt.date) -> tuple[FestivalWeek, ...]:
    """Promotions and holidays of the catalog's calendar by planning week, by week, kind and name."""
    days = catalog.calendar(session, since=since, until=until)
    counted = Counter((monday(day.day), day.kind, day.name) for day in days)
    return tuple(FestivalWeek(*key, count) for key, count in sorted(counted.items()))


def spot_history(
    session: Session, *, until: dt.date, sku_id: int | None = None, region_id: int | None = None
) -> pl.DataFrame:
    """Spot demand by complete week before `until`: sku_id, region_id, week, units.

    A week in which more came back than was sold counts as no sale: demand is never negative.
    """
    sold = demand.weekly_units(session, until=until, sku_id=sku_id, region_id=region_id)
    return sold.with_columns(pl.col("units").clip(lower_bound=0))


def _sold(
    session: Session, *, since: dt.date, until: dt.date, sku_id: int | None, region_id: int | None
) -> list[tuple[dt.date, int]]:
    """Spot units by day: all valid units of goods, then those of campaigns as negatives."""
    days: list[tuple[dt.date, int]] = []
    for table, sign in ((demand.counted(DemandDay), 1), (demand.counted(CampaignDay), -1)):
        query = (
            select(table.day, func.sum(table.valid_units))
            .join(Sku, Sku.id == table.sku_id)
            .where(table.day >= since, table.day < until, table.valid_units != 0, Sku.goods)
            .group_by(table.day)
        )
        if sku_id is not None:
            query = query.where(table.sku_id == sku_id)
        if region_id is not None:
            query = query.where(table.region_id == region_id)
        days += [(day, sign * int(units)) for day, units in session.execute(query)]
    return days


FRAME_SCHEMA = {
    "sku_id": pl.Int64,
    "region_id": pl.Int64,
    "week": pl.Date,
    **dict.fromkeys(("mean", "lo_80", "hi_80", "lo_95", "hi_95"), pl.Float64),
    "method": pl.String,
}
"""Columns of a forecast as a frame; those of LineFact, in its order."""
TOTAL_SCHEMA = {name: kind for name, kind in FRAME_SCHEMA.items() if name != "method"}
"""Columns of its totals: no region where it is of all regions, no SKU where it is of all SKUs."""

_RUN: list[Any] = [getattr(ForecastRun, field) for field in ForecastRunFact.__dataclass_fields__]
_LINE: list[Any] = [getattr(ForecastLine, field) for field in LineFact.__dataclass_fields__]


Query = TypeVar("Query", bound=Select)


def _where(query: Query, run_id: int, sku_id: int | None, region_id: int | None) -> Query:
    query = query.where(ForecastLine.run_id == run_id)
    if sku_id is not None:
        query = query.where(ForecastLine.sku_id == sku_id)
    if region_id is not None:
        query = query.where(ForecastLine.region_id == region_id)
    return query
