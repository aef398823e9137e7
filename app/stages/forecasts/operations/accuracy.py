"""Scoring: what was sold against what was forecast and planned, once for every week that is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.stages.forecasts import rules
from app.stages.forecasts.models import ForecastAccuracy, ForecastLine, ForecastOverride, ForecastRun
from app.stages.forecasts.queries import ForecastRunFact, counting_overrides, frame, get_run, spot_history

SERIES = ["sku_id", "region_id"]
QUANTILES = {"lo_95": 0.025, "lo_80": 0.1, "hi_80": 0.9, "hi_95": 0.975}
PLANNED = {"sku_id": pl.Int64, "region_id": pl.Int64, "week": pl.Date, "planned": pl.Float64}
CLASS_WEEKS = 52
"""Weeks before a run whose sales decide the class of a SKU."""
WEEK = dt.timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class ScoreFact:
    """`forecasts` counts weeks of runs that were scored now, `overrides` the overrides."""

    forecasts: int
    overrides: int


def score_forecasts(session: Session, *, as_of: dt.date) -> ScoreFact:
    """Score every week of every run, and every override, whose week was over before that of `as_of`.

    A week is scored once, when it is first over; what is corrected later does not change its score. A cell
    in which nothing was sold counts 0.
    """
    start = rules.monday(as_of)
    due, overrides = _due(session, start), _unscored(session, start)
    if not due and not overrides:
        return ScoreFact(0, 0)
    sold = spot_history(session, until=start)
    for run, weeks in due:
        _score_run(session, run, weeks, sold)
    scored = _score_overrides(session, overrides, sold)
    return ScoreFact(sum(len(weeks) for _, weeks in due), scored)


def _due(session: Session, start: dt.date) -> list[tuple[ForecastRunFact, list[dt.date]]]:
    """Runs with weeks that are over and not yet scored; locked, so that two turns don't score them twice."""
    scored = select(func.count(ForecastAccuracy.week.distinct())).where(
        ForecastAccuracy.run_id == ForecastRun.id
    )
    unfinished = select(ForecastRun.id).where(
        ForecastRun.as_of < start, ForecastRun.horizon_weeks > scored.scalar_subquery()
    )
    ids = session.scalars(unfinished.order_by(ForecastRun.id).with_for_update(key_share=True)).all()
    due = []
    for run_id in ids:
        run = get_run(session, run_id=run_id)
        assert run is not None
        known = select(ForecastAccuracy.week).where(ForecastAccuracy.run_id == run_id).distinct()
        done = set(session.scalars(known))
        weeks = [
            week for week in rules.horizon(run.as_of, run.horizon_weeks) if week < start and week not in done
        ]
        if weeks:
            due.append((run, weeks))
    return due


def _score_run(session: Session, run: ForecastRunFact, weeks: Sequence[dt.date], sold: pl.DataFrame) -> None:
    first = rules.monday(run.as_of)
    before = sold.filter(pl.col("week") < first)
    lines = frame(session, run_id=run.id, weeks=weeks)
    cells = (
        _with_planned(session, lines, weeks)
        .join(sold, on=[*SERIES, "week"], how="left")
        .join(_classes(before, since=first - CLASS_WEEKS * WEEK), on="sku_id", how="left")
        .with_columns(pl.col("units").fill_null(0), pl.col("sku_class").fill_null("C"))
        .join(naive_errors(before, until=first), on=SERIES, how="left")
    )
    scores = _summed(cells).with_columns(
        pl.lit(run.id).alias("run_id"), ((pl.col("week") - first).dt.total_days() // 7 + 1).alias("step")
    )
    if not scores.is_empty():
        session.execute(insert(ForecastAccuracy), scores.to_dicts())


def _with_planned(session: Session, lines: pl.DataFrame, weeks: Sequence[dt.date]) -> pl.DataFrame:
    """`planned` beside the mean: with the overrides that counted when the week began (at midnight UTC)."""
    said = [
        override
        for week in weeks
        for override in counting_overrides(
            session, weeks=[week], at=dt.datetime.combine(week, dt.time(), tzinfo=dt.UTC)
        )
    ]
    key = [*SERIES, "week"]
    means: dict[rules.Cell, dict[dt.date, float]] = {}
    touched = lines.filter(pl.col("sku_id").is_in({one.sku_id for one in said}))
    for sku_id, region_id, week, mean in touched.select(*key, "mean").iter_rows():
        means.setdefault((sku_id, region_id), {})[week] = mean
    rows = [
        (*cell, week, units)
        for cell, weekly in rules.override_means(means, said, regions=()).items()
        for week, units in weekly.items()
    ]
    planned = pl.DataFrame(rows, schema=PLANNED, orient="row")
    return lines.join(planned, on=key, how="left").with_columns(pl.coalesce("planned", "mean"))


def _classes(before: pl.DataFrame, *, since: dt.date) -> pl.DataFrame:
    volumes = before.filter(pl.col("week") >= since).group_by("sku_id").agg(pl.col("units").sum())
    classes = rules.abc_classes(dict(volumes.iter_rows()))
    return pl.DataFrame(
        list(classes.items()), schema={"sku_id": pl.Int64, "sku_class": pl.String}, orient="row"
    )


def naive_errors(history: pl.DataFrame, *, until: dt.date) -> pl.DataFrame:
    """What forecasting each week by the week before erred, in units a week: sku_id, region_id, scale > 0.

    `history` is by series and week; weeks that are left out, from the first sale to `until`, sold nothing.
    Series that never changed, or with a single week, are left out.
    """
    units, week = pl.col("units"), pl.col("week")
    follows = (pl.col("sku_id") == pl.col("sku_id").shift(-1)) & (
        pl.col("region_id") == pl.col("region_id").shift(-1)
    )
    upcoming = pl.when(follows).then(week.shift(-1)).otherwise(pl.lit(until))
    then = pl.when(follows).then(units.shift(-1)).otherwise(0)
    change = (
        pl.when(upcoming - week > WEEK)
        .then(units + then)  # down to a week without a sale, and up again
        .when(follows)
        .then((then - units).abs())
        .otherwise(0)
    )
    steps = (pl.lit(until) - week.min()).dt.total_days() // 7 - 1
    return (
        history.with_columns(change.alias("change"))
        .group_by(SERIES)
        .agg((pl.col("change").sum() / steps).alias("scale"))
        .filter(pl.col("scale").is_finite() & (pl.col("scale") > 0))
    )


def _summed(cells: pl.DataFrame) -> pl.DataFrame:
    """The ledger's sums by week, class and region."""
    units, error = pl.col("units"), (pl.col("units") - pl.col("mean")).abs()
    losses = [
        pl.max_horizontal(level * (units - pl.col(bound)), (level - 1) * (units - pl.col(bound)))
        for bound, level in QUANTILES.items()
    ]
    inside = [units.is_between(f"lo_{level}", f"hi_{level}") for level in (80, 95)]
    return cells.group_by("week", "sku_class", "region_id").agg(
        pl.len().alias("series"),
        units.sum().alias("sold_units"),
        pl.col("mean").sum().alias("forecast_units"),
        error.sum().alias("forecast_error"),
        (units - pl.col("planned")).abs().sum().alias("planned_error"),
        (error / pl.col("scale")).sum().alias("scaled_error"),
        pl.col("scale").count().alias("scaled_series"),
        pl.mean_horizontal(losses).sum().alias("pinball"),
        inside[0].sum().alias("covered_80"),
        inside[1].sum().alias("covered_95"),
    )


def _unscored(session: Session, start: dt.date) -> list[ForecastOverride]:
    query = select(ForecastOverride).where(
        ForecastOverride.week < start, ForecastOverride.sold_units.is_(None)
    )
    return list(session.scalars(query.order_by(ForecastOverride.id).with_for_update()))


def _score_overrides(session: Session, overrides: list[ForecastOverride], sold: pl.DataFrame) -> int:
    """Note what was sold, and what the run that each override spoke against had forecast.

    That is the last run of its week stored by then, else the first; without any there is nothing to score.
    """
    runs = session.execute(select(ForecastRun).order_by(ForecastRun.id)).scalars().all()
    scored = 0
    for one in overrides:
        covering = [run for run in runs if one.week in rules.horizon(run.as_of, run.horizon_weeks)]
        spoken_against = [run for run in covering if run.created_at <= one.created_at][-1:] or covering[:1]
        if not spoken_against:
            continue
        cell = (pl.col("sku_id") == one.sku_id) & (pl.col("week") == one.week)
        mean = select(func.sum(ForecastLine.mean)).where(
            ForecastLine.run_id == spoken_against[0].id,
            ForecastLine.sku_id == one.sku_id,
            ForecastLine.week == one.week,
        )
        if one.region_id is not None:
            cell &= pl.col("region_id") == one.region_id
            mean = mean.where(ForecastLine.region_id == one.region_id)
        one.forecast_units = float(session.scalar(mean) or 0.0)
        one.sold_units = int(sold.filter(cell)["units"].sum())
        scored += 1
    session.flush()
    return scored
