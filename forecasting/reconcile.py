"""The door to coherence: forecasts of SKUs, regions and their totals made to add up.

Level by level from the finest totals to the coarsest, the bottom series of a total take up part of the gap
between its own forecast and their sum, each by its variance (level-conditional reconciliation, Hollyman,
Petropoulos & Tipping 2021, "Understanding forecast reconciliation", one level after the other). How much of
the gap is credibility: the total's own forecast is held against the sum of its parts, whose errors are taken
as wholly dependent, as they are where a season or a fashion moves all of them. Least squares with a diagonal
covariance takes them as independent, believes the sum too much, and makes totals worse than they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from forecasting.input import frames
from forecasting.input.errors import ForecastInputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Of the usual variance: no base forecast is surer than this, so that none can't be moved at all.
SUREST = 1e-6


@dataclass(frozen=True)
class Level:
    """One kind of total: its rows `totals` (m,) of the forecasts' matrix; the bottom series `parts` (p,),
    numbered as in Hierarchy.bottom, count towards total `of` (p,), numbered as in `totals`."""

    totals: Ints
    parts: Ints
    of: Ints

    def sums(self, values: Floats) -> Floats:
        """`values` (n, h) or (n,) of all bottom series, by total (m, …)."""
        if values.ndim == 1:
            found = np.bincount(self.of, weights=values[self.parts], minlength=len(self.totals))
            return np.asarray(found, dtype=np.float64)
        return np.stack([self.sums(column) for column in values.T], axis=-1)


@dataclass(frozen=True)
class Hierarchy:
    """`bottom` (n,) are rows of the forecasts' matrix; `levels` from most totals to fewest."""

    bottom: Ints
    levels: tuple[Level, ...]


def reconcile(forecasts: Any, groups: Any) -> pd.DataFrame:
    """The forecasts, moved so that each total is the sum of its bottom series.

    `forecasts` (pandas or polars) holds `unique_id`, `ds`, `mean`, and if they are there `lo-80`, `hi-80`, …
    and `method`: answers of `forecast_demand` on all series, bottom and totals, each for the same `ds`.
    Totals are best forecast in calls of their own, level by level: their bounds are then learnt from errors
    that totals made, not from those of many noisy parts, and hold what they say.
    `groups` has a row per bottom series: its `unique_id`, and in every other column the unique_id of a total
    it counts towards (SKU, region, everything …; a missing cell counts towards none).

    The answer is `forecasts` with coherent means, row by row as given, `method` followed by "+levels".
    Nothing is negative; totals are sums of bottom series to rounding. A base forecast gives way the more the
    wider its bounds are; without bounds all bottom series count alike. Bounds keep their distance from the
    mean or their ratio to it, whichever is wider, but are not below zero.

    Raises ForecastInputError for series of `groups` without forecasts, forecasts of series not in `groups`,
    one series twice as bottom, one that is bottom and total, a total of other parts in another column, a
    missing or double `ds`, bounds of no level, and bad cells.
    """
    needed = ("unique_id", "ds", "mean")
    rest = [str(name) for name in getattr(forecasts, "columns", ()) if name not in needed]
    cells = frames.columns(forecasts, (*needed, *rest), "forecasts")
    owner = frames.labels(cells["unique_id"], "unique_id")
    if not len(owner):
        raise ForecastInputError("The forecasts have no rows.", field="forecasts")
    stamped = frames.stamps(cells["ds"], "ds", owner)
    mean = frames.numbers(cells["mean"], "mean", owner, negative=True)
    code, ids = pd.factorize(owner)
    when, stamps = pd.factorize(stamped.values, sort=True)
    spot = _whole(code, when, ids, stamps)
    tree = _read_groups(groups, np.asarray(ids, dtype=object))
    bounds = _bounds(forecasts, owner)
    base = mean[spot]
    variance = _variance(base, {name: values[spot] for name, values in bounds.items()}, tree)
    moved = np.empty(len(owner))
    moved[spot.ravel()] = coherent(base, variance, tree).ravel()
    return _answer(forecasts, mean, moved, bounds)


def coherent(base: Floats, variance: Floats, tree: Hierarchy) -> Floats:
    """Coherent, non-negative forecasts (series, h) from `base` (series, h) with `variance` (series,)."""
    variance = np.maximum(variance, SUREST * max(float(variance.mean()), 1e-12))
    spread = variance[tree.bottom]
    bottom = np.maximum(base[tree.bottom], 0.0)
    for level in tree.levels:
        dependent = level.sums(np.sqrt(spread)) ** 2
        trust = dependent / (dependent + variance[level.totals])
        gap = (base[level.totals] - level.sums(bottom)) * (trust / level.sums(spread))[:, None]
        bottom[level.parts] = np.maximum(bottom[level.parts] + spread[level.parts, None] * gap[level.of], 0.0)
    moved = np.array(base)
    moved[tree.bottom] = bottom
    for level in tree.levels:
        moved[level.totals] = level.sums(bottom)
    return moved


def _whole(code: Any, when: Any, ids: Any, stamps: Any) -> Ints:
    """Rows of the frame by series and ds (series, h); each must be there once."""
    place = code.astype(np.int64) * len(stamps) + when
    count = np.bincount(place, minlength=len(ids) * len(stamps))
    if (count != 1).any():
        wrong = int(np.argmax(count != 1))
        series, ds = ids[wrong // len(stamps)], pd.Timestamp(stamps[wrong % len(stamps)])
        why = "lacks a forecast that other series have" if count[wrong] == 0 else "has two forecasts"
        raise ForecastInputError(
            f"Series {series} {why} for {ds:%Y-%m-%d}.", field="ds", series=series, ds=ds
        )
    spot = np.empty(len(place), dtype=np.int64)
    spot[place] = np.arange(len(place))
    return spot.reshape(len(ids), len(stamps))


def _read_groups(groups: Any, ids: NDArray[np.object_]) -> Hierarchy:
    rest = [str(name) for name in getattr(groups, "columns", ()) if name != "unique_id"]
    cells = frames.columns(groups, ("unique_id", *rest), "groups")
    bottom_ids = frames.labels(cells["unique_id"], "unique_id")
    known = pd.Index(ids)
    bottom = known.get_indexer(pd.Index(bottom_ids))
    _refuse(bottom < 0, bottom_ids, "of groups has no forecasts")
    _refuse(pd.Index(bottom_ids).duplicated(), bottom_ids, "is twice a bottom series in groups")
    levels = [_level(column, cells[column], known, bottom) for column in rest]
    unplaced = np.ones(len(ids), dtype=bool)
    for rows in (bottom, *(level.totals for level in levels)):
        unplaced[rows] = False
    _refuse(unplaced, ids, "has forecasts but no place in groups")
    _refuse_split(levels, ids)
    levels.sort(key=lambda level: -len(level.totals))
    return Hierarchy(bottom.astype(np.int64), tuple(levels))


def _level(column: str, cells: Any, known: pd.Index[Any], bottom: Ints) -> Level:
    parents = np.asarray(cells.to_list(), dtype=object)
    parts = np.flatnonzero(~np.asarray(pd.isna(parents), dtype=bool))
    row = known.get_indexer(pd.Index(parents[parts]))
    _refuse(row < 0, parents[parts], f"of column {column} of groups has no forecasts")
    _refuse(np.isin(row, bottom), parents[parts], "is bottom series and total at once")
    totals, of = np.unique(row, return_inverse=True)
    return Level(totals.astype(np.int64), parts.astype(np.int64), of.astype(np.int64))


def _refuse_split(levels: list[Level], ids: NDArray[np.object_]) -> None:
    """A total named in two columns must be the same sum in both."""
    seen: dict[int, bytes] = {}
    for level in levels:
        order = np.argsort(level.of, kind="stable")
        stops = np.cumsum(np.bincount(level.of, minlength=len(level.totals)))[:-1]
        for total, parts in zip(level.totals, np.split(level.parts[order], stops), strict=True):
            other = seen.setdefault(int(total), parts.tobytes()) != parts.tobytes()
            _refuse(np.array([other]), ids[[total]], "is a total of other parts in another column of groups")


def _refuse(wrong: Any, ids: NDArray[np.object_], why: str) -> None:
    if wrong.any():
        series = ids[int(np.argmax(wrong))]
        raise ForecastInputError(f"Series {series} {why}.", field="unique_id", series=series)


def _bounds(forecasts: Any, owner: NDArray[np.object_]) -> dict[str, Floats]:
    names = [str(name) for name in forecasts.columns if str(name).startswith(("lo-", "hi-"))]
    for name in names:
        if not 0 < _level_of(name) < 100:
            raise ForecastInputError(
                f"{name} is no bound; name its level in percent, as in lo-80.", field=name
            )
    return {name: frames.numbers(forecasts[name], name, owner, negative=True) for name in names}


def _level_of(name: str) -> float:
    """Percent, NaN where it is none."""
    try:
        return float(name[3:])
    except ValueError:
        return float("nan")


def _variance(base: Floats, bounds: dict[str, Floats], tree: Hierarchy) -> Floats:
    """Of each series' errors (series,), from its widest bounds; without any, its number of bottom series."""
    levels = {
        _level_of(name): name[3:]
        for name in bounds
        if f"lo-{name[3:]}" in bounds and f"hi-{name[3:]}" in bounds
    }
    if not levels:
        count = np.ones(len(base))
        for level in tree.levels:
            count[level.totals] = np.bincount(level.of)
        return count
    widest = levels[max(levels)]
    width = bounds[f"hi-{widest}"] - bounds[f"lo-{widest}"]
    deviation = width / (2 * norm.ppf(0.5 + max(levels) / 200))
    return np.asarray((deviation**2).mean(axis=1))


def _answer(forecasts: Any, mean: Floats, moved: Floats, bounds: dict[str, Floats]) -> pd.DataFrame:
    cells: dict[str, Any] = {}
    for name in map(str, forecasts.columns):
        if name == "mean":
            cells[name] = moved
        elif name in bounds:
            cells[name] = _moved_bound(bounds[name], mean, moved, lower=name.startswith("lo-"))
        elif name == "method":
            cells[name] = [f"{method}+levels" for method in forecasts[name].to_list()]
        else:
            cells[name] = forecasts[name].to_list() if hasattr(forecasts, "to_dicts") else forecasts[name]
    return pd.DataFrame(cells).reset_index(drop=True)


def _moved_bound(bound: Floats, mean: Floats, moved: Floats, *, lower: bool) -> Floats:
    """The bound at the same distance from the mean or the same multiple of it, the wider of both."""
    shifted = np.maximum(bound + moved - mean, 0.0)
    grown = np.maximum(bound, 0.0) * np.where(mean > 0, moved / np.maximum(mean, 1e-12), 1.0)
    return np.asarray(np.minimum(np.minimum(shifted, grown), moved) if lower else np.maximum(shifted, grown))
