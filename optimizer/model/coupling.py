"""The rules that tie SKUs together, as numbered rows with the room they leave."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from optimizer.form.codes import Shared
from optimizer.form.pricing import spends
from optimizer.form.problem import Problem
from optimizer.model.build import Floats, Ints
from optimizer.rules.limits import (
    cap_rows,
    capacity_used,
    hard_units,
    limits,
    locked_lots,
    locked_orders,
    locked_volume,
    materials_taken,
)
from optimizer.rules.spending import spend_excess


@dataclass(frozen=True, kw_only=True)
class SpendRows:
    """A cap of spend: in row[S] (-1: none) a supplier's money less max_share of all money in the scope; most
    is more than any plan spends there for its own sake."""

    skus: frozenset[str]
    max_share: float
    row: Ints
    most: float


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """Rows shared by SKUs: use <= room. Above a soft row's room each unit costs penalty; hard rows have inf.

    name[i] is (rule, ids). The index arrays give a row number or -1: capacity [S, T], horizon [S],
    inbound [W, T], storage [W, T], throughput [W], material [M, T], lanes by week of departure lane_in
    [S, W, T], lane_out [W, R, T] and lane_direct [S, R, T]; share rows are [cap, S] with skus_of_cap saying
    whom they count.
    """

    names: tuple[tuple[Shared, dict[str, object]], ...]
    room: Floats
    penalty: Floats
    capacity: Ints
    horizon: Ints
    inbound: Ints
    storage: Ints
    throughput: Ints
    material: Ints
    lane_in: Ints
    lane_out: Ints
    lane_direct: Ints
    share: Ints
    skus_of_cap: tuple[frozenset[str], ...]
    spend: tuple[SpendRows, ...]


class _Rows:
    """Collects coupling rows and hands out their numbers."""

    def __init__(self) -> None:
        self.names: list[tuple[Shared, dict[str, object]]] = []
        self.room: list[float] = []
        self.penalty: list[float] = []

    def add(self, rule: Shared, ids: dict[str, object], room: float, penalty: float = np.inf) -> int:
        self.names.append((rule, ids))
        self.room.append(room)
        self.penalty.append(penalty)
        return len(self.room) - 1


def coupling_of(
    problem: Problem,
    suppliers: dict[str, int],
    warehouses: dict[str, int],
    regions: dict[str, int],
    materials: dict[str, int],
) -> Coupling:
    rows = _Rows()
    allowed = limits(problem)
    capacity = np.full((len(suppliers), problem.weeks), -1, dtype=np.int64)
    horizon = np.full(len(suppliers), -1, dtype=np.int64)
    used, total = capacity_used(problem, locked_lots(problem))
    for (supplier, week), limit in allowed.capacity.items():
        ids: dict[str, object] = {"supplier": supplier, "week": week}
        capacity[suppliers[supplier], week] = rows.add(
            "capacity", ids, limit - used.get((supplier, week), 0.0)
        )
    for supplier, limit in allowed.horizon.items():
        horizon[suppliers[supplier]] = rows.add(
            "horizon_capacity", {"supplier": supplier}, limit - total.get(supplier, 0.0)
        )
    inbound, storage = _warehouse_rows(problem, warehouses, rows)
    throughput = np.full(len(warehouses), -1, dtype=np.int64)
    for warehouse, limit in allowed.throughput.items():
        throughput[warehouses[warehouse]] = rows.add("throughput", {"warehouse": warehouse}, limit)
    material = np.full((len(materials), problem.weeks), -1, dtype=np.int64)
    taken = materials_taken(problem, locked_lots(problem))
    for (name, week), limit in allowed.material.items():
        ids = {"material": name, "week": week}
        material[materials[name], week] = rows.add("material", ids, limit - taken.get((name, week), 0.0))
    lane_in, lane_out, lane_direct = _lane_rows(problem, suppliers, warehouses, regions, rows)
    share, skus_of_cap = _share_rows(problem, suppliers, rows)
    spend = _spend_rows(problem, suppliers, rows)
    return Coupling(
        names=tuple(rows.names),
        room=np.array(rows.room),
        penalty=np.array(rows.penalty),
        capacity=capacity,
        horizon=horizon,
        inbound=inbound,
        storage=storage,
        throughput=throughput,
        material=material,
        lane_in=lane_in,
        lane_out=lane_out,
        lane_direct=lane_direct,
        share=share,
        skus_of_cap=skus_of_cap,
        spend=spend,
    )


def _warehouse_rows(problem: Problem, warehouses: dict[str, int], rows: _Rows) -> tuple[Ints, Ints]:
    allowed = limits(problem)
    arriving: dict[tuple[str, int], float] = defaultdict(float)
    for (supplier, to, leaves), volume in locked_volume(problem).items():
        arriving[to, leaves + problem.lane_of[supplier, to].lead_weeks] += volume
    inbound = np.full((len(warehouses), problem.weeks), -1, dtype=np.int64)
    storage = np.full((len(warehouses), problem.weeks), -1, dtype=np.int64)
    for (warehouse, week), limit in allowed.inbound.items():
        ids: dict[str, object] = {"warehouse": warehouse, "week": week}
        inbound[warehouses[warehouse], week] = rows.add("inbound", ids, limit - arriving[warehouse, week])
    for (warehouse, week), limit in allowed.storage.items():
        ids = {"warehouse": warehouse, "week": week}
        storage[warehouses[warehouse], week] = rows.add("storage", ids, limit)
    return inbound, storage


def _lane_rows(
    problem: Problem,
    suppliers: dict[str, int],
    warehouses: dict[str, int],
    regions: dict[str, int],
    rows: _Rows,
) -> tuple[Ints, Ints, Ints]:
    """Rows of lanes with a capacity: into warehouses, out of them, and direct."""
    kinds = ((suppliers, warehouses), (warehouses, regions), (suppliers, regions))
    found = tuple(np.full((len(a), len(b), problem.weeks), -1, dtype=np.int64) for a, b in kinds)
    facts = locked_volume(problem)
    for (source, target, week), limit in limits(problem).lane.items():
        room = limit - facts.get((source, target, week), 0.0)
        ids: dict[str, object] = {"from": source, "to": target, "week": week}
        row = rows.add("lane_capacity", ids, room)
        for (sources, targets), index in zip(kinds, found, strict=True):
            if source in sources and target in targets:
                index[sources[source], targets[target], week] = row
    return found[0], found[1], found[2]


def _spend_rows(problem: Problem, suppliers: dict[str, int], rows: _Rows) -> tuple[SpendRows, ...]:
    """Locked money that no decision changes is taken off the room."""
    facts = spend_excess(problem)
    known: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, (money, _) in spends(problem, locked_lots(problem)).items():
        offer = problem.offers[number]
        if len(offer.breaks) == 1:
            known[offer.sku].append((suppliers[offer.supplier], money))
    found = []
    largest = _most_money(problem)
    for number, row in enumerate(cap_rows(problem, "spend")):
        share = row.cap.max_share
        mine = {one.supplier for one in problem.offers if one.sku in row.skus}
        index = np.full(len(suppliers), -1, dtype=np.int64)
        for supplier in sorted(mine):
            at = suppliers[supplier]
            fixed = sum(
                money * ((one == at) - share) for sku in sorted(row.skus) for one, money in known[sku]
            )
            ids: dict[str, object] = {"scope": row.cap.scope, "key": row.key, "supplier": supplier}
            room = (facts[number].get(supplier, 0.0) if row.cap.hard else 0.0) - fixed
            penalty = np.inf if row.cap.hard else row.cap.penalty
            index[at] = rows.add("spend_cap", ids, room, penalty)
        most = sum(largest[sku] for sku in row.skus)
        found.append(SpendRows(skus=row.skus, max_share=share, row=index, most=most))
    return tuple(found)


def _most_money(problem: Problem) -> dict[str, float]:
    """By SKU more than any plan of it costs that is worth anything by itself."""
    units: dict[str, float] = defaultdict(float)
    price: dict[str, float] = defaultdict(float)
    for demand in problem.demand:
        units[demand.sku] += demand.quantity
    for one in problem.locked:
        units[one.sku] += one.quantity
    for offer in problem.offers:
        units[offer.sku] += max(offer.moq, offer.breaks[-1][0]) + offer.multiple
        price[offer.sku] = max(price[offer.sku], *(cost for _, cost in offer.breaks))
    return {sku.id: units[sku.id] * price[sku.id] for sku in problem.skus}


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
