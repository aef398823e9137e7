"""One SKU as arrays: its possible orders (lots), its facts, its demands, and every way from one to the
other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.form.problem import Offer, Quantity, Sku
from optimizer.model.lots import Lots, possible_lots
from optimizer.model.network import NO_LANE, Amounts, Floats, Ints, LocalCap, Network
from optimizer.rules.book import settle


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Stock and locked units, arrays [F]: warehouse or region (-1 for none), week there, units, supplier or
    -1."""

    warehouse: Ints
    region: Ints
    week: Ints
    units: Amounts
    supplier: Ints
    leaves: Ints


@dataclass(frozen=True, kw_only=True)
class Item:
    """A SKU with N = L + F sources, V = W + 1 vias (the last is direct) and D demands.

    cost[N, V, D]: freight + holding + lateness per unit, inf where there is no way. arrive[N, V]: week at
    the via; ship[N, V, D]: week it leaves the warehouse. leftover[F]: cost of a fact that is never used.
    free_ways[V, D]: ways out that facts may take whatever the other SKUs do.
    """

    sku: Sku
    offers: tuple[Offer, ...]
    supplier: Ints
    lots: Lots
    facts: Facts
    need: Amounts
    short: Floats
    region: Ints
    due: Ints
    late_cost: Floats
    last: Ints
    cost: Floats
    arrive: Ints
    ship: Ints
    leftover: Floats
    caps: tuple[LocalCap, ...]
    locked_units: Amounts
    churn: Churn
    free_ways: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Churn:
    """Units [C] of the previous plan by supplier and week that are not locked; losing one costs cost."""

    supplier: Ints
    week: Ints
    units: Amounts
    cost: float


def compile_item(net: Network, sku: Sku) -> Item:
    """Lay out one SKU. Ways that cost as much as the shortage before any price are left out: never worth
    it."""
    demands = net.demand.get(sku.id, [])
    due = np.array([one.week for one in demands], dtype=np.int64)
    region = np.array([net.regions[one.region] for one in demands], dtype=np.int64)
    kind: type = np.float64 if net.problem.continuous else np.int64
    need: Amounts = np.array([settle(net.problem, one.quantity) for one in demands], dtype=kind)
    late = np.array([one.late_cost for one in demands], dtype=np.float64)
    short = np.array([one.short_cost for one in demands], dtype=np.float64)
    horizon = net.weeks - 1
    last = np.array(
        [horizon if d.max_late_weeks is None else min(horizon, d.week + d.max_late_weeks) for d in demands],
        dtype=np.int64,
    )
    offers = tuple(net.offers.get(sku.id, []))
    supplier = np.array([net.suppliers[one.supplier] for one in offers], dtype=np.int64)
    facts, locked_lots = _facts(net, sku, offers)
    offer_at = np.repeat(np.arange(len(offers)), net.weeks)
    week_at = np.tile(np.arange(net.weeks), len(offers))
    lot_way = _lot_ways(net, sku, offers, supplier, offer_at, week_at, region, due, late, last)
    lot_cost, lot_arrive, lot_ship = lot_way
    if not net.minimums:
        lot_cost[lot_cost >= short] = np.inf
    keep, lots = possible_lots(net, sku, offers, offer_at, week_at, lot_cost, need, locked_lots)
    fact_cost, fact_arrive, fact_ship = _fact_ways(net, sku, facts, region, due, late, last)
    leftover = np.where(facts.warehouse >= 0, sku.holding_cost * np.maximum(net.weeks - facts.week, 0), 0.0)
    return Item(
        sku=sku,
        offers=offers,
        supplier=supplier,
        lots=lots,
        facts=facts,
        need=need,
        short=short,
        region=region,
        due=due,
        late_cost=late,
        last=last,
        cost=np.concatenate([lot_cost[keep], fact_cost]),
        arrive=np.concatenate([lot_arrive[keep], fact_arrive]),
        ship=np.concatenate([lot_ship[keep], fact_ship]),
        leftover=leftover,
        caps=tuple(net.caps.get(sku.id, [])),
        locked_units=np.array(
            [sum(units for (o, _), units in locked_lots.items() if o == i) for i in range(len(offers))],
            dtype=kind,
        ),
        churn=_churn(net, sku, kind),
        free_ways=np.concatenate([net.free_out[:, region], np.ones((1, len(region)), dtype=bool)]),
    )


def _churn(net: Network, sku: Sku, kind: type) -> Churn:
    units = net.previous.get(sku.id, {})
    return Churn(
        supplier=np.array([supplier for supplier, _ in units], dtype=np.int64),
        week=np.array([week for _, week in units], dtype=np.int64),
        units=np.array(list(units.values()), dtype=kind),
        cost=net.problem.churn_cost,
    )


def _ways(
    net: Network,
    sku: Sku,
    *,
    arrive: Ints,
    region: Ints,
    due: Ints,
    late: Floats,
    last: Ints,
) -> tuple[Floats, Ints]:
    """From being in warehouse w in week arrive[N, W] to each demand: cost [N, W, D] and ship week [N, W, D].

    Leaving as late as still on time is always best: earlier pays nothing back, later is late.
    """
    lead = net.lead_out[:, region][None, :, :]
    ship = np.maximum(arrive[:, :, None], due - lead)
    there = ship + lead
    ok = (lead < NO_LANE) & (arrive[:, :, None] < NO_LANE) & (there <= last)
    cost = (
        sku.volume * net.cost_out[:, region][None, :, :]
        + sku.holding_cost * (ship - arrive[:, :, None])
        + late * (there - due)
    )
    cost[~ok] = np.inf
    return cost, ship


def _lot_ways(
    net: Network,
    sku: Sku,
    offers: tuple[Offer, ...],
    supplier: Ints,
    offer_at: Ints,
    week_at: Ints,
    region: Ints,
    due: Ints,
    late: Floats,
    last: Ints,
) -> tuple[Floats, Ints, Ints]:
    lead = np.array([one.lead_weeks for one in offers], dtype=np.int64)
    leaves = week_at + lead[offer_at] if len(offers) else week_at
    source = supplier[offer_at] if len(offers) else offer_at
    lanes = net.lead_in[source]
    arrive = np.where(lanes < NO_LANE, leaves[:, None] + lanes, NO_LANE)
    cost, ship = _ways(net, sku, arrive=arrive, region=region, due=due, late=late, last=last)
    cost += sku.volume * net.cost_in[source][:, :, None]
    direct_lead = net.lead_direct[source][:, region]
    there = leaves[:, None] + direct_lead
    direct = sku.volume * net.cost_direct[source][:, region] + late * np.maximum(there - due, 0)
    direct[(direct_lead >= NO_LANE) | (there < due) | (there > last)] = np.inf
    no_ship = np.broadcast_to(leaves[:, None, None], (len(leaves), 1, len(due)))
    return (
        np.concatenate([cost, direct[:, None, :]], axis=1),
        np.concatenate([arrive, leaves[:, None]], axis=1),
        np.concatenate([ship, no_ship], axis=1),
    )


def _facts(
    net: Network, sku: Sku, offers: tuple[Offer, ...]
) -> tuple[Facts, dict[tuple[int, int], Quantity]]:
    rows: list[tuple[Quantity, ...]] = [
        (net.warehouses[s.warehouse], -1, s.week, s.quantity, -1, -1) for s in net.stock.get(sku.id, [])
    ]
    locked: dict[tuple[int, int], Quantity] = {}
    numbers = {one: i for i, one in enumerate(net.numbers.get(sku.id, []))}
    for one in net.locked.get(sku.id, []):
        number = numbers[net.problem.alternatives[one.supplier, sku.id][one.alternative]]
        leaves = one.week + offers[number].lead_weeks
        there = leaves + net.problem.lane_of[one.supplier, one.to].lead_weeks
        warehouse, region = net.warehouses.get(one.to, -1), net.regions.get(one.to, -1)
        rows.append((warehouse, region, there, one.quantity, net.suppliers[one.supplier], leaves))
        locked[number, one.week] = locked.get((number, one.week), 0) + one.quantity
    table = np.array([(*row[:3], 0, *row[4:]) for row in rows], dtype=np.int64).reshape(len(rows), 6)
    kind = np.float64 if net.problem.continuous else np.int64
    facts = Facts(
        warehouse=table[:, 0],
        region=table[:, 1],
        week=table[:, 2],
        units=np.array([settle(net.problem, row[3]) for row in rows], dtype=kind),
        supplier=table[:, 4],
        leaves=table[:, 5],
    )
    return facts, locked


def _fact_ways(
    net: Network, sku: Sku, facts: Facts, region: Ints, due: Ints, late: Floats, last: Ints
) -> tuple[Floats, Ints, Ints]:
    count, houses = len(facts.week), len(net.warehouses)
    mine = facts.warehouse[:, None] == np.arange(houses)[None, :]
    arrive = np.where(mine & (facts.week[:, None] < net.weeks), facts.week[:, None], NO_LANE)
    cost, ship = _ways(net, sku, arrive=arrive, region=region, due=due, late=late, last=last)
    there = facts.week[:, None] - due[None, :]
    direct = np.where(there >= 0, late * there, sku.holding_cost * -there)
    wrong = (facts.region[:, None] != region[None, :]) | (facts.week[:, None] > last[None, :])
    direct = np.where(wrong | (facts.region[:, None] < 0), np.inf, direct)
    weeks = np.broadcast_to(facts.week[:, None, None], (count, 1, len(due)))
    return (
        np.concatenate([cost, direct[:, None, :]], axis=1),
        np.concatenate([arrive, facts.week[:, None]], axis=1),
        np.concatenate([ship, weeks], axis=1),
    )
