"""What a finished plan says about itself: shares, what binds, and why a demand is unmet or late."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from optimizer.form.codes import Rule
from optimizer.form.plan import Binding, Late, Share, Unmet
from optimizer.form.pricing import spends
from optimizer.form.problem import Problem, Quantity
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.model.picks import Pick
from optimizer.rules.book import Book
from optimizer.rules.checking import units_by_supplier
from optimizer.rules.limits import CapRow, Limits, cap_rows, limits, locked_orders, scope_groups
from optimizer.rules.movement import deliveries
from optimizer.rules.spending import spend_bindings
from optimizer.telling.reasons import Rooms, late_reason, short_reason

Chosen = Mapping[str, tuple[Item, Pick]]


def shares(problem: Problem, plan: Book) -> tuple[Share, ...]:
    """Each supplier's share of the units ordered and of the money spent, for the plan, each category, each
    material and each SKU."""
    demand: dict[str, Quantity] = defaultdict(int)
    for one in problem.demand:
        demand[one.sku] += one.quantity
    units: dict[str, dict[str, Quantity]] = defaultdict(lambda: defaultdict(int))
    money: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for number, (spend, some) in spends(problem, plan.lots(problem)).items():
        offer = problem.offers[number]
        units[offer.sku][offer.supplier] += some
        money[offer.sku][offer.supplier] += spend
    found: list[Share] = []
    for scope, key, skus in _scopes(problem):
        mine = _added(units, skus), _added(money, skus)
        found.extend(_scope_shares(scope, key, *mine, demand=sum(demand[sku] for sku in skus)))
    return tuple(found)


def _scopes(problem: Problem) -> list[tuple[str, str | None, frozenset[str]]]:
    scopes: list[tuple[str, str | None, frozenset[str]]] = [
        ("plan", None, frozenset(sku.id for sku in problem.skus))
    ]
    for scope in ("category", "material"):
        scopes += [(scope, key, skus) for key, skus in sorted(scope_groups(problem, scope).items())]
    return scopes + [("sku", sku.id, frozenset([sku.id])) for sku in problem.skus]


def _added(amounts: dict[str, dict[str, Any]], skus: frozenset[str]) -> dict[str, Any]:
    """By supplier, in order, what it has of all the SKUs."""
    found: dict[str, Any] = defaultdict(int)
    for sku in sorted(skus):
        for supplier, amount in amounts.get(sku, {}).items():
            found[supplier] += amount
    return dict(sorted(found.items()))


def _scope_shares(
    scope: str,
    key: str | None,
    units: dict[str, Quantity],
    money: dict[str, float],
    *,
    demand: Quantity,
) -> list[Share]:
    found = []
    for base, amounts in (("units", units), ("spend", money)):
        total = sum(amounts.values())
        if total <= 0:
            continue
        hhi = math.fsum((one / total) ** 2 for one in amounts.values())
        needed = (demand or math.inf) if base == "units" else total
        found += [
            Share(
                scope=scope,
                key=key,
                base=base,
                supplier=supplier,
                units=units[supplier],
                share=one / total,
                demand_share=one / needed,
                hhi=hhi,
                spend=money[supplier],
            )
            for supplier, one in amounts.items()
        ]
    return found


def binding(net: Network, state: Rooms, plan: Book) -> tuple[Binding, ...]:
    """Rules at their limit: shared rows, share caps, MOQs bought with surplus, and an offer's max or
    week_capacity."""
    found = []
    allowed = limits(net.problem)
    for number, (rule, ids) in enumerate(net.coupling.names):
        if (
            rule == "share_cap"
            or rule == "spend_cap"
            or state.left[number] > 1e-6 * max(1.0, net.coupling.room[number])
        ):
            continue
        limit, given = _limits(net.problem, allowed, rule, ids)
        used = limit - float(state.left[number])
        found.append(Binding(rule=rule, ids=dict(ids), used=used, limit=given, forced=limit > given))
    found += _cap_bindings(net.problem, plan)
    found += spend_bindings(net.problem, plan.lots(net.problem))
    return tuple(found + _lot_bindings(net.problem, plan))


def _limits(problem: Problem, allowed: Limits, rule: str, ids: dict[str, object]) -> tuple[float, float]:
    """The limit after facts raised it, and as the problem states it."""
    place, week = str(next(iter(ids.values()))), int(str(ids.get("week", 0)))
    if rule == "horizon_capacity":
        return allowed.horizon[place], problem.supplier_of[place].horizon_capacity or 0.0
    if rule == "throughput":
        return allowed.throughput[place], problem.warehouse_of[place].throughput or 0.0
    if rule == "capacity":
        return allowed.capacity[place, week], (problem.supplier_of[place].capacity or ())[week]
    if rule == "material":
        available = next(one.available for one in problem.materials if one.id == place)
        return allowed.material[place, week], (available or ())[week]
    if rule == "lane_capacity":
        leg = place, str(ids["to"])
        return allowed.lane[*leg, week], (problem.lane_of[leg].capacity or ())[week]
    house = problem.warehouse_of[place]
    if rule == "storage":
        return allowed.storage[place, week], (house.storage or ())[week]
    return allowed.inbound[place, week], (house.inbound or ())[week]


def _cap_bindings(problem: Problem, plan: Book) -> list[Binding]:
    """A cap binds when one more whole unit would go above it."""
    by_sku: dict[str, list[tuple[tuple[str, str, int], Quantity]]] = defaultdict(list)
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


def _cap_binding(
    row: CapRow, supplier: str, units: Quantity, locked: dict[tuple[str, str, int], Quantity]
) -> Binding:
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
        tops: dict[Rule, Quantity | None] = {"max": offer.max}
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


def unmet_with_reasons(net: Network, state: Rooms, plan: Book, chosen: Chosen) -> Iterator[Unmet]:
    """Every unmet demand of the chosen SKUs with the reason code and the numbers that decided it."""
    for (sku, region, week), units in sorted(plan.unmet.items()):
        if sku in chosen:
            reason, numbers = short_reason(net, state, chosen[sku], region=region, week=week, units=units)
            yield Unmet(sku=sku, region=region, week=week, quantity=units, reason=reason, numbers=numbers)


def lateness(net: Network, state: Rooms, plan: Book, chosen: Chosen) -> Iterator[Late]:
    """Every late delivery of the chosen SKUs, as the least-cost matching of arrivals and demand sees it,
    with its reason."""
    for (sku, region), one in deliveries(net.problem, plan).items():
        for week, weeks_late, units in _merged(one.lateness) if sku in chosen else ():
            reason, numbers = late_reason(net, state, chosen[sku], region=region, week=week, units=units)
            yield Late(
                sku=sku,
                region=region,
                week=week,
                weeks_late=weeks_late,
                quantity=units,
                reason=reason,
                numbers=numbers,
            )


def _merged(parts: tuple[tuple[int, int, int], ...]) -> list[tuple[int, int, int]]:
    units: dict[tuple[int, int], int] = defaultdict(int)
    for week, late, quantity in parts:
        units[week, late] += quantity
    return [(week, late, quantity) for (week, late), quantity in sorted(units.items())]
