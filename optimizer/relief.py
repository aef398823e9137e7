"""What a unit of relief is worth: loosen one rule that binds by a unit or a lot, and plan again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from optimizer.focus import Change, Questions, near
from optimizer.limits import cap_rows
from optimizer.plan import Binding, Solution
from optimizer.problem import Offer, Problem, Supplier, Warehouse, Weekly
from optimizer.sentences import relief_words

# SKUs that are planned again for one question about a large problem.
NEIGHBOURS = 5
OF_OFFER = ("moq", "max", "week_capacity")
# Rules that loosen() can loosen. What binds of materials, lanes, throughput and set-ups gets no figure yet.
LOOSENED = (*OF_OFFER, "share_cap", "inbound", "storage", "capacity", "horizon_capacity")


def reliefs(ask: Questions, solution: Solution, *, most: int) -> list[dict[str, Any]]:
    """The binding rules with what loosening each saves, the dearest per unit first.

    Each: rule, ids, step (how much was given, in the unit of the rule), saving (verified by planning again),
    per_unit, shadow_price (None where no row is shared), words. Rules whose loosening saves nothing are left
    out.
    """
    found = []
    for one in _worth_asking(solution.binding, most=most):
        skus = _neighbours(ask.problem, solution, one)
        if skus:
            told = _relief(ask, one, skus)
            if told is not None:
                found.append(told)
    return sorted(found, key=lambda told: (-told["per_unit"], str(told["rule"]), str(told["ids"])))


def _worth_asking(binding: tuple[Binding, ...], *, most: int) -> list[Binding]:
    """One week of each rule and place in turn, so that a long list does not hide a short one."""
    groups: dict[tuple[str, ...], list[Binding]] = defaultdict(list)
    for one in binding:
        if not one.forced and one.rule in LOOSENED and one.ids.get("base", "units") == "units":
            place = tuple(str(value) for name, value in sorted(one.ids.items()) if name != "week")
            groups[(one.rule, *place)].append(one)
    ranked = [sorted(group, key=lambda one: -one.used) for _, group in sorted(groups.items())]
    ranked.sort(key=lambda group: -group[0].used)
    turns = max((len(group) for group in ranked), default=0)
    return [group[turn] for turn in range(turns) for group in ranked if turn < len(group)][:most]


def _neighbours(problem: Problem, solution: Solution, one: Binding) -> frozenset[str]:
    """The SKUs a rule holds back: those that could use its room, the most to gain first."""
    if "sku" in one.ids:
        return frozenset([str(one.ids["sku"])])
    if one.rule == "share_cap":
        row = [row for row in cap_rows(problem) if (row.cap.scope, row.key) == _scope(one)]
        return row[0].skus if row else frozenset()
    gain: dict[str, float] = defaultdict(float)
    short = {(need.sku, need.region, need.week): need.short_cost for need in problem.demand}
    for lack in solution.unmet:
        gain[lack.sku] += lack.quantity * short.get((lack.sku, lack.region, lack.week), 0.0)
    for late in solution.late:
        gain[late.sku] += late.quantity * late.weeks_late
    if "supplier" in one.ids:
        reach = {offer.sku: offer for offer in problem.offers if offer.supplier == one.ids["supplier"]}
        for order in solution.orders:
            if order.sku in reach and order.supplier != one.ids["supplier"]:
                gain[order.sku] += order.quantity * max(
                    0.0, order.unit_price - reach[order.sku].breaks[-1][1]
                )
        skus: Iterable[str] = reach
    else:
        skus = {flow.sku for flow in solution.flows if one.ids["warehouse"] in (flow.source, flow.target)}
        skus |= {lack.sku for lack in solution.unmet}
    ranked = sorted(skus, key=lambda sku: (-gain[sku], sku))
    return frozenset(ranked[:NEIGHBOURS])


def _scope(one: Binding) -> tuple[str, str | None]:
    key = one.ids.get("key")
    return str(one.ids["scope"]), None if key is None else str(key)


def _relief(ask: Questions, one: Binding, skus: frozenset[str]) -> dict[str, Any] | None:
    base = ask.base(skus).cost.total
    for step in _steps(ask.problem, one, skus):
        answer = ask.ask(loosen(one, step), skus)
        if answer is None:
            continue
        saving = near(base - answer.cost.total)
        if saving > 0:
            told = {
                "rule": one.rule,
                "ids": dict(one.ids),
                "step": step,
                "saving": saving,
                "per_unit": near(saving / step),
                "shadow_price": _shadow_price(ask, one, skus),
            }
            return told | {"words": relief_words(told)}
    return None


def _steps(problem: Problem, one: Binding, skus: frozenset[str]) -> list[float]:
    """One unit or lot, and where that may be too little to order at all, the smallest order."""
    if one.rule in OF_OFFER:
        offer = problem.offer_of[str(one.ids["supplier"]), str(one.ids["sku"])]
        most = float(offer.moq) if one.rule == "moq" else float(_least(offer))
        return sorted({float(min(offer.multiple, most)), most} - {0.0})
    place = one.ids.get("supplier")
    offers = [o for o in problem.offers if o.sku in skus and place in (None, o.supplier)]
    if not offers:
        return []
    per = {o: problem.sku_of[o.sku].volume if place is None else o.capacity_use for o in offers}
    if one.rule == "share_cap":
        per = dict.fromkeys(offers, 1.0)
    lots = [o.multiple * per[o] for o in offers if per[o] > 0]
    orders = [_least(o) * per[o] for o in offers if per[o] > 0]
    return sorted({min(lots), min(orders), max(orders)}) if lots else []


def _least(offer: Offer) -> int:
    return int(-(-max(offer.moq, 1) // offer.multiple) * offer.multiple)


def loosen(one: Binding, step: float) -> Change:
    """The problem with one rule loosened by step: units of capacity, dock or storage, or of an order."""

    def change(problem: Problem) -> Problem:
        if one.rule == "share_cap":
            return _loosen_cap(problem, one, step)
        if one.rule in OF_OFFER:
            mine = (one.ids["supplier"], one.ids["sku"])
            offers = tuple(
                _loosen_offer(offer, one, int(step)) if (offer.supplier, offer.sku) == mine else offer
                for offer in problem.offers
            )
            return replace(problem, offers=offers)
        if one.rule in ("inbound", "storage"):
            houses = tuple(
                _loosen_house(house, one, step) if house.id == one.ids["warehouse"] else house
                for house in problem.warehouses
            )
            return replace(problem, warehouses=houses)
        suppliers = tuple(
            _loosen_supplier(supplier, one, step) if supplier.id == one.ids.get("supplier") else supplier
            for supplier in problem.suppliers
        )
        return replace(problem, suppliers=suppliers)

    return change


def _more(limit: Weekly | None, one: Binding, step: float) -> Weekly | None:
    if limit is None:
        return None
    return tuple(value + step if week == one.ids["week"] else value for week, value in enumerate(limit))


def _loosen_house(house: Warehouse, one: Binding, step: float) -> Warehouse:
    if one.rule == "inbound":
        return replace(house, inbound=_more(house.inbound, one, step))
    return replace(house, storage=_more(house.storage, one, step))


def _loosen_supplier(supplier: Supplier, one: Binding, step: float) -> Supplier:
    if one.rule == "horizon_capacity":
        return replace(supplier, horizon_capacity=(supplier.horizon_capacity or 0.0) + step)
    return replace(supplier, capacity=_more(supplier.capacity, one, step))


def _loosen_offer(offer: Offer, one: Binding, step: int) -> Offer:
    if one.rule == "moq":
        return replace(offer, moq=max(0, offer.moq - step))
    if one.rule == "max":
        return replace(offer, max=(offer.max or 0) + step)
    weeks = offer.week_capacity or ()
    return replace(
        offer,
        week_capacity=tuple(
            value + step if week == one.ids["week"] else value for week, value in enumerate(weeks)
        ),
    )


def _loosen_cap(problem: Problem, one: Binding, step: float) -> Problem:
    demand = {(row.cap.scope, row.key): row.demand for row in cap_rows(problem)}
    caps = tuple(
        replace(cap, max_share=min(1.0, cap.max_share + step / demand[_scope(one)]))
        if (cap.scope, cap.key) == _scope(one)
        else cap
        for cap in problem.share_caps
    )
    return replace(problem, share_caps=caps)


def _shadow_price(ask: Questions, one: Binding, skus: frozenset[str]) -> float | None:
    """The dual of the rule's row in the linear program of these SKUs; None for a rule of one offer or cap."""
    if one.rule in OF_OFFER or one.rule == "share_cap":
        return None
    week = one.ids.get("week")
    place = str(one.ids.get("supplier", one.ids.get("warehouse")))
    return ask.shadow_price((one.rule, place, None if week is None else int(week)), skus)
