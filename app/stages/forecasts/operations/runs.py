"""One forecast: freeze history and calendar, compute with no transaction open, store what came out."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import polars as pl
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor
from app.core.copying import copy_rows
from app.core.db import Base
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import Progress
from app.stages.catalog import queries as catalog
from app.stages.forecasts import rules
from app.stages.forecasts.models import ForecastRun
from app.stages.forecasts.operations.hierarchy import WEEK, forecast_hierarchy
from app.stages.forecasts.queries import (
    FRAME_SCHEMA,
    TOTAL_SCHEMA,
    ForecastRunFact,
    find_run,
    get_run,
    spot_history,
)
from app.stages.forecasts.translate import REACH, festival_weeks

METHOD = "weekly/8"
"""Part of the fingerprint: a change of method makes a new run of the same history."""


@dataclass(frozen=True, slots=True)
class ForecastInputs:
    """What a run is made from: sku_id, region_id, week, units ≥ 0. `quiet` series were left out.

    `calendar` has the weeks with promotions and holidays, past and ahead (translate.festival_weeks).
    """

    as_of: dt.date
    horizon_weeks: int
    history: pl.DataFrame
    calendar: pl.DataFrame | None
    quiet: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ForecastResult:
    """`lines` has the columns of queries.FRAME_SCHEMA, `totals` those of TOTAL_SCHEMA."""

    fingerprint: str
    lines: pl.DataFrame
    totals: pl.DataFrame


def freeze(session: Session, *, as_of: dt.date, horizon_weeks: int = rules.HORIZON_WEEKS) -> ForecastInputs:
    """Read the weekly history up to the last complete week before `as_of`.

    A week in which more came back than was sold counts as no sale. A series without a sale for a year is
    left out.
    """
    start = rules.monday(as_of)
    sold = spot_history(session, until=start)
    alive = start - dt.timedelta(weeks=rules.QUIET_WEEKS)
    keys = ["sku_id", "region_id"]
    active = sold.filter(pl.col("units") > 0).group_by(keys).agg(pl.col("week").max().alias("last"))
    kept = active.filter(pl.col("last") >= alive)
    history = sold.join(kept.select(keys), on=keys, how="semi").sort(*keys, "week")
    calendar = _calendar(session, history, start=start, horizon_weeks=horizon_weeks)
    return ForecastInputs(
        as_of,
        horizon_weeks,
        history,
        calendar,
        active.height - kept.height,
        _fingerprint(history, calendar, start, horizon_weeks),
    )


def _calendar(
    session: Session, history: pl.DataFrame, *, start: dt.date, horizon_weeks: int
) -> pl.DataFrame | None:
    first = history["week"].min()
    if not isinstance(first, dt.date):
        return None
    until = start + horizon_weeks * WEEK
    days = catalog.calendar(session, since=first - REACH, until=until + REACH)
    return festival_weeks(days, first=first, start=start, until=until)


def _fingerprint(
    history: pl.DataFrame, calendar: pl.DataFrame | None, start: dt.date, horizon_weeks: int
) -> str:
    digest = hashlib.sha256(f"{METHOD} {start} {horizon_weeks}\n".encode())
    digest.update(history.write_csv(include_header=False).encode())
    if calendar is not None:
        digest.update(calendar.write_csv().encode())
    return digest.hexdigest()


def compute(
    inputs: ForecastInputs, *, processes: int = 1, progress: Progress | None = None
) -> ForecastResult:
    """Forecast every series. Reads and writes nothing.

    Raises:
        RuleBroken: `history_empty` when nothing was sold before this day.
    """
    if inputs.history.is_empty():
        raise RuleBroken(
            "history_empty",
            f"Nothing was sold in the year before {inputs.as_of}. Import orders, or plan an earlier day.",
        )
    tell = progress or (lambda *_: None)
    lines, totals = forecast_hierarchy(
        inputs.history,
        start=rules.monday(inputs.as_of),
        horizon_weeks=inputs.horizon_weeks,
        calendar=inputs.calendar,
        processes=processes,
        progress=lambda done, total: tell("forecasting", done, total),
    )
    return ForecastResult(inputs.fingerprint, lines, totals)


def store(
    session: Session, *, inputs: ForecastInputs, result: ForecastResult, actor: Actor, now: dt.datetime
) -> ForecastRunFact:
    """Keep a run; one with the same fingerprint is returned instead of a second.

    Raises:
        Conflict: `forecast_stale` when the result belongs to other inputs, or demand moved since the freeze.
    """
    fresh = freeze(session, as_of=inputs.as_of, horizon_weeks=inputs.horizon_weeks)
    if not result.fingerprint == inputs.fingerprint == fresh.fingerprint:
        raise Conflict("forecast_stale", "This forecast was made from other inputs. Run the cycle again.")
    known = find_run(session, fingerprint=inputs.fingerprint)
    if known is not None:
        return known
    run = ForecastRun(
        as_of=inputs.as_of,
        horizon_weeks=inputs.horizon_weeks,
        fingerprint=inputs.fingerprint,
        series=result.lines.select(pl.struct("sku_id", "region_id").n_unique()).item(),
        mean_units=float(result.lines["mean"].sum()),
        created_by=actor.name,
        created_at=now,
    )
    session.add(run)
    session.flush()
    for into, rows, columns in (
        ("forecast_line", result.lines, FRAME_SCHEMA),
        ("forecast_total", result.totals, TOTAL_SCHEMA),
    ):
        _insert(session, rows.select(pl.lit(run.id).alias("run_id"), *columns), into=into)
    audit.record(
        session,
        actor=actor,
        action="forecast.stored",
        subject=f"forecast:{run.id}",
        data={"as_of": inputs.as_of.isoformat(), "series": run.series, "fingerprint": run.fingerprint},
        now=now,
    )
    stored = get_run(session, run_id=run.id)
    assert stored is not None
    return stored


def _insert(session: Session, lines: pl.DataFrame, *, into: str) -> None:
    """Hundreds of thousands of lines: COPY on PostgreSQL, one prepared statement on SQLite."""
    connection = session.connection()
    names = ", ".join(lines.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * lines.width)
        rows = lines.with_columns(pl.col("week").cast(pl.String)).rows()
        connection.exec_driver_sql(f"INSERT INTO {into} ({names}) VALUES ({marks})", rows)
        return
    copy_rows(session, lines, into=Base.metadata.tables[into])
