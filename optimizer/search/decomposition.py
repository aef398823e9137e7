"""Large problems SKU by SKU: prices for shared rows, several plans a SKU, one each that fit together.

The bound is Lagrangian: for any prices >= 0 (and at most the penalty of a soft row) the SKUs' own least
costs at those prices, less prices x room, can't exceed the cost of any plan (Fisher, 1981).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

from optimizer.form.clock import Clock, Deadline, Tell
from optimizer.form.plan import Settings, Solution
from optimizer.form.reports import report
from optimizer.model.network import Floats, Network
from optimizer.model.openings import paid_already
from optimizer.model.parts import Effort, Part
from optimizer.model.picks import LaidOut
from optimizer.search.combining import Pool, choice, first_pool, gather, lagrangian
from optimizer.search.found import Found
from optimizer.search.improving import close, improve
from optimizer.search.prices import find_prices
from optimizer.search.repair import Plan, repair
from optimizer.search.starting import start_plan
from optimizer.search.workers import Crew, Workers

# A small MIP is taken to close this part of a SKU's distance; they stop when this part of the gap is left.
CLOSES = 0.65
SHARPEN_TO = 0.3
# Work is bounded by pairs of lot and demand, so that the clock need not cut it and the plan can be had again.
# Small MIPs have all lots, which proves a better bound, where all SKUs have so many pairs in all: half a
# minute of one core. Else those furthest from their bound have the lots of the relaxation. Then come looks.
PROVEN_PAIRS, QUICK_PAIRS, LOOK_PAIRS = 100_000, 300_000, 3_000_000
# Where all SKUs have so many pairs in all, every plan of one is a small MIP's, and dives are left out.
SEARCHED_PAIRS = 600_000
# SKUs are planned anew in the room they have while they are further away than this part of the mean distance
# the gap allows, at most so many times, and as long as that makes the plan cheaper by this part.
LOOK_WORTH, LOOKS, LOOK_GAIN = 0.05, 3, 1e-3
# A mended plan within so many times the gap is looked at before more plans are made: that may be enough.
NEARLY = 1.2
# So many SKUs are planned anew to do without a supplier, a warehouse or a lane that costs something to open.
CLOSE_SKUS = 200
# The parts of the time limit after which prices, plans and small MIPs stop: nothing helps after bad prices.
PRICES_UNTIL, PLANS_UNTIL, SHARPEN_UNTIL = 0.35, 0.6, 0.7


def solve_in_parts(
    net: Network,
    settings: Settings,
    tell: Tell,
    *,
    clock: Clock,
    crew: Crew,
    brief: bool = False,
    known: Solution | None = None,
) -> Found:
    """The plan by SKU and its proven bound.

    brief: without prices, for SKUs that are few in the room many others leave: own plans, then looks. known:
    a plan of a neighbouring problem, to start from.
    """
    skus = [sku.id for sku in net.problem.skus]
    pairs = {sku: len(net.offers.get(sku, [])) * net.weeks * len(net.demand.get(sku, [])) for sku in skus}
    work = sum(pairs.values())
    effort = Effort(
        seed=settings.seed,
        gap=min(0.005, max(settings.gap / 2, 1e-4)),
        searched=not brief and work <= SEARCHED_PAIRS,
    )

    until = clock.until
    with Workers(net, crew) as workers:
        start = start_plan(net, workers, effort, known, deadline=until(1.0))  # any plan is more than none
        tell(report("start", 1, 1, incumbent=start.cost()))
        prices, on_time = start.prices, True
        if not brief:
            prices, on_time = find_prices(
                net, workers, skus, effort, tell, known=prices, deadline=until(PRICES_UNTIL)
            )
        own = {}
        for one in workers.sweep(skus, prices, effort, deadline=until(PLANS_UNTIL)):
            own[one.sku] = one
            tell(report("SKUs", len(own), len(skus), incumbent=start.cost()))
        on_time &= len(own) == len(skus)
        plan = Plan(net, start.parts | own, prices)
        plan, fits = _cheaper(workers, start, plan, effort, until(1.0), tell=_say(tell, "repair"))
        on_time &= fits
        gap, pool = settings.gap, first_pool(plan, own)
        if not brief and plan.cost() <= _goal(_bound(net, pool), NEARLY * gap):
            bound = _bound(net, pool)
            on_time &= _look(
                plan, workers, pool, pairs, effort, tell, gap=gap, bound=bound, deadline=until(1.0)
            )
            pool = first_pool(plan, own)
        if not brief and plan.cost() > _goal(_bound(net, pool), gap):
            pool, plan, fits = _more(pool, plan, workers, pairs, effort, tell, gap=gap, until=until)
            on_time &= fits
        bound = _bound(net, pool)
        on_time &= close(plan, workers, effort, most=CLOSE_SKUS, deadline=until(1.0))
        on_time &= _look(plan, workers, pool, pairs, effort, tell, gap=gap, bound=bound, deadline=until(1.0))
    chosen = {sku: one.pick for sku, one in plan.parts.items() if one.pick is not None}
    return Found(chosen=LaidOut(net, chosen), bound=bound, late=not on_time, prices=pool.prices)


def _more(
    pool: Pool,
    plan: Plan,
    workers: Workers,
    pairs: dict[str, int],
    effort: Effort,
    tell: Tell,
    *,
    gap: float,
    until: Callable[[float], Deadline],
) -> tuple[Pool, Plan, bool]:
    """More plans a SKU and the best choice of them until it is within the gap; and whether there was time."""
    net = plan.net

    def better(pool: Pool, known: Plan) -> Plan:
        return _chosen(workers, known, pool, effort, until(1.0))[0]

    def goal(pool: Pool) -> float:
        return _goal(_bound(net, pool), gap)

    pool, plan = gather(
        pool,
        plan,
        workers,
        effort,
        tell,
        pairs=sum(pairs.values()),
        better=better,
        goal=goal,
        deadline=until(PLANS_UNTIL),
    )
    on_time = pool.complete
    if plan.cost() > goal(pool):
        on_time &= _sharpen(net, workers, pool, pairs, effort, tell, gap=gap, deadline=until(SHARPEN_UNTIL))
        plan, fits = _chosen(workers, plan, pool, effort, until(1.0))
        on_time &= fits
    return pool, plan, on_time


def _sharpen(
    net: Network,
    workers: Workers,
    pool: Pool,
    pairs: dict[str, int],
    effort: Effort,
    tell: Tell,
    *,
    gap: float,
    deadline: Deadline,
) -> bool:
    """The small MIP for the SKUs whose quick plan is furthest from their bound, as far as the gap asks.

    Their plans join the pool. False when time ran out.
    """
    away = {sku: _distance(one, one.bound, pool.prices) for sku, one in pool.own.items()}
    left = math.fsum(away.values())
    allowed = SHARPEN_TO * gap * abs(lagrangian(net, pool.own.values(), pool.prices))
    wanted = []
    for sku in sorted(away, key=lambda sku: (-away[sku], sku)):
        if left <= allowed or away[sku] <= 0:
            break
        if pool.own[sku].support is not None:
            wanted.append(sku)
        left -= CLOSES * away[sku]
    proves = effort.searched
    budget = PROVEN_PAIRS if proves else QUICK_PAIRS
    jobs = [pool.own[sku] for sku in _affordable(wanted, pairs, budget)]
    done = 0
    for one in workers.sweep(jobs, pool.prices, replace(effort, proven=proves), deadline=deadline):
        pool.own[one.sku] = one
        pool.master.add([one])
        done += 1
        tell(report("small MIPs", done, len(jobs), bound=pool.bound))
    return done == len(jobs)


def _affordable(skus: list[str], pairs: dict[str, int], budget: int) -> list[str]:
    """The first of the SKUs, until their pairs use the budget up."""
    spent = accumulate((pairs[sku] for sku in skus), initial=0)
    return [sku for sku, used in zip(skus, spent, strict=False) if used < budget]


def _distance(one: Part, bound: float, prices: Floats) -> float:
    """How much dearer a SKU's plan is than its own bound at the prices."""
    return one.cost + float(prices[one.rows] @ one.amounts) - bound


def _cheaper(
    workers: Workers,
    known: Plan,
    mixed: Plan,
    effort: Effort,
    deadline: Deadline,
    *,
    tell: Callable[[int, int], None],
) -> tuple[Plan, bool]:
    """The mixed plan once it fits, or the known one where that is cheaper; and whether there was time."""
    on_time = True

    def fitted() -> list[Part]:
        nonlocal on_time
        on_time = repair(mixed, effort, tell=tell, deadline=deadline)
        return list(mixed.parts.values())

    fitting = Plan(known.net, workers.kept("repair", fitted, deadline=deadline), mixed.prices)
    if fitting.cost() <= known.cost():
        return fitting, on_time
    return Plan(known.net, known.parts, mixed.prices), on_time


def _chosen(
    workers: Workers, plan: Plan, pool: Pool, effort: Effort, deadline: Deadline
) -> tuple[Plan, bool]:
    """The cheapest of the plan and those chosen out of the pool, mended; and whether there was time."""
    mixed = Plan(plan.net, choice(plan, pool.master, seed=effort.seed), pool.prices)
    return _cheaper(workers, plan, mixed, effort, deadline, tell=_silent)


def _silent(done: int, total: int) -> None:
    """Progress of a step too short to be told."""


def _look(
    plan: Plan,
    workers: Workers,
    pool: Pool,
    pairs: dict[str, int],
    effort: Effort,
    tell: Tell,
    *,
    gap: float,
    bound: float,
    deadline: Deadline,
) -> bool:
    """Look again at the SKUs that are far from their own bound. False when time ran out."""
    goal = _goal(bound, gap)
    say = _say(tell, "improve", bound=bound, cost=plan.cost)
    worth = LOOK_WORTH * gap * abs(bound) / max(len(plan.parts), 1)
    budget = LOOK_PAIRS
    for _ in range(LOOKS):
        before = plan.cost()
        away = {sku: _distance(plan.parts[sku], one.bound, plan.prices) for sku, one in pool.own.items()}
        far = [sku for sku in sorted(away, key=lambda sku: (-away[sku], sku)) if away[sku] > worth]
        again = _affordable(far, pairs, budget)
        budget -= sum(pairs[sku] for sku in again)
        if before <= goal or not again:
            break
        if not improve(plan, workers, again, effort, goal=goal, tell=say, deadline=deadline):
            return False
        if plan.cost() > before * (1 - LOOK_GAIN):
            break
    return True


def _say(
    tell: Tell, phase: str, *, bound: float | None = None, cost: Callable[[], float] | None = None
) -> Callable[[int, int], None]:
    """Progress of one phase, with the cost so far where there is one."""
    return lambda done, total: tell(
        report(phase, done, total, bound=bound, incumbent=None if cost is None else cost())
    )


def _goal(bound: float, gap: float) -> float:
    """What a plan within the gap costs at most."""
    return bound / (1.0 - gap) if gap < 1.0 else math.inf


def _bound(net: Network, pool: Pool) -> float:
    """Costs are never negative, so a SKU the clock left out counts as zero."""
    return lagrangian(net, pool.own.values(), pool.prices) + paid_already(net)
