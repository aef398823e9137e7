"""Why one demand is unmet or late: look at the ways that could serve it and say what stops the cheapest
one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.form.codes import Reason
from optimizer.model.block import lot_uses
from optimizer.model.build import Floats, Ints
from optimizer.model.item import Item
from optimizer.model.network import NO_LANE, Network
from optimizer.model.picks import Pick
from optimizer.model.pieces import route_uses
from optimizer.model.uses import uses
from optimizer.rules.book import Book

Why = tuple[Reason, dict[str, float]]
# The reason a full shared row gives, where it is not "capacity".
OF_ROW: dict[str, Reason] = {
    "share_cap": "share_cap",
    "spend_cap": "share_cap",
    "material": "material",
    "lane_capacity": "lane",
}


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What is left of every shared row (share rows included), and units by (supplier, sku)."""

    left: Floats
    units: dict[tuple[str, str], int]


def rooms(net: Network, plan: Book) -> Rooms:
    """Measure what the plan leaves of every shared row."""
    units: dict[tuple[str, str], int] = defaultdict(int)
    for (supplier, sku, _), quantity in plan.orders.items():
        units[supplier, sku] += quantity
    return Rooms(left=net.coupling.room - uses(net, plan).total(), units=dict(units))


def short_reason(
    net: Network, state: Rooms, one: tuple[Item, Pick], *, region: str, week: int, units: int
) -> Why:
    """Reason code and numbers for units never delivered."""
    item = one[0]
    demand = _number(net, item, region, week)
    everywhere = np.ones(item.cost.shape[:2], dtype=bool)
    return _reason(net, state, one, demand, ways=everywhere, worth=float(item.short[demand]), units=units)


def late_reason(
    net: Network, state: Rooms, one: tuple[Item, Pick], *, region: str, week: int, units: int
) -> Why:
    """Reason code and numbers for units that come late: what stops the ways that would be on time."""
    item, pick = one
    demand = _number(net, item, region, week)
    on_time = _on_time(net, item, demand)
    mine = pick.demand == demand
    worth = float(item.short[demand])
    lots = len(item.lots.week)
    paid = [
        item.cost[s, v, demand] + (_price(net, item, int(s)) if s < lots else 0.0)
        for s, v in zip(pick.source[mine], pick.via[mine], strict=True)
        if not on_time[s, v]
    ]
    return _reason(net, state, one, demand, ways=on_time, worth=min([worth, *paid]), units=units)


def _number(net: Network, item: Item, region: str, week: int) -> int:
    place = net.regions[region]
    return int(np.flatnonzero((item.region == place) & (item.due == week))[0])


def _on_time(net: Network, item: Item, demand: int) -> NDArray[np.bool_]:
    """Ways [N, V] that reach the demand no later than it is due."""
    houses = len(net.warehouses)
    lead = np.append(net.lead_out[:, item.region[demand]], 0)
    there = item.ship[:, :, demand] + lead
    lots = item.lots
    if len(lots.week):
        direct = net.lead_direct[item.supplier[lots.offer], item.region[demand]]
        there = there.copy()
        there[: len(lots.week), houses] = item.arrive[: len(lots.week), houses] + direct
    return np.asarray(there <= item.due[demand])


def _price(net: Network, item: Item, lot: int) -> float:
    """The lowest unit price of the lot's offer, risk included: what a further unit costs at best."""
    offer = item.offers[item.lots.offer[lot]]
    risk = net.problem.supplier_of[offer.supplier].risk
    return float(min(price for _, price in offer.breaks) * (1.0 + risk))


def _prices(net: Network, item: Item) -> Floats:
    """The same of every lot, [L]."""
    first, of = np.unique(item.lots.offer, return_index=True, return_inverse=True)[1:]
    return np.array([_price(net, item, int(lot)) for lot in first])[of]


def _reason(
    net: Network,
    state: Rooms,
    one: tuple[Item, Pick],
    demand: int,
    *,
    ways: NDArray[np.bool_],
    worth: float,
    units: int,
) -> Why:
    item, _ = one
    if not item.offers:
        return "no_offer", {"units": float(units)}
    able = len(np.unique(item.supplier))
    if able < item.sku.min_sources:
        numbers = {"units": float(units), "least": float(item.sku.min_sources), "suppliers": float(able)}
        return "min_sources", numbers
    lots = len(item.lots.week)
    costs = np.where(ways[:lots], item.cost[:lots, :, demand], np.inf)
    if not np.isfinite(costs).any():
        return _unreachable(net, item, demand, worth=worth, units=units)
    costs += _prices(net, item)[:, None]
    lot, via = (int(one) for one in np.unravel_index(costs.argmin(), costs.shape))
    cheapest = float(costs[lot, via])
    if cheapest < worth:
        return _blocked(net, state, one, demand, lot, via, cost=cheapest, worth=worth, units=units)
    return "cost", {"units": float(units), "short_cost": worth, "cheapest_supply": cheapest}


def _unreachable(net: Network, item: Item, demand: int, *, worth: float, units: int) -> Why:
    """No lot gets there: no lane at all, too long a lead, or only ways dearer than the shortage."""
    region = item.region[demand]
    leads = []
    for number, offer in enumerate(item.offers):
        supplier = item.supplier[number]
        through = net.lead_in[supplier] + net.lead_out[:, region]
        best = min([int(net.lead_direct[supplier, region]), *through.tolist()])
        if best < NO_LANE:
            leads.append(offer.lead_weeks + best)
    if not leads:
        return "no_lane", {"units": float(units), "offers": float(len(item.offers))}
    last = int(item.last[demand])
    if min(leads) > item.due[demand]:
        numbers = {
            "units": float(units),
            "earliest_week": float(min(leads)),
            "due_week": float(item.due[demand]),
        }
        return "lead_time", numbers | {"latest_week": float(last)}
    has_room = len(item.lots.week) > 0
    if not has_room:
        return "capacity", {"units": float(units), "room": 0.0}
    return "cost", {"units": float(units), "short_cost": worth}


def _blocked(
    net: Network,
    state: Rooms,
    one: tuple[Item, Pick],
    demand: int,
    lot: int,
    via: int,
    *,
    cost: float,
    worth: float,
    units: int,
) -> Why:
    """What stops the cheapest way: no room, a share cap, the MOQ, or costs that only show when it is used."""
    item, pick = one
    numbers = {"units": float(units), "short_cost": worth, "cheapest_supply": cost}
    left, row = _least_room(net, state, item, demand, lot, via)
    spare = int(item.lots.most[lot] - pick.extra[lot])
    step = int(item.lots.multiple[lot]) if pick.extra[lot] else int(item.lots.least[lot])
    surplus = int(pick.extra[lot] - pick.units[pick.source == lot].sum())
    if surplus <= 0 and (left < step or spare < step):
        rule = net.coupling.names[row][0] if left < step and row >= 0 else "max"
        return OF_ROW.get(rule, "capacity"), numbers | {
            "room": max(0.0, min(left, float(spare))),
            "least_order": float(step),
        }
    penalty = _cap_penalty(net, state, item, lot)
    if np.isinf(penalty) or cost + penalty >= worth:
        return "share_cap", numbers | ({} if np.isinf(penalty) else {"penalty": penalty})
    order = step * _price(net, item, lot) + (0.0 if pick.extra[lot] else float(item.lots.order_cost[lot]))
    if step > units and order + penalty * step > worth * units:
        return "moq", numbers | {
            "least_order": float(step),
            "order_value": order,
            "shortage_value": worth * units,
        }
    return "cost", numbers | {"order_cost": float(item.lots.order_cost[lot]), "penalty": penalty}


def _least_room(net: Network, state: Rooms, item: Item, demand: int, lot: int, via: int) -> tuple[float, int]:
    """Units that still fit the hard shared rows one way needs, and the tightest row (-1 for none)."""
    lots, rows, amounts = lot_uses(net, item)
    mine = lots == lot
    single: Ints = np.array([lot], dtype=np.int64)
    _, more, volumes = route_uses(net, item, single, np.array([via]), np.array([demand]))
    row = np.concatenate([rows[mine], more])
    amount = np.concatenate([amounts[mine], volumes])
    hard = np.isinf(net.coupling.penalty[row]) & (amount > 0)
    if not hard.any():
        return float("inf"), -1
    units = (state.left[row[hard]] + 1e-9) / amount[hard]
    at = int(np.argmin(units))
    return float(units[at]), int(row[hard][at])


def _cap_penalty(net: Network, state: Rooms, item: Item, lot: int) -> float:
    """What one more unit of this lot pays to share caps; inf when a hard one is reached."""
    number = item.lots.offer[lot]
    supplier = item.supplier[number]
    units = state.units.get((item.offers[number].supplier, item.sku.id), 0)
    total = 0.0
    for cap in item.caps:
        if units + 1 > cap.limit:
            total += np.inf if cap.hard else cap.penalty
    for at, skus in enumerate(net.coupling.skus_of_cap):
        row = net.coupling.share[at, supplier]
        if item.sku.id in skus and state.left[row] < 1 - 1e-9 and np.isfinite(net.coupling.penalty[row]):
            total += float(net.coupling.penalty[row])
    return total
