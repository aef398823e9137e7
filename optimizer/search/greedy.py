"""A planner's rule: each demand in turn goes to the cheapest supplier that still has room, then to the next.

No solver: a plan within seconds for thousands of SKUs, to start from and to compare with. It looks at price,
freight, holding and lateness of one unit, not at order costs, price breaks or share caps that are priced.
"""

from __future__ import annotations

import numpy as np

from optimizer.form.clock import Clock, Deadline, never
from optimizer.form.plan import Solution
from optimizer.form.problem import Problem
from optimizer.model.block import lot_uses, setup_uses
from optimizer.model.build import Floats, Ints, tally
from optimizer.model.item import Item
from optimizer.model.network import Network, network
from optimizer.model.parts import Effort, part, refit
from optimizer.model.picks import LaidOut, Pick, quantities
from optimizer.search.repair import Plan, facts_only
from optimizer.telling.publishing import published


def by_rule(problem: Problem, *, seed: int = 0) -> Solution:
    """The checked plan of the rule, without a bound (it is 0): what planning is held against.

    Raises BrokenRule where the rule, which does not see them, breaks a lane's minimum or a single source.
    """
    clock, net = Clock(), network(problem)
    made = greedy_plan(net, Effort(seed=seed), deadline=never())
    picks = {sku: one.pick for sku, one in made.parts.items() if one.pick is not None}
    chosen = LaidOut(net, picks)
    plan = quantities(net, chosen)
    return published(
        net,
        plan,
        chosen,
        bound=0.0,
        seed=seed,
        seconds=clock.seconds,
        limit=None,
    )


def greedy_plan(net: Network, effort: Effort, *, deadline: Deadline) -> Plan:
    """One plan for all SKUs that keeps every hard rule; those the clock leaves out order nothing."""
    idle = {}
    worth = {}
    for sku in net.problem.skus:
        worth[sku.id] = sum(one.quantity * one.short_cost for one in net.demand.get(sku.id, []))
        item = Plan.lay_out(net, sku.id)
        idle[sku.id] = part(net, item, facts_only(item), bound=0.0)
    plan = Plan(net, idle, np.zeros(len(net.coupling.room)))
    for sku_id in sorted(worth, key=lambda one: (-worth[one], one)):
        if deadline.passed():
            break
        item = plan.item(sku_id)
        room = plan.room_for(sku_id)
        if item.sku.min_sources > 1:
            made = refit(net, item, plan.prices, room=room, effort=effort)
        else:
            made = part(net, item, _Filling(plan, item).pick(), bound=0.0)
        if made is not None and plan.fits(made) and made.cost < plan.parts[sku_id].cost:
            plan.replace(made)
    return plan


class _Filling:
    """One SKU's lots filled demand by demand within the room the other SKUs leave."""

    def __init__(self, plan: Plan, item: Item) -> None:
        self.net, self.item = plan.net, item
        known = plan.parts[item.sku.id]
        self.room = np.where(plan.hard, plan.room_for(item.sku.id), np.inf)
        self.room[known.rows] -= known.amounts
        self.start = facts_only(item)
        count = len(item.lots.week)
        self.taken = np.zeros(count, dtype=item.need.dtype)
        self.shut = np.zeros(item.cost[:count, :, 0].shape if len(item.need) else (count, 0), dtype=bool)
        self.whole = np.issubdtype(item.need.dtype, np.integer)
        self.rows: list[tuple[int, int, int]] = []
        self.units: list[float] = []
        lot, row, amount = lot_uses(self.net, item)
        first, start, capacity = setup_uses(self.net, item)
        self.setups = [(start[first == one], capacity[first == one]) for one in range(count)]
        self.lot_rows = [(row[lot == one], amount[lot == one]) for one in range(count)]
        prices = np.array([offer.breaks[0][1] for offer in item.offers])
        self.price = prices[item.lots.offer] if count else np.zeros(0)
        self.caps = [dict(cap.free) for cap in item.caps if cap.hard]

    def pick(self) -> Pick:
        """The filled lots, rounded to whole lots of at least the MOQ, or dropped."""
        item = self.item
        need = item.need.copy()
        np.subtract.at(need, self.start.demand, self.start.units)
        for demand in np.lexsort((item.region, item.due)):
            if need[demand] > 0:
                self._serve(int(demand), need[demand])
        for lot in np.flatnonzero(self.taken):
            self._round(int(lot))
        table = np.array(self.rows, dtype=np.int64).reshape(len(self.rows), 3)
        units = np.array(self.units, dtype=item.need.dtype)
        kept = units > 0
        return Pick(
            extra=self.taken,
            source=np.concatenate([self.start.source, table[kept, 0]]),
            via=np.concatenate([self.start.via, table[kept, 1]]),
            demand=np.concatenate([self.start.demand, table[kept, 2]]),
            units=np.concatenate([self.start.units, units[kept]]),
        )

    def _serve(self, demand: int, need: float) -> None:
        lots = self.item.lots
        cost = self.item.cost[: len(self.price), :, demand] + self.price[:, None]
        cost[self.shut] = np.inf
        ways = cost.shape[1]
        for at in np.argsort(cost, axis=None, kind="stable").tolist():
            lot, via = divmod(at, ways)
            if need <= 0 or cost[lot, via] >= self.item.short[demand]:
                return
            if self.shut[lot, via]:
                continue
            rows, amounts = self._uses(lot, via, demand)
            most = min(need, lots.most[lot] - self.taken[lot], self._free(lot))
            if len(rows):
                most = min(most, (self.room[rows] / np.maximum(amounts, 1e-12) + 1e-9).min())
            most = np.floor(most) if self.whole else most
            if most > 0:
                self._move(lot, most, rows, amounts)
                self.rows.append((lot, via, demand))
                self.units.append(most)
                need -= most
            own, use = self.lot_rows[lot]
            if self.taken[lot] >= lots.most[lot] or bool((self.room[own] < use).any()):
                self.shut[lot] = True
            elif via < len(self.net.warehouses):
                dock = self.net.coupling.inbound[via, self.item.arrive[lot, via]]
                self.shut[lot, via] = dock >= 0 and self.room[dock] < self.item.sku.volume

    def _uses(self, lot: int, via: int, demand: int) -> tuple[Ints, Floats]:
        own, use = self.lot_rows[lot]
        if via == len(self.net.warehouses):
            return own, use
        coupling, arrive = self.net.coupling, self.item.arrive[lot, via]
        stored = coupling.storage[via, arrive : self.item.ship[lot, via, demand]]
        rows = np.append(stored, coupling.inbound[via, arrive])
        rows = rows[rows >= 0]
        volume = np.full(len(rows), self.item.sku.volume)
        return np.concatenate([own, rows]), np.concatenate([use, volume])

    def _free(self, lot: int) -> float:
        supplier = int(self.item.supplier[self.item.lots.offer[lot]])
        return min((cap[supplier] for cap in self.caps), default=np.inf)

    def _move(self, lot: int, units: float, rows: Ints, amounts: Floats) -> None:
        self.taken[lot] += units
        self.room[rows] -= units * amounts
        supplier = int(self.item.supplier[self.item.lots.offer[lot]])
        for cap in self.caps:
            cap[supplier] -= units

    def _round(self, lot: int) -> None:
        """More of the lot where there is room for its MOQ and multiple, else none of it."""
        lots = self.item.lots
        units, multiple = self.taken[lot], lots.multiple[lot]
        wanted = max(units, lots.least[lot])
        wanted = -(-wanted // multiple) * multiple if lots.rigid[lot] else wanted
        rows, amounts = self.lot_rows[lot]
        more = wanted - units
        at, capacity = self.setups[lot]
        fits = wanted <= lots.most[lot] and more <= self._free(lot) + 1e-9
        need = tally(rows, weights=more * amounts, minlength=len(self.room))
        need[at] += capacity
        if fits and (need <= self.room + 1e-9)[np.concatenate([rows, at])].all():
            self.room[at] -= capacity
            self._move(lot, more, rows, amounts)
            return
        self._move(lot, -units, rows, amounts)
        self.units = [0 if row[0] == lot else one for row, one in zip(self.rows, self.units, strict=True)]
