"""The plan a search starts from: by a planner's rule, or what a neighbouring problem's plan is still worth.

Of that each SKU keeps as much as is allowed. A plan says what leaves where and when; which lot a unit comes
from and which demand it serves is told first come, first gone: always possible, and nearly as cheap as can
be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np

from optimizer.form.clock import Deadline
from optimizer.form.plan import Flow, Order, ShadowPrice, Solution, Unmet
from optimizer.form.problem import Quantity
from optimizer.model.build import Floats
from optimizer.model.item import Item
from optimizer.model.network import NO_LANE, Amounts, Network
from optimizer.model.parts import Effort, part
from optimizer.model.picks import Pick
from optimizer.search.combining import top_prices
from optimizer.search.greedy import greedy_plan
from optimizer.search.repair import Plan, facts_only, repair
from optimizer.search.workers import Workers


def told_prices(net: Network, prices: Floats | None) -> tuple[ShadowPrice, ...]:
    """The prices [rows] above 0 by the names of their rows."""
    if prices is None:
        return ()
    return tuple(
        ShadowPrice(rule=rule, ids=ids, price=price)
        for (rule, ids), price in zip(net.coupling.names, prices.tolist(), strict=True)
        if price > 0
    )


def known_prices(net: Network, known: Solution) -> Floats:
    """Those of a plan for the rows of the network, 0 where it has none, [rows]."""
    price = {_name(one.rule, one.ids): one.price for one in known.shadow_prices}
    prices = [price.get(_name(rule, ids), 0.0) for rule, ids in net.coupling.names]
    return np.minimum(np.array(prices, dtype=np.float64), top_prices(net))


def _name(rule: str, ids: Mapping[str, object]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return rule, tuple(sorted((name, str(value)) for name, value in ids.items()))


Row = TypeVar("Row", Order, Flow, Unmet)


class _Batch(NamedTuple):
    """Units of one source on their way: there is when they come to where they are next used."""

    there: int
    source: int
    via: int
    ships: int
    units: Quantity


def start_plan(
    net: Network, workers: Workers, effort: Effort, known: Solution | None, *, deadline: Deadline
) -> Plan:
    """A plan with the prices to begin at: those of the known one with what of it still holds, or none."""
    if known is not None:
        return kept_plan(net, known, effort, deadline=deadline)
    make = lambda: list(greedy_plan(net, effort, deadline=deadline).parts.values())  # noqa: E731
    return Plan(net, workers.kept("start", make, deadline=deadline), np.zeros(len(net.coupling.room)))


def kept_plan(net: Network, known: Solution, effort: Effort, *, deadline: Deadline) -> Plan:
    """What the known plan does for each SKU, mended until all fit together."""
    orders, flows, unmet = _by_sku(known.orders), _by_sku(known.flows), _by_sku(known.unmet)
    parts = {}
    for sku in net.problem.skus:
        item = Plan.lay_out(net, sku.id)
        pick = kept_pick(net, item, orders[sku.id], flows[sku.id], unmet[sku.id])
        parts[sku.id] = part(net, item, pick, bound=0.0)
    made = Plan(net, parts, known_prices(net, known))
    repair(made, effort, tell=lambda done, total: None, deadline=deadline)
    return made


def kept_pick(
    net: Network, item: Item, orders: Iterable[Order], flows: Iterable[Flow], unmet: Iterable[Unmet]
) -> Pick:
    """What a plan orders of one SKU and where it goes, without what the problem does not allow."""
    extra = _extra(net, item, orders)
    if not _allowed(item, extra):
        return facts_only(item)
    short = {(net.regions[one.region], one.week): one.quantity for one in unmet if one.region in net.regions}
    coming = _at_regions(net, item, extra, sorted(flows, key=attrgetter("week")))
    return _served(item, extra, coming, short)


def _by_sku(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for one in rows:
        found[one.sku].append(one)
    return found


def _extra(net: Network, item: Item, orders: Iterable[Order]) -> Amounts:
    """Units [L] of each lot beside what is locked."""
    lots = item.lots
    place = {number: at for at, number in enumerate(net.numbers.get(item.sku.id, []))}
    at = {(int(o), int(t)): lot for lot, (o, t) in enumerate(zip(lots.offer, lots.week, strict=True))}
    extra = np.zeros(len(lots.week), dtype=item.need.dtype)
    for one in orders:
        numbers = net.problem.alternatives.get((one.supplier, item.sku.id), ())
        if one.alternative < len(numbers):
            lot = at.get((place[numbers[one.alternative]], one.week))
            if lot is not None:
                extra[lot] = max(0, one.quantity - lots.fixed[lot])
    extra = np.minimum(extra, lots.most)
    extra = np.where(lots.rigid, extra // lots.multiple * lots.multiple, extra)
    return np.where(extra < lots.least, 0, extra).astype(item.need.dtype)


def _allowed(item: Item, extra: Amounts) -> bool:
    """Whether there are suppliers enough, and none above a hard cap of the SKU's own."""
    supplier = item.supplier[item.lots.offer]
    locked = item.supplier[item.locked_units > 0]
    if extra.any() and len({*supplier[extra > 0].tolist(), *locked.tolist()}) < item.sku.min_sources:
        return False
    return all(
        extra[supplier == one].sum() <= cap.free[one]
        for cap in item.caps
        if cap.hard
        for one in set(supplier[extra > 0].tolist())
    )


def _at_regions(net: Network, item: Item, extra: Amounts, flows: list[Flow]) -> dict[int, list[_Batch]]:
    """What comes to each region, first to last."""
    lots, facts, direct = item.lots, item.facts, len(net.warehouses)
    at_house: dict[int, list[_Batch]] = defaultdict(list)
    at_region: dict[int, list[_Batch]] = defaultdict(list)
    left = extra.tolist()
    leaves = item.arrive[: len(left), direct].tolist()
    maker = item.supplier[lots.offer].tolist()
    promised: dict[tuple[int, int, int, int], Quantity] = defaultdict(int)
    for number, units in enumerate(facts.units.tolist()):
        house, region, week = (int(one[number]) for one in (facts.warehouse, facts.region, facts.week))
        batch = _Batch(week, len(left) + number, house if house >= 0 else direct, week, units)
        (at_house[house] if house >= 0 else at_region[region]).append(batch)
        promised[int(facts.supplier[number]), house, region, int(facts.leaves[number])] += units
    for one in flows:
        house, region = net.warehouses.get(one.target, -1), net.regions.get(one.target, -1)
        if one.source not in net.suppliers or max(house, region) < 0:
            continue
        supplier = net.suppliers[one.source]
        lead = int(net.lead_in[supplier, house] if house >= 0 else net.lead_direct[supplier, region])
        if lead >= NO_LANE:
            continue
        units = one.quantity - promised[supplier, house, region, one.week]
        for lot in range(len(left)):
            if units > 0 and left[lot] and (maker[lot], leaves[lot]) == (supplier, one.week):
                some = min(units, left[lot])
                via = house if house >= 0 else direct
                batch = _Batch(one.week + lead, lot, via, one.week, some)
                (at_house[house] if house >= 0 else at_region[region]).append(batch)
                left[lot] -= some
                units -= some
    for one in flows:
        house, region = net.warehouses.get(one.source, -1), net.regions.get(one.target, -1)
        if min(house, region) >= 0 and (lead := int(net.lead_out[house, region])) < NO_LANE:
            for batch in _taken(at_house[house], one.quantity, until=one.week):
                at_region[region].append(batch._replace(there=one.week + lead, ships=one.week))
    return at_region


def _taken(waiting: list[_Batch], units: Quantity, *, until: int) -> list[_Batch]:
    """So many units of those that have come by then, the first to come first; they are taken away."""
    waiting.sort()
    taken = []
    while units > 0 and waiting and waiting[0].there <= until:
        first = waiting.pop(0)
        some = min(units, first.units)
        taken.append(first._replace(units=some))
        if some < first.units:
            waiting.insert(0, first._replace(units=first.units - some))
        units -= some
    return taken


def _served(
    item: Item,
    extra: Amounts,
    coming: dict[int, list[_Batch]],
    short: Mapping[tuple[int, int], Quantity],
) -> Pick:
    """Each demand in turn is served by what comes first; what the plan leaves short comes last."""
    rows: list[tuple[int, int, int, int]] = []
    units: list[Quantity] = []

    def serve(demand: int, need: Quantity) -> Quantity:
        batches = coming.get(int(item.region[demand]), [])
        batches.sort()
        for at, one in enumerate(batches):
            way = one.source, one.via, demand
            delay = one.ships - int(item.ship[way])
            fits = np.isfinite(item.cost[way]) and delay >= 0 and one.there <= item.last[demand]
            if need > 0 and one.units > 0 and fits:
                some = min(need, one.units)
                rows.append((*way, delay))
                units.append(some)
                batches[at] = one._replace(units=one.units - some)
                need -= some
        return need

    places = zip(item.region.tolist(), item.due.tolist(), strict=True)
    left = [min(need, short.get(at, 0)) for need, at in zip(item.need.tolist(), places, strict=True)]
    turns = np.lexsort((item.due, item.last)).tolist()  # who can't wait goes first
    for demand in turns:
        left[demand] += serve(demand, item.need[demand].item() - left[demand])
    for demand in turns:
        serve(demand, left[demand])
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 4)
    return Pick(
        extra=extra,
        source=table[:, 0],
        via=table[:, 1],
        demand=table[:, 2],
        units=np.array(units, dtype=item.need.dtype),
        delay=table[:, 3],
    )
