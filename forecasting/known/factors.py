"""What is known ahead: price, promotions, holidays and the like, as factors on each series' demand.

Demand is a local level times the exponential of effects. Effects are fitted by quasi-Poisson likelihood, the
level profiled out as sales over effects in a moving window, in turns; a series' own effects lean to the
panel's by how surely they are known and how much effects differ between series (an empirical-Bayes random
coefficient, after Gelman & Hill 2007, ch. 12). A likelihood of units, not of logs, has no back-transform to
lose: the fitted units of promotion weeks add up to those that were sold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecasting.input.panel import Panel, periods
from forecasting.known import common_level
from forecasting.known.columns import Known

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The level is that of so many periods before and after.
REACH = 12
TURNS = 12
# After so many turns the common level's smoothness is taken as known.
SETTLED = 2
# Effects of the panel are thought to lie within ±2 of no effect, and series to differ by as much at first.
PANEL_VARIANCE, SERIES_VARIANCE = 4.0, 0.1
# What bounds allow for an effect that was never seen: half the usual sales to twice as many.
UNSEEN_VARIANCE = 0.25
# No effect is believed beyond this (of the log): fifty times the usual.
FARTHEST = 4.0


@dataclass(frozen=True)
class Effects:
    """The panel freed of effects, `factors` (n, h) on what is forecast from it, each series' `slopes` (n, k),
    and the deviation `doubt` (n, h) of the factors' logs."""

    panel: Panel
    factors: Floats
    slopes: Floats
    doubt: Floats


def learn(panel: Panel, known: Known) -> Effects:
    """Learn the effects of `known` columns on `panel`; periods out of stock are filled with their level.

    Sums over series are made in the order of their hash, so that any order gives the same bits.
    """
    if not len(panel.values):
        ahead = known.future.shape[:2]
        return Effects(panel, np.ones(ahead), np.zeros((len(panel), known.past.shape[1])), np.zeros(ahead))
    order = np.argsort(panel.hash, kind="stable")
    found, back = _learn(panel.take(order), known.take(panel, order)), np.argsort(order)
    return Effects(found.panel.take(back), found.factors[back], found.slopes[back], found.doubt[back])


def _learn(panel: Panel, known: Known) -> Effects:
    slopes, covariance = _fit(panel, known)
    effect = np.exp(_logs(known.past, slopes[_owner(panel)]))
    level = _level(panel, known.counted, effect)
    values = np.where(known.counted, panel.values / effect, level)
    factors = np.exp(_logs(known.future, slopes[:, None, :]))
    doubt = np.sqrt(np.einsum("nhi,nij,nhj->nh", known.future, covariance, known.future))
    return Effects(replace(panel, values=values), factors, slopes, np.minimum(doubt, FARTHEST))


def _fit(panel: Panel, known: Known) -> tuple[Floats, Floats]:
    """Slopes (n, k) by series, and their covariance (n, k, k): in turns the level, the panel's slopes and
    common level, the series' own."""
    owner, past = _owner(panel), known.past
    shared, own = np.zeros(past.shape[1]), np.zeros((len(panel), past.shape[1]))
    between = np.full(past.shape[1], SERIES_VARIANCE)
    if not past.shape[1]:
        return own, np.zeros((len(panel), 0, 0))
    time = common_level.clock(periods(panel))
    common = np.zeros(time.count)
    smoothness = common_level.SMOOTHNESS
    for turn in range(TURNS):
        effect = np.exp(_logs(past, shared + own[owner]) + common[time.at])
        usual = _level(panel, known.counted, effect) * effect * known.counted
        missed = (panel.values - usual) * known.counted
        noise, typical = _dispersion(panel, usual, missed)
        weight = 1 / np.sqrt(noise * typical)[owner]
        step, drift, likeliest = common_level.step(
            time, past, (usual * weight, missed * weight), (shared, common),
            variance=PANEL_VARIANCE, smoothness=smoothness,
        )  # fmt: skip
        smoothness = smoothness if turn < SETTLED else (likeliest,)
        step, drift = np.clip(step, -1.0, 1.0), np.clip(drift, -1.0, 1.0)
        shared, common = np.clip(shared + step, -FARTHEST, FARTHEST), common + drift
        left = missed - usual * (past @ step + drift[time.at])
        own, between, certain = _own(panel, past, (usual, left), noise, own, between)
    together = common_level.doubt(
        time, past, usual / noise[owner], variance=UNSEEN_VARIANCE, smoothness=smoothness[0]
    )
    certain += together
    return np.asarray(shared + own), certain


def _own(
    panel: Panel, past: Floats, sold: tuple[Floats, Floats], noise: Floats, own: Floats, between: Floats
) -> tuple[Floats, Floats, Floats]:
    """Each series' departure (n, k) from the panel's slopes, its variance (k,) between series, and the
    covariance (n, k, k) it is known with."""
    usual, missed = sold
    count = past.shape[1]
    square = _squares(panel, past, usual)
    score = np.stack([_sums(panel, missed * past[:, i]) for i in range(count)], axis=1) / noise[:, None]
    precision = square / noise[:, None, None] + np.diag(1 / between)
    certain = np.asarray(np.linalg.inv(precision))
    own = own + np.einsum("nij,nj->ni", certain, score - own / between)
    seen = np.einsum("nii->ni", square) > 0
    spread = np.where(seen, own**2 + np.einsum("nii->ni", certain), 0.0).sum(axis=0)
    # The prior counts as one series, so that a panel of one is not taken for a world without differences.
    between = (spread + SERIES_VARIANCE) / (seen.sum(axis=0) + 1)
    return np.clip(own, -FARTHEST, FARTHEST), np.maximum(between, 1e-4), certain


def _squares(panel: Panel, past: Floats, usual: Floats) -> Floats:
    """Sums (n, k, k) over each series' cells of usual units times two columns; most cells have none."""
    some = np.flatnonzero(past.any(axis=1))
    owner, columns = _owner(panel)[some], past[some]
    weighted = columns * usual[some, None]
    count = past.shape[1]
    square = np.empty((len(panel), count, count))
    for i in range(count):
        for j in range(i + 1):
            sums = np.bincount(owner, weights=weighted[:, i] * columns[:, j], minlength=len(panel))
            square[:, i, j] = square[:, j, i] = sums
    return square


def _logs(columns: Floats, slopes: Floats) -> Floats:
    return np.asarray(np.clip((columns * slopes).sum(axis=-1), -FARTHEST, FARTHEST))


def _level(panel: Panel, counted: NDArray[np.bool_], effect: Floats) -> Floats:
    """Sales over effects within REACH of each period (cells,): the level that explains them best."""
    owner = _owner(panel)
    place = np.arange(len(effect))
    start = np.maximum(place - REACH, panel.offsets[owner])
    stop = np.minimum(place + REACH + 1, panel.offsets[owner + 1])
    sold = np.concatenate([[0.0], np.cumsum(panel.values * counted)])
    exposed = np.concatenate([[0.0], np.cumsum(effect * counted)])
    seen = exposed[stop] - exposed[start]
    whole = _sums(panel, panel.values * counted) / np.maximum(_sums(panel, effect * counted), 1e-12)
    near = np.maximum(sold[stop] - sold[start], 0.0) / np.maximum(seen, 1e-12)
    return np.asarray(np.where(seen > 1e-9, near, whole[owner]))


def _dispersion(panel: Panel, usual: Floats, missed: Floats) -> tuple[Floats, float]:
    """Variance over mean (n,) of each series, leaning to the panel's as if ten of its periods were seen; and
    the panel's.

    What series share is learnt by the geometric mean of both: by their own alone, those that promotions move
    most count for least, and effects come out too small; by the panel's alone, a few decide.
    """
    squares, units = _sums(panel, missed**2), _sums(panel, usual)
    together = squares.sum() / max(units.sum(), 1e-12)
    typical = units / np.maximum(panel.lengths, 1)
    own = (squares + 10 * typical * together) / np.maximum(units + 10 * typical, 1e-12)
    return np.maximum(own, 1e-9), max(float(together), 1e-9)


def _sums(panel: Panel, values: Floats) -> Floats:
    """Sums (n,) over each series' cells."""
    return np.asarray(np.bincount(_owner(panel), weights=values, minlength=len(panel)), dtype=np.float64)


def _owner(panel: Panel) -> Ints:
    return np.repeat(np.arange(len(panel)), panel.lengths)
