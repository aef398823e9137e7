"""The door to spot demand: histories in, quantiles of the periods ahead out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from forecasting import intervals
from forecasting.input.errors import ForecastInputError
from forecasting.input.panel import Named, Panel, read_panel
from forecasting.input.periods import CYCLES, parse_freq
from forecasting.input.progress import Progress
from forecasting.input.sifting import sift
from forecasting.known import factors
from forecasting.known.columns import Known, read_known
from forecasting.methods import shape
from forecasting.methods.points import Plan, Points, point_forecasts

Floats = NDArray[np.float64]
Bounds = dict[float, tuple[Floats, Floats]]

LONGEST_HORIZON = 1000
TIERS = ("auto", "bulk", "accurate", "explain")


def forecast_demand(
    history: Any,
    *,
    horizon: int,
    freq: str,
    season_length: int | Sequence[int] | None = None,
    levels: tuple[float, ...] = (80, 95),
    future: Any = None,
    calendar: Any = None,
    tier: str = "auto",
    end: Any = None,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
    client: Any = None,
    on_bad: Callable[[ForecastInputError], None] | None = None,
) -> pd.DataFrame:
    """Demand of each series in each of the `horizon` periods after its history.

    `history` (pandas or polars) holds `unique_id`, `ds` (the name of a period: one weekday for freq "W", a
    day, or the first or last day of a month, quarter or year; aware times count as their zone's clock shows
    them) and `y` (units ≥ 0). Rows may come in any order.
    Periods without a row between a series' first and last are 0; zeros before its first sale are not used.
    A series ends at its last row, or, if `end` is given, at the period that holds `end`: weeks without sales
    up to there count as 0, and rows after it are not looked at.

    The answer has `horizon` rows a series, series in order of first appearance: `unique_id`, `ds`, `mean`,
    `lo-80`, `hi-80`, … for each of `levels` (percent), `method`. Nothing is negative or missing, bounds are
    nested and hold the mean.

    `tier` is "bulk" for a million series (Theta and exponential smoothing, all series at once), "accurate"
    for a little more accuracy at twice the cost (the same at coarser periods too), "explain" for one model of
    statsmodels a series at a hundred times the cost; "auto" is "accurate" for the twentieth of the series
    that sells most, and "bulk" for the others. `method` says what was used:
    `theta+ets` for regular demand, with `+mapa` for coarser periods, `+ar` for autoregression on long
    histories, `+ses` for a share of the slow mean where demand is erratic, or `ses` alone; `damped-trend` in
    "explain"; each with `-s12` where a season of 12 was found. In every tier `imapa+tsb` is for intermittent
    demand, `mean-short` and `mean-sparse` for little history, `zero` for what never sold, `mean-fallback`
    where a fit failed.

    Seasons are looked for at the cycles of `freq` (a year of weeks, months or quarters, a week of days, a day
    and a week of hours), unless `season_length` names the one, or lists those, to look for.

    Further columns of `history` are what is known ahead: `price` (> 0), and others such as `promo`,
    `holiday` (0 or 1, or any number). `future` then holds `unique_id`, `ds` and the same columns for each
    period ahead, and forecasts and bounds are the effects learnt on the whole panel and each series
    (known.factors) times the forecast without them (`method` with `+known`). `in_stock` 0 in `history` says
    that a period's sales tell nothing of its demand; in `future`, where it may be left out, that nothing can
    be sold then: mean and bounds are 0. `calendar` is for what all series share, such as festivals: `ds` and
    any columns of numbers, a row per period, past and ahead; in periods without a row they are 0.

    `progress(done, total)` is called from time to time; what it raises ends the call. `processes` says
    how many cores to use. With `client`, a `distributed.Client`, its workers do the work instead, one block
    of series after the other; a worker that dies is made up for. The result depends on neither, nor on the
    order of rows.

    Raises ForecastInputError (series, row, ds, field and a sentence) for input that can't be forecast, also
    for a `future` that does not cover the periods ahead. With `on_bad`, series that have such a fault are
    left out of the answer, and `on_bad(error)` is called for each kind of fault; `error.affected` names them.
    """
    checked = check_levels(levels)
    _check_tier(tier)
    plan = Plan(
        _check_count(horizon, "horizon", LONGEST_HORIZON),
        _cycles(season_length, freq),
        _check_count(processes, "processes", 256),
        tier,
        client,
    )

    def read(past: Any, ahead: Any) -> tuple[Named, Known | None]:
        named = read_panel(past, freq=freq, end=end)
        return named, read_known(past, ahead, named, horizon=plan.horizon, calendar=calendar)

    named, known = sift(read, {"history": history, "future": future}, on_bad)
    points, found = _forecast(named.panel, known, plan=plan, levels=checked, progress=progress)
    return _frame(named, points, found)


def _forecast(
    panel: Panel,
    known: Known | None,
    *,
    plan: Plan,
    levels: tuple[float, ...],
    progress: Callable[[int, int], None] | None,
) -> tuple[Points, Bounds]:
    """Forecast the panel, or, with `known` columns, the panel freed of their effects times those ahead."""
    effects = None if known is None else factors.learn(panel, known)
    panel = panel if effects is None else effects.panel
    earlier = intervals.cuts(panel, plan=plan)
    told = Progress(progress, len(panel) + sum(len(cut.rows) for cut in earlier))
    points = point_forecasts(panel, plan=plan, step=told.step)
    errors = intervals.errors_of(panel, earlier=earlier, plan=plan, step=told.step)
    found = intervals.bounds(points, errors=errors, levels=levels)
    found = _bounds_of_never_sold(panel, points, found)
    if effects is None or known is None:
        return points, found
    return _with_effects(points, found, np.where(known.sellable, effects.factors, 0.0), effects.doubt)


def _with_effects(points: Points, found: Bounds, times: Floats, doubt: Floats) -> tuple[Points, Bounds]:
    """Forecasts and bounds of a panel freed of effects, `times` (n, h) the effects ahead.

    Widths of bounds and what the effects' `doubt` (n, h) moves the mean by add up as squares.
    """
    method = np.where(points.kind == shape.ZERO, points.method, points.method + "+known")
    bounds, mean = {}, points.mean
    for level, (low, high) in found.items():
        moved = norm.ppf(0.5 + level / 200) * doubt
        low = np.maximum(mean - np.hypot(mean - low, mean * np.expm1(-moved)), 0.0)
        bounds[level] = (low * times, (mean + np.hypot(high - mean, mean * np.expm1(moved))) * times)
    return replace(points, mean=points.mean * times, method=method), bounds


def _bounds_of_never_sold(panel: Panel, points: Points, found: Bounds) -> Bounds:
    """Never sold in n periods: a sale, of the smallest unit, has the chance ½ / (n + 1) (Jeffreys)."""
    never = points.kind == shape.ZERO
    unit = float(panel.values[panel.values > 0].min(initial=np.inf))
    unit = 1.0 if np.isinf(unit) else unit
    chance = 0.5 / (panel.observed + 1.0)
    for level, (_, high) in found.items():
        likely = never & (chance > (1 - level / 100) / 2)
        high[likely] = unit
    return found


def _frame(named: Named, points: Points, found: Bounds) -> pd.DataFrame:
    horizon = points.mean.shape[1]
    number = named.panel.last[:, None] + np.arange(1, horizon + 1)
    ds = pd.Series(named.calendar.stamp(number.ravel()))
    if named.zone is not None:
        ds = ds.dt.tz_localize(
            named.zone, ambiguous=np.ones(len(ds), dtype=bool), nonexistent="shift_forward"
        )
    cells: dict[str, Any] = {"unique_id": np.repeat(named.ids, horizon), "ds": ds}
    cells["mean"] = points.mean.ravel()
    for level, (low, high) in found.items():
        cells[f"lo-{level:g}"], cells[f"hi-{level:g}"] = low.ravel(), high.ravel()
    cells["method"] = np.repeat(points.method, horizon)
    return pd.DataFrame(cells)


def _check_tier(tier: str) -> None:
    if tier not in TIERS:
        raise ForecastInputError(f"Tier {tier!r} is not known; use one of {', '.join(TIERS)}.", field="tier")


def _check_count(value: Any, field: str, most: int) -> int:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 1 <= value <= most:
        raise ForecastInputError(
            f"{field} must be a whole number from 1 to {most}, not {value!r}.", field=field
        )
    return int(value)


def _cycles(season_length: Any, freq: Any) -> tuple[int, ...]:
    usual = CYCLES[parse_freq(freq)]
    if season_length is None:
        return usual
    given = list(season_length) if isinstance(season_length, (list, tuple)) else [season_length]
    return tuple(sorted({_check_count(one, "season_length", 10_000) for one in given}))


def check_levels(levels: Any) -> tuple[float, ...]:
    try:
        values = tuple(float(level) for level in levels)
    except (TypeError, ValueError) as error:
        raise ForecastInputError("levels must be percentages such as (80, 95).", field="levels") from error
    if not all(0 < level < 100 for level in values) or len(set(values)) != len(values):
        raise ForecastInputError("levels must be distinct percentages between 0 and 100.", field="levels")
    return tuple(sorted(values))
