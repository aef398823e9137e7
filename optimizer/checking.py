"""check: recompute a plan's cost and refuse it at the first broken rule. Written without a solver."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from optimizer.errors import BrokenRule
from optimizer.limits import CapRow, cap_rows, hard_units, limits, locked_flows, locked_orders
from optimizer.matching import Arrival, Match, Need, match
from optimizer.plan import Cost, Order, Solution
from optimizer.pricing import spends
from optimizer.problem import Offer, Problem

TOLERANCE = 1e-6
Key = TypeVar("Key")


@dataclass(frozen=True, kw_only=True)
class Book:
    """A plan's quantities by key, each key seen once and every id known."""

    orders: dict[tuple[str, str, int], int]
    flows: dict[tuple[str, str, str, int], int]
    unmet: dict[tuple[str, str, int], int]


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
    _check_flows(problem, plan)
    holding = _check_warehouses(problem, plan)
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


def book(problem: Problem, solution: Solution) -> Book:
    """The plan's quantities by key. Raises BrokenRule for unknown ids, repeated keys and odd quantities."""
    orders: dict[tuple[str, str, int], int] = {}
    for one in solution.orders:
        where = f"order {one.supplier}/{one.sku}/week {one.week}"
        if (one.supplier, one.sku) not in problem.offer_of:
            raise BrokenRule("unknown_id", where, "there is no such offer")
        _put(orders, (one.supplier, one.sku, one.week), one.quantity, where)
    flows: dict[tuple[str, str, str, int], int] = {}
    for flow in solution.flows:
        where = f"flow {flow.sku} {flow.source}->{flow.target}/week {flow.week}"
        if flow.sku not in problem.sku_of or (flow.source, flow.target) not in problem.lane_of:
            raise BrokenRule("unknown_id", where, "there is no such SKU or lane")
        _put(flows, (flow.sku, flow.source, flow.target, flow.week), flow.quantity, where)
    demands = {(one.sku, one.region, one.week) for one in problem.demand}
    unmet: dict[tuple[str, str, int], int] = {}
    for short in solution.unmet:
        where = f"unmet {short.sku}/{short.region}/week {short.week}"
        if (short.sku, short.region, short.week) not in demands:
            raise BrokenRule("unknown_id", where, "there is no such demand")
        _put(unmet, (short.sku, short.region, short.week), short.quantity, where)
    return Book(orders=orders, flows=flows, unmet=unmet)


def _put(into: dict[Key, int], key: Key, units: int, where: str) -> None:
    if isinstance(units, bool) or not isinstance(units, int) or units <= 0:
        raise BrokenRule("quantity", where, f"must be a whole number above 0, not {units!r}")
    if key in into:
        raise BrokenRule("quantity", where, "is listed twice")
    into[key] = units


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
        _within("capacity", f"{supplier}/week {week}", used[supplier, week], limit)
    for supplier, limit in allowed.horizon.items():
        _within("horizon_capacity", supplier, total[supplier], limit)


def _within(rule: str, where: str, used: float, limit: float) -> None:
    if used > limit + TOLERANCE * max(1.0, limit):
        raise BrokenRule(rule, where, f"{used:g} is above the limit {limit:g}")


def _check_flows(problem: Problem, plan: Book) -> None:
    """No more leaves a supplier than was ordered for that week, and locked goods go where they were
    promised."""
    leaving: dict[tuple[str, str, int], int] = defaultdict(int)
    for (sku, source, target, week), units in plan.flows.items():
        if source in problem.supplier_of:
            lead = problem.offer_of.get((source, sku))
            if lead is None:
                raise BrokenRule("unknown_id", f"flow {sku} {source}->{target}", "there is no such offer")
            leaving[source, sku, week - lead.lead_weeks] += units
        elif not 0 <= week < problem.weeks:
            raise BrokenRule(
                "horizon", f"flow {sku} {source}->{target}/week {week}", "is outside the horizon"
            )
    for (supplier, sku, week), units in leaving.items():
        ordered = plan.orders.get((supplier, sku, week), 0)
        if units > ordered:
            raise BrokenRule(
                "supply", f"{supplier}/{sku}/week {week}", f"{units} leave, {ordered} are ordered"
            )
    for (sku, supplier, to, week), units in locked_flows(problem).items():
        if units and plan.flows.get((sku, supplier, to, week), 0) < units:
            raise BrokenRule(
                "locked", f"{sku} {supplier}->{to}/week {week}", f"{units} locked units don't go"
            )


def _check_warehouses(problem: Problem, plan: Book) -> float:
    """Balance, inbound and storage; returns the holding cost in warehouses."""
    change: dict[tuple[str, str, int], int] = defaultdict(int)
    inbound: dict[tuple[str, int], float] = defaultdict(float)
    for one in problem.stock:
        change[one.warehouse, one.sku, one.week] += one.quantity
    for (sku, source, target, week), units in plan.flows.items():
        arrives = week + problem.lane_of[source, target].lead_weeks
        if target in problem.warehouse_of and arrives < problem.weeks:
            change[target, sku, arrives] += units
            inbound[target, arrives] += units * problem.sku_of[sku].volume
        if source in problem.warehouse_of:
            change[source, sku, week] -= units
    holding, stored = _inventory(problem, change)
    allowed = limits(problem)
    for (warehouse, week), limit in allowed.inbound.items():
        _within("inbound", f"{warehouse}/week {week}", inbound[warehouse, week], limit)
    for (warehouse, week), limit in allowed.storage.items():
        _within("storage", f"{warehouse}/week {week}", stored[warehouse, week], limit)
    return holding


def _inventory(
    problem: Problem, change: dict[tuple[str, str, int], int]
) -> tuple[float, dict[tuple[str, int], float]]:
    stored: dict[tuple[str, int], float] = defaultdict(float)
    costs = []
    for warehouse, sku in sorted({(warehouse, sku) for warehouse, sku, _ in change}):
        there = 0
        item = problem.sku_of[sku]
        for week in range(problem.weeks):
            there += change.get((warehouse, sku, week), 0)
            if there < 0:
                where = f"{warehouse}/{sku}/week {week}"
                raise BrokenRule("warehouse_balance", where, f"{-there} units leave that are not there")
            stored[warehouse, week] += there * item.volume
            costs.append(there * item.holding_cost)
    return math.fsum(costs), stored


def deliveries(problem: Problem, plan: Book) -> dict[tuple[str, str], Match]:
    """By (sku, region): how arrivals serve demand. Raises BrokenRule if they can't serve what is not
    unmet."""
    locked = locked_flows(problem)
    arrivals: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
    for (sku, source, target, week), units in plan.flows.items():
        if target in problem.warehouse_of:
            continue
        arrives = week + problem.lane_of[source, target].lead_weeks
        wait = problem.sku_of[sku].holding_cost
        fixed = locked.get((sku, source, target, week), 0)
        if fixed:
            arrivals[sku, target].append(Arrival(week=arrives, units=fixed, locked=True, wait_cost=wait))
        if units > fixed:
            arrivals[sku, target].append(Arrival(week=arrives, units=units - fixed))
    needs = _needs(problem, plan)
    matches = {}
    for key in sorted(set(needs) | set(arrivals)):
        matches[key] = found = match(arrivals.get(key, []), needs.get(key, []))
        if found.left:
            reason = f"{found.left} units don't fit between what comes and what the demand still needs"
            raise BrokenRule("delivery", f"{key[0]}/{key[1]}", reason)
    return matches


def _needs(problem: Problem, plan: Book) -> dict[tuple[str, str], list[Need]]:
    needs: dict[tuple[str, str], list[Need]] = defaultdict(list)
    for one in problem.demand:
        short = plan.unmet.get((one.sku, one.region, one.week), 0)
        if short > one.quantity:
            where = f"{one.sku}/{one.region}/week {one.week}"
            raise BrokenRule("unmet", where, f"{short} unmet of {one.quantity}")
        last = problem.weeks - 1
        if one.max_late_weeks is not None:
            last = min(last, one.week + one.max_late_weeks)
        if one.quantity > short:
            need = Need(week=one.week, units=one.quantity - short, late_cost=one.late_cost, last_week=last)
            needs[one.sku, one.region].append(need)
    return needs


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
            _within("share_cap", where, units, hard_units(row, locked, supplier))


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
