"""What a finished plan says about itself: shares, what binds, and why a demand is unmet or late."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer.book import Book
from optimizer.checking import units_by_supplier
from optimizer.item import Item
from optimizer.limits import CapRow, cap_rows, limits, locked_orders
from optimizer.movement import deliveries
from optimizer.network import Network
from optimizer.picks import Pick
from optimizer.plan import Binding, Late, Share, Unmet
from optimizer.problem import Problem
from optimizer.reasons import Rooms, late_reason, rooms, short_reason


def shares(problem: Problem, plan: Book) -> tuple[Share, ...]:
    """Each supplier's share of what is ordered, for the plan, each category, each SKU and each further
    cap."""
    demand: dict[str, int] = defaultdict(int)
    for one in problem.demand:
        demand[one.sku] += one.quantity
    by_sku: dict[str, list[tuple[tuple[str, str, int], int]]] = defaultdict(list)
    for order, units in plan.orders.items():
        by_sku[order[1]].append((order, units))
    found: list[Share] = []
    for scope, key, skus in _scopes(problem):
        orders = [pair for sku in sorted(skus) for pair in by_sku.get(sku, ())]
        needed = sum(demand[sku] for sku in skus)
        found.extend(_scope_shares(scope, key, units_by_supplier(orders, skus), needed))
    return tuple(found)


def _scopes(problem: Problem) -> list[tuple[str, str | None, frozenset[str]]]:
    scopes: list[tuple[str, str | None, frozenset[str]]] = [
        ("plan", None, frozenset(sku.id for sku in problem.skus))
    ]
    categories: dict[str, list[str]] = defaultdict(list)
    for sku in problem.skus:
        if sku.category is not None:
            categories[sku.category].append(sku.id)
    scopes += [("category", key, frozenset(skus)) for key, skus in sorted(categories.items())]
    return scopes + [("sku", sku.id, frozenset([sku.id])) for sku in problem.skus]


def _scope_shares(scope: str, key: str | None, units: dict[str, int], demand: int) -> list[Share]:
    total = sum(units.values())
    if not total:
        return []
    hhi = math.fsum((one / total) ** 2 for one in units.values())
    return [
        Share(
            scope=scope,
            key=key,
            base="units",
            supplier=supplier,
            units=one,
            share=one / total,
            demand_share=one / demand if demand else 0.0,
            hhi=hhi,
        )
        for supplier, one in units.items()
    ]


def binding(net: Network, plan: Book, chosen: dict[str, tuple[Item, Pick]]) -> tuple[Binding, ...]:
    """Rules at their limit: shared rows, share caps, MOQs bought with surplus, and an offer's max or
    week_capacity."""
    state = rooms(net, plan, chosen)
    found = []
    allowed = limits(net.problem)
    by_rule = {"capacity": allowed.capacity, "inbound": allowed.inbound, "storage": allowed.storage}
    for number, (rule, ids) in enumerate(net.coupling.names):
        if rule == "share_cap" or state.left[number] > 1e-6 * max(1.0, net.coupling.room[number]):
            continue
        place = str(ids.get("supplier", ids.get("warehouse")))
        if rule == "horizon_capacity":
            limit = allowed.horizon[place]
        else:
            limit = by_rule[rule][place, int(str(ids["week"]))]
        given = _given_limit(net.problem, rule, ids)
        used = limit - float(state.left[number])
        found.append(Binding(rule=rule, ids=dict(ids), used=used, limit=given, forced=limit > given))
    found += _cap_bindings(net.problem, plan)
    return tuple(found + _lot_bindings(net.problem, plan))


def _given_limit(problem: Problem, rule: str, ids: dict[str, object]) -> float:
    """The limit as the problem states it, before facts raised it."""
    if rule == "horizon_capacity":
        return problem.supplier_of[str(ids["supplier"])].horizon_capacity or 0.0
    week = int(str(ids["week"]))
    if rule == "capacity":
        return (problem.supplier_of[str(ids["supplier"])].capacity or ())[week]
    house = problem.warehouse_of[str(ids["warehouse"])]
    return ((house.storage if rule == "storage" else house.inbound) or ())[week]


def _cap_bindings(problem: Problem, plan: Book) -> list[Binding]:
    """A cap binds when one more whole unit would go above it."""
    by_sku: dict[str, list[tuple[tuple[str, str, int], int]]] = defaultdict(list)
    for key, units in plan.orders.items():
        by_sku[key[1]].append((key, units))
    locked = locked_orders(problem)
    found = []
    for row in cap_rows(problem):
        orders = [pair for sku in sorted(row.skus) for pair in by_sku.get(sku, ())]
        for supplier, units in units_by_supplier(orders, row.skus).items():
            if units + 1 > row.free_units:
                found.append(_cap_binding(row, supplier, units, locked))
    return found


def _cap_binding(row: CapRow, supplier: str, units: int, locked: dict[tuple[str, str, int], int]) -> Binding:
    facts = sum(n for (one, sku, _), n in locked.items() if one == supplier and sku in row.skus)
    ids = {"scope": row.cap.scope, "key": row.key, "supplier": supplier, "hard": row.cap.hard}
    limit = row.cap.max_share * row.demand
    return Binding(rule="share_cap", ids=ids, used=float(units), limit=limit, forced=facts > limit + 1e-6)


def _lot_bindings(problem: Problem, plan: Book) -> list[Binding]:
    leaving: dict[tuple[str, str, int], int] = defaultdict(int)
    for (sku, source, _, week), units in plan.flows.items():
        if source in problem.supplier_of:
            leaving[source, sku, week - problem.offer_of[source, sku].lead_weeks] += units
    locked = locked_orders(problem)
    found = []
    for key, units in plan.orders.items():
        supplier, sku, week = key
        offer = problem.offer_of[supplier, sku]
        ids = {"supplier": supplier, "sku": sku, "week": week}
        facts = locked.get(key, 0)
        surplus = units - leaving[key]
        if offer.moq and units >= offer.moq and surplus > 0 and units - offer.multiple < offer.moq:
            found.append(Binding(rule="moq", ids=ids, used=float(units), limit=float(offer.moq)))
        tops = {"max": offer.max}
        if offer.week_capacity is not None and 0 <= week < problem.weeks:
            tops["week_capacity"] = offer.week_capacity[week]
        for rule, top in tops.items():
            if top is not None and units + offer.multiple > top:
                found.append(
                    Binding(rule=rule, ids=ids, used=float(units), limit=float(top), forced=facts > top)
                )
        if facts and facts < offer.moq:
            found.append(Binding(rule="moq", ids=ids, used=float(units), limit=float(offer.moq), forced=True))
    return found


def unmet_with_reasons(net: Network, plan: Book, chosen: dict[str, tuple[Item, Pick]]) -> tuple[Unmet, ...]:
    """Every unmet demand with the reason code and the numbers that decided it."""
    state: Rooms = rooms(net, plan, chosen)
    found = []
    for (sku, region, week), units in plan.unmet.items():
        reason, numbers = short_reason(net, state, chosen[sku], region=region, week=week, units=units)
        found.append(Unmet(sku=sku, region=region, week=week, quantity=units, reason=reason, numbers=numbers))
    return tuple(sorted(found))


def lateness(net: Network, plan: Book, chosen: dict[str, tuple[Item, Pick]]) -> tuple[Late, ...]:
    """Every late delivery, as the least-cost matching of arrivals and demand sees it, with its reason."""
    state = rooms(net, plan, chosen)
    found = []
    for (sku, region), one in deliveries(net.problem, plan).items():
        for week, weeks_late, units in _merged(one.lateness):
            reason, numbers = late_reason(net, state, chosen[sku], region=region, week=week, units=units)
            found.append(
                Late(
                    sku=sku,
                    region=region,
                    week=week,
                    weeks_late=weeks_late,
                    quantity=units,
                    reason=reason,
                    numbers=numbers,
                )
            )
    return tuple(sorted(found))


def _merged(parts: tuple[tuple[int, int, int], ...]) -> list[tuple[int, int, int]]:
    units: dict[tuple[int, int], int] = defaultdict(int)
    for week, late, quantity in parts:
        units[week, late] += quantity
    return [(week, late, quantity) for (week, late), quantity in sorted(units.items())]
