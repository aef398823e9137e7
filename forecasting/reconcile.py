"""The door to coherence: forecasts of SKUs, regions and their totals made to add up.

Weighted least squares over the hierarchy (Wickramasuriya, Athanasopoulos & Hyndman 2019, "Optimal forecast
reconciliation … through trace minimization", with a diagonal error covariance): the coherent forecasts that
are nearest to the base forecasts, each measured in its own variance. What moves is found in the space of the
totals, of which there are far fewer than bottom series, by conjugate gradients on a sparse matrix; bottom
series are then clipped at zero and added up, so that the sums match whatever the solver's tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, cg
from scipy.stats import norm

from forecasting import frames
from forecasting.errors import ForecastInputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Of the usual variance: no base forecast is surer than this, so that none can't be moved at all.
SUREST = 1e-6
TOLERANCE, MOST_STEPS = 1e-8, 500


@dataclass(frozen=True)
class Hierarchy:
    """`sums` (m, n) adds n bottom series up to m totals; both are rows of the forecasts' matrix."""

    bottom: Ints
    totals: Ints
    sums: Any


def reconcile(forecasts: Any, groups: Any) -> pd.DataFrame:
    """The forecasts, moved as little as can be so that each total is the sum of its bottom series.

    `forecasts` (pandas or polars) holds `unique_id`, `ds`, `mean`, and if they are there `lo-80`, `hi-80`, …
    and `method`: the answer of `forecast_demand` on all series, bottom and totals, each for the same `ds`.
    `groups` has a row per bottom series: its `unique_id`, and in every other column the unique_id of a total
    it counts towards (SKU, region, everything …; a missing cell counts towards none).

    The answer is `forecasts` with coherent means, row by row as given, `method` followed by "+wls". Nothing
    is negative; totals are sums of bottom series to rounding. A base forecast gives way the more the wider
    its bounds are; without bounds, the more bottom series it sums up. Bounds move with the mean and keep
    their distance from it, but not below zero.

    Raises ForecastInputError for series of `groups` without forecasts, forecasts of series not in `groups`,
    one series twice as bottom, one that is bottom and total, a missing or double `ds`, and bad cells.
    """
    cells = frames.columns(forecasts, ("unique_id", "ds", "mean"), "forecasts")
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
    """Coherent, non-negative forecasts (series, h) nearest to `base` (series, h) by `variance` (series,)."""
    variance = np.maximum(variance, SUREST * max(float(variance.mean()), 1e-12))
    spread = variance[tree.bottom]
    gap = base[tree.totals] - tree.sums @ base[tree.bottom]
    diagonal = variance[tree.totals] + tree.sums @ spread
    size = (len(diagonal), len(diagonal))

    def shared(push: Floats) -> Floats:
        return np.asarray(
            variance[tree.totals] * push + tree.sums @ (spread * (tree.sums.T @ push)), dtype=np.float64
        )

    system = LinearOperator(size, matvec=shared, dtype=np.float64)
    jacobi = LinearOperator(size, matvec=lambda push: push / diagonal, dtype=np.float64)
    moved = np.array(base)
    for step in range(base.shape[1]):
        push, _ = cg(system, gap[:, step], M=jacobi, rtol=TOLERANCE, maxiter=MOST_STEPS)
        moved[tree.bottom, step] += spread * (tree.sums.T @ push)
    moved[tree.bottom] = np.maximum(moved[tree.bottom], 0.0)
    moved[tree.totals] = tree.sums @ moved[tree.bottom]
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
    names = frames.columns(groups, ("unique_id",), "groups")
    bottom_ids = frames.labels(names["unique_id"], "unique_id")
    known = pd.Index(ids)
    bottom = known.get_indexer(pd.Index(bottom_ids))
    _refuse(bottom < 0, bottom_ids, "of groups has no forecasts")
    _refuse(pd.Index(bottom_ids).duplicated(), bottom_ids, "is twice a bottom series in groups")
    series, total = [], []
    for column in groups.columns:
        if column == "unique_id":
            continue
        parents = np.asarray(groups[column].to_list(), dtype=object)
        given = ~np.asarray(pd.isna(parents), dtype=bool)
        row = known.get_indexer(pd.Index(parents[given]))
        _refuse(row < 0, parents[given], f"of column {column} of groups has no forecasts")
        series.append(np.flatnonzero(given))
        total.append(row)
    return _hierarchy(bottom, _joined(series), _joined(total), ids)


def _hierarchy(bottom: Ints, series: Ints, total: Ints, ids: NDArray[np.object_]) -> Hierarchy:
    totals, row = np.unique(total, return_inverse=True)
    _refuse(np.isin(totals, bottom), ids[totals], "is bottom series and total at once")
    unplaced = np.ones(len(ids), dtype=bool)
    unplaced[bottom] = unplaced[totals] = False
    _refuse(unplaced, ids, "has forecasts but no place in groups")
    sums = csr_array((np.ones(len(series)), (row, series)), shape=(len(totals), len(bottom)))
    sums.data[:] = 1.0  # a series that names one total in two columns counts once
    return Hierarchy(bottom, totals, sums)


def _joined(parts: list[Any]) -> Ints:
    return np.concatenate([*parts, np.empty(0, dtype=np.int64)]).astype(np.int64)


def _refuse(wrong: Any, ids: NDArray[np.object_], why: str) -> None:
    if wrong.any():
        series = ids[int(np.argmax(wrong))]
        raise ForecastInputError(f"Series {series} {why}.", field="unique_id", series=series)


def _bounds(forecasts: Any, owner: NDArray[np.object_]) -> dict[str, Floats]:
    names = [str(name) for name in forecasts.columns if str(name).startswith(("lo-", "hi-"))]
    return {name: frames.numbers(forecasts[name], name, owner, negative=True) for name in names}


def _variance(base: Floats, bounds: dict[str, Floats], tree: Hierarchy) -> Floats:
    """Of each series' errors (series,), from its widest bounds; without any, its number of bottom series."""
    levels = [float(name[3:]) for name in bounds if name.startswith("hi-") and f"lo-{name[3:]}" in bounds]
    if not levels:
        count = np.ones(len(base))
        count[tree.totals] = tree.sums.sum(axis=1)
        return count
    widest = f"{max(levels):g}"
    width = bounds[f"hi-{widest}"] - bounds[f"lo-{widest}"]
    deviation = width / (2 * norm.ppf(0.5 + max(levels) / 200))
    return np.asarray((deviation**2).mean(axis=1))


def _answer(forecasts: Any, mean: Floats, moved: Floats, bounds: dict[str, Floats]) -> pd.DataFrame:
    cells: dict[str, Any] = {}
    for name in map(str, forecasts.columns):
        if name == "mean":
            cells[name] = moved
        elif name in bounds:
            cells[name] = np.maximum(bounds[name] + moved - mean, 0.0)
        elif name == "method":
            cells[name] = [f"{method}+wls" for method in forecasts[name].to_list()]
        else:
            cells[name] = forecasts[name].to_list() if hasattr(forecasts, "to_dicts") else forecasts[name]
    return pd.DataFrame(cells).reset_index(drop=True)
