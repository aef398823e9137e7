"""What must hold for a problem to be built: known ids, sane numbers, breaks in order, no empty demand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from optimizer.errors import ProblemError

if TYPE_CHECKING:
    from optimizer.problem import Locked, Offer, Problem, ShareCap

# Above this a float no longer holds every sum of quantities times prices to the unit.
LARGEST_QUANTITY = 10**8
LARGEST_MONEY = 1e9
LARGEST_HORIZON = 520


def validate(problem: Problem) -> None:
    """Raise ProblemError for the first fault found, in document order."""
    _whole("weeks", problem.weeks, least=1, most=LARGEST_HORIZON)
    _ids(problem)
    _suppliers(problem)
    _warehouses(problem)
    _skus(problem)
    _offers(problem)
    _lanes(problem)
    _demand(problem)
    _stock(problem)
    _locked(problem)
    _caps(problem)


def _fail(path: str, reason: str) -> None:
    raise ProblemError(path, reason)


def _number(path: str, value: float, *, most: float = LARGEST_MONEY) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _fail(path, f"must be a number, not {value!r}")
    if not math.isfinite(value):
        _fail(path, "must be finite (no NaN, no infinity)")
    if value < 0:
        _fail(path, f"must not be negative: {value}")
    if value > most:
        _fail(path, f"{value} is above the largest value {most:g}")


def _whole(path: str, value: int, *, least: int = 0, most: int = LARGEST_QUANTITY) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        _fail(path, f"must be a whole number, not {value!r}")
    if value < least:
        _fail(path, f"must be at least {least}, not {value}")
    if value > most:
        _fail(path, f"{value} is above the largest value {most}")


def _weekly(path: str, values: Iterable[float] | None, *, weeks: int, whole: bool = False) -> None:
    if values is None:
        return
    listed = list(values)
    if len(listed) != weeks:
        _fail(path, f"has {len(listed)} values for {weeks} weeks")
    for week, value in enumerate(listed):
        if whole:
            _whole(f"{path}[{week}]", int(value) if value == value else 0)
        _number(f"{path}[{week}]", value, most=1e12)


def _ids(problem: Problem) -> None:
    nodes: dict[str, str] = {}
    for kind in ("suppliers", "warehouses", "regions"):
        for index, one in enumerate(getattr(problem, kind)):
            path = f"{kind}[{index}].id"
            _id(path, one.id)
            if one.id in nodes:
                _fail(path, f"{one.id!r} is already the id at {nodes[one.id]}")
            nodes[one.id] = path
    seen: set[str] = set()
    for index, sku in enumerate(problem.skus):
        _id(f"skus[{index}].id", sku.id)
        if sku.id in seen:
            _fail(f"skus[{index}].id", f"{sku.id!r} is listed twice")
        seen.add(sku.id)


def _id(path: str, value: str) -> None:
    if not isinstance(value, str) or not value:
        _fail(path, f"must be a non-empty text, not {value!r}")


def _known(path: str, value: str, known: set[str], kind: str) -> None:
    if value not in known:
        _fail(path, f"unknown {kind} {value!r}")


def _suppliers(problem: Problem) -> None:
    for index, one in enumerate(problem.suppliers):
        path = f"suppliers[{index}]"
        _number(f"{path}.award_cost", one.award_cost)
        _number(f"{path}.risk", one.risk, most=1e3)
        _weekly(f"{path}.capacity", one.capacity, weeks=problem.weeks)
        if one.horizon_capacity is not None:
            _number(f"{path}.horizon_capacity", one.horizon_capacity, most=1e12)


def _warehouses(problem: Problem) -> None:
    for index, one in enumerate(problem.warehouses):
        _weekly(f"warehouses[{index}].storage", one.storage, weeks=problem.weeks)
        _weekly(f"warehouses[{index}].inbound", one.inbound, weeks=problem.weeks)


def _skus(problem: Problem) -> None:
    for index, one in enumerate(problem.skus):
        path = f"skus[{index}]"
        _number(f"{path}.volume", one.volume)
        _number(f"{path}.holding_cost", one.holding_cost)
        _whole(f"{path}.min_sources", one.min_sources, least=1)
        if one.category is not None:
            _id(f"{path}.category", one.category)


def _offers(problem: Problem) -> None:
    suppliers = {one.id for one in problem.suppliers}
    skus = {one.id for one in problem.skus}
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(problem.offers):
        path = f"offers[{index}]"
        _known(f"{path}.supplier", one.supplier, suppliers, "supplier")
        _known(f"{path}.sku", one.sku, skus, "SKU")
        if (one.supplier, one.sku) in seen:
            _fail(path, f"not supported yet: a second offer of {one.supplier!r} for {one.sku!r}")
        seen.add((one.supplier, one.sku))
        _offer_terms(path, one, weeks=problem.weeks)
        _breaks(path, one)


def _offer_terms(path: str, one: Offer, *, weeks: int) -> None:
    _number(f"{path}.capacity_use", one.capacity_use)
    _whole(f"{path}.moq", one.moq)
    _whole(f"{path}.multiple", one.multiple, least=1)
    _whole(f"{path}.lead_weeks", one.lead_weeks)
    _number(f"{path}.order_cost", one.order_cost)
    _number(f"{path}.award_cost", one.award_cost)
    _weekly(f"{path}.week_capacity", one.week_capacity, weeks=weeks, whole=True)
    if one.lead_weeks >= weeks:
        _fail(f"{path}.lead_weeks", f"{one.lead_weeks} weeks reach beyond the horizon of {weeks} weeks")
    if one.max is not None:
        _whole(f"{path}.max", one.max)
        if one.moq > one.max:
            _fail(f"{path}.moq", f"MOQ {one.moq} is above max {one.max}")
        if -(-one.moq // one.multiple) * one.multiple > one.max:
            _fail(f"{path}.moq", f"no lot of {one.multiple} lies between MOQ {one.moq} and max {one.max}")
    if one.week_capacity is not None and one.moq > max(one.week_capacity):
        _fail(f"{path}.moq", f"MOQ {one.moq} is above week_capacity {max(one.week_capacity)}")


def _breaks(path: str, one: Offer) -> None:
    if one.price_mode not in ("all_units", "incremental"):
        _fail(f"{path}.price_mode", f"must be all_units or incremental, not {one.price_mode!r}")
    if not one.breaks:
        _fail(f"{path}.breaks", "must not be empty")
    if one.breaks[0][0] != 0:
        _fail(f"{path}.breaks[0]", f"the first break must start at quantity 0, not {one.breaks[0][0]}")
    for index, (start, price) in enumerate(one.breaks):
        _whole(f"{path}.breaks[{index}][0]", start)
        _number(f"{path}.breaks[{index}][1]", price)
        if index and start <= one.breaks[index - 1][0]:
            _fail(f"{path}.breaks[{index}]", f"breaks out of order: {start} after {one.breaks[index - 1][0]}")


def _lanes(problem: Problem) -> None:
    suppliers = {one.id for one in problem.suppliers}
    warehouses = {one.id for one in problem.warehouses}
    regions = {one.id for one in problem.regions}
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(problem.lanes):
        path = f"lanes[{index}]"
        _known(f"{path}.from", one.source, suppliers | warehouses | regions, "place")
        _known(f"{path}.to", one.target, suppliers | warehouses | regions, "place")
        if one.target in suppliers or one.source in regions:
            _fail(path, "a lane goes from a supplier or warehouse to a warehouse or region")
        if one.source in warehouses and one.target in warehouses:
            if one.source == one.target:
                _fail(path, f"a lane from {one.source!r} to itself is a cycle")
            _fail(path, "not supported yet: lanes between warehouses")
        if (one.source, one.target) in seen:
            _fail(path, f"a second lane from {one.source!r} to {one.target!r}")
        seen.add((one.source, one.target))
        _number(f"{path}.cost", one.cost)
        _whole(f"{path}.lead_weeks", one.lead_weeks, most=LARGEST_HORIZON)


def _demand(problem: Problem) -> None:
    if not problem.demand:
        _fail("demand", "is empty: there is nothing to plan")
    skus = {one.id for one in problem.skus}
    regions = {one.id for one in problem.regions}
    seen: set[tuple[str, str, int]] = set()
    for index, one in enumerate(problem.demand):
        path = f"demand[{index}]"
        _known(f"{path}.sku", one.sku, skus, "SKU")
        _known(f"{path}.region", one.region, regions, "region")
        _whole(f"{path}.week", one.week, most=problem.weeks - 1)
        _whole(f"{path}.quantity", one.quantity)
        _number(f"{path}.late_cost", one.late_cost)
        _number(f"{path}.short_cost", one.short_cost)
        if one.max_late_weeks is not None:
            _whole(f"{path}.max_late_weeks", one.max_late_weeks)
        if (one.sku, one.region, one.week) in seen:
            _fail(path, f"a second demand for {one.sku!r} in {one.region!r} in week {one.week}: add them up")
        seen.add((one.sku, one.region, one.week))


def _stock(problem: Problem) -> None:
    skus = {one.id for one in problem.skus}
    warehouses = {one.id for one in problem.warehouses}
    for index, one in enumerate(problem.stock):
        path = f"stock[{index}]"
        _known(f"{path}.sku", one.sku, skus, "SKU")
        _known(f"{path}.warehouse", one.warehouse, warehouses, "warehouse")
        _whole(f"{path}.quantity", one.quantity)
        _whole(f"{path}.week", one.week, most=problem.weeks - 1)


def _locked(problem: Problem) -> None:
    offers = {(one.supplier, one.sku): one for one in problem.offers}
    lanes = {(one.source, one.target): one for one in problem.lanes}
    for index, one in enumerate(problem.locked):
        path = f"locked[{index}]"
        offer = offers.get((one.supplier, one.sku))
        if offer is None:
            raise ProblemError(path, f"no offer of {one.supplier!r} for {one.sku!r}")
        lane = lanes.get((one.supplier, one.to))
        if lane is None:
            raise ProblemError(f"{path}.to", f"no lane from {one.supplier!r} to {one.to!r}")
        _locked_times(path, one, arrival=one.week + offer.lead_weeks + lane.lead_weeks, weeks=problem.weeks)


def _locked_times(path: str, one: Locked, *, arrival: int, weeks: int) -> None:
    _whole(f"{path}.week", one.week, least=-LARGEST_HORIZON, most=weeks - 1)
    _whole(f"{path}.quantity", one.quantity)
    if arrival < 0:
        _fail(f"{path}.week", f"arrives in week {arrival}, before the horizon: give it as stock")


def _caps(problem: Problem) -> None:
    keys = {
        "sku": {one.id for one in problem.skus},
        "category": {one.category for one in problem.skus if one.category is not None},
        "plan": set(),
    }
    for index, one in enumerate(problem.share_caps):
        _cap(f"share_caps[{index}]", one, keys=keys)


def _cap(path: str, one: ShareCap, *, keys: dict[str, set[str]]) -> None:
    if one.scope == "material":
        _fail(f"{path}.scope", "not supported yet: share caps of a material")
    if one.scope not in keys:
        _fail(f"{path}.scope", f"must be sku, category or plan, not {one.scope!r}")
    if one.base == "spend":
        _fail(f"{path}.base", "not supported yet: share caps of spend")
    if one.base != "units":
        _fail(f"{path}.base", f"must be units, not {one.base!r}")
    if one.key is not None:
        _known(f"{path}.key", one.key, keys[one.scope], one.scope)
    _number(f"{path}.max_share", one.max_share, most=1.0)
    _number(f"{path}.penalty", one.penalty)
