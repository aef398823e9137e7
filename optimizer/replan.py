"""A plan made to fit again after something changed: only the SKUs it no longer fits are planned anew.

A SKU keeps its plan if that is legal by itself in the changed problem and all kept plans fit together; the
others are planned around them. Where that leaves more demand unmet or late than before, the SKUs that hold
most of what is full are planned anew too. What the kept SKUs do stays to the unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimizer.block import lot_uses
from optimizer.book import book
from optimizer.build import Floats
from optimizer.checking import check
from optimizer.clock import Clock, Told
from optimizer.errors import BrokenRule, ProblemError
from optimizer.explaining import lateness, unmet_with_reasons
from optimizer.item import compile_item
from optimizer.legality import misfits, narrower, of_skus
from optimizer.neighbourhood import Around, around
from optimizer.network import Network, network
from optimizer.plan import Settings, Solution
from optimizer.problem import Problem
from optimizer.publishing import published
from optimizer.repair import SLACK
from optimizer.uses import Uses, uses
from optimizer.workers import Crew

# So many SKUs at most make room for those that got less, so many times.
NEIGHBOURS, TURNS = 8, 1
# SKUs that are a small part of the plan are planned no closer than this, if the whole need not be.
MOST_GAP = 0.1
# Up to this part of all SKUs they are planned without prices for what they share among themselves.
FEW = 0.25
# A row is full where less than this part of its room is left.
FULL = 0.1


@dataclass(frozen=True, kw_only=True)
class Replanned:
    """The plan, the SKUs planned anew, and slack: how much dearer the plan may be than the best one in which
    the others stay as they are (infinite where that is not known)."""

    solution: Solution
    skus: tuple[str, ...]
    slack: float


def replan(
    problem: Problem,
    plan: Solution,
    settings: Settings | None = None,
    *,
    before: Problem | None = None,
    progress: Told | None = None,
    client: Any = None,
) -> Replanned:
    """Plan the changed problem with as much of an earlier plan as still holds.

    problem.previous and churn_cost say what changing the plan costs. before: the problem the plan was made
    for; where the changed one only allows less (offers declined, limits lowered, churn charged), the bound
    proven then holds and is that of the new plan, else its bound is 0. progress and client as in solve.

    Raises ProblemError when no plan around the kept SKUs was found: then solve the whole problem.
    """
    asked = replace(settings or Settings(), state=None)
    clock = Clock(limit=asked.time_limit)
    tell = clock.listen(progress)
    crew = Crew(threads=asked.threads, client=client)
    net = network(problem)
    gone = misfits(problem, plan)
    gone |= _too_many(net, plan, gone)
    found = Around(book=book(problem, of_skus(plan, gone, kept=False)), chosen={}, slack=0.0, late=False)
    anew = set(gone)
    for turn in range(TURNS + 1):
        if anew:
            gone |= anew
            kept = book(problem, of_skus(plan, gone, kept=False))
            part = replace(asked, gap=_part_gap(asked.gap, plan, gone))
            few = len(gone) <= FEW * len(problem.skus)
            new = around(net, kept, sorted(gone), part, tell=tell, clock=clock, crew=crew, brief=few)
            if new is None:
                raise ProblemError("$", f"no plan of {len(gone)} SKUs around the others was found")
            found = new
        anew = set() if clock.cancelled or turn == TURNS else _in_the_way(net, plan, found, gone)
        if not anew:
            break
    bound = plan.bound if before is not None and narrower(before, problem, plan) else 0.0
    solution = _published(net, plan, found, gone, bound=bound, clock=clock, seed=asked.seed)
    return Replanned(solution=solution, skus=tuple(sorted(gone)), slack=found.slack)


def _part_gap(gap: float, plan: Solution, skus: Collection[str]) -> float:
    """The gap of some SKUs that is gap of the whole, by what was spent on them before."""
    spent = {True: 0.0, False: 0.0}
    for one in plan.orders:
        spent[one.sku in skus] += one.quantity * one.unit_price
    return min(max(gap, MOST_GAP), gap * (spent[True] + spent[False]) / max(spent[True], 1e-9))


def _published(
    net: Network, plan: Solution, found: Around, gone: set[str], *, bound: float, clock: Clock, seed: int
) -> Solution:
    """The checked plan; why kept SKUs are short or late is as it was."""
    kept = of_skus(plan, gone, kept=False)
    limit = "cancelled" if clock.cancelled else "time" if found.late else None
    try:
        solution = published(
            net,
            found.book,
            unmet=sorted((*kept.unmet, *unmet_with_reasons(net, found.book, found.chosen))),
            late=sorted((*kept.late, *lateness(net, found.book, found.chosen))),
            bound=bound,
            seed=seed,
            seconds=clock.seconds,
            limit=limit,
        )
        check(net.problem, solution)
    except BrokenRule as error:
        raise ProblemError("$", f"the kept SKUs do not fit the changed problem: {error}") from error
    return solution


def _too_many(net: Network, plan: Solution, gone: Collection[str]) -> set[str]:
    """The kept SKUs that must go until the others fit together, the largest users of what is exceeded."""
    used = uses(net, book(net.problem, of_skus(plan, gone, kept=False)), without=gone)
    room, hard = net.coupling.room, np.isinf(net.coupling.penalty)
    total, more = used.total(), set[str]()
    while (over := hard & (total > room + SLACK * np.maximum(1.0, room))).any():
        largest = _largest(used, np.where(over, 1.0 / np.maximum(room, 1.0), 0.0), {*gone, *more}, most=1)
        if not largest:
            break
        more |= largest
        total -= used.of(next(iter(largest)))
    return more


def _in_the_way(net: Network, plan: Solution, found: Around, gone: set[str]) -> set[str]:
    """Kept SKUs that use most of what is full and could serve SKUs that are served worse than they were."""
    lack: dict[str, int] = defaultdict(int)
    for (sku, _, _), units in found.book.unmet.items():
        lack[sku] += units
    for late in lateness(net, found.book, found.chosen):
        lack[late.sku] += late.quantity * late.weeks_late
    for one in plan.unmet:
        lack[one.sku] -= one.quantity
    for late in plan.late:
        lack[late.sku] -= late.quantity * late.weeks_late
    wanted = [sku for sku, units in lack.items() if units > SLACK and sku in gone]
    if not wanted:
        return set()
    used = uses(net, found.book)
    room = net.coupling.room
    full = np.isinf(net.coupling.penalty) & (room > 0) & (room - used.total() < FULL * room)
    of_orders = np.zeros(len(room), dtype=bool)
    served = np.zeros(len(room), dtype=bool)
    for rows in (net.coupling.capacity, net.coupling.horizon, net.coupling.material, net.coupling.share):
        of_orders[rows[rows >= 0]] = True
    for sku in wanted:
        served[lot_uses(net, compile_item(net, net.problem.sku_of[sku]))[1]] = True
    weight = np.where(full & (served | ~of_orders), 1.0 / np.maximum(room, 1.0), 0.0)
    return _largest(used, weight, gone, most=NEIGHBOURS)


def _largest(used: Uses, weight: Floats, but: Collection[str], *, most: int) -> set[str]:
    """The SKUs that use most, rows counting weight [rows]."""
    amounts = {
        sku: amount for sku, amount in used.by_sku(weight).items() if sku not in but and amount > SLACK
    }
    return set(sorted(amounts, key=lambda sku: (-amounts[sku], sku))[:most])
