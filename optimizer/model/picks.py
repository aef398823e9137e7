"""From model values to whole quantities of one SKU, and from all SKUs to the quantities of a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from optimizer.form.pricing import spend
from optimizer.form.problem import Quantity
from optimizer.model.block import lot_uses, money_uses, setup_uses
from optimizer.model.build import Floats, Ints, Layout, tally
from optimizer.model.item import Item, compile_item
from optimizer.model.network import Amounts, Network
from optimizer.model.piece import Piece
from optimizer.model.pieces import leftover_uses, route_uses
from optimizer.model.stays import Stays, stay_uses, stays
from optimizer.rules.book import GRAIN, Book, above
from optimizer.rules.limits import locked_flows, locked_lots

Key = TypeVar("Key")
# A continuous quantity this close (relative, above 1) to another is meant to be it.
NEARLY = 1e-6


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What one SKU does: extra units of each lot [L], and flows as source, via, demand, units, each [K].

    delay [K]: weeks a flow waits in its warehouse beyond what it must; None is none. stays: units of a lot
    that go to a warehouse and serve nobody, as (lot, warehouse, units).
    """

    extra: Amounts
    source: Ints
    via: Ints
    demand: Ints
    units: Amounts
    delay: Ints | None = None
    stays: tuple[tuple[int, int, Quantity], ...] = ()


class LaidOut(Mapping[str, tuple[Item, Pick]]):
    """The SKUs' arrays and picks; one SKU's arrays at a time, for those of many would fill the memory."""

    def __init__(self, net: Network, picks: dict[str, Pick]) -> None:
        self._net, self._picks = net, picks
        self._last: tuple[str, Item] | None = None

    def __getitem__(self, sku: str) -> tuple[Item, Pick]:
        pick = self._picks[sku]
        if self._last is None or self._last[0] != sku:
            self._last = sku, compile_item(self._net, self._net.problem.sku_of[sku])
        return self._last[1], pick

    def __contains__(self, sku: object) -> bool:
        return sku in self._picks

    def __iter__(self) -> Iterator[str]:
        return iter(self._picks)

    def __len__(self) -> int:
        return len(self._picks)


def idle_pick(item: Item) -> Pick:
    """Order nothing, use no fact: always possible."""
    none = np.zeros(0, dtype=np.int64)
    extra = np.zeros(len(item.lots.week), item.need.dtype)
    return Pick(extra=extra, source=none, via=none, demand=none, units=np.zeros(0, item.need.dtype))


def whole_units(item: Item, values: Floats) -> Amounts:
    """Quantities from a solver's values: a stray fraction is cut, never rounded up; in a continuous problem
    to the nearest grain."""
    if np.issubdtype(item.need.dtype, np.integer):
        return np.floor(values + 1e-5).astype(np.int64)
    return np.rint(np.maximum(values, 0.0) / GRAIN) * GRAIN


def lot_units(item: Item, counts: Floats) -> Amounts:
    """Extra units of each lot from the solver's counts."""
    lots = item.lots
    counted = np.where(lots.rigid, np.rint(counts), whole_units(item, counts))
    return (counted * lots.multiple).astype(item.need.dtype)


def read_pick(piece: Piece, layout: Layout, via: Ints, values: Floats, staying: Stays, columns: Ints) -> Pick:
    """The quantities of a full piece from the solver's values."""
    item = piece.item
    units = whole_units(item, values[layout.routes])
    kept = np.flatnonzero(units > 0)
    rest = whole_units(item, values[columns]).tolist()
    return trim(
        item,
        Pick(
            extra=lot_units(item, values[layout.count]),
            source=piece.source[kept],
            via=via[kept],
            demand=piece.demand[kept],
            units=units[kept],
            delay=piece.delay[kept],
            stays=tuple(zip(staying.lot.tolist(), staying.house.tolist(), rest, strict=True)),
        ),
    )


def trim(item: Item, pick: Pick) -> Pick:
    """Take back flow above what a source has (solver tolerances), and set a lot below its least to
    nothing."""
    lots = item.lots
    units = pick.units.copy()
    extra = pick.extra
    if not np.issubdtype(item.need.dtype, np.integer):
        extra, units = _close(item, pick)
    extra = np.where(extra < lots.least, 0, np.minimum(extra, lots.most)).astype(item.need.dtype)
    have = np.concatenate([extra, item.facts.units])
    need = item.need.copy()
    for at in range(len(units)):
        source, demand = int(pick.source[at]), int(pick.demand[at])
        units[at] = min(units[at], have[source], need[demand])
        have[source] -= units[at]
        need[demand] -= units[at]
    staying = []
    for lot, house, some in pick.stays:
        staying.append((lot, house, min(some, have[lot].item())))
        have[lot] -= staying[-1][2]
    kept = units > 0
    return Pick(
        extra=extra,
        source=pick.source[kept],
        via=pick.via[kept],
        demand=pick.demand[kept],
        units=units[kept],
        delay=None if pick.delay is None else pick.delay[kept],
        stays=tuple(one for one in staying if one[2] > 0),
    )


def _close(item: Item, pick: Pick) -> tuple[Amounts, Amounts]:
    """Continuous quantities with the solver's small errors taken out: a demand nearly met is met, and a lot
    has what flows out of it, its least, or nothing."""
    units = pick.units.copy()
    for demand in np.unique(pick.demand):
        mine = np.flatnonzero(pick.demand == demand)
        missing = item.need[demand] - units[mine].sum()
        if abs(missing) <= NEARLY * max(1.0, float(item.need[demand])):
            largest = mine[int(units[mine].argmax())]
            units[largest] = max(0.0, units[largest] + missing)
    count = len(item.lots.week)
    flow = tally(pick.source, weights=units, minlength=count + len(item.facts.units))[:count]
    lots = item.lots
    slack = NEARLY * np.maximum(1.0, flow)
    extra = np.where(~lots.rigid & (np.abs(pick.extra - flow) <= slack), flow, pick.extra)
    near = (extra < lots.least) & (extra >= lots.least - NEARLY * np.maximum(1.0, lots.least))
    return np.where(near, lots.least, extra), units


def quantities(net: Network, chosen: Mapping[str, tuple[Item, Pick]]) -> Book:
    """The orders, flows and unmet demand of all SKUs together, locked ones included."""
    problem = net.problem
    lots: dict[tuple[int, int], Quantity] = defaultdict(int, locked_lots(problem))
    flows: dict[tuple[str, str, str, int], Quantity] = defaultdict(int, _positive(locked_flows(problem)))
    met: dict[tuple[str, str, int], Quantity] = defaultdict(int)
    for sku, (item, pick) in chosen.items():
        for at in map(int, np.flatnonzero(pick.extra)):
            number = net.numbers[sku][int(item.lots.offer[at])]
            lots[number, int(item.lots.week[at])] += pick.extra[at].item()
        for at in range(len(pick.units)):
            _add_flow(net, item, pick, at, flows)
            demand = net.demand[sku][pick.demand[at]]
            met[sku, demand.region, demand.week] += pick.units[at].item()
        for lot, house, units in pick.stays:
            offer = item.offers[item.lots.offer[lot]]
            leaves = int(item.arrive[lot, len(net.warehouses)])
            flows[sku, offer.supplier, problem.warehouses[house].id, leaves] += units
    unmet = {
        (one.sku, one.region, one.week): left
        for one in problem.demand
        if above(problem, left := one.quantity - met[one.sku, one.region, one.week], 0)
        and above(problem, one.quantity, met[one.sku, one.region, one.week])
    }
    split: dict[tuple[str, str, int], dict[int, Quantity]] = defaultdict(dict)
    for (number, week), units in lots.items():
        offer = problem.offers[number]
        alternative = problem.alternatives[offer.supplier, offer.sku].index(number)
        split[offer.supplier, offer.sku, week][alternative] = units
    orders = {key: sum(parts.values()) for key, parts in sorted(split.items())}
    split = {key: dict(sorted(parts.items())) for key, parts in split.items() if list(parts) != [0]}
    return Book(orders=orders, flows=dict(sorted(flows.items())), unmet=unmet, split=split)


def _positive(units: dict[Key, Quantity]) -> dict[Key, Quantity]:
    return {key: value for key, value in units.items() if value}


def _add_flow(
    net: Network, item: Item, pick: Pick, at: int, flows: dict[tuple[str, str, str, int], Quantity]
) -> None:
    problem, lots = net.problem, item.lots
    source, via, units = int(pick.source[at]), int(pick.via[at]), pick.units[at].item()
    region = problem.regions[item.region[pick.demand[at]]].id
    fresh = source < len(lots.week)
    if via == len(net.warehouses):
        if fresh:
            offer = item.offers[lots.offer[source]]
            leaves = int(lots.week[source]) + offer.lead_weeks
            flows[item.sku.id, offer.supplier, region, leaves] += units
        return  # a locked unit's way to its region is among the facts already
    house = problem.warehouses[via].id
    if fresh:
        offer = item.offers[lots.offer[source]]
        leaves = int(lots.week[source]) + offer.lead_weeks
        flows[item.sku.id, offer.supplier, house, leaves] += units
    ships = int(item.ship[source, via, pick.demand[at]]) + (0 if pick.delay is None else int(pick.delay[at]))
    flows[item.sku.id, house, region, ships] += units


def pick_uses(net: Network, item: Item, pick: Pick) -> Floats:
    """Use of every shared row by one SKU's pick (facts in storage included), [rows]."""
    lot, row, amount = lot_uses(net, item)
    size = len(net.coupling.room)
    used = tally(row, weights=amount * pick.extra[lot], minlength=size)
    lot, row, amount = setup_uses(net, item)
    used += tally(row, weights=amount * (pick.extra[lot] > 0), minlength=size)
    offer, row, amount = money_uses(net, item)
    if len(offer):
        used += tally(row, weights=amount * money_of(item, pick.extra)[offer], minlength=size)
    route, row, amount = route_uses(net, item, pick.source, pick.via, pick.demand, pick.delay)
    used += tally(row, weights=amount * pick.units[route], minlength=size)
    fact, row, amount = leftover_uses(net, item)
    used += tally(row, weights=amount * left_units(item, pick)[fact], minlength=size)
    staying, units = stays_of(net, item, pick)
    number, row, amount = stay_uses(net, item, staying)
    used += tally(row, weights=amount * units[number], minlength=size)
    return used


def stays_of(net: Network, item: Item, pick: Pick) -> tuple[Stays, Amounts]:
    """What of a pick stays in warehouses, and how many units [K]."""
    table = np.array([one[:2] for one in pick.stays], dtype=np.int64).reshape(len(pick.stays), 2)
    units = np.array([one[2] for one in pick.stays], dtype=item.need.dtype)
    return stays(net, item, table[:, 0], table[:, 1]), units


def left_units(item: Item, pick: Pick) -> Amounts:
    """Units of each fact that serve nobody, [F]."""
    count = len(item.lots.week)
    taken = tally(pick.source, weights=pick.units, minlength=count + len(item.facts.units))
    return (item.facts.units - taken[count:]).astype(item.need.dtype)


def money_of(item: Item, extra: Amounts) -> Floats:
    """What each offer gets, [O]; what is locked at a single price is left out, no decision changes it."""
    units = tally(item.lots.offer, weights=extra, minlength=len(item.offers)).astype(item.need.dtype)
    return np.array(
        [
            spend(offer, units[at].item() + (item.locked_units[at].item() if len(offer.breaks) > 1 else 0))
            for at, offer in enumerate(item.offers)
        ],
        dtype=np.float64,
    )
