"""What a plan costs when another demand shows: its orders stay, and its goods go where they are best."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.form.errors import ProblemError
from optimizer.form.plan import Cost, Infeasible, Settings, Solution
from optimizer.form.problem import Offer, Problem
from optimizer.model.build import Floats
from optimizer.model.network import network
from optimizer.rules.checking import check_quantities
from optimizer.scenarios.flowing import cheapest_flows, flows_alone
from optimizer.search.solving import solve

Units = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A problem whose orders are placed and cost nothing any more, what they cost, and the prices [rows] that
    docks, storage and lanes have for the demand they were planned for (None: not worked out)."""

    problem: Problem
    paid: float
    prices: Floats | None


def with_demand(problem: Problem, units: Units) -> Problem:
    """The problem with other quantities of its demands, [demands]."""
    demand = tuple(
        replace(one, quantity=int(count)) for one, count in zip(problem.demand, units, strict=True)
    )
    return replace(problem, demand=demand)


def placed(problem: Problem, plan: Solution) -> Placed:
    """What is left to decide once a plan of the problem is ordered: where its goods go."""
    left, cost = _without_orders(problem, plan), plan.cost
    paid = cost.purchase + cost.award + cost.order + cost.risk + cost.share + cost.churn
    net = network(left)
    guess = np.zeros(len(net.coupling.room))
    flowed = cheapest_flows(net, guess) if flows_alone(left) else None
    return Placed(problem=left, paid=paid, prices=None if flowed is None else flowed.prices)


def cost_under(one: Placed, units: Units, settings: Settings) -> float:
    """What the plan costs with this demand, [demands]. The checker prices the flows."""
    problem = with_demand(one.problem, units)
    cost = _cost_of_flows(problem, one.prices, settings)
    return one.paid + cost.freight + cost.holding + cost.late + cost.short


def _cost_of_flows(problem: Problem, prices: Floats | None, settings: Settings) -> Cost:
    """By the flows alone where that is all there is to decide, else by the search for plans."""
    if prices is not None and (flowed := cheapest_flows(network(problem), prices)) is not None:
        return check_quantities(problem, flowed.book)
    answer = solve(problem, replace(settings, gap=1e-4, threads=1, state=None))
    if isinstance(answer, Infeasible):  # a problem without share caps is not
        raise ProblemError("$", "; ".join(answer.conflict))
    return answer.cost


def _without_orders(problem: Problem, plan: Solution) -> Problem:
    weekly: dict[int, list[int]] = {}
    for one in plan.orders:
        if one.week >= 0:
            number = problem.alternatives[one.supplier, one.sku][one.alternative]
            weekly.setdefault(number, [0] * problem.weeks)[one.week] += one.quantity

    def kept(number: int, offer: Offer) -> Offer:
        return replace(
            offer,
            moq=0,
            multiple=1,
            max=None,
            order_cost=0.0,
            award_cost=0.0,
            setup_capacity=0.0,
            breaks=((0, 0.0),),
            week_capacity=tuple(weekly.get(number, [0] * problem.weeks)),
        )

    free = tuple(
        replace(one, capacity=None, horizon_capacity=None, award_cost=0.0, risk=0.0)
        for one in problem.suppliers
    )
    return replace(
        problem,
        suppliers=free,
        offers=tuple(kept(number, offer) for number, offer in enumerate(problem.offers)),
        skus=tuple(replace(one, min_sources=1) for one in problem.skus),
        share_caps=(),
        churn_cost=0.0,
        previous=(),
    )
