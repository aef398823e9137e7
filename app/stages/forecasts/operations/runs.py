"""One forecast: freeze the history, compute with no transaction open, store what came out."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import polars as pl
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor
from app.core.db import copy_rows
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import Progress
from app.stages.forecasts import rules
from app.stages.forecasts.models import ForecastRun
from app.stages.forecasts.queries import FRAME_SCHEMA, ForecastRunFact, find_run, get_run, spot_history

METHOD = "weekly/3"
"""Part of the fingerprint: a change of method makes a new run of the same history."""


@dataclass(frozen=True, slots=True)
class ForecastInputs:
    """What a run is made from: sku_id, region_id, week, units ≥ 0. `quiet` series were left out."""

    as_of: dt.date
    horizon_weeks: int
    history: pl.DataFrame
    quiet: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ForecastResult:
    """`lines` has the columns of queries.FRAME_SCHEMA."""

    fingerprint: str
    lines: pl.DataFrame


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
    return ForecastInputs(
        as_of,
        horizon_weeks,
        history,
        active.height - kept.height,
        _fingerprint(history, start, horizon_weeks),
    )


def _fingerprint(history: pl.DataFrame, start: dt.date, horizon_weeks: int) -> str:
    digest = hashlib.sha256(f"{METHOD} {start} {horizon_weeks}\n".encode())
    digest.update(history.write_csv(include_header=False).encode())
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
    import forecasting  # statsmodels takes seconds to load, and only a forecast needs it

    start = rules.monday(inputs.as_of)
    series = pl.format("{}:{}", pl.col("sku_id"), pl.col("region_id"))
    frame = inputs.history.select(
        series.alias("unique_id"), pl.col("week").alias("ds"), pl.col("units").alias("y")
    )
    made = forecasting.forecast_demand(
        frame,
        horizon=inputs.horizon_weeks,
        freq="W",
        end=start - dt.timedelta(weeks=1),
        processes=processes,
        progress=None if progress is None else lambda done, total: progress("forecasting", done, total),
    )
    return ForecastResult(inputs.fingerprint, _lines(pl.from_pandas(made)))


def _lines(made: pl.DataFrame) -> pl.DataFrame:
    key = pl.col("unique_id").str.split_exact(":", 1)
    return made.select(
        key.struct.field("field_0").cast(pl.Int64).alias("sku_id"),
        key.struct.field("field_1").cast(pl.Int64).alias("region_id"),
        pl.col("ds").cast(pl.Date).alias("week"),
        "mean",
        *(pl.col(f"{side}-{level}").alias(f"{side}_{level}") for level in (80, 95) for side in ("lo", "hi")),
        "method",
    ).cast(FRAME_SCHEMA)  # type: ignore[arg-type]


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
    _insert_lines(session, result.lines.select(pl.lit(run.id).alias("run_id"), *FRAME_SCHEMA))
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


def _insert_lines(session: Session, lines: pl.DataFrame) -> None:
    """Hundreds of thousands of lines: COPY on PostgreSQL, one prepared statement on SQLite."""
    connection = session.connection()
    names = ", ".join(lines.columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * lines.width)
        rows = lines.with_columns(pl.col("week").cast(pl.String)).rows()
        connection.exec_driver_sql(f"INSERT INTO forecast_line ({names}) VALUES ({marks})", rows)
        return
    copy_rows(session, lines, into="forecast_line")
