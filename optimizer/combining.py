"""Several plans a SKU, and from them one each that fit together.

What is best for each SKU alone at common prices overfills some weeks and leaves others empty. So each SKU
gets more plans at prices that lean towards what does not fit, and a small MIP chooses one a SKU.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.build import Floats
from optimizer.master import Master
from optimizer.network import Network
from optimizer.parts import Effort, Part
from optimizer.repair import Plan, repair
from optimizer.reports import Tell, report
from optimizer.workers import Workers

# Rounds of one more plan a SKU: as many as this many pairs of lot and demand allow, within these.
PAIRS, LEAST_ROUNDS, MOST_ROUNDS = 5_000_000, 2, 8
# They stop when the mix of all plans gets cheaper by less than this.
SETTLED = 2e-3
# What a unit above a hard limit costs in the choice, in parts of the highest price a row can have.
ABOVE = 100.0
# Branch-and-bound nodes of the choice; for many SKUs the first is enough.
NODES, MANY = 500, 500
CHOICE_GAP = 1e-3


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
    return np.asarray(np.minimum(top, coupling.penalty), dtype=np.float64)


def combine(
    plan: Plan,
    own: list[Part],
    workers: Workers,
    effort: Effort,
    tell: Tell,
    *,
    pairs: int,
    bound: float,
    deadline: float,
) -> bool:
    """Give plan the cheapest choice found. False when time ran out.

    Args:
        plan: one that keeps every hard row.
        own: the SKUs' own plans at plan.prices, whether they fit together or not.
        pairs: lots times demands of all SKUs, the measure of a round's work.
    """
    net = plan.net
    top = top_prices(net)
    master = Master(room=net.coupling.room, ceiling=top)
    master.add(own)
    master.add(list(plan.parts.values()))
    rounds = min(MOST_ROUNDS, max(LEAST_ROUNDS, PAIRS // max(pairs, 1)))
    on_time = _more_plans(plan, master, workers, effort, tell, rounds=rounds, bound=bound, deadline=deadline)
    above = np.where(plan.hard, ABOVE * top, net.coupling.penalty)
    nodes = NODES if len(plan.parts) <= MANY else 1
    chosen = master.choose(above, gap=CHOICE_GAP, nodes=nodes, seed=effort.seed)
    if chosen is not None:
        other = Plan(net, {one.sku: one for one in chosen}, plan.prices)
        on_time &= repair(other, effort, tell=lambda done, total: None, deadline=deadline)
        if other.cost() < plan.cost():
            for one in other.parts.values():
                plan.replace(one)
    tell(report("combine", rounds, rounds, bound=bound, incumbent=plan.cost()))
    return on_time


def _more_plans(
    plan: Plan,
    master: Master,
    workers: Workers,
    effort: Effort,
    tell: Tell,
    *,
    rounds: int,
    bound: float,
    deadline: float,
) -> bool:
    """One more plan a SKU and round, at prices halfway between the best and the master's."""
    before = np.inf
    for number in range(rounds):
        wanted, cost, _ = master.prices()
        if cost > before * (1 - SETTLED):
            break
        before = cost
        prices = (plan.prices + wanted) / 2
        found = list(
            workers.sweep(list(plan.parts), prices, replace(effort, proven=False), deadline=deadline)
        )
        master.add(found)
        if len(found) < len(plan.parts):
            return False
        tell(report("combine", number, rounds, bound=bound, incumbent=plan.cost()))
    return True
