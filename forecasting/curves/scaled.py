"""Pledge curves on one scale: units by share of the window elapsed, whatever the window's length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecasting.input import frames
from forecasting.input.errors import ForecastInputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

FIELDS = ("campaign_id", "sku", "region", "end", "window_days", "elapsed_day", "cum_units")
# Finished curves are read off at these shares of their window.
GRID = np.linspace(0.0, 1.0, 201)


@dataclass(frozen=True)
class Curves:
    """n curves, one per campaign × SKU × region, in order of first appearance.

    `campaign`, `sku`, `region` (n,); `elapsed_day` (n,) and `share` (n,) of the window at the last row;
    `units` (n,) there; `end` (n,) its last day, in days since 1970; `shape` (n, len(GRID)) units at shares
    of the window up to the last row; `gross` says that no curve ever falls.
    """

    campaign: Objects
    sku: Objects
    region: Objects
    elapsed_day: Ints
    share: Floats
    units: Floats
    end: Floats
    shape: Floats
    gross: bool

    def __len__(self) -> int:
        return len(self.units)

    def at(self, share: float) -> Floats:
        """Units (n,) once `share` of the window had elapsed."""
        position = share * (len(GRID) - 1)
        left = min(int(position), len(GRID) - 2)
        weight = position - left
        return np.asarray((1 - weight) * self.shape[:, left] + weight * self.shape[:, left + 1])

    def take(self, rows: Ints) -> Curves:
        """Curves `rows` only."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    def and_also(self, others: Curves) -> Curves:
        """These curves and `others` after them."""
        both = {name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in _ARRAYS}
        return replace(self, **both, gross=self.gross and others.gross)


_ARRAYS = ("campaign", "sku", "region", "elapsed_day", "share", "units", "end", "shape")


def read_curves(frame: Any, *, what: str) -> Curves:
    """Check a frame of curves (FIELDS, any order of rows); a frame without rows gives no curves."""
    try:
        return _read(frame, what)
    except ForecastInputError as error:
        error.frame = what
        if error.row is not None:
            error.sentence = f"{error.sentence.rstrip('.')}, in {what}."
        raise


def _read(frame: Any, what: str) -> Curves:
    cells = frames.columns(frame, FIELDS, what)
    campaign, sku, region = (frames.labels(cells[name], name) for name in FIELDS[:3])
    if not len(campaign):
        return _nothing()
    end = frames.stamps(cells["end"], "end", campaign).values.astype("datetime64[s]").astype(float) / 86400
    window = frames.whole_numbers(cells["window_days"], "window_days", campaign)
    day = frames.whole_numbers(cells["elapsed_day"], "elapsed_day", campaign)
    units = frames.numbers(cells["cum_units"], "cum_units", campaign)
    rows = pd.DataFrame({"campaign": campaign, "sku": sku, "region": region})
    rows = rows.assign(window=window, day=day, units=units, end=end, row=np.arange(len(day)) + 1)
    rows["curve"] = rows.groupby(["campaign", "sku", "region"], sort=False).ngroup()
    _check_days(rows)
    return _build(rows.sort_values(["curve", "day"], kind="stable"))


def _check_days(rows: pd.DataFrame) -> None:
    first = rows.groupby("curve")[["window", "end"]].transform("first")
    _refuse(rows, rows["window"] < 1, "window_days", "must be at least 1")
    _refuse(rows, rows["window"] != first["window"], "window_days", "differs within the curve")
    _refuse(rows, rows["end"] != first["end"], "end", "differs within the curve")
    _refuse(rows, rows["day"] > rows["window"], "elapsed_day", "lies beyond window_days")
    _refuse(rows, rows.duplicated(["curve", "day"]), "elapsed_day", "occurs twice in the curve")


def _refuse(rows: pd.DataFrame, wrong: pd.Series[Any], field: str, why: str) -> None:
    if wrong.any():
        row = rows[wrong].iloc[0]
        raise ForecastInputError(
            f"{field} of campaign {row['campaign']}, SKU {row['sku']}, region {row['region']} {why}.",
            field=field, series=row["campaign"], row=int(row["row"]),
            affected=rows.loc[wrong, "campaign"].to_numpy(),
        )  # fmt: skip


def _build(rows: pd.DataFrame) -> Curves:
    """`rows` sorted by curve and day."""
    last = rows.groupby("curve").tail(1)
    start = np.flatnonzero(np.diff(rows["curve"].to_numpy(), prepend=-1))
    stop = np.append(start[1:], len(rows))
    share = (rows["day"] / rows["window"]).to_numpy()
    units = rows["units"].to_numpy()
    # A curve begins with nothing pledged unless its first row says otherwise.
    shape = np.array([_on_grid(share[a:b], units[a:b]) for a, b in zip(start, stop, strict=True)])
    falls = (np.diff(units) < 0) & (np.diff(rows["curve"].to_numpy()) == 0)
    return Curves(
        campaign=last["campaign"].to_numpy(dtype=object),
        sku=last["sku"].to_numpy(dtype=object),
        region=last["region"].to_numpy(dtype=object),
        elapsed_day=last["day"].to_numpy(),
        share=share[stop - 1],
        units=units[stop - 1],
        end=last["end"].to_numpy(),
        shape=shape,
        gross=not falls.any(),
    )


def _on_grid(share: Floats, units: Floats) -> Floats:
    if share[0] > 0:
        share, units = np.append(0.0, share), np.append(0.0, units)
    return np.asarray(np.interp(GRID, share, units))


def _nothing() -> Curves:
    empty, ids = np.empty(0), np.empty(0, dtype=object)
    days = np.empty(0, dtype=np.int64)
    return Curves(ids, ids, ids, days, empty, empty, empty, np.empty((0, len(GRID))), True)
