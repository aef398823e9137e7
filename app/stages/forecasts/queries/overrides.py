"""Overrides of the forecast: which there are, which count, and the units to plan with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.catalog import queries as catalog
from app.stages.forecasts.models import ForecastLine, ForecastOverride
from app.stages.forecasts.queries.runs import get_run
from app.stages.forecasts.queries.service import sku_bands, sku_classes
from app.stages.forecasts.rules import Cell, Override, horizon, override_means, whole_units
from app.stages.forecasts.rules.service import with_service


@dataclass(frozen=True, slots=True)
class OverrideFact:
    """`region_id` is None for all regions together.

    `counts` says that it is the latest of its SKU, region and week that is not withdrawn. `forecast_units`
    and `sold_units` are known once the week is over.
    """

    id: int
    sku_id: int
    region_id: int | None
    week: dt.date
    units: int
    reason: str
    created_by: str
    created_at: dt.datetime
    withdrawn_by: str | None
    withdrawn_at: dt.datetime | None
    forecast_units: float | None
    sold_units: int | None
    counts: bool


def list_overrides(
    session: Session,
    *,
    sku_id: int | None = None,
    region_id: int | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[OverrideFact]:
    """The newest first; with a region, those for it and those for all regions."""
    query = select(*_OVERRIDE).order_by(ForecastOverride.id.desc()).limit(limit)
    if sku_id is not None:
        query = query.where(ForecastOverride.sku_id == sku_id)
    if region_id is not None:
        query = query.where(
            or_(ForecastOverride.region_id == region_id, ForecastOverride.region_id.is_(None))
        )
    if before_id is not None:
        query = query.where(ForecastOverride.id < before_id)
    rows = session.execute(query).all()
    counting = {one.id for one in _counting(session, weeks=sorted({row.week for row in rows}))}
    return [OverrideFact(**row._mapping, counts=row.id in counting) for row in rows]


def get_override(session: Session, *, override_id: int) -> OverrideFact:
    """
    Raises:
        NotFound: `override_unknown`.
    """
    row = session.execute(select(*_OVERRIDE).where(ForecastOverride.id == override_id)).one_or_none()
    if row is None:
        raise NotFound("override_unknown", f"There is no override {override_id}.", override_id=override_id)
    counting = {one.id for one in _counting(session, weeks=[row.week])}
    return OverrideFact(**row._mapping, counts=row.id in counting)


def counting_overrides(
    session: Session, *, weeks: Sequence[dt.date], at: dt.datetime | None = None
) -> list[Override]:
    """What counts for these weeks, now or `at` an instant: one word a SKU, week, and region or all."""
    said = [Override._make(row[:4]) for row in _counting(session, weeks=weeks, at=at)]
    return sorted(said, key=lambda one: (one.sku_id, one.week, one.region_id or 0))


def planning_units(
    session: Session, *, run_id: int, service: Mapping[str, int] | None = None
) -> dict[Cell, dict[dt.date, int]]:
    """Whole units to plan by (SKU id, region id) and week: the run's means, with the overrides that count.

    Each SKU's total is kept within half a unit; overridden cells are exact.

    Args:
        service: percent by SKU class: such SKUs are planned to that quantile of their demand.
    """
    planned = _planned(session, run_id=run_id, sku_id=None)
    if service:
        bands = sku_bands(session, run_id=run_id)
        levels = {sku: service[one] / 100 for sku, one in sku_classes(bands).items() if one in service}
        planned = with_service(planned, bands, levels=levels, fixed=_overridden(session, run_id, planned))
    return whole_units(planned)


def _overridden(
    session: Session, run_id: int, planned: Mapping[Cell, Mapping[dt.date, float]]
) -> set[tuple[Cell, dt.date]]:
    """The cells and weeks a planner's word is about."""
    run = get_run(session, run_id=run_id)
    weeks = horizon(run.as_of, run.horizon_weeks) if run else ()
    said = {(one.sku_id, one.region_id, one.week) for one in counting_overrides(session, weeks=weeks)}
    return {
        (cell, week)
        for cell, by_week in planned.items()
        for week in by_week
        if (*cell, week) in said or (cell[0], None, week) in said
    }


def planned_weeks(
    session: Session, *, run_id: int, sku_id: int, region_id: int | None = None
) -> dict[dt.date, float]:
    """Units of one SKU by week, in a region or in all, with the overrides that count."""
    totals: dict[dt.date, float] = {}
    for (_, region), weeks in _planned(session, run_id=run_id, sku_id=sku_id).items():
        for week, units in weeks.items():
            if region_id in (None, region):
                totals[week] = totals.get(week, 0.0) + units
    return totals


def _planned(session: Session, *, run_id: int, sku_id: int | None) -> Mapping[Cell, Mapping[dt.date, float]]:
    """The means of a run, of one SKU or all, with the overrides that count."""
    columns = (ForecastLine.sku_id, ForecastLine.region_id, ForecastLine.week, ForecastLine.mean)
    query = select(*columns).where(ForecastLine.run_id == run_id)
    if sku_id is not None:
        query = query.where(ForecastLine.sku_id == sku_id)
    means: dict[Cell, dict[dt.date, float]] = {}
    for sku, region, week, mean in session.execute(query):
        means.setdefault((sku, region), {})[week] = mean
    run = get_run(session, run_id=run_id)
    if run is None:
        return {}
    said = counting_overrides(session, weeks=horizon(run.as_of, run.horizon_weeks))
    wanted = [one for one in said if sku_id in (None, one.sku_id)]
    if not wanted:
        return means
    return override_means(means, wanted, regions=[region.id for region in catalog.list_regions(session)])


_OVERRIDE: list[Any] = [
    getattr(ForecastOverride, field) for field in OverrideFact.__dataclass_fields__ if field != "counts"
]


def _counting(
    session: Session, *, weeks: Sequence[dt.date], at: dt.datetime | None = None
) -> Collection[Row[Any]]:
    """SKU, region, week, units and id of the latest override of each cell that is not withdrawn."""
    columns = ("sku_id", "region_id", "week", "units", "id")
    query = select(*(getattr(ForecastOverride, name) for name in columns))
    withdrawn = ForecastOverride.withdrawn_at
    if at is None:
        query = query.where(withdrawn.is_(None))
    else:
        query = query.where(ForecastOverride.created_at <= at, or_(withdrawn.is_(None), withdrawn > at))
    rows = session.execute(query.where(ForecastOverride.week.in_(weeks)).order_by(ForecastOverride.id))
    return {tuple(row[:3]): row for row in rows}.values()
