"""Rhythm: pledges of one region at equal distances, which a script makes and people do not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.stages.demand.rules.clusters import Cluster, Flags, Floats, Ints, Stream, count

BETWEEN = 12
"""Other pledges that may come between two of a script."""
SLOWEST, FASTEST = 3600, 30
SLACKS = ((1.5, 0.0), (2.0, 0.02))
"""How far off the beat a pledge may be: seconds, and part of the distance."""
SHORTEST = 8
SURE = 15.0
"""−ln of the chance of such a chain anywhere in the campaign."""
LONGEST = 2_000
BY_CHANCE = 0.25
"""Where a beat is hit by chance oftener than this, nothing is concluded."""
OFTEN = 3
"""Pledges on the beat after which all that the account pledged is suspected."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """From pledge `start` on, with so many others skipped, there is one every `beat` seconds."""

    start: int
    skipped: int
    surprise: float
    beat: float
    slack: float
    chance: float


def regular(stream: Stream) -> list[Cluster]:
    """Chains of pledges on a beat of half a minute to an hour, with the accounts that are often in them."""
    chains = [chain for seconds, part in SLACKS for chain in _chains(stream, seconds, part)]
    taken = np.zeros(len(stream.at), dtype=np.bool_)
    line = stream.line.astype(np.float64)
    found = []
    for chain in sorted(chains, key=lambda one: (-one.surprise, one.beat, one.start)):
        if not taken[chain.start]:
            members = _members(line, chain)
            if not taken[members].mean() > 0.5:
                taken[members] = True
                found.append(_cluster(stream, members, chain.chance))
    return found


def _cluster(stream: Stream, members: Ints, chance: float) -> Cluster:
    buyers, each = np.unique(stream.buyer[members], return_counts=True)
    theirs = np.flatnonzero(np.isin(stream.buyer, buyers[each >= OFTEN]))
    at = stream.at[members]
    return Cluster(
        "regular",
        np.union1d(members, theirs),
        1 - chance,
        int(at.min()),
        int(np.ptp(at)),
        len(members),
        len(buyers),
        round(chance * len(members), 2),
    )


def _chains(stream: Stream, seconds: float, part: float) -> list[_Chain]:
    """The chains that no chance explains, from each of their pledges on."""
    line, chains = stream.line.astype(np.float64), []
    pairs = math.log(BETWEEN * max(2, len(line)))
    for skipped in range(1, BETWEEN + 1):
        starts = np.arange(len(line) - skipped)
        beat = line[skipped:] - line[:-skipped]
        starts = starts[(beat >= FASTEST) & (beat <= SLOWEST)]
        beat = beat[starts]
        slack = seconds + part * beat
        chance = _by_chance(line, starts, beat, slack)
        keep = chance <= BY_CHANCE
        starts, beat, slack, chance = starts[keep], beat[keep], slack[keep], chance[keep]
        lengths = _walk(line, starts, skipped, beat, slack)
        surprise = -(lengths - 2) * np.log(np.maximum(chance, 1e-9)) - pairs
        for one in np.flatnonzero((lengths >= SHORTEST) & (surprise >= SURE)).tolist():
            figures = (float(of[one]) for of in (surprise, beat, slack, chance))
            chains.append(_Chain(int(starts[one]), skipped, *figures))
    return chains


def _by_chance(line: Floats, starts: Ints, beat: Floats, slack: Floats) -> Floats:
    """The chance that somebody else pledges within the slack of a moment, by the pledges of 12 beats."""
    span = 12 * beat
    others = np.maximum(0.5, count(line, line[starts], line[starts] + span) - 13)
    return np.asarray(np.minimum(1.0, others / span * (2 * slack + 1)))


def _nearest(line: Floats, wanted: Any) -> Any:
    """Positions of the moments nearest to the wanted ones."""
    after = np.minimum(np.maximum(np.searchsorted(line, wanted), 1), len(line) - 1)
    return after - (wanted - line[after - 1] <= line[after] - wanted)


def _walk(line: Floats, starts: Ints, skipped: int, beat: Floats, slack: Floats) -> Ints:
    """How many pledges stand on the beat one after the other from each start."""
    lengths = np.full(len(starts), 2, dtype=np.int64)
    alive, at = np.arange(len(starts)), starts + skipped
    mean = beat
    while len(alive) and lengths.max(initial=0) < LONGEST:
        wanted = line[at] + mean
        found = _nearest(line, wanted)
        on: Flags = np.abs(line[found] - wanted) <= slack[alive]
        alive, at = alive[on], found[on]
        lengths[alive] += 1
        mean = (line[at] - line[starts[alive]]) / (lengths[alive] - 1)
    return lengths


def _members(line: Floats, chain: _Chain) -> Ints:
    found, beat = [chain.start, chain.start + chain.skipped], chain.beat
    while len(found) < LONGEST:
        wanted = line[found[-1]] + beat
        one = int(_nearest(line, wanted))
        if abs(line[one] - wanted) > chain.slack:
            break
        found.append(one)
        beat = float(line[one] - line[chain.start]) / (len(found) - 1)
    return np.array(found, dtype=np.int64)
