"""Landings by a Gaussian process over the log of what is still to come.

Where finished curves are many, what a curve still picks up is read off those most like it: of the same SKU,
region or both, with a similar start, that ended lately or in the same season. How much each likeness counts
is the covariance below, so pooling is partial everywhere (Rasmussen & Williams 2006, "Gaussian Processes for
Machine Learning", ch. 2 and 5.4.2). The log makes effects multiply, as they do; for net curves it is taken
over the part of the units that finished curves kept, so that they may fall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.stats import norm

from forecasting.curves import Curves

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Variances of the log: of one curve alone, and more so where few units are to come.
NOISE, COUNT_NOISE = 0.4, 0.5
# Added to units before the log, as a share of the mean final volume: a curve of none must have one too.
OFFSET = 0.03
# This part of net curves may lose more than is thought certain to stay.
KEPT_BY = 0.05
# What ended so long ago counts 1/e; how near a week of another year must be to share its season (of 1).
FADE_DAYS, SEASON_WIDTH, YEAR = 300.0, 0.4, 365.25
# The newest so many curves are looked at: the work grows with their cube.
MOST_CURVES = 1500
# A campaign's other curves pull along by this power, since one campaign is one product and one price.
PULL = 0.5
# Fashions change until the window closes: so much more variance than among finished curves, if all is ahead.
AHEAD = 0.25
# Leave-one-out errors lean to normal ones as if there were so many of the latter.
PRIOR_ERRORS, PRIOR_CURVES = 20.0, 10.0


@dataclass(frozen=True)
class Seen:
    """Curves whose final volume is known (n,), or forecast: then `doubt` (n,) is its deviation in units."""

    curves: Curves
    final: Floats
    doubt: Floats

    def newest(self) -> Seen:
        """At most MOST_CURVES of them, the last to end."""
        if len(self.final) <= MOST_CURVES:
            return self
        rows = np.sort(np.argsort(self.curves.end, kind="stable")[-MOST_CURVES:])
        return Seen(self.curves.take(rows), self.final[rows], self.doubt[rows])

    def with_landed(self, curves: Curves, final: Floats, doubt: Floats) -> Seen:
        """These and running curves with the landing forecast for them."""
        return Seen(
            self.curves.and_also(curves),
            np.concatenate([self.final, final]),
            np.concatenate([self.doubt, doubt]),
        )


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


def land(seen: Seen, now: Curves, share: float, pull: Floats) -> Landed:
    """The landing of curves `now` (m,), which stand at `share` of their window.

    `pull` (m,) says how the other curves of each one's campaign do against their kind, 1 for as usual.

    Curves that are themselves forecast move the mean, but make nothing more certain: they err together.
    """
    seen = seen.newest()
    offset = max(OFFSET * float(seen.final.mean()), 1e-9)
    there = seen.curves.at(share)
    kept = _kept(there, seen.final, seen.doubt == 0)
    logs = np.log(np.maximum(seen.final - kept * there, 0.0) + offset)
    noise = _noise(seen.curves, logs, offset)
    known = _Likeness(seen.curves, np.log1p(there / offset), logs, noise(seen.curves))
    wanted = _Likeness(now, np.log1p(now.units / offset), np.zeros(len(now)), noise(now))
    mean, variance, errors = _regress(known, wanted, seen.doubt / np.exp(logs))
    certain = np.flatnonzero(seen.doubt == 0)
    if 0 < len(certain) < len(logs):
        _, variance, errors = _regress(known.take(certain), wanted, np.zeros(len(certain)))
    # Few curves may all be alike by chance: what is learnt from them is less sure than they make it look.
    wider = (1 + PRIOR_CURVES / max(len(certain), 1)) * (1 + AHEAD * (1 - share))
    mean = mean + PULL * np.log(pull)
    return Landed(kept * now.units, mean, np.sqrt(wider * variance), np.sort(errors), offset)


def _regress(known: _Likeness, wanted: _Likeness, doubt: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and variance (m,) of the log of `wanted`, and leave-one-out errors (n,), scaled, of `known`."""
    level = float(known.logs.mean())
    root = cholesky(known.to(known) + np.diag(known.noise + doubt**2), lower=True)
    pull = cho_solve((root, True), known.logs - level)
    towards = known.to(wanted)
    explained = solve_triangular(root, towards, lower=True)
    variance = wanted.own() - (explained**2).sum(axis=0) + wanted.noise
    # The covariance says how deviations compare; the data say how large they are.
    scale = max(float(pull @ (known.logs - level)) / len(known.logs), 1e-9)
    precision = (solve_triangular(root, np.eye(len(pull)), lower=True) ** 2).sum(axis=0)
    errors = pull / np.sqrt(precision * scale)
    return level + towards.T @ pull, scale * np.maximum(variance, 1e-12), errors


class _Likeness:
    """Curves (n,) with the log of their start and of what came later, its noise, and how alike they are."""

    def __init__(self, curves: Curves, start: Floats, logs: Floats, noise: Floats) -> None:
        self.curves, self.start, self.logs, self.noise = curves, start, logs, noise

    def take(self, rows: Ints) -> _Likeness:
        return _Likeness(self.curves.take(rows), self.start[rows], self.logs[rows], self.noise[rows])

    def to(self, other: _Likeness) -> Floats:
        """Covariances (n, m)."""
        a, b = self.curves, other.curves
        sku = (a.sku[:, None] == b.sku[None]).astype(float)
        region = (a.region[:, None] == b.region[None]).astype(float)
        days = np.abs(a.end[:, None] - b.end[None])
        return _covariance(sku, region, np.outer(self.start, other.start), days)

    def own(self) -> Floats:
        """Variances (n,)."""
        one = np.ones(len(self.start))
        return _covariance(one, one, self.start**2, 0.0 * one)


def _covariance(sku: Floats, region: Floats, start: Floats, days: Floats) -> Floats:
    """Variances of the log by what two curves share: level, slope over the start, recent time, season."""
    both = sku * region
    level = 4.0 + 0.5 * sku + 0.3 * region + 0.5 * both
    slope = 0.1 + 0.03 * sku + 0.03 * both
    recent = np.exp(-days / FADE_DAYS) * (0.2 + 0.1 * sku + 0.4 * both)
    season = np.exp(-2 * (np.sin(np.pi * days / YEAR) / SEASON_WIDTH) ** 2) * (0.05 + 0.03 * both)
    return np.asarray(level + slope * start + recent + season)


def _kept(there: Floats, final: Floats, certain: NDArray[np.bool_]) -> float:
    """The part of the units there that stays, whatever comes: all of it where no curve ever lost any."""
    counted = certain & (there > 0)
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
