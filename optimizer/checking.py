"""check: recompute a plan's cost and refuse it at the first broken rule. Written without a solver."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from optimizer.book import TOLERANCE, Book, book, within
from optimizer.errors import BrokenRule
from optimizer.limits import CapRow, cap_rows, hard_units, limits, locked_orders
from optimizer.movement import check_flows, check_warehouses, deliveries
from optimizer.plan import Cost, Order, Solution
from optimizer.pricing import spends
from optimizer.problem import Offer, Problem


def check(problem: Problem, solution: Solution) -> Cost:
    """Recompute the cost of solution. Raises BrokenRule (rule, where, reason) if any rule does not hold.

    Also refused: unit prices, parts of the cost, an objective or a bound that do not fit the quantities.
    """
    plan = book(problem, solution)
    cost = check_quantities(problem, plan)
    money = spends(problem, plan.orders)
    for order in solution.orders:
        _check_price(order, money)
    _check_cost(solution, cost)
    return cost


def check_quantities(problem: Problem, plan: Book) -> Cost:
    """The rules and the cost of the quantities alone, whatever the plan says about itself."""
    _check_lots(problem, plan)
    _check_sources(problem, plan)
    _check_capacity(problem, plan)
    check_flows(problem, plan)
    holding = check_warehouses(problem, plan)
    matches = deliveries(problem, plan)
    _check_hard_caps(problem, plan)
    money = spends(problem, plan.orders)
    return Cost(
        purchase=math.fsum(spend for spend, _ in money.values()),
        award=_award(problem, plan),
        order=math.fsum(problem.offer_of[supplier, sku].order_cost for supplier, sku, _ in plan.orders),
        freight=math.fsum(
            problem.lane_of[source, target].cost * problem.sku_of[sku].volume * units
            for (sku, source, target, _), units in plan.flows.items()
        ),
        holding=holding + math.fsum(one.waiting for one in matches.values()),
        late=math.fsum(one.late for one in matches.values()),
        short=_short(problem, plan),
        risk=math.fsum(
            problem.supplier_of[supplier].risk * spend for (supplier, _), (spend, _) in money.items()
        ),
        share=_share_penalty(problem, plan),
    )


def _check_lots(problem: Problem, plan: Book) -> None:
    locked = locked_orders(problem)
    for (supplier, sku, week), units in locked.items():
        if units and plan.orders.get((supplier, sku, week), 0) < units:
            raise BrokenRule("locked", f"{supplier}/{sku}/week {week}", f"{units} locked units are not kept")
    for (supplier, sku, week), units in plan.orders.items():
        fixed = locked.get((supplier, sku, week), 0)
        if units > fixed:
            _check_lot(
                problem.offer_of[supplier, sku], week=week, units=units, fixed=fixed, weeks=problem.weeks
            )


def _check_lot(offer: Offer, *, week: int, units: int, fixed: int, weeks: int) -> None:
    where = f"{offer.supplier}/{offer.sku}/week {week}"
    if not 0 <= week < weeks:
        raise BrokenRule("horizon", where, "orders outside the horizon")
    if units < offer.moq:
        raise BrokenRule("moq", where, f"{units} units are below MOQ {offer.moq}")
    if (units - fixed) % offer.multiple:
        raise BrokenRule("multiple", where, f"{units - fixed} units are no multiple of {offer.multiple}")
    if offer.max is not None and units > offer.max:
        raise BrokenRule("max", where, f"{units} units are above {offer.max}")
    if offer.week_capacity is not None and units > offer.week_capacity[week]:
        raise BrokenRule("week_capacity", where, f"{units} units are above {offer.week_capacity[week]}")


def _check_sources(problem: Problem, plan: Book) -> None:
    locked = locked_orders(problem)
    sources: dict[str, set[str]] = defaultdict(set)
    fresh = set()
    for (supplier, sku, week), units in plan.orders.items():
        sources[sku].add(supplier)
        if units > locked.get((supplier, sku, week), 0):
            fresh.add(sku)
    for sku in sorted(fresh):
        least = problem.sku_of[sku].min_sources
        if len(sources[sku]) < least:
            raise BrokenRule("min_sources", sku, f"{len(sources[sku])} suppliers are fewer than {least}")


def _check_capacity(problem: Problem, plan: Book) -> None:
    allowed = limits(problem)
    used: dict[tuple[str, int], float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for (supplier, sku, week), units in plan.orders.items():
        use = units * problem.offer_of[supplier, sku].capacity_use
        used[supplier, week] += use
        total[supplier] += use if week >= 0 else 0.0
    for (supplier, week), limit in allowed.capacity.items():
        within("capacity", f"{supplier}/week {week}", used[supplier, week], limit)
    for supplier, limit in allowed.horizon.items():
        within("horizon_capacity", supplier, total[supplier], limit)


def _check_price(order: Order, totals: dict[tuple[str, str], tuple[float, int]]) -> None:
    money, units = totals[order.supplier, order.sku]
    price = money / units
    if not abs(order.unit_price - price) <= TOLERANCE * max(1.0, price):
        where = f"{order.supplier}/{order.sku}/week {order.week}"
        raise BrokenRule("price", where, f"unit price {order.unit_price} should be {price}")


def _award(problem: Problem, plan: Book) -> float:
    suppliers = {supplier for supplier, _, _ in plan.orders}
    offers = {(supplier, sku) for supplier, sku, _ in plan.orders}
    return math.fsum(
        [problem.supplier_of[one].award_cost for one in sorted(suppliers)]
        + [problem.offer_of[key].award_cost for key in sorted(offers)]
    )


def _short(problem: Problem, plan: Book) -> float:
    return math.fsum(
        one.short_cost * plan.unmet.get((one.sku, one.region, one.week), 0) for one in problem.demand
    )


def units_by_supplier(
    orders: Iterable[tuple[tuple[str, str, int], int]], skus: frozenset[str]
) -> dict[str, int]:
    """Units each supplier has in the scope, in supplier order."""
    units: dict[str, int] = defaultdict(int)
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


def _caps_with_units(problem: Problem, plan: Book) -> list[tuple[CapRow, dict[str, int]]]:
    by_sku: dict[str, list[tuple[tuple[str, str, int], int]]] = defaultdict(list)
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
