"""What the forecasts would have been worth: made again from earlier origins and held against what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting import demand
from forecasting.input.errors import ForecastInputError
from forecasting.input.panel import Named, Panel, read_panel
from forecasting.input.sifting import sift
from forecasting.known.columns import Known, read_known
from forecasting.methods.points import Plan, Points

Floats = NDArray[np.float64]


def backtest(
    history: Any,
    *,
    horizon: int,
    freq: str,
    origins: int = 1,
    season_length: int | Sequence[int] | None = None,
    levels: tuple[float, ...] = (80, 95),
    calendar: Any = None,
    end: Any = None,
    tier: str = "auto",
    processes: int = 1,
    client: Any = None,
    on_bad: Callable[[ForecastInputError], None] | None = None,
) -> pd.DataFrame:
    """Accuracy by method over the last `origins` origins, each `horizon` periods before the next.

    `history` and the other arguments are those of `forecast_demand`. Only what was known at an origin is
    used there, and of known-ahead columns what `history` says of the periods ahead; series without a sale by
    then are left out, since nobody knew of them. The answer has a row a method and one "all": `method`,
    `series` (forecasts made, series × origins), `wape` and `bias` (sums of absolute errors and of errors over
    sum of actuals, per period), `wape-total` (the same for the sum over the horizon), and `coverage-80`, …
    (shares of actuals within the bounds). Shares of nothing sold are NaN.

    Raises ForecastInputError for input that can't be forecast, and where nothing was sold before the last
    origin. With `on_bad`, series that have a fault are left out of the figures, and `on_bad(error)` is
    called for each kind of fault; `error.affected` names them.
    """
    checked = demand.check_levels(levels)
    demand._check_tier(tier)
    plan = Plan(
        demand._check_count(horizon, "horizon", demand.LONGEST_HORIZON),
        demand._cycles(season_length, freq),
        demand._check_count(processes, "processes", 256),
        tier,
        client,
    )

    def read(past: Any) -> tuple[Named, Known | None]:
        named = read_panel(past, freq=freq, end=end)
        return named, read_known(past, None, named, horizon=0, calendar=calendar)

    named, known = sift(read, {"history": history}, on_bad)
    times = demand._check_count(origins, "origins", 1000)
    parts = [
        _one_origin(named.panel, known, back * plan.horizon, plan, checked) for back in range(1, times + 1)
    ]
    cells = pd.concat(parts, ignore_index=True)
    if cells.empty:
        raise ForecastInputError("No series had a sale before the last origin.", field="history")
    rows = [_summary(str(method), part, checked) for method, part in cells.groupby("method", sort=True)]
    return pd.DataFrame([*rows, _summary("all", cells, checked)])


def _one_origin(
    panel: Panel, known: Known | None, back: int, plan: Plan, levels: tuple[float, ...]
) -> pd.DataFrame:
    """One row per series and period: series, method, actual, mean, and within each of `levels`."""
    earlier = panel.cut(back)
    rows = np.flatnonzero(earlier.lengths > 0)
    told = None if known is None else known.cut(panel, back, rows, plan.horizon)
    made, found = demand._forecast(earlier.take(rows), told, plan=plan, levels=levels, progress=None)
    start = panel.offsets[rows + 1] - back
    actual = panel.values[start[:, None] + np.arange(plan.horizon)]
    return _cells(made, actual, found, key=back)


def _cells(made: Points, actual: Floats, found: demand.Bounds, *, key: int) -> pd.DataFrame:
    count, horizon = actual.shape
    cells: dict[str, Any] = {
        "forecast": [(key, number) for number in np.repeat(np.arange(count), horizon)],
        "method": np.repeat(made.method, horizon),
        "actual": actual.ravel(),
        "mean": made.mean.ravel(),
    }
    for level, (low, high) in found.items():
        cells[f"within-{level:g}"] = ((actual >= low) & (actual <= high)).ravel()
    return pd.DataFrame(cells)


def _summary(method: str, cells: pd.DataFrame, levels: tuple[float, ...]) -> dict[str, Any]:
    error = cells["mean"] - cells["actual"]
    sold = float(cells["actual"].sum()) or float("nan")
    totals = error.groupby(cells["forecast"]).sum()
    found: dict[str, Any] = {
        "method": method,
        "series": len(totals),
        "wape": float(error.abs().sum()) / sold,
        "bias": float(error.sum()) / sold,
        "wape-total": float(totals.abs().sum()) / sold,
    }
    return found | {f"coverage-{level:g}": float(cells[f"within-{level:g}"].mean()) for level in levels}
