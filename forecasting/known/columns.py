"""The door of known-ahead columns: from frames to numbers on the panel's cells and on the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from forecasting.input import frames
from forecasting.input.errors import ForecastInputError
from forecasting.input.panel import Named, Panel, periods, positions
from forecasting.input.periods import off_grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REQUIRED = ("unique_id", "ds", "y")
PRICE, IN_STOCK = "price", "in_stock"
# With more columns a calendar lists single days, not kinds of days, and each is seen too seldom to learn.
MOST_CALENDAR = 60


@dataclass(frozen=True)
class Known:
    """k columns as regressors: `past` (cells, k) on the panel, `future` (n, h, k) ahead, 0 where all is as
    usual; `counted` (cells,) is false where nothing could be sold, `sellable` (n, h) where nothing can be."""

    past: Floats
    future: Floats
    counted: Flags
    sellable: Flags

    def cut(self, panel: Panel, back: int, rows: Ints, horizon: int) -> Known:
        """Series `rows` of `panel` `back` ≥ `horizon` periods ago; what came then is the future."""
        lengths = panel.lengths[rows] - back
        keep = positions(panel.offsets[rows], lengths)
        ahead = (panel.offsets[rows] + lengths)[:, None] + np.arange(horizon)
        return Known(self.past[keep], self.past[ahead], self.counted[keep], self.counted[ahead])

    def take(self, panel: Panel, rows: Ints) -> Known:
        """Series `rows` of `panel` only."""
        keep = positions(panel.offsets[rows], panel.lengths[rows])
        return Known(self.past[keep], self.future[rows], self.counted[keep], self.sellable[rows])


def extra_columns(frame: Any) -> list[str]:
    """Names of known-ahead columns: all but unique_id, ds and y."""
    if not isinstance(frame, (pd.DataFrame, pl.DataFrame)):
        return []
    return [name for name in map(str, frame.columns) if name not in REQUIRED]


def read_known(
    history: Any, future: Any, named: Named, *, horizon: int, calendar: Any = None
) -> Known | None:
    """Check the known-ahead columns of `history`, `future` and `calendar`, and lay them on `named`.

    None where there are none. `price` counts as the log of its ratio to the series' median, columns within
    0 and 1 (flags, shares) as they are, others as their difference from the series' mean over the panel's
    deviation. Periods of the history without a row are as usual. `in_stock` ≤ 0 says that nothing could be
    sold, or, in `future`, where it may be left out, that nothing can be. `future` is not needed with a
    horizon of 0. Rows of `future` outside the horizon, or of series without history, are not looked at.

    `calendar` has a row per period, `ds`, and columns that hold for all series; periods without a row are 0.
    """
    if future is not None:
        frames.columns(future, ("unique_id", "ds"), "future")
    given = [*extra_columns(history), *extra_columns(future)]
    if not given and calendar is None:
        return None
    names = [name for name in extra_columns(history) if name != IN_STOCK]
    for name in extra_columns(future):
        if name not in (*names, IN_STOCK):
            raise ForecastInputError(f"The future has the column {name}, the history has not.", field=name)
    past = _lay_past(history, named, [*names, *_stock(history)])
    ahead = _lay_future(future, named, names if future is None else [*names, *_stock(future)], horizon)
    counted = np.ones(len(named.panel.values), dtype=bool)
    if _stock(history):
        counted = ~(past[:, -1] <= 0)
    sellable = np.ones((len(named.panel), horizon), dtype=bool)
    if horizon and _stock(future):
        sellable = ahead[:, :, -1] > 0
    columns = [
        _regressor(name, past[:, place], ahead[:, :, place], named.panel) for place, name in enumerate(names)
    ]
    if calendar is not None:
        columns += _lay_calendar(calendar, named, horizon, taken=names)
    return Known(
        np.stack([one for one, _ in columns], axis=-1) if columns else np.empty((len(counted), 0)),
        np.stack([two for _, two in columns], axis=-1) if columns else np.empty((*sellable.shape, 0)),
        counted,
        sellable,
    )


def _lay_calendar(
    calendar: Any, named: Named, horizon: int, *, taken: list[str]
) -> list[tuple[Floats, Floats]]:
    """Each column as regressor on the cells (cells,) and ahead (n, h). What is wrong here is of no series."""
    try:
        return _columns_of_calendar(calendar, named, horizon, taken=taken)
    except ForecastInputError as error:
        sentence = error.sentence.replace("series calendar", "the calendar")
        found = ForecastInputError(sentence, field=error.field, row=error.row, ds=error.ds)
        found.frame = "calendar"
        raise found from error


def _columns_of_calendar(
    calendar: Any, named: Named, horizon: int, *, taken: list[str]
) -> list[tuple[Floats, Floats]]:
    cells = frames.columns(calendar, ("ds",), "calendar")
    names = [str(name) for name in calendar.columns if str(name) != "ds"]
    cells |= frames.columns(calendar, tuple(names), "calendar")
    for name in (name for name in names if name in (*REQUIRED, PRICE, IN_STOCK, *taken)):
        raise ForecastInputError(
            f"The calendar holds for all series: {name} belongs to history and future.", field=name
        )
    if len(names) > MOST_CALENDAR:
        raise ForecastInputError(
            f"The calendar has {len(names)} columns; give at most {MOST_CALENDAR}, one for each kind of day.",
            field="calendar",
        )
    owner = np.full(len(cells["ds"]), "calendar", dtype=object)
    stamps = frames.stamps(cells["ds"], "ds", owner).values
    period = named.calendar.number(stamps)
    _refuse_rows(off_grid(named.calendar, stamps, period), stamps, f"must be {named.calendar.label}")
    _refuse_rows(pd.Index(period).duplicated(), stamps, "has two rows for one period")
    panel = named.panel
    ahead = panel.last[:, None] + 1 + np.arange(horizon)
    found = []
    for name in names:
        column = frames.numbers(cells[name], name, owner, negative=True)
        table = pd.Series(column, index=period)
        past = np.asarray(table.reindex(periods(panel), fill_value=0.0), dtype=np.float64)
        to_come = np.asarray(table.reindex(ahead.ravel(), fill_value=0.0), dtype=np.float64)
        found.append(_regressor(name, past, to_come.reshape(ahead.shape), panel))
    return found


def _refuse_rows(wrong: Flags | None, stamps: Any, why: str) -> None:
    if wrong is not None and wrong.any():
        row = int(np.argmax(wrong))
        ds = pd.Timestamp(stamps[row])
        raise ForecastInputError(f"ds of the calendar {why}: {ds}.", field="ds", row=row + 1, ds=ds)


def _stock(frame: Any) -> list[str]:
    return [name for name in extra_columns(frame) if name == IN_STOCK]


def _lay_past(history: Any, named: Named, names: list[str]) -> Floats:
    """Columns on the panel's cells (cells, k), NaN where the history has no row."""
    series, period, cells = _rows(history, named, names, "history")
    panel = named.panel
    place = period - (panel.last - panel.lengths + 1)[series]
    inside = (place >= 0) & (period <= panel.last[series])
    found = np.full((len(panel.values), len(names)), np.nan)
    found[(panel.offsets[series] + place)[inside]] = cells[inside]
    return found


def _lay_future(future: Any, named: Named, names: list[str], horizon: int) -> Floats:
    """Columns on the horizon (n, h, k), each cell given."""
    found = np.full((len(named.panel), horizon, len(names)), np.nan)
    if not names or not horizon:
        return found
    if future is None:
        raise ForecastInputError(
            f"The history has the column {names[0]}; give a future frame with it, or leave it out.",
            field="future",
        )
    try:
        series, period, cells = _rows(future, named, names, "future")
    except ForecastInputError as error:
        error.frame = "future"
        raise
    step = period - named.panel.last[series] - 1
    ahead = (series >= 0) & (step >= 0) & (step < horizon)
    place = np.where(ahead, series * horizon + step, -1 - np.arange(len(series)))
    _refuse_twice(pd.Index(place).duplicated(), named, series, period)
    found[series[ahead], step[ahead]] = cells[ahead]
    missing = np.isnan(found[:, :, 0])
    if missing.any():
        row, step_missing = (int(axis[0]) for axis in np.nonzero(missing))
        number = np.array([named.panel.last[row] + 1 + step_missing])
        ds = pd.Timestamp(named.calendar.stamp(number)[0])
        raise ForecastInputError(
            f"The future frame has no row of series {named.ids[row]} for {ds:%Y-%m-%d}; it must hold each of "
            f"the {horizon} periods ahead.",
            field="future", series=named.ids[row], ds=ds, affected=named.ids[missing.any(axis=1)],
        )  # fmt: skip
    return found


def _refuse_twice(wrong: Flags, named: Named, series: Ints, period: Ints) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        name, ds = named.ids[series[row]], pd.Timestamp(named.calendar.stamp(period[row : row + 1])[0])
        error = ForecastInputError(
            f"The future frame has two rows of series {name} for {ds:%Y-%m-%d}; leave one out.",
            field="future", series=name, row=row + 1, ds=ds, affected=named.ids[series[wrong]],
        )  # fmt: skip
        error.frame = "future"
        raise error


def _rows(frame: Any, named: Named, names: list[str], what: str) -> tuple[Ints, Ints, Floats]:
    """Series (rows,), -1 for one without history, number of the period (rows,), and columns (rows, k)."""
    cells = frames.columns(frame, ("unique_id", "ds", *names), what)
    owner = frames.labels(cells["unique_id"], "unique_id")
    stamped = frames.stamps(cells["ds"], "ds", owner)
    period = named.calendar.number(stamped.values).astype(np.int64)
    _refuse_dates(stamped, period, named, owner, what)
    series = pd.Index(named.ids).get_indexer(pd.Index(owner)).astype(np.int64)
    columns = [frames.numbers(cells[name], name, owner, negative=name != PRICE) for name in names]
    for name, column in zip(names, columns, strict=True):
        if name == PRICE and (column <= 0).any():
            row = int(np.argmax(column <= 0))
            raise ForecastInputError(
                f"price of series {owner[row]} is 0; leave such rows out, or mark them by a column.",
                field=name, series=owner[row], row=row + 1, affected=owner[column <= 0],
            )  # fmt: skip
    return series, period, np.stack(columns, axis=-1) if columns else np.empty((len(owner), 0))


def _refuse_dates(stamped: frames.Stamped, period: Ints, named: Named, owner: Any, what: str) -> None:
    """Rows are of named periods, in the history's time zone if of any."""
    if stamped.zone is not None and str(stamped.zone) != str(named.zone):
        raise ForecastInputError(
            f"ds of the {what} is in {stamped.zone}, that of the history in {named.zone or 'no time zone'}.",
            field="ds", row=1,
        )  # fmt: skip
    wrong = off_grid(named.calendar, stamped.values, period)
    if wrong is not None:
        row = int(np.argmax(wrong))
        raise ForecastInputError(
            f"ds of series {owner[row]} in the {what} must be {named.calendar.label}.",
            field="ds", series=owner[row], row=row + 1, ds=pd.Timestamp(stamped.values[row]),
            affected=owner[wrong],
        )  # fmt: skip


def _regressor(name: str, past: Floats, ahead: Floats, panel: Panel) -> tuple[Floats, Floats]:
    """One column as regressor on the cells (cells,) and ahead (n, h), 0 where all is as usual."""
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    given = np.concatenate([past[~np.isnan(past)], ahead.ravel()])
    if name == PRICE:
        past, ahead = np.log(past), np.log(ahead)
    elif ((given >= 0) & (given <= 1)).all():
        return np.nan_to_num(past), ahead
    usual = pd.Series(past).groupby(owner).agg("median" if name == PRICE else "mean")
    center = usual.reindex(np.arange(len(panel))).to_numpy(dtype=float)
    # A series that never had a row with it (never sold) is as usual whatever comes.
    center = np.where(np.isnan(center), ahead.mean(axis=1) if ahead.size else 0.0, center)
    past, ahead = np.nan_to_num(past - center[owner]), ahead - center[:, None]
    if name == PRICE:
        return past, ahead
    scale = max(float(past.std()) if len(past) else 0.0, 1e-12)
    # What never varied has taught nothing, and must not count as far from usual ahead.
    return (past / scale, ahead / scale) if scale > 1e-12 else (0 * past, 0 * ahead)
