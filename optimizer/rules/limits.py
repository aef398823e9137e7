"""How much room every shared rule leaves, given the facts (stock and locked orders), without a solver.

A fact may exceed a limit: the limit is then what the facts alone use, so nothing new fits and the plan
stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from optimizer.form.problem import Lane, Problem, Quantity, ShareCap
from optimizer.form.remembered import Remembered

Week = tuple[str, int]
Leg = tuple[str, str, int]
# What stock and locked orders store by themselves, by the places with limits it was worked out for.
_in_store: Remembered[dict[object, dict[Week, float]]] = Remembered()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits by (supplier, week), supplier, (warehouse, week), (material, week), warehouse and (from, to,
    week): already raised to what the facts use."""

    capacity: dict[Week, float]
    horizon: dict[str, float]
    inbound: dict[Week, float]
    storage: dict[Week, float]
    material: dict[Week, float]
    throughput: dict[str, float]
    lane: dict[Leg, float]


@dataclass(frozen=True, kw_only=True)
class CapRow:
    """One share cap of one scope key: units of each supplier over skus <= cap.max_share x demand."""

    cap: ShareCap
    key: str | None
    skus: frozenset[str]
    demand: Quantity

    @property
    def free_units(self) -> float:
        """Units a supplier may have before the cap counts; the slack removes the float noise of 0.4 x 95."""
        return float(self.cap.max_share * self.demand + 1e-9)


def locked_orders(problem: Problem) -> dict[tuple[str, str, int], Quantity]:
    """Locked units by (supplier, sku, week)."""
    units: dict[tuple[str, str, int], Quantity] = defaultdict(int)
    for one in problem.locked:
        units[one.supplier, one.sku, one.week] += one.quantity
    return dict(units)


def locked_lots(problem: Problem) -> dict[tuple[int, int], Quantity]:
    """Locked units by (number of the offer, week)."""
    units: dict[tuple[int, int], Quantity] = defaultdict(int)
    for one in problem.locked:
        if one.quantity:
            units[problem.alternatives[one.supplier, one.sku][one.alternative], one.week] += one.quantity
    return dict(units)


def locked_flows(problem: Problem) -> dict[tuple[str, str, str, int], Quantity]:
    """Locked units by (sku, supplier, to, week they leave)."""
    units: dict[tuple[str, str, str, int], Quantity] = defaultdict(int)
    for one in problem.locked:
        number = problem.alternatives[one.supplier, one.sku][one.alternative]
        leaves = one.week + problem.offers[number].lead_weeks
        units[one.sku, one.supplier, one.to, leaves] += one.quantity
    return dict(units)


def locked_volume(problem: Problem) -> dict[Leg, float]:
    """Volume of locked units by (from, to, week they leave)."""
    volume: dict[Leg, float] = defaultdict(float)
    for (sku, source, target, week), units in locked_flows(problem).items():
        volume[source, target, week] += units * problem.sku_of[sku].volume
    return dict(volume)


def previous_units(problem: Problem) -> dict[tuple[str, str, int], Quantity]:
    """Units of the previous plan by (supplier, sku, week of the horizon); none when nothing charges them."""
    units: dict[tuple[str, str, int], Quantity] = defaultdict(int)
    for one in problem.previous:
        if one.week >= 0 and one.quantity and problem.churn_cost:
            units[one.supplier, one.sku, one.week] += one.quantity
    return dict(units)


def limits(problem: Problem) -> Limits:
    """Every shared limit of the problem that is not None."""
    if "limits" not in problem.derived:
        problem.derived["limits"] = _limits(problem)
    found: Limits = problem.derived["limits"]
    return found


def _limits(problem: Problem) -> Limits:
    used, total = capacity_used(problem, locked_lots(problem))
    taken = materials_taken(problem, locked_lots(problem))
    leaving = locked_volume(problem)
    return Limits(
        capacity={
            (one.id, week): max(value, used[one.id, week])
            for one in problem.suppliers
            if one.capacity is not None
            for week, value in enumerate(one.capacity)
        },
        horizon={
            one.id: max(one.horizon_capacity, total[one.id])
            for one in problem.suppliers
            if one.horizon_capacity is not None
        },
        inbound=_warehouse_limits(problem, "inbound", _locked_arrivals(problem)),
        storage=_warehouse_limits(problem, "storage", _stored(problem)),
        material={
            (one.id, week): max(value, taken.get((one.id, week), 0.0))
            for one in problem.materials
            if one.available is not None
            for week, value in enumerate(one.available)
        },
        throughput={one.id: one.throughput for one in problem.warehouses if one.throughput is not None},
        lane={
            (one.source, one.target, week): max(value, leaving.get((one.source, one.target, week), 0.0))
            for one in problem.lanes
            if one.capacity is not None
            for week, value in enumerate(one.capacity)
        },
    )


def capacity_used(
    problem: Problem, lots: dict[tuple[int, int], Quantity]
) -> tuple[dict[Week, float], dict[str, float]]:
    """Capacity taken by (supplier, week), and by supplier over the weeks of the horizon."""
    used: dict[Week, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for (number, week), units in lots.items():
        offer = problem.offers[number]
        use = units * offer.capacity_use + (offer.setup_capacity if units else 0.0)
        used[offer.supplier, week] += use
        total[offer.supplier] += use if week >= 0 else 0.0
    return used, total


def materials_taken(problem: Problem, lots: dict[tuple[int, int], Quantity]) -> dict[Week, float]:
    """Units of each material taken by (material, week)."""
    taken: dict[Week, float] = defaultdict(float)
    for (number, week), units in lots.items():
        for material, amount in problem.recipe(problem.offers[number]):
            taken[material, week] += units * amount
    return taken


def _warehouse_limits(problem: Problem, name: str, facts: dict[Week, float]) -> dict[Week, float]:
    return {
        (one.id, week): max(value, facts.get((one.id, week), 0.0))
        for one in problem.warehouses
        if getattr(one, name) is not None
        for week, value in enumerate(getattr(one, name))
    }


def _locked_arrivals(problem: Problem) -> dict[Week, float]:
    arrivals: dict[Week, float] = defaultdict(float)
    for (sku, supplier, to, leaves), units in locked_flows(problem).items():
        week = leaves + problem.lane_of[supplier, to].lead_weeks
        arrivals[to, week] += units * problem.sku_of[sku].volume
    return arrivals


def facts_in_warehouses(problem: Problem) -> dict[str, list[tuple[str, int, Quantity]]]:
    """Stock and locked units by SKU as (warehouse, week there, units), in order."""
    found: dict[str, list[tuple[str, int, Quantity]]] = defaultdict(list)
    for one in problem.stock:
        found[one.sku].append((one.warehouse, one.week, one.quantity))
    for (sku, supplier, to, leaves), units in sorted(locked_flows(problem).items()):
        if to in problem.warehouse_of:
            week = leaves + problem.lane_of[supplier, to].lead_weeks
            found[sku].append((to, week, units))
    return found


def _stored(problem: Problem) -> dict[Week, float]:
    """_facts_in_store, worked out once for problems that differ in nothing it looks at."""
    rows = (problem.stock, problem.demand, problem.lanes, problem.skus, problem.regions, problem.locked)
    firm = (problem.offers if problem.locked else (), problem.weeks)
    if all(one.storage is None for one in problem.warehouses):
        return {}
    places = tuple((one.id, one.storage is None, one.throughput is None) for one in problem.warehouses)
    found = _in_store.of((*rows, *firm), dict)
    if places not in found:
        found[places] = _facts_in_store(problem)
    return found[places]


def _facts_in_store(problem: Problem) -> dict[Week, float]:
    """Volume at each week's end if nothing new were ordered: each demand in turn takes the cheapest lane's
    units."""
    demands = defaultdict(list)
    for one in problem.demand:
        demands[one.sku].append(one)
    change: dict[Week, float] = defaultdict(float)
    for sku, facts in facts_in_warehouses(problem).items():
        volume = problem.sku_of[sku].volume
        left = [units for _, _, units in facts]
        for warehouse, week, units in facts:
            change[warehouse, week] += units * volume
        for demand in sorted(demands[sku], key=lambda d: (d.week, d.region)):
            need = demand.quantity
            for _, index, ship in sorted(_ways(problem, facts, demand)) if any(left) else ():
                units = min(need, left[index])
                left[index] -= units
                need -= units
                change[facts[index][0], ship] -= units * volume
    return {
        (one.id, week): stored
        for one in problem.warehouses
        for week, stored in enumerate(accumulate(change[one.id, week] for week in range(problem.weeks)))
    }


def _ways(
    problem: Problem, facts: list[tuple[str, int, Quantity]], demand: object
) -> Iterator[tuple[float, int, int]]:
    """(lane cost, index of the fact, week shipped) for every fact that can still serve the demand."""
    region, due = demand.region, demand.week  # type: ignore[attr-defined]
    most_late = demand.max_late_weeks  # type: ignore[attr-defined]
    for index, (warehouse, week, _) in enumerate(facts):
        lane = problem.lane_of.get((warehouse, region))
        if lane is None or not free_lane(problem, lane):
            continue
        ship = max(week, due - lane.lead_weeks)
        arrives = ship + lane.lead_weeks
        if arrives < problem.weeks and (most_late is None or arrives - due <= most_late):
            yield lane.cost, index, ship


def free_lane(problem: Problem, lane: Lane) -> bool:
    """Whether goods may leave over the lane whatever else does: it has no limit, minimum or rival."""
    house = problem.warehouse_of.get(lane.source)
    limited = lane.capacity is not None or (house is not None and house.throughput is not None)
    return not (limited or lane.minimum > 0 or problem.region_of[lane.target].single_source)


def cap_rows(problem: Problem, base: str = "units") -> list[CapRow]:
    """One row for each cap of the base and key with demand, caps with key None spread over every key."""
    demand: dict[str, Quantity] = defaultdict(int)
    for one in problem.demand:
        demand[one.sku] += one.quantity
    caps = [cap for cap in problem.share_caps if cap.base == base]
    groups = {scope: _groups(problem, scope) for scope in {cap.scope for cap in caps}}
    rows = []
    for cap in caps:
        found = groups[cap.scope]
        for key in found if cap.key is None else found.keys() & {cap.key}:
            skus = found[key]
            total = sum(demand[sku] for sku in skus)
            if total > 0:
                rows.append(CapRow(cap=cap, key=key, skus=skus, demand=total))
    return rows


def _groups(problem: Problem, scope: str) -> Mapping[Any, frozenset[str]]:
    if scope == "plan":
        return {None: frozenset(sku.id for sku in problem.skus)}
    return scope_groups(problem, scope)


def scope_groups(problem: Problem, scope: str) -> dict[str, frozenset[str]]:
    """SKUs by key of the scope sku, category or material, in the order of the SKUs."""
    groups: dict[str, list[str]] = defaultdict(list)
    recipes: dict[str, set[str]] = defaultdict(set)
    if scope == "material":
        for offer in problem.offers:
            recipes[offer.sku] |= {material for material, _ in offer.recipe or ()}
    for sku in problem.skus:
        if scope == "material":
            for material in sorted(recipes[sku.id] | {one for one, _ in sku.materials}):
                groups[material].append(sku.id)
        else:
            key = sku.id if scope == "sku" else sku.category
            if key is not None:
                groups[key].append(sku.id)
    return {key: frozenset(skus) for key, skus in groups.items()}


def hard_units(row: CapRow, locked: dict[tuple[str, str, int], Quantity], supplier: str) -> float:
    """Units of supplier a hard cap allows: what is locked stands even above it."""
    facts = sum(units for (one, sku, _), units in locked.items() if one == supplier and sku in row.skus)
    return max(row.free_units, float(facts))
