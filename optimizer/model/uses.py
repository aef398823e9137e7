"""What each SKU of a plan uses of every rule that SKUs share, from the plan's quantities alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.form.pricing import spends
from optimizer.form.problem import Quantity, Stock
from optimizer.model.build import Floats, Ints, tally
from optimizer.model.network import Network
from optimizer.rules.book import Book
from optimizer.rules.limits import Leg, locked_flows, locked_lots

Lots = dict[tuple[int, int], Quantity]
Flows = dict[tuple[str, str, str, int], Quantity]
Entry = tuple[str, int, float]


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Entries [E]: the SKU's number in the problem, the shared row, the amount; of size rows.

    As in Coupling.room, what locked orders use is taken off already, but for storage and throughput.
    """

    sku: Ints
    row: Ints
    amount: Floats
    size: int
    numbers: dict[str, int]

    def total(self) -> Floats:
        """Use of every row, [rows]."""
        return tally(self.row, weights=self.amount, minlength=self.size)

    def of(self, sku: str) -> Floats:
        """Use of every row by one SKU, [rows]."""
        mine = self.sku == self.numbers[sku]
        return tally(self.row[mine], weights=self.amount[mine], minlength=self.size)

    def by_sku(self, weight: Floats) -> dict[str, float]:
        """What each SKU uses of all rows together, a row counting weight [rows]."""
        found = tally(self.sku, weights=self.amount * weight[self.row], minlength=len(self.numbers))
        return dict(zip(self.numbers, found.tolist(), strict=True))


def uses(net: Network, plan: Book, *, without: Collection[str] = ()) -> Uses:
    """Measure a plan, of the problem's offers, that has nothing of some SKUs; those do not count."""
    problem = net.problem
    mine = {one.id for one in problem.skus if one.id not in without}
    lots, fixed = plan.lots(problem), locked_lots(problem)
    fixed = {key: units for key, units in fixed.items() if problem.offers[key[0]].sku in mine}
    promised = {key: units for key, units in locked_flows(problem).items() if key[0] in mine}
    stock = [one for one in problem.stock if one.sku in mine]
    found = [*_of_orders(net, lots), *_of_money(net, lots, locked=False)]
    found += [*_of_arrivals(net, plan.flows), *_of_storage(net, plan.flows, stock)]
    taken = [*_of_orders(net, fixed), *_of_money(net, fixed, locked=True), *_of_arrivals(net, promised)]
    found += [(sku, row, -amount) for sku, row, amount in taken]
    found = [one for one in found if one[1] >= 0]
    numbers = {one.id: at for at, one in enumerate(problem.skus)}
    return Uses(
        sku=np.array([numbers[sku] for sku, _, _ in found], dtype=np.int64),
        row=np.array([row for _, row, _ in found], dtype=np.int64),
        amount=np.array([amount for _, _, amount in found], dtype=np.float64),
        size=len(net.coupling.room),
        numbers=numbers,
    )


def _of_orders(net: Network, lots: Lots) -> Iterator[Entry]:
    """Capacity with set-ups, materials, and shares in units."""
    problem, coupling = net.problem, net.coupling
    units_of: dict[tuple[str, int], Quantity] = defaultdict(int)
    for (number, week), units in lots.items():
        offer = problem.offers[number]
        at = net.suppliers[offer.supplier]
        units_of[offer.sku, at] += units
        if week < 0 or not units:
            continue
        use = units * offer.capacity_use + offer.setup_capacity
        yield offer.sku, int(coupling.capacity[at, week]), use
        yield offer.sku, int(coupling.horizon[at]), use
        for material, taken in problem.recipe(offer):
            yield offer.sku, int(coupling.material[net.materials[material], week]), units * taken
    for number, skus in enumerate(coupling.skus_of_cap):
        for (sku, at), units in units_of.items():
            if sku in skus:
                yield sku, int(coupling.share[number, at]), float(units)


def _of_money(net: Network, lots: Lots, *, locked: bool) -> Iterator[Entry]:
    """Caps of spend. What is locked at several prices is not taken off their room."""
    offers = net.problem.offers
    money = [
        (offers[number], spend)
        for number, (spend, _) in (spends(net.problem, lots) if net.coupling.spend else {}).items()
        if not locked or len(offers[number].breaks) == 1
    ]
    for cap in net.coupling.spend:
        rows = np.flatnonzero(cap.row >= 0)
        for offer, spend in money:
            if offer.sku in cap.skus:
                for at in rows:
                    part = float(at == net.suppliers[offer.supplier]) - cap.max_share
                    yield offer.sku, int(cap.row[at]), spend * part


def _of_arrivals(net: Network, flows: Flows) -> Iterator[Entry]:
    """Docks, and lanes by week of departure."""
    problem, coupling = net.problem, net.coupling
    limits = (coupling.inbound, coupling.lane_in, coupling.lane_out, coupling.lane_direct)
    if not any((rows >= 0).any() for rows in limits):
        return
    for (sku, source, target, week), units in flows.items():
        volume = units * problem.sku_of[sku].volume
        if source in net.suppliers and target in net.warehouses:
            arrives = week + problem.lane_of[source, target].lead_weeks
            house = net.warehouses[target]
            if 0 <= arrives < net.weeks:
                yield sku, int(coupling.inbound[house, arrives]), volume
            if 0 <= week < net.weeks:
                yield sku, int(coupling.lane_in[net.suppliers[source], house, week]), volume
        elif 0 <= week < net.weeks:
            region = net.regions[target]
            lane = coupling.lane_out if source in net.warehouses else coupling.lane_direct
            place = net.warehouses.get(source, net.suppliers.get(source, -1))
            yield sku, int(lane[place, region, week]), volume


def _of_storage(net: Network, flows: Flows, stock: list[Stock]) -> Iterator[Entry]:
    """Storage at each week's end, and throughput."""
    problem, coupling = net.problem, net.coupling
    if not ((coupling.storage >= 0).any() or (coupling.throughput >= 0).any()):
        return
    change: dict[tuple[str, int], Floats] = defaultdict(lambda: np.zeros(net.weeks))
    for one in stock:
        change[one.sku, net.warehouses[one.warehouse]][one.week] += one.quantity
    for (sku, source, target, week), units in flows.items():
        if target in net.warehouses:
            arrives = week + problem.lane_of[source, target].lead_weeks
            if arrives < net.weeks:
                change[sku, net.warehouses[target]][arrives] += units
        if source in net.warehouses:
            house = net.warehouses[source]
            change[sku, house][week] -= units
            yield sku, int(coupling.throughput[house]), units * problem.sku_of[sku].volume
    for (sku, house), moved in change.items():
        there = np.cumsum(moved) * problem.sku_of[sku].volume
        for end, volume in enumerate(there.tolist()):
            if volume:
                yield sku, int(coupling.storage[house, end]), volume


def legs(net: Network, plan: Book) -> dict[Leg, float]:
    """Volume by lane and week of departure."""
    volume: dict[Leg, float] = defaultdict(float)
    for (sku, source, target, week), units in plan.flows.items():
        volume[source, target, week] += units * net.problem.sku_of[sku].volume
    return dict(volume)
