"""Pledges as arrays in order of time, windows over them, and clusters of what stands out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pledges that belong together: `expected` honest ones were to be expected among `pledges`.

    `members` are positions in the stream, `start` is the first moment in seconds since 1970.
    """

    rule: str
    members: Ints
    score: float
    start: int
    seconds: int
    pledges: int
    buyers: int
    expected: float
    devices: int = 0
    addresses: int = 0
    payments: int = 0


@dataclass(frozen=True)
class Stream:
    """Pledges by region and time; arrays of one length, `at` in seconds, buyers numbered from 0."""

    region: Ints
    at: Ints
    buyer: Ints

    @cached_property
    def line(self) -> Ints:
        """Region and time in one rising number: regions stand far apart."""
        _, place = np.unique(self.region, return_inverse=True)
        return np.asarray(place * (int(np.ptp(self.at)) + 10 * DAY) + (self.at - self.at.min()))

    @cached_property
    def times(self) -> Ints:
        """All moments of all regions in order."""
        return np.sort(self.at)

    @cached_property
    def by_buyer(self) -> Ints:
        """Positions by buyer, then time."""
        return np.lexsort((self.at, self.buyer))

    @cached_property
    def _bounds(self) -> list[int]:
        """Where each buyer begins in `by_buyer`, and the end."""
        buyers = np.arange(int(self.buyer.max()) + 2)
        return [int(one) for one in np.searchsorted(self.buyer[self.by_buyer], buyers)]

    def of(self, buyers: Ints) -> Ints:
        """Positions of all that these buyers pledged, in order."""
        parts = [self.by_buyer[self._bounds[one] : self._bounds[one + 1]] for one in buyers.tolist()]
        return np.sort(np.concatenate([self.by_buyer[:0], *parts]))


def count(sorted_at: Ints | Floats, first: Any, last: Any) -> Ints:
    """How many moments lie from `first` to `last`, both included."""
    after, before = np.searchsorted(sorted_at, last, side="right"), np.searchsorted(sorted_at, first)
    return np.asarray(after - before)


def surprise(found: Any, expected: Any) -> Floats:
    """−ln of the chance to find so many or more where so many are expected: Chernoff's bound for Poisson."""
    more = np.maximum(found, expected)
    return np.asarray(more * np.log(more / expected) - more + expected)


def at_most(found: int, of: int, usual: float) -> float:
    """Chernoff's bound for the chance that at most so many are found, where `usual` is the part that is."""
    part = found / of
    if part >= usual:
        return 1.0
    distance = (1 - part) * math.log((1 - part) / (1 - usual)) if part < 1 else 0.0
    distance += part * math.log(part / usual) if part > 0 else 0.0
    return math.exp(-of * distance)


def together_by_chance(one: float, other: float) -> float:
    """The chance of two independent findings by Fisher's method (1925): each as unlikely as it says."""
    both = max(1e-300, one * other)
    return min(1.0, both * (1 - math.log(both)))


def joined(line: Ints, hits: Flags, *, window: int) -> list[tuple[int, int]]:
    """Windows (each ends at a hit) that overlap, as one: first and last moment on the line."""
    ends = line[hits]
    if not len(ends):
        return []
    breaks = np.flatnonzero(np.diff(ends) > window)
    firsts, lasts = np.r_[0, breaks + 1], np.r_[breaks, len(ends) - 1]
    return [(int(ends[a]) - window, int(ends[b])) for a, b in zip(firsts, lasts, strict=True)]
