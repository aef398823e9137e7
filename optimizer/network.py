"""The problem as arrays: places and lanes as matrices, and the rules that tie SKUs together as numbered
rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.limits import cap_rows, hard_units, limits, locked_orders
from optimizer.problem import Demand, Locked, Offer, Problem, Stock

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A lead no horizon reaches: stands for "there is no lane".
NO_LANE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """Rows shared by SKUs: use <= room. Above a soft row's room each unit costs penalty; hard rows have inf.

    name[i] is (rule, ids). The index arrays give a row number or -1: capacity [S, T], horizon [S],
    inbound [W, T], storage [W, T]; share rows are [cap, S] with skus_of_cap saying whom they count.
    """

    names: tuple[tuple[str, dict[str, object]], ...]
    room: Floats
    penalty: Floats
    capacity: Ints
    horizon: Ints
    inbound: Ints
    storage: Ints
    share: Ints
    skus_of_cap: tuple[frozenset[str], ...]


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
    for offer in problem.offers:
        offers[offer.sku].append(offer)
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
        caps=_local_caps(problem, suppliers),
        coupling=_coupling(problem, suppliers, warehouses),
    )


def _lanes(problem: Problem, sources: dict[str, int], targets: dict[str, int]) -> tuple[Ints, Floats]:
    lead = np.full((len(sources), len(targets)), NO_LANE, dtype=np.int64)
    cost = np.zeros((len(sources), len(targets)))
    for lane in problem.lanes:
        if lane.source in sources and lane.target in targets:
            at = sources[lane.source], targets[lane.target]
            lead[at], cost[at] = lane.lead_weeks, lane.cost
    return lead, cost


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


class _Rows:
    """Collects coupling rows and hands out their numbers."""

    def __init__(self) -> None:
        self.names: list[tuple[str, dict[str, object]]] = []
        self.room: list[float] = []
        self.penalty: list[float] = []

    def add(self, rule: str, ids: dict[str, object], room: float, penalty: float = np.inf) -> int:
        self.names.append((rule, ids))
        self.room.append(room)
        self.penalty.append(penalty)
        return len(self.room) - 1


def _coupling(problem: Problem, suppliers: dict[str, int], warehouses: dict[str, int]) -> Coupling:
    rows = _Rows()
    locked = locked_orders(problem)
    allowed = limits(problem)
    capacity = np.full((len(suppliers), problem.weeks), -1, dtype=np.int64)
    horizon = np.full(len(suppliers), -1, dtype=np.int64)
    used: dict[object, float] = defaultdict(float)
    for (supplier, sku, week), units in locked.items():
        use = units * problem.offer_of[supplier, sku].capacity_use
        used[supplier, week] += use
        used[supplier] += use if week >= 0 else 0.0
    for (supplier, week), limit in allowed.capacity.items():
        ids: dict[str, object] = {"supplier": supplier, "week": week}
        capacity[suppliers[supplier], week] = rows.add("capacity", ids, limit - used[supplier, week])
    for supplier, limit in allowed.horizon.items():
        horizon[suppliers[supplier]] = rows.add(
            "horizon_capacity", {"supplier": supplier}, limit - used[supplier]
        )
    inbound, storage = _warehouse_rows(problem, warehouses, rows)
    share, skus_of_cap = _share_rows(problem, suppliers, rows)
    return Coupling(
        names=tuple(rows.names),
        room=np.array(rows.room),
        penalty=np.array(rows.penalty),
        capacity=capacity,
        horizon=horizon,
        inbound=inbound,
        storage=storage,
        share=share,
        skus_of_cap=skus_of_cap,
    )


def _warehouse_rows(problem: Problem, warehouses: dict[str, int], rows: _Rows) -> tuple[Ints, Ints]:
    allowed = limits(problem)
    arriving: dict[tuple[str, int], float] = defaultdict(float)
    for one in problem.locked:
        lead = problem.offer_of[one.supplier, one.sku].lead_weeks
        week = one.week + lead + problem.lane_of[one.supplier, one.to].lead_weeks
        arriving[one.to, week] += one.quantity * problem.sku_of[one.sku].volume
    inbound = np.full((len(warehouses), problem.weeks), -1, dtype=np.int64)
    storage = np.full((len(warehouses), problem.weeks), -1, dtype=np.int64)
    for (warehouse, week), limit in allowed.inbound.items():
        ids: dict[str, object] = {"warehouse": warehouse, "week": week}
        inbound[warehouses[warehouse], week] = rows.add("inbound", ids, limit - arriving[warehouse, week])
    for (warehouse, week), limit in allowed.storage.items():
        ids = {"warehouse": warehouse, "week": week}
        storage[warehouses[warehouse], week] = rows.add("storage", ids, limit)
    return inbound, storage


def _share_rows(
    problem: Problem, suppliers: dict[str, int], rows: _Rows
) -> tuple[Ints, tuple[frozenset[str], ...]]:
    locked = locked_orders(problem)
    shared = [row for row in cap_rows(problem) if row.cap.scope != "sku"]
    share = np.full((len(shared), len(suppliers)), -1, dtype=np.int64)
    for number, row in enumerate(shared):
        for supplier, at in suppliers.items():
            taken = sum(u for (s, sku, _), u in locked.items() if s == supplier and sku in row.skus)
            limit = hard_units(row, locked, supplier) if row.cap.hard else row.free_units
            ids: dict[str, object] = {"scope": row.cap.scope, "key": row.key, "supplier": supplier}
            penalty = np.inf if row.cap.hard else row.cap.penalty
            share[number, at] = rows.add("share_cap", ids, limit - taken, penalty)
    return share, tuple(row.skus for row in shared)
