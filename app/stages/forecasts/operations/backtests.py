"""What forecasts of one SKU would have been worth, made again from earlier weeks."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from app.core.errors import RuleBroken
from app.stages.catalog.queries import CalendarFact
from app.stages.forecasts import rules
from app.stages.forecasts.operations.accuracy import SERIES, WEEK, naive_errors
from app.stages.forecasts.translate import festival_weeks

MOST_ORIGINS = 6


@dataclass(frozen=True, slots=True)
class MethodScore:
    """Of `forecasts` (series × origins): errors over units sold, and the part of weeks inside the intervals.

    `wape_total` is that of the sums over all weeks ahead. None where nothing was sold.
    """

    method: str
    forecasts: int
    wape: float | None
    wape_total: float | None
    bias: float | None
    coverage_80: float
    coverage_95: float


@dataclass(frozen=True, slots=True)
class BacktestFact:
    """`scores` has one for each method; `mase` is all errors over those of repeating the last week known."""

    as_of: dt.date
    horizon_weeks: int
    origins: int
    series: int
    sold_units: int
    whole: MethodScore
    scores: tuple[MethodScore, ...]
    mase: float | None


def backtest(
    history: pl.DataFrame,
    *,
    as_of: dt.date,
    calendar: Sequence[CalendarFact] = (),
    horizon_weeks: int = rules.HORIZON_WEEKS,
) -> BacktestFact:
    """Forecast from up to six earlier weeks and hold it against what was sold. Reads and writes nothing.

    `history` has the columns of queries.spot_history; `calendar` are promotions and holidays of these weeks.

    Raises:
        RuleBroken: `history_empty` or `history_short`, when there is too little to learn from and to check.
    """
    start = rules.monday(as_of)
    sold = history.filter((pl.col("units") > 0) & (pl.col("week") < start)).sort(*SERIES, "week")
    first = sold["week"].min()
    if not isinstance(first, dt.date):
        raise RuleBroken("history_empty", f"Nothing of it was sold before {start}. Choose a later day.")
    weeks = (start - first).days // 7
    origins = min(weeks // horizon_weeks - 1, MOST_ORIGINS)
    if origins < 1:
        raise RuleBroken(
            "history_short",
            f"It was first sold {weeks} weeks before {start}; a backtest needs {2 * horizon_weeks}.",
        )
    import forecasting  # statsmodels takes seconds to load, and only a forecast needs it

    made = forecasting.backtest(
        sold.select(
            pl.format("{}:{}", *SERIES).alias("unique_id"),
            pl.col("week").alias("ds"),
            pl.col("units").alias("y"),
        ),
        horizon=horizon_weeks,
        freq="W",
        origins=origins,
        calendar=festival_weeks(calendar, first=first, start=start, until=start),
        end=start - WEEK,
    )
    *scores, whole = (_score(row) for row in made.to_dict("records"))
    actual, naive = _yardstick(sold, start=start, horizon_weeks=horizon_weeks, origins=origins)
    return BacktestFact(
        as_of=as_of,
        horizon_weeks=horizon_weeks,
        origins=origins,
        series=sold.select(pl.struct(SERIES).n_unique()).item(),
        sold_units=actual,
        whole=whole,
        scores=tuple(scores),
        mase=None if whole.wape is None or not naive else whole.wape * actual / naive,
    )


def _score(row: Mapping[Any, Any]) -> MethodScore:
    """One row of forecasting.backtest."""
    return MethodScore(
        method=str(row["method"]),
        forecasts=int(row["series"]),
        wape=_known(row["wape"]),
        wape_total=_known(row["wape-total"]),
        bias=_known(row["bias"]),
        coverage_80=float(row["coverage-80"]),
        coverage_95=float(row["coverage-95"]),
    )


def _known(share: float) -> float | None:
    return None if math.isnan(share) else float(share)


def _yardstick(sold: pl.DataFrame, *, start: dt.date, horizon_weeks: int, origins: int) -> tuple[int, float]:
    """Units sold in the weeks forecast, and what repeating the last week erred over as many weeks before."""
    actual, naive = 0, 0.0
    for back in range(1, origins + 1):
        origin = start - back * horizon_weeks * WEEK
        known = sold.filter(pl.col("week") < origin)
        ahead = sold.filter(pl.col("week").is_between(origin, origin + horizon_weeks * WEEK, closed="left"))
        actual += int(ahead.join(known, on=SERIES, how="semi")["units"].sum())
        naive += horizon_weeks * float(naive_errors(known, until=origin)["scale"].sum())
    return actual, naive
