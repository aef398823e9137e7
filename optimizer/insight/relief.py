"""What a unit of relief is worth: loosen one rule that binds by a unit or a lot, and plan again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from optimizer.form.clock import Tell
from optimizer.form.plan import Binding, Flow, Solution
from optimizer.form.problem import Offer, Problem, Supplier, Warehouse, Weekly
from optimizer.form.reports import report
from optimizer.insight.focus import Change, Questions, near
from optimizer.model.duals import name_of
from optimizer.rules.limits import CapRow, cap_rows
from optimizer.telling.sentences import relief_words

# A cap of spend is raised by so many percentage points.
POINTS = (1.0, 5.0)
# Of so many SKUs the one is looked for that is planned again for one question about a large problem.
NEIGHBOURS = 5
OF_OFFER = ("moq", "max", "week_capacity")
# Rules that loosen() can loosen; set-ups are relieved by capacity.
LOOSENED = (
    *OF_OFFER,
    *("share_cap", "inbound", "storage", "capacity", "horizon_capacity"),
    *("material", "lane_capacity", "throughput"),
)


def reliefs(ask: Questions, solution: Solution, *, most: int, tell: Tell) -> list[dict[str, Any]]:
    """The binding rules with what loosening each saves, the dearest per unit first.

    Each: rule, ids, step (how much was given, in the unit of the rule), saving (verified by planning again),
    per_unit, shadow_price (None where no row is shared), words. Rules whose loosening saves nothing are left
    out, and so are those whose saving the plan can have as things are.
    """
    found = []
    worth = _worth_asking(solution.binding, most=most)
    for number, one in enumerate(worth):
        tell(report("relief", number, len(worth)))
        skus = _neighbours(ask.problem, solution, one)
        if skus:
            told = _relief(ask, one, frozenset(skus if ask.whole else [_keenest(ask, one, skus)]))
            if told is not None:
                found.append(told)
    return sorted(found, key=lambda told: (-told["per_unit"], str(told["rule"]), str(told["ids"])))


def _worth_asking(binding: tuple[Binding, ...], *, most: int) -> list[Binding]:
    """One week of each rule and place in turn, so that a long list does not hide a short one."""
    groups: dict[tuple[str, ...], list[Binding]] = defaultdict(list)
    for one in binding:
        if not one.forced and one.rule in LOOSENED:
            place = tuple(str(value) for name, value in sorted(one.ids.items()) if name != "week")
            groups[(one.rule, *place)].append(one)
    ranked = [sorted(group, key=lambda one: -one.used) for _, group in sorted(groups.items())]
    ranked.sort(key=lambda group: -group[0].used)
    turns = max((len(group) for group in ranked), default=0)
    return [group[turn] for turn in range(turns) for group in ranked if turn < len(group)][:most]


def _keenest(ask: Questions, one: Binding, skus: list[str]) -> str:
    """The SKU that is asked about in a large plan: a lot of relief is one SKU's."""
    if len(skus) == 1 or one.rule == "share_cap":
        return skus[0]
    return ask.keenest(name_of(one.rule, one.ids), skus)


def _neighbours(problem: Problem, solution: Solution, one: Binding) -> list[str]:
    """The SKUs a rule holds back: those that could use its room, the most to gain first."""
    if "sku" in one.ids:
        return [str(one.ids["sku"])]
    skus: Iterable[str]
    if one.rule == "share_cap":
        row = _cap_row(problem, one)
        skus = frozenset() if row is None else row.skus
    elif "supplier" in one.ids:
        skus = {offer.sku for offer in problem.offers if offer.supplier == one.ids["supplier"]}
    elif "material" in one.ids:
        taken = ((offer.sku, dict(problem.recipe(offer))) for offer in problem.offers)
        skus = {sku for sku, recipe in taken if recipe.get(str(one.ids["material"]))}
    else:
        skus = {flow.sku for flow in solution.flows if _passes(flow, one)}
        skus |= {lack.sku for lack in solution.unmet}
    gain = _gains(problem, solution, one)
    return sorted(skus, key=lambda sku: (-gain[sku], sku))[:NEIGHBOURS]


def _passes(flow: Flow, one: Binding) -> bool:
    if one.rule == "lane_capacity":
        return bool(flow.target == one.ids["to"])
    return one.ids["warehouse"] in (flow.source, flow.target)


def _gains(problem: Problem, solution: Solution, one: Binding) -> dict[str, float]:
    """What each SKU might gain: what its shortage costs, its late weeks, and what it pays others more."""
    gain: dict[str, float] = defaultdict(float)
    short = {(need.sku, need.region, need.week): need.short_cost for need in problem.demand}
    for lack in solution.unmet:
        gain[lack.sku] += lack.quantity * short.get((lack.sku, lack.region, lack.week), 0.0)
    for late in solution.late:
        gain[late.sku] += late.quantity * late.weeks_late
    supplier = one.ids.get("supplier")
    reach = {offer.sku: offer for offer in problem.offers if offer.supplier == supplier}
    for order in solution.orders:
        if order.sku in reach and order.supplier != supplier:
            gain[order.sku] += order.quantity * max(0.0, order.unit_price - reach[order.sku].breaks[-1][1])
    return gain


def _cap_row(problem: Problem, one: Binding) -> CapRow | None:
    rows = cap_rows(problem, str(one.ids.get("base", "units")))
    return next((row for row in rows if (row.cap.scope, row.key) == _scope(one)), None)


def _scope(one: Binding) -> tuple[str, str | None]:
    key = one.ids.get("key")
    return str(one.ids["scope"]), None if key is None else str(key)


def _relief(ask: Questions, one: Binding, skus: frozenset[str]) -> dict[str, Any] | None:
    for step in _steps(ask.problem, one, skus):
        answer = ask.ask(loosen(one, step), skus)
        if answer is None:
            continue
        if answer.cost.total < ask.base(skus).cost.total:
            ask.as_things_are(answer, skus)
        saving = near(ask.base(skus).cost.total - answer.cost.total)
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
    if one.ids.get("base") == "spend":
        return list(POINTS)
    place = one.ids.get("supplier")
    offers = [o for o in problem.offers if o.sku in skus and place in (None, o.supplier)]
    per = [(offer, _per_unit(problem, one, offer)) for offer in offers]
    lots = [offer.multiple * use for offer, use in per if use > 0]
    orders = [_least(offer) * use for offer, use in per if use > 0]
    return sorted({min(lots), min(orders), max(orders)}) if lots else []


def _per_unit(problem: Problem, one: Binding, offer: Offer) -> float:
    """What a unit of the offer takes of what the rule limits: capacity, material, or volume."""
    if one.rule == "share_cap":
        return 1.0
    if one.rule == "material":
        return dict(problem.recipe(offer)).get(str(one.ids["material"]), 0.0)
    return problem.sku_of[offer.sku].volume if "supplier" not in one.ids else offer.capacity_use


def _least(offer: Offer) -> int:
    return int(-(-max(offer.moq, 1) // offer.multiple) * offer.multiple)


def loosen(one: Binding, step: float) -> Change:
    """The problem with one rule loosened by step: units of capacity, material or volume, percentage points of
    spend, or units of an order."""

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
        if one.rule == "material":
            goods = tuple(
                replace(each, available=_more(each.available, one, step))
                if each.id == one.ids["material"]
                else each
                for each in problem.materials
            )
            return replace(problem, materials=goods)
        if one.rule == "lane_capacity":
            lanes = tuple(
                replace(lane, capacity=_more(lane.capacity, one, step))
                if (lane.source, lane.target) == (one.ids["from"], one.ids["to"])
                else lane
                for lane in problem.lanes
            )
            return replace(problem, lanes=lanes)
        if one.rule in ("inbound", "storage", "throughput"):
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
    if one.rule == "throughput":
        return replace(house, throughput=(house.throughput or 0.0) + step)
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
    """More units of the scope's demand, or percentage points of what is spent on it."""
    row, base = _cap_row(problem, one), str(one.ids.get("base", "units"))
    whole = float(row.demand) if row is not None and base == "units" else 100.0
    caps = tuple(
        replace(cap, max_share=min(1.0, cap.max_share + step / whole))
        if (cap.scope, cap.key, cap.base) == (*_scope(one), base)
        else cap
        for cap in problem.share_caps
    )
    return replace(problem, share_caps=caps)


def _shadow_price(ask: Questions, one: Binding, skus: frozenset[str]) -> float | None:
    """The dual of the rule's row in the linear program of these SKUs; None for a rule of one offer or cap."""
    if one.rule in OF_OFFER or one.rule == "share_cap":
        return None
    return ask.shadow_price(name_of(one.rule, one.ids), skus)
