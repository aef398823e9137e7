"""Rules on lanes that no price sees, for large problems: a region's single source, a lane's minimum.

They are first left out, which proves the bound. Where the plan breaks them, lanes are closed and the rest is
planned again: a single-source region keeps the lane that carried most, a lane is closed in a week below its
minimum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from optimizer.form.problem import Lane, Problem
from optimizer.rules.book import TOLERANCE, Book
from optimizer.rules.limits import Leg, locked_volume

# Rounds of closing lanes one week at a time; after them a lane below its minimum is closed for good.
ROUNDS = 3


def without_rules(problem: Problem) -> Problem:
    """The problem without minimums of lanes and single sources."""
    return replace(
        problem,
        lanes=tuple(replace(one, minimum=0.0) if one.minimum else one for one in problem.lanes),
        regions=tuple(replace(one, single_source=False) for one in problem.regions),
    )


def has_rules(problem: Problem) -> bool:
    """Whether any lane has a minimum or any region a single source."""
    return any(one.minimum > 0 for one in problem.lanes) or any(one.single_source for one in problem.regions)


def keep_rules(problem: Problem, plan: Book, again: Callable[[Problem], Book]) -> Problem:
    """The problem without rules on lanes, but with lanes closed until the plan made by again() keeps them."""
    left_out = _single(problem, plan)
    closed: set[Leg] = set()
    for number in range(problem.weeks * len(problem.lanes) + 2):
        made = _closed(problem, left_out, closed)
        below = _below(problem, again(made))
        if not below:
            break
        closed |= below
        if number >= ROUNDS:
            closed |= {(a, b, week) for a, b, _ in below for week in range(problem.weeks)}
    return made


def _volume(problem: Problem, plan: Book) -> dict[Leg, float]:
    volume: dict[Leg, float] = defaultdict(float)
    for (sku, source, target, week), units in plan.flows.items():
        volume[source, target, week] += units * problem.sku_of[sku].volume
    return volume


def _single(problem: Problem, plan: Book) -> set[tuple[str, str]]:
    """Lanes to leave out so that each single-source region has one: all but the one that carried most, or
    but those of locked orders."""
    carried: dict[tuple[str, str], float] = defaultdict(float)
    for (source, target, _), volume in _volume(problem, plan).items():
        carried[source, target] += volume
    facts = {key[:2] for key, volume in locked_volume(problem).items() if volume > 0}
    left_out: set[tuple[str, str]] = set()
    for region in problem.regions:
        lanes = sorted(key for key in problem.lane_of if key[1] == region.id)
        if region.single_source and lanes:
            kept = facts & set(lanes) or {max(lanes, key=lambda key: carried.get(key, 0.0))}
            left_out |= set(lanes) - kept
    return left_out


def _below(problem: Problem, plan: Book) -> set[Leg]:
    """Lanes and weeks on which something new goes and less than the minimum."""
    facts = locked_volume(problem)
    return {
        key
        for key, used in _volume(problem, plan).items()
        if used - facts.get(key, 0.0) > TOLERANCE
        and used < problem.lane_of[key[:2]].minimum * (1 - TOLERANCE) - TOLERANCE
    }


def _closed(problem: Problem, left_out: set[tuple[str, str]], closed: set[Leg]) -> Problem:
    free = without_rules(problem)
    lanes = (one for one in free.lanes if (one.source, one.target) not in left_out)
    return replace(free, lanes=tuple(_shut(one, closed, problem.weeks) for one in lanes))


def _shut(lane: Lane, closed: set[Leg], weeks: int) -> Lane:
    shut = {week for source, target, week in closed if (source, target) == (lane.source, lane.target)}
    if not shut:
        return lane
    capacity = lane.capacity or (1e12,) * weeks
    return replace(
        lane, capacity=tuple(0.0 if week in shut else value for week, value in enumerate(capacity))
    )
