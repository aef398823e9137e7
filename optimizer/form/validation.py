"""What must hold for a problem to be built: known ids, sane numbers, breaks in order, no empty demand."""

from __future__ import annotations

from optimizer.form.problem_rows import Locked, Offer, ProblemRows, Recipe, ShareCap, Supplier
from optimizer.form.remembered import Remembered
from optimizer.form.values import (
    LARGEST_HORIZON,
    check_id,
    check_known,
    check_number,
    check_units,
    check_weekly,
    check_whole,
    fail,
)

# Demand that was looked at before: most of the rows of most problems.
_sound: Remembered[None] = Remembered()


def validate(problem: ProblemRows) -> None:
    """Raise ProblemError for the first fault found, in document order."""
    check_whole("weeks", problem.weeks, least=1, most=LARGEST_HORIZON)
    if not isinstance(problem.continuous, bool):
        fail("continuous", f"must be true or false, not {problem.continuous!r}")
    check_number("churn_cost", problem.churn_cost)
    _ids(problem)
    _suppliers(problem)
    _warehouses(problem)
    _materials(problem)
    _skus(problem)
    _offers(problem)
    _lanes(problem)
    asked_of = (problem.demand, problem.skus, problem.regions, problem.weeks, problem.continuous)
    _sound.of(asked_of, lambda: _demand(problem))
    _stock(problem)
    _promised(problem, "locked")
    _promised(problem, "previous")
    _caps(problem)


def _ids(problem: ProblemRows) -> None:
    nodes: dict[str, str] = {}
    for kind in ("suppliers", "warehouses", "regions"):
        for index, one in enumerate(getattr(problem, kind)):
            path = f"{kind}[{index}].id"
            check_id(path, one.id)
            if one.id in nodes:
                fail(path, f"{one.id!r} is already the id at {nodes[one.id]}")
            nodes[one.id] = path
    seen: set[str] = set()
    for index, sku in enumerate(problem.skus):
        check_id(f"skus[{index}].id", sku.id)
        if sku.id in seen:
            fail(f"skus[{index}].id", f"{sku.id!r} is listed twice")
        seen.add(sku.id)
    found: set[str] = set()
    for index, material in enumerate(problem.materials):
        check_id(f"materials[{index}].id", material.id)
        if material.id in found:
            fail(f"materials[{index}].id", f"{material.id!r} is listed twice")
        found.add(material.id)


def _suppliers(problem: ProblemRows) -> None:
    for index, one in enumerate(problem.suppliers):
        path = f"suppliers[{index}]"
        check_number(f"{path}.award_cost", one.award_cost)
        check_number(f"{path}.risk", one.risk, most=1e3)
        check_weekly(f"{path}.capacity", one.capacity, weeks=problem.weeks)
        if one.horizon_capacity is not None:
            check_number(f"{path}.horizon_capacity", one.horizon_capacity, most=1e12)


def _warehouses(problem: ProblemRows) -> None:
    for index, one in enumerate(problem.warehouses):
        check_number(f"warehouses[{index}].award_cost", one.award_cost)
        if one.throughput is not None:
            check_number(f"warehouses[{index}].throughput", one.throughput, most=1e12)
        check_weekly(f"warehouses[{index}].storage", one.storage, weeks=problem.weeks)
        check_weekly(f"warehouses[{index}].inbound", one.inbound, weeks=problem.weeks)


def _materials(problem: ProblemRows) -> None:
    for index, one in enumerate(problem.materials):
        check_weekly(f"materials[{index}].available", one.available, weeks=problem.weeks)


def _recipe(path: str, recipe: Recipe, known: set[str]) -> None:
    seen: set[str] = set()
    for name, amount in recipe:
        check_known(f"{path}.{name}", name, known, "material")
        check_number(f"{path}.{name}", amount)
        if name in seen:
            fail(f"{path}.{name}", "is listed twice")
        seen.add(name)


def _skus(problem: ProblemRows) -> None:
    materials = {one.id for one in problem.materials}
    for index, one in enumerate(problem.skus):
        path = f"skus[{index}]"
        check_number(f"{path}.volume", one.volume)
        check_number(f"{path}.holding_cost", one.holding_cost)
        check_whole(f"{path}.min_sources", one.min_sources, least=1)
        _recipe(f"{path}.materials", one.materials, materials)
        if one.category is not None:
            check_id(f"{path}.category", one.category)


def _offers(problem: ProblemRows) -> None:
    suppliers = {one.id: one for one in problem.suppliers}
    kept = {(one.supplier, one.sku) for one in problem.locked}
    skus = {one.id for one in problem.skus}
    materials = {one.id for one in problem.materials}
    for index, one in enumerate(problem.offers):
        path = f"offers[{index}]"
        check_known(f"{path}.supplier", one.supplier, set(suppliers), "supplier")
        check_known(f"{path}.sku", one.sku, skus, "SKU")
        _recipe(f"{path}.recipe", one.recipe or (), materials)
        _offer_terms(path, one, problem)
        if (one.supplier, one.sku) not in kept:
            _fits_capacity(path, one, suppliers[one.supplier])
        _breaks(path, one, continuous=problem.continuous)


def _offer_terms(path: str, one: Offer, problem: ProblemRows) -> None:
    weeks, continuous = problem.weeks, problem.continuous
    check_number(f"{path}.capacity_use", one.capacity_use)
    check_number(f"{path}.setup_capacity", one.setup_capacity)
    check_units(f"{path}.moq", one.moq, continuous=continuous)
    check_units(f"{path}.multiple", one.multiple, continuous=continuous, least=0 if continuous else 1)
    if one.multiple <= 0:
        fail(f"{path}.multiple", f"must be above 0, not {one.multiple}")
    check_whole(f"{path}.lead_weeks", one.lead_weeks)
    check_number(f"{path}.order_cost", one.order_cost)
    check_number(f"{path}.award_cost", one.award_cost)
    check_weekly(f"{path}.week_capacity", one.week_capacity, weeks=weeks, whole=not continuous)
    if one.lead_weeks >= weeks:
        fail(f"{path}.lead_weeks", f"{one.lead_weeks} weeks reach beyond the horizon of {weeks} weeks")
    if one.max is not None:
        check_units(f"{path}.max", one.max, continuous=continuous)
        if one.moq > one.max:
            fail(f"{path}.moq", f"MOQ {one.moq} is above max {one.max}")
        in_lots = not (continuous and one.multiple == 1)
        if in_lots and -(-one.moq // one.multiple) * one.multiple > one.max:
            fail(f"{path}.moq", f"no lot of {one.multiple} lies between MOQ {one.moq} and max {one.max}")
    if one.week_capacity is not None and one.moq > max(one.week_capacity):
        fail(f"{path}.moq", f"MOQ {one.moq} is above week_capacity {max(one.week_capacity)}")


def _fits_capacity(path: str, one: Offer, supplier: Supplier) -> None:
    """The smallest order must fit the supplier's capacity in some week, and over all weeks."""
    use = one.moq * one.capacity_use + (one.setup_capacity if one.moq else 0.0)
    limits = {"horizon_capacity": supplier.horizon_capacity}
    if supplier.capacity is not None:
        limits["capacity"] = max(supplier.capacity)
    for name, limit in limits.items():
        if limit is not None and use > limit * (1 + 1e-9):
            fail(f"{path}.moq", f"MOQ {one.moq} uses {use:g}, above the {name} {limit:g} of {supplier.id!r}")


def _breaks(path: str, one: Offer, *, continuous: bool) -> None:
    if one.price_mode not in ("all_units", "incremental"):
        fail(f"{path}.price_mode", f"must be all_units or incremental, not {one.price_mode!r}")
    if not one.breaks:
        fail(f"{path}.breaks", "must not be empty")
    if one.breaks[0][0] != 0:
        fail(f"{path}.breaks[0]", f"the first break must start at quantity 0, not {one.breaks[0][0]}")
    for index, (start, price) in enumerate(one.breaks):
        check_units(f"{path}.breaks[{index}][0]", start, continuous=continuous)
        check_number(f"{path}.breaks[{index}][1]", price)
        if index and start <= one.breaks[index - 1][0]:
            fail(f"{path}.breaks[{index}]", f"breaks out of order: {start} after {one.breaks[index - 1][0]}")


def _lanes(problem: ProblemRows) -> None:
    suppliers = {one.id for one in problem.suppliers}
    warehouses = {one.id for one in problem.warehouses}
    regions = {one.id for one in problem.regions}
    seen: set[tuple[str, str]] = set()
    between: tuple[str, str] | None = None
    for index, one in enumerate(problem.lanes):
        path = f"lanes[{index}]"
        check_known(f"{path}.from", one.source, suppliers | warehouses | regions, "place")
        check_known(f"{path}.to", one.target, suppliers | warehouses | regions, "place")
        if one.target in suppliers or one.source in regions:
            fail(path, "a lane goes from a supplier or warehouse to a warehouse or region")
        if one.source in warehouses and one.target in warehouses:
            if one.source == one.target:
                fail(path, f"a lane from {one.source!r} to itself is a cycle")
            if (one.target, one.source) in seen:
                fail(path, f"lanes between {one.source!r} and {one.target!r} are a cycle")
            between = between or (path, f"warehouse {one.source!r} may not send to warehouse {one.target!r}")
        if (one.source, one.target) in seen:
            fail(path, f"a second lane from {one.source!r} to {one.target!r}")
        seen.add((one.source, one.target))
        check_number(f"{path}.cost", one.cost)
        check_number(f"{path}.fixed_cost", one.fixed_cost)
        check_number(f"{path}.minimum", one.minimum, most=1e12)
        check_weekly(f"{path}.capacity", one.capacity, weeks=problem.weeks)
        if one.capacity is not None and one.minimum > max(one.capacity):
            fail(f"{path}.minimum", f"{one.minimum:g} is above the capacity {max(one.capacity):g}")
        check_whole(f"{path}.lead_weeks", one.lead_weeks, most=LARGEST_HORIZON)
    if between is not None:
        fail(*between)


def _demand(problem: ProblemRows) -> None:
    if not problem.demand:
        fail("demand", "is empty: there is nothing to plan")
    skus = {one.id for one in problem.skus}
    regions = {one.id for one in problem.regions}
    seen: set[tuple[str, str, int]] = set()
    for index, one in enumerate(problem.demand):
        path = f"demand[{index}]"
        check_known(f"{path}.sku", one.sku, skus, "SKU")
        check_known(f"{path}.region", one.region, regions, "region")
        check_whole(f"{path}.week", one.week, most=problem.weeks - 1)
        check_units(f"{path}.quantity", one.quantity, continuous=problem.continuous)
        check_number(f"{path}.late_cost", one.late_cost)
        check_number(f"{path}.short_cost", one.short_cost)
        if one.max_late_weeks is not None:
            check_whole(f"{path}.max_late_weeks", one.max_late_weeks)
        if (one.sku, one.region, one.week) in seen:
            fail(path, f"a second demand for {one.sku!r} in {one.region!r} in week {one.week}: add them up")
        seen.add((one.sku, one.region, one.week))


def _stock(problem: ProblemRows) -> None:
    skus = {one.id for one in problem.skus}
    warehouses = {one.id for one in problem.warehouses}
    for index, one in enumerate(problem.stock):
        path = f"stock[{index}]"
        check_known(f"{path}.sku", one.sku, skus, "SKU")
        check_known(f"{path}.warehouse", one.warehouse, warehouses, "warehouse")
        check_units(f"{path}.quantity", one.quantity, continuous=problem.continuous)
        check_whole(f"{path}.week", one.week, most=problem.weeks - 1)


def _promised(problem: ProblemRows, kind: str) -> None:
    """Locked orders, or those of the previous plan: their offer and lane must exist."""
    offers: dict[tuple[str, str], list[Offer]] = {}
    for offer in problem.offers:
        offers.setdefault((offer.supplier, offer.sku), []).append(offer)
    lanes = {(one.source, one.target): one for one in problem.lanes}
    one: Locked
    for index, one in enumerate(getattr(problem, kind)):
        path = f"{kind}[{index}]"
        found = offers.get((one.supplier, one.sku), [])
        if not found and kind == "locked":
            fail(path, f"no offer of {one.supplier!r} for {one.sku!r}")
        if kind == "previous":
            check_known(f"{path}.supplier", one.supplier, {s.id for s in problem.suppliers}, "supplier")
            check_known(f"{path}.sku", one.sku, {s.id for s in problem.skus}, "SKU")
        check_whole(f"{path}.alternative", one.alternative, most=max(len(found) - 1, 0))
        check_whole(f"{path}.week", one.week, least=-LARGEST_HORIZON, most=problem.weeks - 1)
        check_units(f"{path}.quantity", one.quantity, continuous=problem.continuous)
        lane = lanes.get((one.supplier, one.to))
        if kind == "locked" and lane is None:
            fail(f"{path}.to", f"no lane from {one.supplier!r} to {one.to!r}")
        elif kind == "locked" and lane is not None:
            _arrives(path, one.week + found[one.alternative].lead_weeks + lane.lead_weeks)


def _arrives(path: str, arrival: int) -> None:
    if arrival < 0:
        fail(f"{path}.week", f"arrives in week {arrival}, before the horizon: give it as stock")


def _caps(problem: ProblemRows) -> None:
    keys = {
        "sku": {one.id for one in problem.skus},
        "category": {one.category for one in problem.skus if one.category is not None},
        "material": {one.id for one in problem.materials},
        "plan": set(),
    }
    for index, one in enumerate(problem.share_caps):
        _cap(f"share_caps[{index}]", one, keys=keys)


def _cap(path: str, one: ShareCap, *, keys: dict[str, set[str]]) -> None:
    if one.scope not in keys:
        fail(f"{path}.scope", f"must be sku, category, material or plan, not {one.scope!r}")
    if one.base not in ("units", "spend"):
        fail(f"{path}.base", f"must be units or spend, not {one.base!r}")
    if one.key is not None:
        check_known(f"{path}.key", one.key, keys[one.scope], one.scope)
    check_number(f"{path}.max_share", one.max_share, most=1.0)
    check_number(f"{path}.penalty", one.penalty)
