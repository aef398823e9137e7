"""Landings by a Gaussian process over the log of what is still to come.

Where finished curves are many, what a curve still picks up is read off those most like it: of the same SKU,
region or both, with a similar start and pace, that ended lately or in the same season. How much each likeness
counts is the covariance below, so pooling is partial everywhere (Rasmussen & Williams 2006, "Gaussian
Processes for Machine Learning", ch. 2 and 5.4.2). The log makes effects multiply, as they do; for net curves
it is taken over the part of the units that finished curves kept, so that they may fall.

Running curves teach too, once landed: those that are furthest land first, and the next ones see them. All
stand in one matrix, so that a step is one factorisation of its leading part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.stats import norm

from forecasting.curves.scaled import Curves

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Variances of the log: of one curve alone, and more so where few units are to come.
NOISE, COUNT_NOISE = 0.4, 0.5
# Added to units before the log, as a share of the mean final volume: a curve of none must have one too.
OFFSET = 0.05
# Pace is what came in this last part of the window.
PACE_SHARE = 0.1
# This part of net curves may lose more than is thought certain to stay.
KEPT_BY = 0.05
# How much campaigns change with time is asked of the finished ones: the variances times one of these.
# A smaller one must be as much likelier (in logs, per e-fold), since a short history always looks steady.
DRIFTS, CAUTION = (0.05, 0.3, 1.0), 2.0
# What ended so long ago counts 1/e; how near a week of another year must be to share its season (of 1).
FADE_DAYS, SEASON_WIDTH, YEAR = 300.0, 0.4, 365.25
# At most so many curves teach, the newest to end; running ones at most half: the work grows with their cube.
MOST_CURVES = 800
# A campaign's other curves pull along by this power, since one campaign is one product and one price.
PULL = 0.5
# Fashions change until the window closes: so much more variance than among finished curves, if all is ahead.
AHEAD = 0.1
# Of what curves that are themselves forecast would make certain, so much is left out as error they share.
TOGETHER = 0.5
# Leave-one-out errors lean to normal ones as if there were so many of the latter.
PRIOR_ERRORS, PRIOR_CURVES = 20.0, 15.0


@dataclass(frozen=True)
class Landed:
    """Log of offset + units to come beyond `sure` (m,): mean, deviation, and `errors`, past ones scaled."""

    sure: Floats
    log_mean: Floats
    deviation: Floats
    errors: Floats
    offset: float

    def quantile(self, share: float) -> Floats:
        """Final units (m,) that are not exceeded with probability `share`."""
        logs = self.log_mean + _error_quantile(self.errors, share) * self.deviation
        return np.asarray(self.sure + np.maximum(np.exp(logs) - self.offset, 0.0))

    @property
    def mean(self) -> Floats:
        """Expected final units (m,)."""
        return np.asarray(self.sure + np.maximum(np.exp(self.log_mean) - self.offset, 0.0))

    @property
    def units_deviation(self) -> Floats:
        return np.asarray(np.exp(self.log_mean) * self.deviation)


class Process:
    """The curves that teach: `finished` ones, then running ones in the order in which they land."""

    def __init__(self, known: Curves, now: Curves) -> None:
        open_still = _order(now, -now.share)
        running = open_still[now.share[open_still] < 1][: MOST_CURVES // 2]
        newest = _order(known, known.end)[-(MOST_CURVES - len(running)) :]
        self._now, self.finished = now, len(newest)
        self._curves = known.take(newest).and_also(now.take(running))
        self._place = np.full(len(now), -1)
        self._place[running] = self.finished + np.arange(len(running))
        self._final = np.append(known.units[newest], np.zeros(len(running)))
        self._doubt = np.zeros(len(self._final))
        self._taught = self.finished
        self._drift, self._likeness = min(
            ((drift, _likeness(self._curves, self._curves, drift)) for drift in DRIFTS),
            key=lambda found: self._unlikely(found[1]) - CAUTION * math.log(found[0]),
        )

    def land(self, rows: Ints, share: float, pull: Floats) -> Landed:
        """The landing of the running curves `rows` (m,), which stand at `share` of their window.

        `pull` (m,) says how the other curves of each one's campaign do against their kind, 1 for as usual.
        """
        wanted = self._now.take(rows)
        seen = self._curves.take(np.arange(self._taught))
        final, doubt = self._final[: self._taught], self._doubt[: self._taught]
        offset = _offset(final)
        there = seen.at(share)
        kept = _kept(there[: self.finished], final[: self.finished])
        logs = np.log(np.maximum(final - kept * there, 0.0) + offset)
        noise = _noise(seen, logs, offset)
        those, these = _traits(seen, share, offset), _traits(wanted, share, offset)
        covariance = _covariance(self._among(), those, those)
        covariance[np.diag_indices(len(logs))] += noise(seen) + (doubt / np.exp(logs)) ** 2
        towards = _covariance(_likeness(seen, wanted, self._drift), those, these)
        own = _own(these, self._drift) + noise(wanted)
        mean, variance, errors = _regress(covariance, logs, towards, own, self.finished)
        # Few curves may all be alike by chance: what is learnt from them is less sure than they make it look.
        wider = (1 + PRIOR_CURVES / self.finished) * (1 + AHEAD * (1 - share))
        mean = mean + PULL * np.log(pull)
        return Landed(kept * wanted.units, mean, np.sqrt(wider * variance), np.sort(errors), offset)

    def learn(self, rows: Ints, final: Floats, deviation: Floats) -> None:
        """From now on the curves `rows` teach as well, by the units forecast for them and their deviation."""
        place = self._place[rows]
        room = place >= 0
        self._final[place[room]], self._doubt[place[room]] = final[room], deviation[room]
        self._taught += int(room.sum())

    def _among(self, likeness: _Likeness | None = None) -> _Likeness:
        one, sku, both = (part[: self._taught, : self._taught] for part in likeness or self._likeness)
        return one, sku, both

    def _unlikely(self, likeness: _Likeness) -> float:
        """Minus the log likelihood of what finished curves picked up from where the middle running one is."""
        seen = self._curves.take(np.arange(self.finished))
        final = self._final[: self.finished]
        share, offset = float(np.median(self._now.share)), _offset(final)
        logs = np.log(np.maximum(final - seen.at(share), 0.0) + offset)
        traits = _traits(seen, share, offset)
        covariance = _covariance(self._among(likeness), traits, traits)
        covariance[np.diag_indices(len(logs))] += _noise(seen, logs, offset)(seen)
        root = cholesky(covariance, lower=True, check_finite=False)
        scaled = solve_triangular(root, logs - logs.mean(), lower=True)
        return float(np.log(max(scaled @ scaled, 1e-12)) * len(logs) / 2 + np.log(np.diag(root)).sum())


# What lasts for two curves whatever the day (n, m): covariance, 1 for the same SKU, 1 for SKU and region.
_Likeness = tuple[Floats, Floats, Floats]


def _regress(
    covariance: Floats, logs: Floats, towards: Floats, own: Floats, certain: int
) -> tuple[Floats, Floats, Floats]:
    """Mean and variance (m,) of the logs wanted, and leave-one-out errors, scaled, of the first `certain`.

    Curves that are themselves forecast move the mean, but err together: they make it only in part (TOGETHER)
    as much more certain as they would if each erred for itself.
    """
    root = cholesky(covariance, lower=True, check_finite=False)
    level = float(logs.mean())
    mean = level + towards.T @ cho_solve((root, True), logs - level)
    # Rows of a triangular solve are those of its leading part: the finished curves come first.
    squares = solve_triangular(root, towards, lower=True) ** 2
    explained = squares[:certain].sum(axis=0) + (1 - TOGETHER) * squares[certain:].sum(axis=0)
    root, surely = root[:certain, :certain], logs[:certain] - float(logs[:certain].mean())
    # The covariance says how deviations compare; the data say how large they are.
    pull = cho_solve((root, True), surely)
    scale = max(float(pull @ surely) / certain, 1e-9)
    precision = (solve_triangular(root, np.eye(certain), lower=True) ** 2).sum(axis=0)
    variance = scale * np.maximum(own - explained, 1e-12)
    return mean, variance, pull / np.sqrt(precision * scale)


def _offset(final: Floats) -> float:
    return max(OFFSET * float(final.mean()), 1e-9)


def _likeness(a: Curves, b: Curves, drift: float) -> _Likeness:
    sku = (a.sku[:, None] == b.sku[None]).astype(float)
    region = (a.region[:, None] == b.region[None]).astype(float)
    both = sku * region
    days = np.abs(a.end[:, None] - b.end[None])
    recent = np.exp(-days / FADE_DAYS) * (0.2 + 0.1 * sku + 0.4 * both)
    season = np.exp(-2 * (np.sin(np.pi * days / YEAR) / SEASON_WIDTH) ** 2) * (0.05 + 0.03 * both)
    return 4.0 + 0.5 * sku + 0.3 * region + 0.5 * both + drift * (recent + season), sku, both


def _traits(curves: Curves, share: float, offset: float) -> tuple[Floats, Floats]:
    """Log of the start and of the pace (n,) at `share` of the window."""
    there = curves.at(share)
    lately = np.maximum(there - curves.at(max(share - PACE_SHARE, 0.0)), 0.0)
    return np.log1p(there / offset), np.log1p(lately / offset)


def _covariance(likeness: _Likeness, a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> Floats:
    """Covariances (n, m) of the log: what lasts, and slopes over start and pace."""
    lasting, sku, both = likeness
    start = (0.1 + 0.03 * sku + 0.03 * both) * np.outer(a[0], b[0])
    return np.asarray(lasting + start + (0.06 + 0.02 * both) * np.outer(a[1], b[1]))


def _own(traits: tuple[Floats, Floats], drift: float) -> Floats:
    """Variances (m,): the same of a curve with itself."""
    return np.asarray(5.3 + 0.78 * drift + 0.16 * traits[0] ** 2 + 0.08 * traits[1] ** 2)


def _order(curves: Curves, first: Floats) -> Ints:
    """Rows by `first`, then by name: in which order they were given must not matter."""
    names = [values.astype(str) for values in (curves.region, curves.sku, curves.campaign)]
    return np.lexsort([*names, first])


def _kept(there: Floats, final: Floats) -> float:
    """The part of the units there that stays, whatever comes: all of it where no curve ever lost any."""
    counted = there > 0
    if not counted.any():
        return 1.0
    return float(np.clip(np.quantile(final[counted] / there[counted], KEPT_BY), 0.0, 1.0))


def _noise(curves: Curves, logs: Floats, offset: float) -> _Noise:
    keys = _keys(curves)
    sums: dict[tuple[object, object], list[float]] = {}
    for key, log in zip(keys, logs, strict=True):
        sums.setdefault(key, []).append(float(log))
    usual = {key: float(np.exp(np.mean(found))) for key, found in sums.items()}
    return _Noise(usual, float(np.exp(logs.mean())), offset)


@dataclass(frozen=True)
class _Noise:
    """Variance of the log of one curve: more where a segment's usual units to come are few."""

    usual: dict[tuple[object, object], float]
    otherwise: float
    offset: float

    def __call__(self, curves: Curves) -> Floats:
        level = np.array([self.usual.get(key, self.otherwise) for key in _keys(curves)])
        return NOISE + COUNT_NOISE * self.offset / (level + self.offset)


def _keys(curves: Curves) -> list[tuple[object, object]]:
    return list(zip(curves.sku, curves.region, strict=True))


def _error_quantile(errors: Floats, share: float) -> float:
    """The quantile of past errors, leaning to a normal one while there are few."""
    if not len(errors):
        return float(norm.ppf(share))
    weight = len(errors) / (len(errors) + PRIOR_ERRORS)
    return weight * float(np.quantile(errors, share)) + (1 - weight) * float(norm.ppf(share))
