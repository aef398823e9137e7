"""Large problems SKU by SKU: prices for shared rows, one small MIP a SKU, then repair in the room that is left.

The bound is Lagrangian: for any prices >= 0 (and at most the penalty of a soft row) the SKUs' own least costs at
those prices, less prices x room, can't exceed the cost of any plan (Fisher, 1981).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from optimizer.build import Floats
from optimizer.item import Item, compile_item
from optimizer.limits import locked_orders
from optimizer.master import Master
from optimizer.network import Network
from optimizer.parts import Effort, Part, part
from optimizer.picks import Pick, idle_pick
from optimizer.plan import Settings
from optimizer.repair import Plan, improve, repair
from optimizer.workers import Workers

Tell = Callable[[dict[str, Any]], None]
# Work is counted in (lot, demand) pairs: prices are found on a sample of at most so many, in rounds of so many
# in all, between the least and the most rounds.
SAMPLE_WORK = 200_000
PRICE_WORK = 1_200_000
LEAST_ROUNDS, MOST_ROUNDS = 5, 24
# Prices have settled when the master and the bound are this close.
SETTLED = 1e-3
# How much of the next prices is the best so far, the rest being the master's.
SMOOTH = 0.5
# The small MIP: for so many SKUs at most, and only until the rest is no more than this part of the bound away.
SMALL_MIPS = 1_200
NO_MATTER = 1e-3
# SKUs planned a second time after the repair: at most so many, each further away than this part of the bound.
SECOND_LOOKS = 60
SECOND_WORTH = 5e-5


def solve_in_parts(
    net: Network, settings: Settings, tell: Tell, *, deadline: float
) -> tuple[dict[str, tuple[Item, Pick]], float, bool]:
    """The plan by SKU, its proven bound, and whether the clock cut the search."""
    skus = [sku.id for sku in net.problem.skus]
    effort = Effort(seed=settings.seed, gap=min(0.005, max(settings.gap / 2, 1e-4)))
    with Workers(net, threads=settings.threads) as workers:
        prices = _find_prices(net, workers, skus, effort, tell, deadline=deadline)
        parts: dict[str, Part] = {}
        for one in workers.sweep(skus, prices, replace(effort, quick=True), deadline=deadline):
            parts[one.sku] = one
            tell(_report("SKUs", len(parts), len(skus)))
        on_time = len(parts) == len(skus)
        bound = _bound(net, parts, prices)
        on_time &= _sharpen(workers, parts, prices, effort, tell, bound=bound, deadline=deadline)
    for sku in skus:
        if sku not in parts:
            item = compile_item(net, net.problem.sku_of[sku])
            parts[sku] = part(net, item, idle_pick(item), bound=0.0)
    plan = Plan(net, {sku: parts[sku] for sku in skus}, prices)
    bounds = {sku: parts[sku].bound for sku in skus}
    on_time &= _finish(plan, bounds, bound, effort, tell, deadline=deadline)
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
    bound: float,
    deadline: float,
) -> bool:
    """The small MIP for the SKUs whose quick plan is furthest from their bound, until the rest is no matter."""
    away = {sku: _distance(one, one.bound, prices) for sku, one in parts.items()}
    order = sorted(away, key=lambda sku: (-away[sku], sku))
    left = math.fsum(away.values())
    again = []
    for sku in order[:SMALL_MIPS]:
        if left <= NO_MATTER * abs(bound):
            break
        again.append(sku)
        left -= away[sku]
    done = 0
    for one in workers.sweep(again, prices, effort, deadline=deadline):
        if _distance(one, one.bound, prices) < away[one.sku]:
            parts[one.sku] = one
        done += 1
        tell(_report("small MIPs", done, len(again), bound=bound))
    return done == len(again)


def _distance(one: Part, bound: float, prices: Floats) -> float:
    """How much dearer a SKU's plan is than its own bound at the prices."""
    return one.cost + float(prices[one.rows] @ one.amounts) - bound


def _finish(
    plan: Plan, bounds: dict[str, float], bound: float, effort: Effort, tell: Tell, *, deadline: float
) -> bool:
    """Repair, then look again at the SKUs furthest from their own bound at the prices."""

    def say(phase: str) -> Callable[[int, int], None]:
        return lambda done, total: tell(
            _report(phase, done, total, bound=bound, incumbent=None if phase == "repair" else plan.cost())
        )

    on_time = repair(plan, effort, tell=say("repair"), deadline=deadline)
    away = {sku: _distance(one, bounds[sku], plan.prices) for sku, one in plan.parts.items()}
    order = sorted(away, key=lambda sku: (-away[sku], sku))[:SECOND_LOOKS]
    again = [sku for sku in order if away[sku] > SECOND_WORTH * abs(bound)]
    return improve(plan, again, effort, tell=say("improve"), deadline=deadline) and on_time


def _bound(net: Network, parts: dict[str, Part], prices: Floats) -> float:
    """Costs are never negative, so a SKU the clock left out counts as zero."""
    locked = {supplier for supplier, _, _ in locked_orders(net.problem)}
    awards = sum(net.problem.supplier_of[one].award_cost for one in sorted(locked))
    return math.fsum(one.bound for one in parts.values()) - float(prices @ net.coupling.room) + awards


def _find_prices(
    net: Network, workers: Workers, skus: list[str], effort: Effort, tell: Tell, *, deadline: float
) -> Floats:
    """Column generation on relaxed SKUs: all of them, or a sample with the rooms scaled to its part."""
    size = len(net.coupling.room)
    if size == 0:
        return np.zeros(0)
    sample, work = _sample(net, skus)
    rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, PRICE_WORK // max(work, 1)))
    room = net.coupling.room * _scale(net, sample)
    master = Master(room=room, ceiling=np.minimum(net.coupling.penalty, _ceiling(net)))
    prices = best_prices = np.zeros(size)
    best = -np.inf
    relaxed = replace(effort, relaxed=True)
    for number in range(rounds):
        parts = list(workers.sweep(sample, prices, relaxed, deadline=deadline))
        if len(parts) < len(sample):
            break
        bound = math.fsum(one.bound for one in parts) - float(prices @ room)
        if bound > best:
            best, best_prices = bound, prices
        master.add(parts)
        wanted, cost, exceeded = master.prices()
        tell(_report("prices", number + 1, rounds))
        if cost - best <= SETTLED * abs(cost):
            if not exceeded.any():
                break
            master.ceiling = np.where(
                exceeded, np.minimum(2 * master.ceiling, net.coupling.penalty), master.ceiling
            )
            wanted, cost, exceeded = master.prices()
        prices = SMOOTH * best_prices + (1 - SMOOTH) * wanted
    return best_prices


def _sample(net: Network, skus: list[str]) -> tuple[list[str], int]:
    """Every k-th SKU by units of demand, so that large and small ones are both there, and the work it is."""
    units = {sku: sum(one.quantity for one in net.demand.get(sku, [])) for sku in skus}
    work = sum(len(net.offers.get(sku, [])) * net.weeks * len(net.demand.get(sku, [])) for sku in skus)
    step = max(1, math.ceil(work / SAMPLE_WORK))
    ordered = sorted(skus, key=lambda sku: (-units[sku], sku))
    return (ordered[step // 2 :: step] if step > 1 else skus), work // step


def _scale(net: Network, sample: list[str]) -> Floats:
    """The part of every row's likely use that comes from the sample, [rows]."""
    coupling = net.coupling
    chosen = set(sample)
    whole, mine = np.zeros(len(net.problem.suppliers)), np.zeros(len(net.problem.suppliers))
    for sku, offers in net.offers.items():
        units = sum(one.quantity for one in net.demand.get(sku, [])) / len(offers)
        for offer in offers:
            at = net.suppliers[offer.supplier]
            whole[at] += units * offer.capacity_use
            mine[at] += units * offer.capacity_use * (sku in chosen)
    part_of = np.where(whole > 0, mine / np.maximum(whole, 1e-12), 1.0)
    average = mine.sum() / whole.sum() if whole.sum() > 0 else 1.0
    scale = np.full(len(coupling.room), average)
    for at, share in enumerate(part_of):
        for rows in (coupling.capacity[at], coupling.horizon[at : at + 1], coupling.share[:, at]):
            scale[rows[rows >= 0]] = share
    return scale


def _ceiling(net: Network) -> float:
    """The highest price at first, a fraction of the mean unit price; it doubles where a row stays exceeded."""
    prices = [offer.breaks[0][1] / max(offer.capacity_use, 1e-3) for offer in net.problem.offers]
    return 0.1 * float(np.mean(prices)) + 1e-3 if prices else 1.0


def _report(
    phase: str, done: int, total: int, *, bound: float | None = None, incumbent: float | None = None
) -> dict[str, Any]:
    gap = (incumbent - bound) / incumbent if bound is not None and incumbent else None
    return {
        "phase": phase,
        "done": done,
        "total": total,
        "bound": bound,
        "incumbent": incumbent,
        "gap": gap,
    }
