"""From the quantities of a plan to the plan as it is given out: cost, orders, flows, shares, what binds."""

from __future__ import annotations

from optimizer.form.plan import Flow, Order, ShadowPrice, Solution, relative_gap
from optimizer.form.pricing import spends
from optimizer.form.problem import Problem, Quantity
from optimizer.model.network import Network
from optimizer.rules.book import Book
from optimizer.rules.checking import check_quantities
from optimizer.telling.explaining import Chosen, binding, lateness, shares, unmet_with_reasons
from optimizer.telling.reasons import rooms


def published(
    net: Network,
    plan: Book,
    chosen: Chosen,
    *,
    kept: Solution | None = None,
    bound: float,
    shadow_prices: tuple[ShadowPrice, ...] = (),
    seed: int,
    seconds: float,
    limit: str | None,
) -> Solution:
    """The plan with its cost by the checker. Raises BrokenRule when the quantities break a rule.

    chosen: the SKUs whose unmet and late demand is given reasons; that of other SKUs is as kept says.
    """
    cost = check_quantities(net.problem, plan)
    objective = cost.total
    proven = min(bound, objective)
    gap = relative_gap(objective, proven)
    lots = plan.lots(net.problem)
    money = spends(net.problem, lots)
    state = rooms(net, plan)
    before = ((), ()) if kept is None else (kept.unmet, kept.late)
    return Solution(
        status="optimal" if gap <= 1e-6 else "feasible",
        objective=objective,
        bound=proven,
        gap=gap,
        seconds=seconds,
        seed=seed,
        cost=cost,
        orders=tuple(sorted(_order(net.problem, key, units, money[key[0]]) for key, units in lots.items())),
        flows=tuple(
            Flow(sku=k, source=a, target=b, week=t, quantity=q) for (k, a, b, t), q in plan.flows.items()
        ),
        unmet=tuple(sorted((*before[0], *unmet_with_reasons(net, state, plan, chosen)))),
        late=tuple(sorted((*before[1], *lateness(net, state, plan, chosen)))),
        shares=shares(net.problem, plan),
        binding=binding(net, state, plan),
        shadow_prices=shadow_prices,
        limit=limit,
    )


def _order(problem: Problem, lot: tuple[int, int], units: Quantity, money: tuple[float, Quantity]) -> Order:
    number, week = lot
    offer = problem.offers[number]
    return Order(
        supplier=offer.supplier,
        sku=offer.sku,
        week=week,
        quantity=units,
        unit_price=money[0] / money[1],
        alternative=problem.alternatives[offer.supplier, offer.sku].index(number),
    )
