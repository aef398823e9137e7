"""The door's first half: a pandas or polars frame becomes checked arrays, or an error that says which row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting.errors import ForecastInputError

Floats = NDArray[np.float64]

# Beyond this a number is no quantity of goods, and squares of it would leave the range of floats.
LARGEST = 1e15


@dataclass(frozen=True)
class Stamped:
    """Dates as wall-clock time (n,) of one `zone` (a tzinfo or its name, None for naive dates)."""

    values: NDArray[np.datetime64]
    zone: Any = None


def columns(frame: Any, names: tuple[str, ...], what: str) -> dict[str, Any]:
    """The named columns of `frame` as pandas Series or polars Series; the frame must have them and a row."""
    present = getattr(frame, "columns", None)
    if present is None or not hasattr(frame, "__getitem__") or isinstance(frame, str):
        kind = type(frame).__name__
        raise ForecastInputError(f"The {what} must be a pandas or polars frame, not {kind}.", field=what)
    missing = [name for name in names if name not in list(present)]
    if missing:
        have = ", ".join(map(str, present)) or "none"
        raise ForecastInputError(
            f"The {what} lacks the column {missing[0]}; it has: {have}.", field=missing[0]
        )
    return {name: frame[name] for name in names}


def labels(series: Any, field: str) -> NDArray[np.object_]:
    """Ids (n,) as given; a missing one is an error."""
    values = np.asarray(series.to_list(), dtype=object)
    empty = np.asarray(pd.isna(values), dtype=bool)
    if empty.any():
        raise ForecastInputError(f"A row has no {field}.", field=field, row=int(np.argmax(empty)) + 1)
    return values


def numbers(series: Any, field: str, owner: NDArray[np.object_], *, negative: bool = False) -> Floats:
    """Finite numbers (n,); NaN, infinities, text, and (unless `negative`) values below zero are errors."""
    values = _as_floats(series, field, owner)
    _refuse(np.isnan(values), "has no value; give 0 where nothing was sold", field, owner)
    _refuse(np.isinf(values), "is infinite", field, owner)
    _refuse(np.abs(values) > LARGEST, f"is beyond {LARGEST:.0e}, which is no quantity", field, owner)
    if not negative:
        _refuse(values < 0, "is negative; net returns off before, or clip at 0", field, owner)
    return values


def whole_numbers(series: Any, field: str, owner: NDArray[np.object_]) -> NDArray[np.int64]:
    """Whole numbers ≥ 0 (n,)."""
    values = numbers(series, field, owner)
    _refuse(values != np.floor(values), "is no whole number", field, owner)
    return values.astype(np.int64)


def stamps(series: Any, field: str, owner: NDArray[np.object_]) -> Stamped:
    """Dates or aware times (n,) of one time zone; text is read as ISO 8601."""
    if hasattr(series, "to_pandas"):
        series = _from_polars(series)
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
    """Dates, datetimes or ISO text in a column of objects."""
    cells = list(series)
    kinds = np.array([isinstance(cell, (int, float)) and not pd.isna(cell) for cell in cells], dtype=bool)
    _refuse(kinds, "is a number, not a date; write it as 2024-12-30", field, owner)
    parsed = [_cell(cell) for cell in cells]
    bad = np.array([cell is pd.NaT for cell in parsed], dtype=bool)
    _refuse(bad, "is no date; write it as 2024-12-30", field, owner)
    zones = [str(cell.tzinfo) for cell in parsed]
    mixed = np.array([zone != zones[0] for zone in zones], dtype=bool)
    _refuse(mixed, "is in another time zone than the first row; use one for all", field, owner)
    zone = parsed[0].tzinfo if parsed else None
    return pd.Series([cell.tz_localize(None) for cell in parsed], dtype="datetime64[us]"), zone


def _cell(cell: Any) -> Any:
    try:
        return pd.Timestamp(cell)
    except (ValueError, TypeError, OverflowError):
        return pd.NaT


def _as_floats(series: Any, field: str, owner: NDArray[np.object_]) -> Floats:
    try:
        if hasattr(series, "to_pandas"):
            return np.asarray(series.cast(float).to_numpy(), dtype=np.float64)
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


def _refuse(wrong: NDArray[np.bool_], why: str, field: str, owner: NDArray[np.object_]) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ForecastInputError(
            f"{field} of series {owner[row]} {why}.", field=field, series=owner[row], row=row + 1
        )
