"""The door to landings: the final volume of running campaigns from their pledge curves.

Few finished curves are read by pick-up with credibility (curves.pickup), many by a Gaussian process
(curves.process), and between the two the weight moves over gradually. Running curves are landed in order of
how far they are: one that is nearly closed says, by its forecast, how campaigns go these days, long before
it has finished ("advanced" pick-up, Weatherford & Kimes 2003).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting.curves.pickup import Cells, campaign_pull, pick_up
from forecasting.curves.prior import Form, form_of
from forecasting.curves.process import Landed, Process
from forecasting.curves.scaled import Curves, read_curves
from forecasting.demand import check_levels
from forecasting.input.errors import ForecastInputError
from forecasting.input.progress import Progress
from forecasting.input.sifting import sift

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROCESS, METHOD, WITHOUT_HISTORY = "pickup-process", "pickup-credibility", "pickup-prior"
# Up to so many finished curves the process has no say, from so many on it alone.
FEW_CURVES, MANY_CURVES = 4, 10


def forecast_landing(
    finished: Any,
    running: Any,
    *,
    levels: tuple[float, ...] = (80, 95),
    progress: Callable[[int, int], None] | None = None,
    on_bad: Callable[[ForecastInputError], None] | None = None,
) -> pd.DataFrame:
    """Final volume of each running curve, by campaign, SKU and region.

    Both frames (pandas or polars) hold `campaign_id`, `sku`, `region`, `end`, `window_days`, `elapsed_day`
    (0 … window_days) and `cum_units` (units pledged up to that day, ≥ 0; they may fall, for net curves);
    `running` is cut at today, so the last row of a curve is where it stands. Days without a row are
    interpolated; a finished curve stays where its last row is. `finished` may have no rows, then a stated
    prior is used (curves.prior, method "pickup-prior", wide intervals); `running` may have
    none, then there is nothing to tell. Give all the campaigns that run: they tell of each other.
    `progress` is told curves landed and curves in all.

    The answer has a row per running curve in order of first appearance: `campaign_id`, `sku`, `region`,
    `elapsed_day`, `mean`, `median`, `lo-80`, `hi-80`, …, `method`. Units, not rounded, never negative,
    bounds nested; where no curve ever falls, nothing is below the units already there.

    Raises ForecastInputError (series = campaign, row, field and a sentence) for input that can't be used.
    With `on_bad`, campaigns that have such a fault are left out, of both frames and with all their curves,
    and `on_bad(error)` is called for each kind of fault; `error.affected` names them.
    """
    checked = check_levels(levels)
    frames = {"finished": finished, "running": running}
    known, now = sift(_read, frames, on_bad, key="campaign_id", asked="running")
    process = Process(known, now) if len(known) > FEW_CURVES and len(now) else None
    form = form_of(known, now)
    cells, told = [], Progress(progress, len(now))
    for share in np.unique(now.share)[::-1]:
        rows = np.flatnonzero(now.share == share)
        landed = _land(process, known, now, rows, form, checked)
        cells.append(pd.DataFrame(_named(now, rows) | landed, index=rows))
        told.step(len(rows))
    columns = _columns(checked)
    answer = pd.concat(cells) if cells else pd.DataFrame(columns=columns, dtype=object)
    return answer.sort_index()[columns].reset_index(drop=True)


def _read(finished: Any, running: Any) -> tuple[Curves, Curves]:
    return read_curves(finished, what="finished"), read_curves(running, what="running")


def _columns(levels: tuple[float, ...]) -> list[str]:
    bounds = [f"{side}-{level:g}" for level in levels for side in ("lo", "hi")]
    return ["campaign_id", "sku", "region", "elapsed_day", "mean", "median", *bounds, "method"]


def _named(now: Curves, rows: NDArray[np.int64]) -> dict[str, Any]:
    names = {"campaign_id": now.campaign, "sku": now.sku, "region": now.region}
    return {name: values[rows] for name, values in names.items()} | {"elapsed_day": now.elapsed_day[rows]}


def _land(
    process: Process | None, known: Curves, now: Curves, rows: Ints, form: Form, levels: tuple[float, ...]
) -> dict[str, Any]:
    """Forecast and method of the running curves `rows`, which stand at the same share of their window."""
    share = float(now.share[rows[0]])
    if process is None or share >= 1:
        found = pick_up(known, now, rows, share, form, levels)
        return {**found, "method": _all(METHOD if len(known) else WITHOUT_HISTORY, len(rows))}
    landed = process.land(rows, share, campaign_pull(known, now, rows, share, form))
    floor = now.units[rows] if known.gross and now.gross else np.zeros(len(rows))
    cells = _cells(landed, levels)
    weight = min((len(known) - FEW_CURVES) / (MANY_CURVES - FEW_CURVES), 1.0)
    if weight < 1:
        found = pick_up(known, now, rows, share, form, levels)
        cells = {name: weight * cells[name] + (1 - weight) * found[name] for name in cells}
    mixed = {name: np.maximum(values, floor) for name, values in cells.items()}
    process.learn(rows, mixed["mean"], np.maximum(landed.units_deviation, 1e-9))
    return {**mixed, "method": _all(PROCESS, len(rows))}


def _cells(landed: Landed, levels: tuple[float, ...]) -> Cells:
    median = landed.quantile(0.5)
    cells = {"mean": landed.mean, "median": median}
    low, high = np.minimum(landed.mean, median), np.maximum(landed.mean, median)
    for level in levels:
        tail = (1 - level / 100) / 2
        low, high = np.minimum(low, landed.quantile(tail)), np.maximum(high, landed.quantile(1 - tail))
        cells[f"lo-{level:g}"], cells[f"hi-{level:g}"] = low, high
    return cells


def _all(method: str, count: int) -> NDArray[np.object_]:
    return np.full(count, method, dtype=object)
