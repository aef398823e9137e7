"""Intervals from errors the methods really made, pooled across the panel.

Each series is forecast again from earlier origins; errors over the series' own one-step sigma are pooled by
method and step, and their quantiles, times sigma, are the bounds (split conformal prediction, after
Vovk et al. 2005, pooled as in Montero-Manso & Hyndman 2021). Where the pool is small, the bounds lean to a
stated prior that is wider than a model's own. In a small panel, such as one of totals, a series' own errors
widen its bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from forecasting.input.panel import Panel, join
from forecasting.methods import shape
from forecasting.methods.points import Plan, Points, point_forecasts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Errors that a panel should show at each step; a method's pool is believed alone with a tenth of them.
ENOUGH = 800
# Origins, the latest first: they resemble the present most, and leave about as long a history. The few series
# of a small panel err together, so that only more of their past tells how far.
FEWEST_ORIGINS, MOST_ORIGINS = 3, 24
# Series of each kind that an origin takes from a large panel.
MOST_SERIES, MOST_EXPLAINED = 1500, 40
# A series' errors are as large as others' as if that had been seen so often.
OWN_ERRORS = 0.5
# The prior counts as so many errors: normal, a quarter wider than sigma, growing like a slow random walk.
PRIOR_ERRORS, PRIOR_WIDTH, PRIOR_GROWTH = 20.0, 1.25, 0.1


@dataclass(frozen=True)
class Errors:
    """Scaled errors (m, h), NaN beyond the known history; the kind and method (m,) that made each, the series
    (m,) it was, and how many of a series' errors don't overlap."""

    scaled: Floats
    kind: NDArray[np.object_]
    method: NDArray[np.object_]
    series: Ints
    apart: float


@dataclass(frozen=True)
class Cut:
    """The panel as it was `back` periods before its end, reduced to the series worth forecasting again."""

    panel: Panel
    rows: Ints
    kind: NDArray[np.object_]
    back: int


def cuts(panel: Panel, *, plan: Plan) -> list[Cut]:
    """The earlier origins to learn from: fewer the larger the panel, none that leaves too little history."""
    wanted = int(np.clip(np.ceil(ENOUGH / max(len(panel), 1)), FEWEST_ORIGINS, MOST_ORIGINS))
    stride = max(1, plan.horizon * 2 // 5)
    backs = [plan.horizon + stride * number for number in range(wanted)]
    most = MOST_EXPLAINED if plan.tier == "explain" else MOST_SERIES
    found = [_cut(panel, back, most) for back in _reachable(backs, panel)]
    return [cut for cut in found if len(cut.rows)]


def _reachable(backs: list[int], panel: Panel) -> list[int]:
    """Short panels are cut back less far than the horizon: then only the later steps lack errors."""
    longest = int(panel.lengths.max(initial=0))
    kept = [back for back in backs if back + 4 <= longest]
    return kept or [back for back in (longest // 2, longest // 4) if back >= 1]


def _cut(panel: Panel, back: int, most: int) -> Cut:
    earlier = panel.cut(back)
    kind = shape.classify(earlier)
    # The draw follows the hash of the id: neither the order of rows nor of series can change it.
    order = np.argsort(panel.hash, kind="stable")
    drawn = [order[kind[order] == name][:most] for name in shape.KINDS if name != shape.ZERO]
    rows = np.sort(np.concatenate(drawn))
    return Cut(earlier, rows, kind, back)


def errors_of(
    panel: Panel, *, earlier: list[Cut], plan: Plan, step: Callable[[int], None] = lambda count: None
) -> Errors:
    """Forecast every cut and hold it against what came, as errors over sigma."""
    if not earlier:
        nothing = np.empty(0, dtype=object)
        return Errors(np.empty((0, plan.horizon)), nothing, nothing, np.empty(0, dtype=np.int64), 0.0)
    # All cuts at once: a panel of few series costs by the call, hardly by the series.
    known = join([cut.panel.take(cut.rows) for cut in earlier])
    kind = np.concatenate([cut.kind[cut.rows] for cut in earlier])
    made = point_forecasts(known, plan=plan, kind=kind, step=step)
    came = np.concatenate([_actuals(panel, cut, plan.horizon) for cut in earlier])
    usable = made.sigma > 0
    scaled = (came - made.mean)[usable] / made.sigma[usable, None]
    series = np.concatenate([cut.rows for cut in earlier])[usable]
    apart = (earlier[-1].back - earlier[0].back) / plan.horizon + 1 if len(earlier) > FEWEST_ORIGINS else 0.0
    return Errors(scaled, made.kind[usable], made.method[usable], series, apart)


def _actuals(panel: Panel, cut: Cut, horizon: int) -> Floats:
    """What came in the `horizon` periods after the cut (rows, h), NaN where the history ends before."""
    tail = np.full((len(cut.rows), horizon), np.nan)
    known = min(horizon, cut.back)
    start = panel.offsets[cut.rows + 1] - cut.back
    tail[:, :known] = panel.values[start[:, None] + np.arange(known)]
    return tail


def bounds(
    points: Points, *, errors: Errors, levels: tuple[float, ...]
) -> dict[float, tuple[Floats, Floats]]:
    """Lower and upper bounds (n, h) by level: nested, never below 0, and never without the mean."""
    found: dict[float, tuple[Floats, Floats]] = {}
    low, high = points.mean, points.mean
    own = _own_scale(points, errors)
    for level in sorted(levels):
        low_factor, high_factor = _factors(points, errors, level)
        wider = np.maximum(own * _for_few(errors.apart, level), 1.0)
        spread = points.sigma[:, None] * wider[:, None]
        low = np.minimum(low, np.maximum(points.mean + low_factor * spread, 0.0))
        high = np.maximum(high, points.mean + high_factor * spread)
        found[level] = (low, high)
    return found


def _own_scale(points: Points, errors: Errors) -> Floats:
    """How many times as far as others' a series' errors grow over its sigma (n,), as far as its own tell.

    Sigma is of one step. The noise of a total is small, for that of its parts cancels, but its level errs as
    theirs do, so that errors further ahead are many sigmas. Only a small panel has origins enough to tell so
    of each series; and few errors show what may come, never that worse won't: bounds put none below the pool.
    """
    count = len(points.kind)
    if not errors.apart:
        return np.ones(count)
    known = np.isfinite(errors.scaled)
    squares = np.clip(np.where(known, errors.scaled, 0.0), -1e6, 1e6) ** 2
    # Sorted, so that the sum is the same to the bit in any order of series.
    usual = np.sort(squares, axis=0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    over = (squares / np.maximum(usual, 1e-12)).sum(axis=1)
    cells = np.bincount(errors.series, known.sum(axis=1), count)
    own = np.bincount(errors.series, over, count) / np.maximum(cells, 1)
    apart = np.where(cells > 0, errors.apart, 0.0)
    return np.asarray(np.sqrt((apart * own + OWN_ERRORS) / (apart + OWN_ERRORS)))


def _for_few(apart: float, level: float) -> float:
    """Student's t over the normal quantile: what a scale from so few errors adds to a bound."""
    tail = 0.5 + level / 200
    return float(student.ppf(tail, apart + OWN_ERRORS) / norm.ppf(tail)) if apart else 1.0


def _factors(points: Points, errors: Errors, level: float) -> tuple[Floats, Floats]:
    """What sigma is multiplied by, per series and step (n, h), at the lower and the upper bound."""
    horizon = points.mean.shape[1]
    low, high = np.zeros((2, len(points.kind), horizon))
    tail = (1 - level / 100) / 2
    for method in sorted(set(points.method)):
        rows = points.method == method
        scaled = _pool_for(str(method), points.kind[rows][0], errors)
        low[rows] = _quantiles(scaled, tail, horizon)
        high[rows] = _quantiles(scaled, 1 - tail, horizon)
    return low, high


def _pool_for(method: str, kind: str, errors: Errors) -> Floats:
    """Errors of the same method, or where they are few, of all series of the same kind."""
    same = errors.method == method
    chosen = same if same.sum() >= ENOUGH // 10 else errors.kind == kind
    return np.asarray(errors.scaled[chosen])


def _quantiles(scaled: Floats, share: float, horizon: int) -> Floats:
    """The quantile of scaled errors at each step (h,), steps next to it pooled in, leaning to the prior."""
    steps = np.arange(1, horizon + 1)
    prior = norm.ppf(share) * PRIOR_WIDTH * np.sqrt(1 + PRIOR_GROWTH * (steps - 1))
    found = np.array(prior, dtype=np.float64)
    for step in range(horizon):
        near = scaled[:, max(0, step - 1) : step + 2]
        near = np.sort(near[np.isfinite(near)])
        independent = len(near) / 3
        if len(near):
            weight = independent / (independent + PRIOR_ERRORS)
            found[step] = weight * _conformal(near, share) + (1 - weight) * prior[step]
    return found


def _conformal(ordered: Floats, share: float) -> float:
    """The order statistic that covers `share` in finite samples: rank (m + 1) share, rounded outwards."""
    rank = (len(ordered) + 1) * share
    position = int(np.ceil(rank)) - 1 if share > 0.5 else int(np.floor(rank)) - 1
    return float(ordered[np.clip(position, 0, len(ordered) - 1)])
