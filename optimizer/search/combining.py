"""Several plans a SKU, and from them one each that nearly fit together.

What is best for each SKU alone at common prices overfills some weeks and leaves others empty. So each SKU
gets more plans, at prices that lean towards what does not fit. The cheapest mix of all plans that fits is a
linear program: with more SKUs than full rows it leaves most SKUs one plan (Dantzig & Wolfe, 1960).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from optimizer.form.clock import Deadline, Tell
from optimizer.form.reports import report
from optimizer.model.build import Floats
from optimizer.model.fees import fees
from optimizer.model.network import Network
from optimizer.model.parts import Effort, Part
from optimizer.search.choosing import best_choice
from optimizer.search.master import Master
from optimizer.search.repair import Plan
from optimizer.search.workers import Workers

# Rounds of one more plan a SKU: as many as this many pairs of lot and demand allow, within these.
PAIRS, LEAST_ROUNDS, MOST_ROUNDS = 5_000_000, 4, 8
# They stop when the mix of all plans gets cheaper by less than this.
SETTLED = 1e-3
# A row's price may at first be so many times the best known, and this part of the highest on top: with few
# plans to mix, the master would ask for far more. It doubles where the row stays exceeded.
BOX, BOX_FLOOR = 2.0, 0.01
# Up to so many SKUs the least choice is searched for, to this gap.
FEW_SKUS, CHOICE_GAP = 80, 1e-3


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Every plan seen, and of the round with the best bound the prices [rows] and the SKUs' parts.

    complete says whether the clock let all rounds finish.
    """

    master: Master
    prices: Floats
    own: dict[str, Part]
    bound: float
    complete: bool = True


def top_prices(net: Network) -> Floats:
    """No row is worth more than a mean shortage for each unit of what it limits, [rows]."""
    demand, coupling = net.problem.demand, net.coupling
    units = max(sum(one.quantity for one in demand), 1)
    short = sum(one.short_cost * one.quantity for one in demand) / units
    volume = sum(net.problem.sku_of[one.sku].volume * one.quantity for one in demand) / units
    uses = [offer.capacity_use for offer in net.problem.offers]
    use = float(np.mean(uses)) if uses else 1.0
    top = np.full(len(coupling.room), short)
    for rows, amount in (
        (coupling.capacity, use),
        (coupling.horizon, use),
        (coupling.inbound, volume),
        (coupling.storage, volume),
    ):
        top[rows[rows >= 0]] = short / max(amount, 1e-3)
    for rows in (coupling.throughput, coupling.lane_in, coupling.lane_direct):
        top[rows[rows >= 0]] = short / max(volume, 1e-3)
    # A lane out of a warehouse can be waited for, which plans at prices do not see: it gets no price.
    top[coupling.lane_out[coupling.lane_out >= 0]] = 0.0
    for cap in coupling.spend:
        top[cap.row[cap.row >= 0]] = 1.0
    return np.asarray(np.minimum(top, coupling.penalty), dtype=np.float64)


def lagrangian(net: Network, parts: Iterable[Part], prices: Floats) -> float:
    """What all SKUs cost at least: their own bounds at the prices less what the room is worth after fees."""
    return math.fsum(one.bound for one in parts) - fees(net).worth(prices * net.coupling.room)


def first_pool(plan: Plan, own: dict[str, Part]) -> Pool:
    """A plan that fits, so that the mix always has something to fall back on, and the SKUs' own parts at its
    prices; those the clock left out are missing."""
    net = plan.net
    master = Master(room=net.coupling.room, ceiling=top_prices(net), fees=fees(net))
    master.add(list(plan.parts.values()))
    return Pool(master=master, prices=plan.prices, own=own, bound=lagrangian(net, own.values(), plan.prices))


def gather(
    best: Pool,
    plan: Plan,
    workers: Workers,
    effort: Effort,
    tell: Tell,
    *,
    pairs: int,
    better: Callable[[Pool, Plan], Plan],
    goal: Callable[[Pool], float],
    deadline: Deadline,
) -> tuple[Pool, Plan]:
    """Round by round one more plan a SKU, at prices halfway between the best and the master's.

    Args:
        best: the first pool.
        plan: the one that fits, whose cost is told.
        pairs: lots times demands of all SKUs, the measure of a round's work.
        better: the cheapest plan known with those of a pool; asked every other round where SKUs are few.
        goal: what a plan costs at most that needs no more rounds.
        deadline: after which no round goes on.
    """
    net, skus = plan.net, list(plan.parts)
    top, master = top_prices(net), best.master
    rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, PAIRS // max(pairs, 1))) if len(top) else 1
    ask, found = best.prices, best.own
    before, loose = math.inf, np.full(len(top), BOX)
    for number in range(1, rounds + 1):
        master.add(list(found.values()))
        if len(found) < len(skus):
            return replace(best, complete=False), plan
        bound = lagrangian(net, found.values(), ask)
        if bound > best.bound:
            best = Pool(master=master, prices=ask, own=found, bound=bound)
        master.ceiling = np.minimum(top, loose * best.prices + BOX_FLOOR * top)
        wanted, cost, exceeded = master.prices()
        if number == rounds or (cost > before * (1 - SETTLED) and not exceeded.any()):
            break
        if number % 2 == 0 and len(skus) <= FEW_SKUS:
            plan = better(best, plan)
            if plan.cost() <= goal(best):
                break
        loose = np.where(exceeded > 0, 2 * loose, loose)
        ask, before, found = (best.prices + wanted) / 2, cost, {}
        for one in workers.sweep(skus, ask, effort, deadline=deadline):
            found[one.sku] = one
            done = number * len(skus) + len(found)
            tell(report("combine", done, rounds * len(skus), bound=best.bound, incumbent=plan.cost()))
    return best, plan


def choice(plan: Plan, master: Master, *, seed: int) -> dict[str, Part]:
    """Plans by SKU out of the pool, and of the plan that fits: the cheapest choice where SKUs are few; else
    of each SKU the one that weighs most in the cheapest mix that fits.

    With fewer SKUs than full rows the mix splits many of them, and rounding it costs more than the choice.
    """
    net, penalty = plan.net, plan.net.coupling.penalty
    if len(master.columns) <= FEW_SKUS:
        chosen = best_choice(master, penalty, known=plan.parts, gap=CHOICE_GAP, seed=seed)
        if chosen is not None:
            return {one.sku: one for one in chosen}
    above = np.where(np.isinf(penalty), np.maximum(10 * top_prices(net), 1.0), penalty)
    return {one.sku: one for one in master.heaviest(above)}
