"""Large problems SKU by SKU: prices for shared rows, one plan a SKU, then repair in the room that is left.

The bound is Lagrangian: for any prices >= 0 (and at most the penalty of a soft row) the SKUs' own least
costs at those prices, less prices x room, can't exceed the cost of any plan (Fisher, 1981).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from optimizer.combining import combine
from optimizer.item import Item, compile_item
from optimizer.limits import locked_orders
from optimizer.network import Floats, Network
from optimizer.parts import Effort, Part, idle_part
from optimizer.picks import Pick
from optimizer.plan import Settings
from optimizer.prices import find_prices
from optimizer.repair import Plan, improve, repair
from optimizer.reports import Tell, report
from optimizer.workers import Workers

# The small MIP: for so many SKUs at most.
SMALL_MIPS = 600
# A small MIP is taken to close this part of a SKU's distance; they stop when this part of the gap is left.
CLOSES = 0.65
SHARPEN_TO = 0.6
# Up to so many pairs of lot and demand in all, the small MIPs have all lots and prove a better bound: about
# two minutes on two cores.
PROVEN_PAIRS = 1_000_000
# SKUs planned a second time after the repair: at most so many, each further away than this part of the bound.
SECOND_LOOKS = 20
SECOND_WORTH = 5e-5
# The parts of the time limit after which prices, then plans, stop, so that the repair has time left.
PRICES_UNTIL, PLANS_UNTIL, COMBINED_UNTIL = 0.3, 0.6, 0.85


def solve_in_parts(
    net: Network, settings: Settings, tell: Tell, *, started: float
) -> tuple[dict[str, tuple[Item, Pick]], float, bool]:
    """The plan by SKU, its proven bound, and whether the clock cut the search."""
    skus = [sku.id for sku in net.problem.skus]
    effort = Effort(seed=settings.seed, gap=min(0.005, max(settings.gap / 2, 1e-4)))
    late = started + PLANS_UNTIL * settings.time_limit
    with Workers(net, threads=settings.threads) as workers:
        prices, on_time = find_prices(
            net, workers, skus, effort, tell, deadline=started + PRICES_UNTIL * settings.time_limit
        )
        parts: dict[str, Part] = {}
        for one in workers.sweep(skus, prices, effort, deadline=late):
            parts[one.sku] = one
            tell(report("SKUs", len(parts), len(skus)))
        on_time &= len(parts) == len(skus)
        hard = replace(effort, proven=_pairs(net, skus) <= PROVEN_PAIRS)
        bound = _bound(net, parts, prices)
        on_time &= _sharpen(workers, parts, prices, hard, tell, gap=settings.gap, bound=bound, deadline=late)
        bound = _bound(net, parts, prices)
        plan = Plan(net, {sku: parts.get(sku) or idle_part(net, sku) for sku in skus}, prices)
        on_time &= _fit(plan, workers, effort, tell, settings=settings, bound=bound, started=started)
    chosen = {}
    for sku, one in plan.parts.items():
        assert one.pick is not None
        chosen[sku] = (compile_item(net, net.problem.sku_of[sku]), one.pick)
    return chosen, bound, not on_time


def _sharpen(
    workers: Workers,
    parts: dict[str, Part],
    prices: Floats,
    effort: Effort,
    tell: Tell,
    *,
    gap: float,
    bound: float,
    deadline: float,
) -> bool:
    """The small MIP for the SKUs whose quick plan is furthest from their bound, as far as the gap asks."""
    away = {sku: _distance(one, one.bound, prices) for sku, one in parts.items()}
    order = sorted(away, key=lambda sku: (-away[sku], sku))
    left = math.fsum(away.values())
    again = []
    for sku in order[:SMALL_MIPS]:
        if left <= SHARPEN_TO * gap * abs(bound) or away[sku] <= 0:
            break
        again.append(sku)
        left -= CLOSES * away[sku]
    done = 0
    jobs = [parts[sku] for sku in again if parts[sku].support is not None]
    for one in workers.sweep(jobs, prices, effort, deadline=deadline):
        parts[one.sku] = one
        done += 1
        tell(report("small MIPs", done, len(jobs), bound=bound))
    return done == len(jobs)


def _pairs(net: Network, skus: list[str]) -> int:
    return sum(len(net.offers.get(sku, [])) * net.weeks * len(net.demand.get(sku, [])) for sku in skus)


def _distance(one: Part, bound: float, prices: Floats) -> float:
    """How much dearer a SKU's plan is than its own bound at the prices."""
    return one.cost + float(prices[one.rows] @ one.amounts) - bound


def _fit(
    plan: Plan,
    workers: Workers,
    effort: Effort,
    tell: Tell,
    *,
    settings: Settings,
    bound: float,
    started: float,
) -> bool:
    """Repair, choose among more plans a SKU, and look again at the SKUs furthest from their own bound."""
    own = list(plan.parts.values())
    until = started + settings.time_limit
    goal = bound / (1.0 - settings.gap) if settings.gap < 1.0 else math.inf

    def say(phase: str) -> Callable[[int, int], None]:
        def tell_more(done: int, total: int) -> None:
            cost = plan.cost() if phase == "improve" else None
            tell(report(phase, done, total, bound=bound, incumbent=cost))

        return tell_more

    def second_looks() -> bool:
        away = {one.sku: _distance(plan.parts[one.sku], one.bound, plan.prices) for one in own}
        order = sorted(away, key=lambda sku: (-away[sku], sku))[:SECOND_LOOKS]
        again = [sku for sku in order if away[sku] > SECOND_WORTH * abs(bound)]
        return improve(plan, again, effort, goal=goal, tell=say("improve"), deadline=until)

    on_time = repair(plan, effort, tell=say("repair"), deadline=until) and second_looks()
    if plan.cost() > goal and len(plan.used):
        pairs = _pairs(plan.net, list(plan.parts))
        late = started + COMBINED_UNTIL * settings.time_limit
        on_time &= combine(plan, own, workers, effort, tell, pairs=pairs, bound=bound, deadline=late)
        on_time &= second_looks()
    return on_time


def _bound(net: Network, parts: dict[str, Part], prices: Floats) -> float:
    """Costs are never negative, so a SKU the clock left out counts as zero."""
    locked = {supplier for supplier, _, _ in locked_orders(net.problem)}
    awards = sum(net.problem.supplier_of[one].award_cost for one in sorted(locked))
    return math.fsum(one.bound for one in parts.values()) - float(prices @ net.coupling.room) + awards
