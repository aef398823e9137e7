"""How much room every shared rule leaves, given the facts (stock and locked orders), without a solver.

A fact may exceed a limit: the limit is then what the facts alone use, so nothing new fits and the plan
stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.problem import Problem, ShareCap

Week = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits by (supplier, week), supplier, (warehouse, week): already raised to what the facts use."""

    capacity: dict[Week, float]
    horizon: dict[str, float]
    inbound: dict[Week, float]
    storage: dict[Week, float]


@dataclass(frozen=True, kw_only=True)
class CapRow:
    """One share cap of one scope key: units of each supplier over skus <= cap.max_share x demand."""

    cap: ShareCap
    key: str | None
    skus: frozenset[str]
    demand: int

    @property
    def free_units(self) -> float:
        """Units a supplier may have before the cap counts; the slack removes the float noise of 0.4 x 95."""
        return self.cap.max_share * self.demand + 1e-9


def locked_orders(problem: Problem) -> dict[tuple[str, str, int], int]:
    """Locked units by (supplier, sku, week)."""
    units: dict[tuple[str, str, int], int] = defaultdict(int)
    for one in problem.locked:
        units[one.supplier, one.sku, one.week] += one.quantity
    return dict(units)


def locked_flows(problem: Problem) -> dict[tuple[str, str, str, int], int]:
    """Locked units by (sku, supplier, to, week they leave)."""
    units: dict[tuple[str, str, str, int], int] = defaultdict(int)
    for one in problem.locked:
        leaves = one.week + problem.offer_of[one.supplier, one.sku].lead_weeks
        units[one.sku, one.supplier, one.to, leaves] += one.quantity
    return dict(units)


def limits(problem: Problem) -> Limits:
    """Every shared limit of the problem that is not None."""
    used: dict[Week, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for (supplier, sku, week), units in locked_orders(problem).items():
        use = units * problem.offer_of[supplier, sku].capacity_use
        used[supplier, week] += use
        total[supplier] += use if week >= 0 else 0.0
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
        storage=_warehouse_limits(problem, "storage", _facts_in_store(problem)),
    )


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


def facts_in_warehouses(problem: Problem) -> dict[str, list[tuple[str, int, int]]]:
    """Stock and locked units by SKU as (warehouse, week there, units), in order."""
    found: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for one in problem.stock:
        found[one.sku].append((one.warehouse, one.week, one.quantity))
    for (sku, supplier, to, leaves), units in sorted(locked_flows(problem).items()):
        if to in problem.warehouse_of:
            week = leaves + problem.lane_of[supplier, to].lead_weeks
            found[sku].append((to, week, units))
    return found


def _facts_in_store(problem: Problem) -> dict[Week, float]:
    """Volume at each week's end if nothing new were ordered: each demand in turn takes the cheapest lane's
    units."""
    stored: dict[Week, float] = defaultdict(float)
    if all(one.storage is None for one in problem.warehouses):
        return stored
    demands = defaultdict(list)
    for one in problem.demand:
        demands[one.sku].append(one)
    for sku, facts in facts_in_warehouses(problem).items():
        left = [units for _, _, units in facts]
        taken: list[tuple[int, int, int]] = []
        for demand in sorted(demands[sku], key=lambda d: (d.week, d.region)):
            need = demand.quantity
            for _, index, ship in sorted(_ways(problem, facts, demand)):
                units = min(need, left[index])
                left[index] -= units
                need -= units
                taken.append((index, ship, units))
        _add_stored(problem, stored, sku=sku, facts=facts, taken=taken)
    return stored


def _ways(
    problem: Problem, facts: list[tuple[str, int, int]], demand: object
) -> Iterator[tuple[float, int, int]]:
    """(lane cost, index of the fact, week shipped) for every fact that can still serve the demand."""
    region, due = demand.region, demand.week  # type: ignore[attr-defined]
    most_late = demand.max_late_weeks  # type: ignore[attr-defined]
    for index, (warehouse, week, _) in enumerate(facts):
        lane = problem.lane_of.get((warehouse, region))
        if lane is None:
            continue
        ship = max(week, due - lane.lead_weeks)
        arrives = ship + lane.lead_weeks
        if arrives < problem.weeks and (most_late is None or arrives - due <= most_late):
            yield lane.cost, index, ship


def _add_stored(
    problem: Problem,
    stored: dict[Week, float],
    *,
    sku: str,
    facts: list[tuple[str, int, int]],
    taken: list[tuple[int, int, int]],
) -> None:
    volume = problem.sku_of[sku].volume
    for warehouse, week, units in facts:
        for end in range(week, problem.weeks):
            stored[warehouse, end] += units * volume
    for index, ship, units in taken:
        for end in range(ship, problem.weeks):
            stored[facts[index][0], end] -= units * volume


def cap_rows(problem: Problem) -> list[CapRow]:
    """One row for each cap and key with demand, caps with key None spread over every SKU or category."""
    demand: dict[str, int] = defaultdict(int)
    for one in problem.demand:
        demand[one.sku] += one.quantity
    rows = []
    for cap in problem.share_caps:
        for key, skus in _scopes(problem, cap):
            total = sum(demand[sku] for sku in skus)
            if total > 0:
                rows.append(CapRow(cap=cap, key=key, skus=skus, demand=total))
    return rows


def _scopes(problem: Problem, cap: ShareCap) -> list[tuple[str | None, frozenset[str]]]:
    if cap.scope == "plan":
        return [(None, frozenset(sku.id for sku in problem.skus))]
    groups: dict[str, list[str]] = defaultdict(list)
    for sku in problem.skus:
        key = sku.id if cap.scope == "sku" else sku.category
        if key is not None and cap.key in (None, key):
            groups[key].append(sku.id)
    return [(key, frozenset(skus)) for key, skus in groups.items()]


def hard_units(row: CapRow, locked: dict[tuple[str, str, int], int], supplier: str) -> float:
    """Units of supplier a hard cap allows: what is locked stands even above it."""
    facts = sum(units for (one, sku, _), units in locked.items() if one == supplier and sku in row.skus)
    return max(row.free_units, float(facts))
