"""Landings by pick-up with credibility: what few finished curves can tell, and none at all.

A curve's final volume is what it has plus what its kind still picks up. The part still to come is
(1 - F) × Λ, where F is the share of the final volume that finished curves of the same SKU and region had by
then, and Λ, the curve's whole volume, lies between what its kind landed at and what its own start suggests,
by credibility (Bühlmann & Gisler 2005, "A Course in Credibility Theory"; the gamma-Poisson case). No
credibility is classical additive pick-up, full credibility the multiplicative. How much credit a start
deserves is learnt on the finished curves, each forecast without itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import norm

from forecasting.curves.prior import Form
from forecasting.curves.scaled import Curves

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Columns of the answer, each (m,): mean, median, lo-80, hi-80, …
Cells = dict[str, Floats]

# The stated form (prior) counts as so many finished curves of the usual size.
PRIOR_CURVES = 1.0
# All other curves count as so little of one beside those of the same SKU × region, whose size differs most.
SEGMENT_CURVES = 0.25
# Volumes drift with season and fashion: a curve that ended so long before the newest counts half.
HALF_LIFE_DAYS = 28.0
# Weight of the kind against the curve's own start: a share of the final volume, and units.
SHARES, UNITS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0), (0.0, 1.0, 3.0, 10.0, 30.0)
PRIOR_SHARE, PRIOR_UNITS = 0.1, 3.0
# With fewer finished curves than this nothing is learnt: the stated prior stands.
FEWEST_CURVES = 8
# Spread of the prior: counts twice as scattered as Poisson's, and 80 % of what is still to come.
PRIOR_COUNT, PRIOR_RATE = 2.0, 0.8
# The part of that rate which stays however many curves there are; the other falls with their square root.
LASTING_RATE = 0.5
# With no finished curve even the form of the curve is a guess: what is to come may well be twice it more.
UNSEEN_RATE = 2.0
PRIOR_ERRORS = 20.0


@dataclass(frozen=True)
class Kind:
    """What finished curves say of each curve (m,): the usual final volume, and the share reached by now."""

    volume: Floats
    reached: Floats


@dataclass(frozen=True)
class Spread:
    """Variance = count × to come + (rate × to come)²; `errors` are past errors over its root, sorted."""

    count: float
    rate: float
    errors: Floats


def pick_up(
    known: Curves, now: Curves, rows: Ints, share: float, form: Form, levels: tuple[float, ...]
) -> Cells:
    """Mean, median and bounds (m,) of the running curves `rows`, which stand at `share` of their window."""
    units = now.units[rows]
    credit, spread = _learn(known, share, form)
    kind = _kind_of(known, now, rows, share, form)
    to_come = _to_come(kind, _pull(now, kind, rows), units, credit)
    mean = np.maximum(units + to_come, 0.0)
    floor = units if known.gross and now.gross else np.zeros(len(rows))
    mean = np.maximum(mean, floor)
    deviation = _deviation(spread, to_come, kind)
    return {"mean": mean} | _quantiles(mean, floor, deviation, spread, levels)


def _to_come(kind: Kind, pull: Floats, units: Floats, credit: tuple[float, float]) -> Floats:
    """Units still to come (m,): (1 - F) Λ, with Λ between the kind's volume and the curve's own start."""
    usual = np.maximum(kind.volume * pull, 1e-9)
    weight = credit[0] + credit[1] / usual
    volume = usual * (weight + units / usual) / np.maximum(weight + kind.reached, 1e-9)
    return np.asarray((1 - kind.reached) * volume)


def campaign_pull(known: Curves, now: Curves, rows: Ints, share: float, form: Form) -> Floats:
    """How the campaign's other curves do against their kind (m,): 1 for a campaign of one curve."""
    if len(set(now.campaign[rows])) == len(rows):
        return np.ones(len(rows))
    return _pull(now, _kind_of(known, now, rows, share, form), rows)


def _pull(now: Curves, kind: Kind, rows: Ints) -> Floats:
    frame = pd.DataFrame({"campaign": now.campaign[rows], "units": now.units[rows]})
    frame["usual"] = kind.volume * kind.reached
    frame["volume"] = kind.volume
    total = frame.groupby("campaign")[["units", "usual", "volume"]].transform("sum")
    other = (total - frame[["units", "usual", "volume"]]).clip(lower=0.0)
    weight = PRIOR_SHARE * other["volume"] + PRIOR_UNITS
    return np.asarray((other["units"] + weight) / (other["usual"] + weight), dtype=float)


def _kind_of(known: Curves, now: Curves, rows: Ints, share: float, form: Form) -> Kind:
    """Volume and share reached that finished curves of the same SKU and region lead one to expect."""
    if not len(known):
        usual = float(now.units.sum()) / max(float(form.reached(now.share).sum()), 1e-9)
        return Kind(np.full(len(rows), usual), np.full(len(rows), form.reached(share)))
    wanted = pd.MultiIndex.from_arrays([now.sku[rows], now.region[rows]])
    seen = _seen(known, share)
    segment = seen.groupby(level=[0, 1]).sum().reindex(wanted, fill_value=0.0)
    return _blend(segment.to_numpy().T, seen.to_numpy().sum(axis=0)[:, None], share, form)


def _seen(known: Curves, share: float) -> pd.DataFrame:
    """Finished curves by SKU and region: one, units by then and final units, older ones at less weight."""
    age = known.end.max() - known.end
    weight = 0.5 ** (age / HALF_LIFE_DAYS)
    cells = {"one": weight, "units": weight * known.at(share), "final": weight * known.units}
    return pd.DataFrame(cells, index=pd.MultiIndex.from_arrays([known.sku, known.region]))


def _blend(segment: Floats, everything: Floats, share: float, form: Form) -> Kind:
    """Sums (count, units by now, final units) of a segment and of all curves, weighed with the form."""
    stated = form.reached(share)
    count, _, final = everything
    usual = final / np.maximum(count, 1.0)
    reached = (everything[1] + PRIOR_CURVES * usual * stated) / np.maximum(final + PRIOR_CURVES * usual, 1e-9)
    reached = np.where(final > 0, reached, stated)
    reached = np.where(share >= 1.0, 1.0, reached)
    count, units, final = segment
    volume = (final + SEGMENT_CURVES * usual) / (count + SEGMENT_CURVES)
    weight = SEGMENT_CURVES * usual
    own = np.where(final + weight > 0, (units + weight * reached) / np.maximum(final + weight, 1e-9), reached)
    return Kind(np.asarray(volume), np.asarray(own))


def _without_itself(known: Curves, share: float, form: Form) -> Kind:
    """The kind of every finished curve as if that curve had not been seen."""
    seen = _seen(known, share)
    segment = seen.groupby(level=[0, 1]).transform("sum") - seen
    everything = seen.sum().to_numpy() - seen.to_numpy()
    return _blend(segment.to_numpy().T, everything.T, share, form)


def _learn(known: Curves, share: float, form: Form) -> tuple[tuple[float, float], Spread]:
    """The credit (share, units) that would have erred least on the finished curves, and how much it errs."""
    prior = (PRIOR_SHARE, PRIOR_UNITS)
    if len(known) < FEWEST_CURVES:
        guessed = (PRIOR_RATE - LASTING_RATE) / math.sqrt(max(len(known), 1))
        rate = LASTING_RATE + guessed if len(known) else UNSEEN_RATE
        return prior, Spread(PRIOR_COUNT, rate, np.empty(0))
    credits = [prior, *((part, units) for part in SHARES for units in UNITS if part + units > 0)]
    # Near shares are asked too, so that the credit does not jump from one day to the next.
    near = [(known.at(where), _without_itself(known, where, form)) for where in _near(share)]
    flat = np.ones(len(known))
    erred = [
        sum(
            float(np.abs(known.units - units - _to_come(kind, flat, units, credit)).sum())
            for units, kind in near
        )
        for credit in credits
    ]
    credit = credits[int(np.argmin(erred))]
    units, kind = known.at(share), _without_itself(known, share, form)
    return credit, _spread(known.units - units, _to_come(kind, flat, units, credit), kind)


def _near(share: float) -> list[float]:
    return [min(max(share + step, 0.0), 1.0) for step in (-0.05, 0.0, 0.05)]


def _spread(came: Floats, to_come: Floats, kind: Kind) -> Spread:
    """Fit the two parts of the variance to squared errors, the prior's counted among them."""
    size = _size(to_come, kind)
    errors = came - to_come
    weight = 1 / np.maximum(size, 1.0)
    design = np.column_stack([size, size**2]) * weight[:, None]
    prior = np.diag([PRIOR_ERRORS, PRIOR_ERRORS * float(np.mean(size)) + 1.0]) / 4
    target = np.concatenate([errors**2 * weight, prior @ np.array([PRIOR_COUNT, PRIOR_RATE**2])])
    found, _ = nnls(np.vstack([design, prior]), target)
    spread = Spread(float(found[0]), float(np.sqrt(found[1])), np.empty(0))
    scaled = errors / np.maximum(_deviation(spread, to_come, kind), 1e-9)
    return Spread(spread.count, spread.rate, np.sort(scaled[size > 0]))


def _size(to_come: Floats, kind: Kind) -> Floats:
    """Units that may still move: what is to come, also where net curves fall; at least part of one."""
    left = np.maximum(1 - kind.reached, 0.0)
    return np.asarray(np.maximum(np.abs(to_come), left))


def _deviation(spread: Spread, to_come: Floats, kind: Kind) -> Floats:
    size = _size(to_come, kind)
    return np.asarray(np.sqrt(spread.count * size + (spread.rate * size) ** 2))


def _quantiles(
    mean: Floats, floor: Floats, deviation: Floats, spread: Spread, levels: tuple[float, ...]
) -> Cells:
    """The median and nested bounds (m,), none below `floor`."""
    middle = np.maximum(mean + _factor(spread, 0.5) * deviation, floor)
    low, high = np.minimum(mean, middle), np.maximum(mean, middle)
    cells: Cells = {"median": middle}
    for level in levels:
        tail = (1 - level / 100) / 2
        low = np.maximum(np.minimum(low, mean + _factor(spread, tail) * deviation), floor)
        high = np.maximum(high, mean + _factor(spread, 1 - tail) * deviation)
        cells[f"lo-{level:g}"], cells[f"hi-{level:g}"] = low, high
    return cells


def _factor(spread: Spread, share: float) -> float:
    """The quantile of past errors, leaning to a normal one while there are few, and wider the fewer."""
    normal = float(norm.ppf(share))
    count = len(spread.errors)
    if not count:
        return normal
    weight = count / (count + PRIOR_ERRORS)
    known = weight * float(np.quantile(spread.errors, share)) + (1 - weight) * normal
    # What the kind itself was learnt from is a sample too, and a small one errs with it.
    return known * float(np.sqrt(1 + PRIOR_ERRORS / count))
