"""check: recompute a plan's cost and refuse it at the first broken rule. Written without a solver."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from optimizer.form.errors import BrokenRule
from optimizer.form.plan import Cost, Order, Solution, relative_gap
from optimizer.form.pricing import spends
from optimizer.form.problem import Offer, Problem, Quantity
from optimizer.rules.book import TOLERANCE, Book, above, book, within
from optimizer.rules.limits import (
    CapRow,
    cap_rows,
    capacity_used,
    hard_units,
    limits,
    locked_lots,
    locked_orders,
    materials_taken,
    previous_units,
)
from optimizer.rules.movement import check_flows, check_lanes, check_warehouses, deliveries
from optimizer.rules.spending import check_hard_spend, spend_penalty


def check(problem: Problem, solution: Solution) -> Cost:
    """Recompute the cost of solution. Raises BrokenRule (rule, where, reason) if any rule does not hold.

    Also refused: unit prices, parts of the cost, an objective or a bound that do not fit the quantities, and
    a gap that does not fit cost and bound.
    """
    plan = book(problem, solution)
    cost = check_quantities(problem, plan)
    money = spends(problem, plan.lots(problem))
    for order in solution.orders:
        _check_price(problem, order, money)
    _check_cost(solution, cost)
    return cost


def check_quantities(problem: Problem, plan: Book) -> Cost:
    """The rules and the cost of the quantities alone, whatever the plan says about itself."""
    _check_lots(problem, plan)
    _check_sources(problem, plan)
    _check_capacity(problem, plan)
    check_flows(problem, plan)
    lanes = check_lanes(problem, plan)
    holding = check_warehouses(problem, plan)
    matches = deliveries(problem, plan)
    _check_hard_caps(problem, plan)
    lots = plan.lots(problem)
    money = spends(problem, lots)
    check_hard_spend(problem, lots)
    return Cost(
        purchase=math.fsum(spend for spend, _ in money.values()),
        award=_award(problem, plan),
        order=math.fsum(problem.offers[number].order_cost for number, _ in lots),
        freight=lanes
        + math.fsum(
            problem.lane_of[source, target].cost * problem.sku_of[sku].volume * units
            for (sku, source, target, _), units in plan.flows.items()
        ),
        holding=holding + math.fsum(one.waiting for one in matches.values()),
        late=math.fsum(one.late for one in matches.values()),
        short=_short(problem, plan),
        risk=math.fsum(
            problem.supplier_of[problem.offers[number].supplier].risk * spend
            for number, (spend, _) in money.items()
        ),
        share=_share_penalty(problem, plan) + spend_penalty(problem, lots),
        churn=_churn(problem, plan),
    )


def _check_lots(problem: Problem, plan: Book) -> None:
    locked, lots = locked_lots(problem), plan.lots(problem)
    for (number, week), units in locked.items():
        if above(problem, units, lots.get((number, week), 0)):
            offer = problem.offers[number]
            where = f"{offer.supplier}/{offer.sku}/week {week}"
            raise BrokenRule("locked", where, f"{units} locked units are not kept")
    for (number, week), units in lots.items():
        fixed = locked.get((number, week), 0)
        if above(problem, units, fixed):
            _check_lot(problem, problem.offers[number], week=week, units=units, fixed=fixed)


def _check_lot(problem: Problem, offer: Offer, *, week: int, units: Quantity, fixed: Quantity) -> None:
    where = f"{offer.supplier}/{offer.sku}/week {week}"
    if not 0 <= week < problem.weeks:
        raise BrokenRule("horizon", where, "orders outside the horizon")
    if above(problem, offer.moq, units):
        raise BrokenRule("moq", where, f"{units} units are below MOQ {offer.moq}")
    if not _in_lots(problem, units - fixed, offer.multiple):
        raise BrokenRule("multiple", where, f"{units - fixed} units are no multiple of {offer.multiple}")
    if offer.max is not None and above(problem, units, offer.max):
        raise BrokenRule("max", where, f"{units} units are above {offer.max}")
    if offer.week_capacity is not None and above(problem, units, offer.week_capacity[week]):
        raise BrokenRule("week_capacity", where, f"{units} units are above {offer.week_capacity[week]}")


def _in_lots(problem: Problem, units: Quantity, multiple: Quantity) -> bool:
    if not problem.continuous:
        return bool(units % multiple == 0)
    count = units / multiple
    return multiple == 1 or bool(abs(count - round(count)) <= TOLERANCE * max(1.0, count))


def _check_sources(problem: Problem, plan: Book) -> None:
    locked = locked_orders(problem)
    sources: dict[str, set[str]] = defaultdict(set)
    fresh = set()
    for (supplier, sku, week), units in plan.orders.items():
        sources[sku].add(supplier)
        if above(problem, units, locked.get((supplier, sku, week), 0)):
            fresh.add(sku)
    for sku in sorted(fresh):
        least = problem.sku_of[sku].min_sources
        if len(sources[sku]) < least:
            raise BrokenRule("min_sources", sku, f"{len(sources[sku])} suppliers are fewer than {least}")


def _check_capacity(problem: Problem, plan: Book) -> None:
    allowed, lots = limits(problem), plan.lots(problem)
    used, total = capacity_used(problem, lots)
    taken = materials_taken(problem, lots)
    for (supplier, week), limit in allowed.capacity.items():
        within("capacity", f"{supplier}/week {week}", used.get((supplier, week), 0.0), limit)
    for supplier, limit in allowed.horizon.items():
        within("horizon_capacity", supplier, total.get(supplier, 0.0), limit)
    for (material, week), limit in allowed.material.items():
        within("material", f"{material}/week {week}", taken.get((material, week), 0.0), limit)


def _check_price(problem: Problem, order: Order, totals: dict[int, tuple[float, Quantity]]) -> None:
    money, units = totals[problem.alternatives[order.supplier, order.sku][order.alternative]]
    price = money / units
    if not abs(order.unit_price - price) <= TOLERANCE * max(1.0, price):
        where = f"{order.supplier}/{order.sku}/week {order.week}"
        raise BrokenRule("price", where, f"unit price {order.unit_price} should be {price}")


def _award(problem: Problem, plan: Book) -> float:
    suppliers = {supplier for supplier, _, _ in plan.orders}
    offers = {number for number, _ in plan.lots(problem)}
    places = {place for _, source, target, _ in plan.flows for place in (source, target)}
    return math.fsum(
        [problem.supplier_of[one].award_cost for one in sorted(suppliers)]
        + [problem.offers[number].award_cost for number in sorted(offers)]
        + [problem.warehouse_of[one].award_cost for one in sorted(places & set(problem.warehouse_of))]
    )


def _churn(problem: Problem, plan: Book) -> float:
    lost = (max(0, units - plan.orders.get(key, 0)) for key, units in previous_units(problem).items())
    return problem.churn_cost * math.fsum(lost)


def _short(problem: Problem, plan: Book) -> float:
    return math.fsum(
        one.short_cost * plan.unmet.get((one.sku, one.region, one.week), 0) for one in problem.demand
    )


def units_by_supplier(
    orders: Iterable[tuple[tuple[str, str, int], Quantity]], skus: frozenset[str]
) -> dict[str, Quantity]:
    """Units each supplier has in the scope, in supplier order."""
    units: dict[str, Quantity] = defaultdict(int)
    for (supplier, sku, _), quantity in orders:
        if sku in skus:
            units[supplier] += quantity
    return dict(sorted(units.items()))


def _share_penalty(problem: Problem, plan: Book) -> float:
    return math.fsum(
        max(0.0, units - row.free_units) * row.cap.penalty
        for row, by_supplier in _caps_with_units(problem, plan)
        if not row.cap.hard
        for units in by_supplier.values()
    )


def _caps_with_units(problem: Problem, plan: Book) -> list[tuple[CapRow, dict[str, Quantity]]]:
    by_sku: dict[str, list[tuple[tuple[str, str, int], Quantity]]] = defaultdict(list)
    for key, units in plan.orders.items():
        by_sku[key[1]].append((key, units))
    found = []
    for row in cap_rows(problem):
        orders = [pair for sku in row.skus for pair in by_sku.get(sku, ())]
        found.append((row, units_by_supplier(orders, row.skus)))
    return found


def _check_hard_caps(problem: Problem, plan: Book) -> None:
    locked = locked_orders(problem)
    for row, by_supplier in _caps_with_units(problem, plan):
        if not row.cap.hard:
            continue
        for supplier, units in by_supplier.items():
            where = f"{row.cap.scope}/{row.key or 'all'}/{supplier}"
            within("share_cap", where, units, hard_units(row, locked, supplier))


def _check_cost(solution: Solution, cost: Cost) -> None:
    scale = max(1.0, abs(cost.total))
    for name in Cost.__dataclass_fields__:
        given, true = getattr(solution.cost, name), getattr(cost, name)
        if not abs(given - true) <= TOLERANCE * scale:
            raise BrokenRule("cost", name, f"{given} should be {true}")
    if not abs(solution.objective - cost.total) <= TOLERANCE * scale:
        raise BrokenRule("cost", "objective", f"{solution.objective} should be {cost.total}")
    if not solution.bound <= cost.total + TOLERANCE * scale:
        raise BrokenRule("bound", "bound", f"{solution.bound} is above the objective {cost.total}")
    gap = relative_gap(cost.total, solution.bound)
    if not abs(solution.gap - gap) <= TOLERANCE:
        raise BrokenRule("gap", "gap", f"{solution.gap} should be {gap}")
