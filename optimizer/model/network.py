"""The problem as arrays: places and lanes as matrices, and its rows by SKU."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.form.problem import Demand, Locked, Offer, Problem, Quantity, Stock
from optimizer.model.coupling import Coupling, coupling_of
from optimizer.rules.limits import (
    cap_rows,
    free_lane,
    locked_orders,
    previous_units,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Quantities: whole numbers, or floats in a continuous problem.
Amounts = NDArray[Any]
# A lead no horizon reaches: stands for "there is no lane".
NO_LANE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class LocalCap:
    """A share cap of one SKU: free units by supplier number (what is locked already taken off)."""

    free: dict[int, float]
    limit: float
    hard: bool
    penalty: float
    fixed_excess: dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Network:
    """Lane matrices [from, to] (lead NO_LANE where there is none) and the problem's rows by SKU."""

    problem: Problem
    weeks: int
    suppliers: dict[str, int]
    warehouses: dict[str, int]
    regions: dict[str, int]
    lead_in: Ints
    cost_in: Floats
    lead_out: Ints
    cost_out: Floats
    lead_direct: Ints
    cost_direct: Floats
    offers: dict[str, list[Offer]]
    demand: dict[str, list[Demand]]
    stock: dict[str, list[Stock]]
    locked: dict[str, list[Locked]]
    previous: dict[str, dict[tuple[int, int], Quantity]]
    materials: dict[str, int]
    numbers: dict[str, list[int]]
    minimums: bool
    minimum_in: Floats
    free_out: NDArray[np.bool_]
    caps: dict[str, list[LocalCap]]
    coupling: Coupling


def network(problem: Problem) -> Network:
    """Index the problem once; every later step works on the arrays."""
    suppliers = {one.id: i for i, one in enumerate(problem.suppliers)}
    warehouses = {one.id: i for i, one in enumerate(problem.warehouses)}
    regions = {one.id: i for i, one in enumerate(problem.regions)}
    lead_in, cost_in = _lanes(problem, suppliers, warehouses)
    lead_out, cost_out = _lanes(problem, warehouses, regions)
    lead_direct, cost_direct = _lanes(problem, suppliers, regions)
    offers: dict[str, list[Offer]] = defaultdict(list)
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, offer in enumerate(problem.offers):
        offers[offer.sku].append(offer)
        numbers[offer.sku].append(number)
    materials = {one.id: i for i, one in enumerate(problem.materials)}
    previous: dict[str, dict[tuple[int, int], Quantity]] = defaultdict(dict)
    kept = locked_orders(problem)
    for (supplier, sku, week), units in previous_units(problem).items():
        left = units - kept.get((supplier, sku, week), 0)
        if left > 0:
            previous[sku][suppliers[supplier], week] = left
    demand: dict[str, list[Demand]] = defaultdict(list)
    for one in problem.demand:
        if one.quantity:
            demand[one.sku].append(one)
    stock: dict[str, list[Stock]] = defaultdict(list)
    for some in problem.stock:
        if some.quantity:
            stock[some.sku].append(some)
    locked: dict[str, list[Locked]] = defaultdict(list)
    for fixed in problem.locked:
        if fixed.quantity:
            locked[fixed.sku].append(fixed)
    return Network(
        problem=problem,
        weeks=problem.weeks,
        suppliers=suppliers,
        warehouses=warehouses,
        regions=regions,
        lead_in=lead_in,
        cost_in=cost_in,
        lead_out=lead_out,
        cost_out=cost_out,
        lead_direct=lead_direct,
        cost_direct=cost_direct,
        offers=dict(offers),
        demand=dict(demand),
        stock=dict(stock),
        locked=dict(locked),
        previous=dict(previous),
        materials=materials,
        numbers=dict(numbers),
        free_out=_free_out(problem, warehouses, regions),
        minimums=any(one.minimum > 0 for one in problem.lanes),
        minimum_in=_minimums(problem, suppliers, warehouses),
        caps=_local_caps(problem, suppliers),
        coupling=coupling_of(problem, suppliers, warehouses, regions, materials),
    )


def _lanes(problem: Problem, sources: dict[str, int], targets: dict[str, int]) -> tuple[Ints, Floats]:
    lead = np.full((len(sources), len(targets)), NO_LANE, dtype=np.int64)
    cost = np.zeros((len(sources), len(targets)))
    for lane in problem.lanes:
        if lane.source in sources and lane.target in targets:
            at = sources[lane.source], targets[lane.target]
            lead[at], cost[at] = lane.lead_weeks, lane.cost
    return lead, cost


def _minimums(problem: Problem, suppliers: dict[str, int], warehouses: dict[str, int]) -> Floats:
    """Minimum volume of each lane into a warehouse, [S, W]."""
    least = np.zeros((len(suppliers), len(warehouses)))
    for lane in problem.lanes:
        if lane.target in warehouses:
            least[suppliers[lane.source], warehouses[lane.target]] = lane.minimum
    return least


def _free_out(problem: Problem, warehouses: dict[str, int], regions: dict[str, int]) -> NDArray[np.bool_]:
    """Lanes [W, R] over which facts may leave whatever else does."""
    free = np.zeros((len(warehouses), len(regions)), dtype=bool)
    for lane in problem.lanes:
        if lane.source in warehouses:
            free[warehouses[lane.source], regions[lane.target]] = free_lane(problem, lane)
    return free


def _local_caps(problem: Problem, suppliers: dict[str, int]) -> dict[str, list[LocalCap]]:
    fixed: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (supplier, sku, _), units in locked_orders(problem).items():
        fixed[sku][suppliers[supplier]] += units
    found: dict[str, list[LocalCap]] = defaultdict(list)
    for row in cap_rows(problem):
        if row.cap.scope != "sku" or row.key is None:
            continue
        taken = fixed[row.key]
        found[row.key].append(
            LocalCap(
                free={i: max(0.0, row.free_units - taken.get(i, 0.0)) for i in suppliers.values()},
                limit=row.free_units,
                hard=row.cap.hard,
                penalty=row.cap.penalty,
                fixed_excess={i: max(0.0, units - row.free_units) for i, units in taken.items()},
            )
        )
    return dict(found)
