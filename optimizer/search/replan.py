"""A plan made to fit again after something changed: only the SKUs it no longer fits are planned anew.

A SKU keeps its plan if that is legal by itself in the changed problem and all kept plans fit together; the
others are planned around them. Where that leaves demand so much worse served than before that moving as many
units would cost less, the SKUs that hold most of what is full are planned anew too, if that is cheaper. What
the kept SKUs do stays to the unit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimizer.form.clock import Clock, Told
from optimizer.form.errors import BrokenRule, ProblemError
from optimizer.form.plan import Settings, Solution
from optimizer.form.problem import Problem, Quantity
from optimizer.model.block import lot_uses
from optimizer.model.build import Floats
from optimizer.model.item import compile_item
from optimizer.model.network import Network, network
from optimizer.model.uses import Uses, uses
from optimizer.rules.book import book
from optimizer.rules.checking import check, check_quantities
from optimizer.rules.legality import misfits, narrower, of_skus
from optimizer.rules.movement import deliveries
from optimizer.rules.selection import only
from optimizer.search.neighbourhood import Around, around, without
from optimizer.search.repair import SLACK
from optimizer.search.workers import Crew
from optimizer.telling.publishing import published

# So many SKUs at most make room for those that got less.
NEIGHBOURS = 8
# SKUs that are a small part of the plan are planned no closer than this, if the whole need not be.
MOST_GAP = 0.1
# They do so where that might gain more than this part of what the gap allows.
ROOM_WORTH = 0.05
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
    gone = misfits(problem, plan, before)
    gone |= _too_many(net, plan, gone)

    def anew(skus: set[str]) -> Around | None:
        kept = book(problem, of_skus(plan, skus, kept=False))
        if not skus:
            return Around(book=kept, chosen={}, slack=0.0, late=False)
        mine, whole = _spent(plan, skus)
        part = replace(asked, gap=_allowed(asked.gap, mine, whole) / max(mine, 1e-9))
        few = len(skus) <= FEW * len(problem.skus)
        likely = {(one.supplier, one.sku, one.week): one.quantity for one in plan.orders if one.sku in skus}
        known = replace(kept, orders=kept.orders | likely)
        return around(
            net, known, sorted(skus), part, tell=tell, clock=clock, crew=crew, brief=few, likely=True
        )

    found = anew(gone)
    if found is None:
        raise ProblemError("$", f"no plan of {len(gone)} SKUs around the others was found")
    worse = _served_worse(problem, plan, found, gone)
    worth = ROOM_WORTH * _allowed(asked.gap, *_spent(plan, gone))
    makes_room = sum(worse.values()) > worth + SLACK and not clock.cancelled
    more = _in_the_way(net, found, gone, worse) if makes_room else set()
    wider = anew(gone | more) if more else None
    if wider is not None and _cost(problem, wider) < _cost(problem, found):
        found, gone = wider, gone | more
    bound = plan.bound if before is not None and narrower(before, problem, plan) else 0.0
    solution = _published(net, plan, found, gone, bound=bound, clock=clock, seed=asked.seed)
    return Replanned(solution=solution, skus=tuple(sorted(gone)), slack=found.slack)


def _spent(plan: Solution, skus: Collection[str]) -> tuple[float, float]:
    """What the plan spends on some SKUs, and on all."""
    spent = {True: 0.0, False: 0.0}
    for one in plan.orders:
        spent[one.sku in skus] += one.quantity * one.unit_price
    return spent[True], spent[True] + spent[False]


def _allowed(gap: float, mine: float, whole: float) -> float:
    """What some SKUs may cost above the least: gap of the whole, but little of what is spent on them."""
    return min(max(gap, MOST_GAP) * mine, gap * whole)


def _cost(problem: Problem, found: Around) -> float:
    """The cost of the whole plan; infinite where it breaks a rule."""
    try:
        return check_quantities(problem, found.book).total
    except BrokenRule:
        return math.inf


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
            found.chosen,
            kept=kept,
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


def _in_the_way(net: Network, found: Around, gone: set[str], worse: Collection[str]) -> set[str]:
    """Kept SKUs that use most of what is full and could serve those that are served worse than they were."""
    used = uses(net, found.book)
    room = net.coupling.room
    full = np.isinf(net.coupling.penalty) & (room > 0) & (room - used.total() < FULL * room)
    of_orders = np.zeros(len(room), dtype=bool)
    served = np.zeros(len(room), dtype=bool)
    for rows in (net.coupling.capacity, net.coupling.horizon, net.coupling.material, net.coupling.share):
        of_orders[rows[rows >= 0]] = True
    for sku in worse:
        served[lot_uses(net, compile_item(net, net.problem.sku_of[sku]))[1]] = True
    weight = np.where(full & (served | ~of_orders), 1.0 / np.maximum(room, 1.0), 0.0)
    return _largest(used, weight, gone, most=NEIGHBOURS)


def _served_worse(problem: Problem, plan: Solution, found: Around, gone: set[str]) -> dict[str, float]:
    """The SKUs planned anew whose units short and late cost more than before, and by how much, beyond what
    moving as many units would."""
    if not gone:
        return {}
    mine = without(found.book, {one.id for one in problem.skus} - gone)
    needs = {(one.sku, one.region, one.week): one for one in problem.demand if one.sku in gone}
    lack: dict[str, float] = defaultdict(float)

    def add(key: tuple[str, str, int], units: Quantity, *, weeks: int | None = None) -> None:
        need = needs.get(key)
        if need is not None:
            cost = need.short_cost if weeks is None else need.late_cost * weeks
            lack[need.sku] += units * max(0.0, cost - problem.churn_cost)

    for key, units in mine.unmet.items():
        add(key, units)
    for (sku, region), one in deliveries(only(problem, frozenset(gone)), mine).items():
        for week, weeks, units in one.lateness:
            add((sku, region, week), units, weeks=weeks)
    for short in plan.unmet:
        add((short.sku, short.region, short.week), -short.quantity)
    for late in plan.late:
        add((late.sku, late.region, late.week), -late.quantity, weeks=late.weeks_late)
    return {sku: cost for sku, cost in lack.items() if cost > SLACK}


def _largest(used: Uses, weight: Floats, but: Collection[str], *, most: int) -> set[str]:
    """The SKUs that use most, rows counting weight [rows]."""
    amounts = {
        sku: amount for sku, amount in used.by_sku(weight).items() if sku not in but and amount > SLACK
    }
    return set(sorted(amounts, key=lambda sku: (-amounts[sku], sku))[:most])
