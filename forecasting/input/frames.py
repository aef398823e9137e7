"""The door's first half: a pandas or polars frame becomes checked arrays, or an error that says which row."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from forecasting.input.errors import ForecastInputError

Floats = NDArray[np.float64]

# Beyond this a number is no quantity of goods, and squares of it would leave the range of floats.
LARGEST = 1e15


@dataclass(frozen=True)
class Stamped:
    """Dates as wall-clock time (n,) of one `zone` (a tzinfo or its name, None for naive dates)."""

    values: NDArray[np.datetime64]
    zone: Any = None


def columns(frame: Any, names: tuple[str, ...], what: str) -> dict[str, Any]:
    """The named columns of `frame`, pandas Series or polars Series; the frame must have each of them once."""
    if not isinstance(frame, (pd.DataFrame, pl.DataFrame)):
        kind = type(frame).__name__
        raise ForecastInputError(f"The {what} must be a pandas or polars frame, not {kind}.", field=what)
    present = [str(name) for name in frame.columns]
    for name in names:
        if name not in present:
            have = "".join(one if one.isprintable() else "?" for one in ", ".join(present))[:300] or "none"
            raise ForecastInputError(f"The {what} lacks the column {name}; it has: {have}.", field=name)
        if present.count(name) > 1:
            raise ForecastInputError(f"The {what} has two columns {name}; leave one out.", field=name)
    places = [present.index(name) for name in names]
    if isinstance(frame, pl.DataFrame):
        return dict(zip(names, (frame.to_series(place) for place in places), strict=True))
    return dict(zip(names, (frame.iloc[:, place] for place in places), strict=True))


def labels(series: Any, field: str) -> NDArray[np.object_]:
    """Ids (n,) as given; a missing one is an error, and so is a list or another container."""
    cells = series.to_list()
    kinds = {kind for kind in set(map(type, cells)) if issubclass(kind, Sized) and kind not in (str, bytes)}
    if kinds:
        row = next(number for number, cell in enumerate(cells, 1) if type(cell) in kinds)
        raise ForecastInputError(f"{field} must be text or a number.", field=field, row=row)
    values = np.asarray(cells, dtype=object)
    empty = np.asarray(pd.isna(values), dtype=bool)
    if empty.any():
        raise ForecastInputError(f"A row has no {field}.", field=field, row=int(np.argmax(empty)) + 1)
    return values


def numbers(series: Any, field: str, owner: NDArray[np.object_], *, negative: bool = False) -> Floats:
    """Finite numbers (n,); NaN, infinities, text, and (unless `negative`) values below zero are errors."""
    values = _as_floats(series, field, owner)
    sold = field == "y"
    _refuse(np.isnan(values), "has no value" + "; give 0 where nothing was sold" * sold, field, owner)
    _refuse(np.isinf(values), "is infinite", field, owner)
    _refuse(np.abs(values) > LARGEST, f"is beyond {LARGEST:.0e}, which is no quantity", field, owner)
    if not negative:
        _refuse(values < 0, "is negative" + "; net returns off before, or clip at 0" * sold, field, owner)
    return values


def whole_numbers(series: Any, field: str, owner: NDArray[np.object_]) -> NDArray[np.int64]:
    """Whole numbers ≥ 0 (n,)."""
    values = numbers(series, field, owner)
    _refuse(values != np.floor(values), "is no whole number", field, owner)
    return values.astype(np.int64)


def stamps(series: Any, field: str, owner: NDArray[np.object_]) -> Stamped:
    """Dates or aware times (n,) of one time zone; text is read as ISO 8601, a Period by its first day."""
    if not len(series):
        return Stamped(np.empty(0, dtype="datetime64[ns]"))
    if isinstance(series, pl.Series):
        series = _from_polars(series)
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.start_time
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        parsed, zone = series.dt.tz_localize(None), dtype.tz
    elif np.issubdtype(dtype, np.datetime64) if isinstance(dtype, np.dtype) else False:
        parsed, zone = series, None
    elif pd.api.types.is_numeric_dtype(dtype):
        raise ForecastInputError(f"{field} must hold dates, not numbers.", field=field, row=1)
    else:
        parsed, zone = _parse(series, field, owner)
    values = parsed.to_numpy().astype("datetime64[us]")
    _refuse(np.isnat(values), "is no date; write it as 2024-12-30", field, owner)
    _refuse(_far(values), "is outside the years 1700 to 2200", field, owner)
    return Stamped(values.astype("datetime64[ns]"), zone)


def _far(values: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    low, high = np.datetime64("1700-01-01", "us"), np.datetime64("2200-01-01", "us")
    return np.asarray((values < low) | (values >= high), dtype=bool)


def _from_polars(series: Any) -> pd.Series[Any]:
    """Without pyarrow polars can't hand over aware times itself: pass wall-clock time and the zone."""
    zone = getattr(series.dtype, "time_zone", None)
    if zone is None:
        if series.dtype.is_temporal():
            return pd.Series(series.to_numpy())
        return pd.Series(series.to_list(), dtype=object)
    wall = pd.Series(series.dt.replace_time_zone(None).to_numpy())
    return wall.dt.tz_localize(zone, ambiguous=np.ones(len(wall), dtype=bool), nonexistent="shift_forward")


def _parse(series: pd.Series[Any], field: str, owner: NDArray[np.object_]) -> tuple[pd.Series[Any], Any]:
    """Dates, datetimes or ISO text in a column of objects; each distinct text is read once."""
    code, distinct = np.arange(len(series)), series.to_list()
    if all(isinstance(cell, str) for cell in distinct):
        code, texts = pd.factorize(np.asarray(distinct, dtype=object))
        distinct = list(texts)
    numeric = np.array([isinstance(cell, Number) and cell == cell for cell in distinct])
    _refuse(numeric[code], "is a number, not a date; write it as 2024-12-30", field, owner)
    parsed = [_cell(cell) for cell in distinct]
    bad = np.array([cell is pd.NaT for cell in parsed])
    _refuse(bad[code], "is no date; write it as 2024-12-30", field, owner)
    zones = np.array([str(cell.tzinfo) for cell in parsed])
    mixed = zones != zones[code[0]]
    _refuse(mixed[code], "is in another time zone than the first row; use one for all", field, owner)
    walls = np.array([cell.tz_localize(None).to_datetime64() for cell in parsed], dtype="datetime64[us]")
    return pd.Series(walls[code]), parsed[code[0]].tzinfo


def _cell(cell: Any) -> Any:
    """A date or time; of text only what begins with its year: 03/04/2025 is two days, "now" is any."""
    if isinstance(cell, str) and not cell.strip()[:4].isdigit():
        return pd.NaT
    try:
        return cell.start_time if isinstance(cell, pd.Period) else pd.Timestamp(cell)
    except (ValueError, TypeError, OverflowError):
        return pd.NaT


def _as_floats(series: Any, field: str, owner: NDArray[np.object_]) -> Floats:
    try:
        if isinstance(series, pl.Series):
            if series.dtype.is_temporal():
                raise TypeError("dates are no numbers")
            return np.asarray(series.cast(float).to_numpy(), dtype=np.float64)
        if series.dtype.kind in "mM":
            raise TypeError("dates are no numbers")
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    except Exception as error:
        bad = np.array([not _is_number(cell) for cell in series.to_list()], dtype=bool)
        _refuse(bad, "is no number", field, owner)
        raise ForecastInputError(f"{field} does not hold numbers.", field=field) from error


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return cell is None
    return True


def _refuse(wrong: Any, why: str, field: str, owner: NDArray[np.object_]) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ForecastInputError(
            f"{field} of series {owner[row]} {why}.", field=field, series=owner[row], row=row + 1,
            affected=owner[wrong],
        )  # fmt: skip
