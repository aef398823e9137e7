"""Votes on designs: what a round is, whose word stands, and how sure the shares are."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from app.core.errors import RuleBroken

EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
FEWEST_DESIGNS, MOST_DESIGNS = 2, 50
_NORMAL = NormalDist()


class RoundState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Word:
    """What one buyer said at one instant; `design_id` orders words of the same instant."""

    cast_at: dt.datetime
    design_id: int
    verified: bool


def standing(known: Word | None, said: Word) -> Word:
    """The word that stands, whatever the order in which words arrive.

    The later one by the channel's time; of two at one instant the design made known last. A buyer who was
    verified once stays so.
    """
    if known is None:
        return said
    last = max(known, said, key=lambda word: (word.cast_at, word.design_id))
    return Word(last.cast_at, last.design_id, known.verified or said.verified)


def check_round(*, opens_at: dt.datetime, closes_at: dt.datetime, designs: Sequence[str]) -> None:
    """Can there be such a round?

    Raises:
        RuleBroken: `round_window` or `round_designs`.
    """
    if not EARLIEST <= opens_at < closes_at <= LATEST:
        raise RuleBroken(
            "round_window",
            "A round closes after it opens, between 2000 and 2099; correct opens_at or closes_at.",
        )
    if not FEWEST_DESIGNS <= len(designs) <= MOST_DESIGNS or len(set(designs)) < len(designs):
        raise RuleBroken(
            "round_designs",
            f"A round has {FEWEST_DESIGNS} to {MOST_DESIGNS} different designs; name each of them once.",
        )


@dataclass(frozen=True, slots=True)
class Share:
    """A design's part of the votes, 0–1, and the interval that holds its part among all who would vote."""

    votes: int
    share: float
    low: float
    high: float


def shares(votes: Mapping[int, int], *, level: float = 0.95) -> dict[int, Share]:
    """Each design's share of the votes (design id → votes ≥ 0), with intervals that hold for all at once.

    Simultaneous intervals for multinomial proportions by Goodman (1965), Technometrics 7(2): Wilson's (1927)
    score interval of each, at the level 1 − (1 − level) ÷ designs. Voters are taken as a sample of those who
    would vote: who they are is not corrected for. Without a vote all shares are 0 and nothing is known.
    """
    total = sum(votes.values())
    if not total:
        return {design: Share(0, 0.0, 0.0, 1.0) for design in votes}
    z = _NORMAL.inv_cdf(1 - (1 - level) / (2 * len(votes)))
    return {
        design: Share(count, count / total, *wilson(count, total, z=z)) for design, count in votes.items()
    }


def wilson(count: float, total: float, *, z: float) -> tuple[float, float]:
    """Wilson's score interval for `count` of `total` (> 0), `z` standard deviations wide."""
    part, square = count / total, z * z
    middle = (part + square / (2 * total)) / (1 + square / total)
    spread = z * math.sqrt(part * (1 - part) / total + square / (4 * total**2)) / (1 + square / total)
    return max(min(middle - spread, part), 0.0), min(max(middle + spread, part), 1.0)
