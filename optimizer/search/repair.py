"""From one plan a SKU to one plan for all: SKUs that take too much of a shared row are planned anew in its
room."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optimizer.form.clock import Deadline
from optimizer.model.build import Floats
from optimizer.model.fees import fees
from optimizer.model.item import Item, compile_item
from optimizer.model.network import Network
from optimizer.model.parts import Effort, Part, part, refit
from optimizer.model.picks import Pick

SLACK = 1e-7


class Plan:
    """One Part a SKU and what they use together; replace keeps both in step."""

    def __init__(self, net: Network, parts: dict[str, Part], prices: Floats) -> None:
        self.net = net
        self.parts = parts
        self.prices = prices
        self.hard = np.isinf(net.coupling.penalty)
        self.lent = np.zeros(len(self.hard), dtype=bool)
        for cap in net.coupling.spend:  # of a share of what is spent one SKU may lend another room
            self.lent[cap.row[cap.row >= 0]] = True
        self.number = {sku: at for at, sku in enumerate(parts)}
        self.uses = np.zeros((len(parts), len(net.coupling.room)))
        self.costs = np.zeros(len(parts))
        for one in parts.values():
            self.uses[self.number[one.sku], one.rows] = one.amounts
            self.costs[self.number[one.sku]] = one.cost
        self.used = self.uses.sum(axis=0)
        self.fees = fees(net)

    def item(self, sku: str) -> Item:
        """The SKU laid out as arrays."""
        return self.lay_out(self.net, sku)

    @staticmethod
    def lay_out(net: Network, sku: str) -> Item:
        """A SKU of the network as arrays."""
        return compile_item(net, net.problem.sku_of[sku])

    def replace(self, one: Part) -> None:
        at = self.number[one.sku]
        self.used -= self.uses[at]
        self.uses[at] = 0.0
        self.uses[at, one.rows] = one.amounts
        self.used += self.uses[at]
        self.costs[at] = one.cost
        self.parts[one.sku] = one

    def fits(self, one: Part) -> bool:
        """Whether the SKU's plan may become one within what the others leave of every hard row."""
        return not self.beyond(one, self.room_for(one.sku)).any()

    def beyond(self, one: Part, room: Floats) -> NDArray[np.bool_]:
        """The hard rows of which the SKU's plan uses more than this room, [rows]."""
        used = np.zeros(len(room))
        used[one.rows] = one.amounts
        return self.hard & (used > room + SLACK * np.maximum(1.0, room))

    def over(self) -> Floats:
        """How far each hard row is exceeded, [rows]."""
        room = self.net.coupling.room
        above = self.used - room
        return np.where(self.hard & (above > SLACK * np.maximum(1.0, room)), above, 0.0)

    def room_for(self, sku: str) -> Floats:
        """What the other SKUs leave, never below 0 on a hard row that this one can not lend room of."""
        left = self.net.coupling.room - (self.used - self.uses[self.number[sku]])
        return np.asarray(np.where(self.hard & ~self.lent, np.maximum(left, 0.0), left), dtype=np.float64)

    def soft_cost(self) -> float:
        above = np.maximum(self.used - self.net.coupling.room, 0.0)
        return float((above[~self.hard] * self.net.coupling.penalty[~self.hard]).sum())

    def shared_cost(self) -> float:
        """What soft rows charge, and what is paid once for rows that are used."""
        return self.soft_cost() + self.fees.paid(self.used)

    def cost(self) -> float:
        """The cost of all SKUs with what they share."""
        return float(self.costs.sum()) + self.shared_cost()


def repair(plan: Plan, effort: Effort, *, tell: Callable[[int, int], None], deadline: Deadline) -> bool:
    """Plan SKUs anew, largest users first, until no hard row is exceeded.

    False when time ran out: the remaining ones then drop orders instead of being planned anew.
    """
    on_time = True
    done = 0
    skus = list(plan.parts)
    tried = np.zeros(len(skus), dtype=bool)
    while (over := plan.over()).any():
        number = _largest_user(plan, over, tried)
        if number is None:
            _give_up(plan)
            break
        tried[number] = True
        sku = skus[number]
        item = plan.item(sku)
        on_time = on_time and not deadline.passed()
        room = plan.room_for(sku)
        quick = not effort.searched
        new = refit(plan.net, item, plan.prices, room=room, effort=effort, quick=quick) if on_time else None
        plan.replace(new if new is not None else _shed(plan, item, sku))
        done += 1
        tell(done, done + int((plan.over() > 0).sum()))
    return on_time


def _shed(plan: Plan, item: Item, sku: str) -> Part:
    """The SKU's plan without its largest lots until it fits; without any where it needs several suppliers."""
    room = plan.room_for(sku)
    current = plan.parts[sku]
    while current.pick is not None:
        if not plan.beyond(current, room).any():
            return current
        pick = current.pick
        if not pick.extra.any() or item.sku.min_sources > 1:  # fewer lots may be too few suppliers
            break
        lot = int(pick.extra.argmax())
        extra = pick.extra.copy()
        extra[lot] = 0
        kept = pick.source != lot
        fewer = Pick(
            extra=extra,
            source=pick.source[kept],
            via=pick.via[kept],
            demand=pick.demand[kept],
            units=pick.units[kept],
            delay=None if pick.delay is None else pick.delay[kept],
        )
        current = part(plan.net, item, fewer, bound=0.0)
    return part(plan.net, item, facts_only(item), bound=0.0)


def _largest_user(plan: Plan, over: Floats, tried: NDArray[np.bool_]) -> int | None:
    """Number of the untried SKU that uses most of what is exceeded, measured in parts of the room."""
    rows = np.flatnonzero(over)
    most = plan.uses[:, rows] @ (1.0 / np.maximum(plan.net.coupling.room[rows], 1.0))
    most[tried] = 0.0
    best = int(most.argmax())
    return best if most[best] > 1e-12 else None


def _give_up(plan: Plan) -> None:
    """Nothing ordered, facts left to serve demand by the rule their storage limits were measured with."""
    for sku in plan.parts:
        item = plan.item(sku)
        plan.replace(part(plan.net, item, facts_only(item), bound=0.0))


def facts_only(item: Item) -> Pick:
    """Stock and locked units serve each demand in turn (by week, then region), cheapest lane first."""
    count = len(item.lots.week)
    left = item.facts.units.copy()
    rows: list[tuple[int, int, int]] = []
    units = []
    for demand in np.lexsort((item.region, item.due)):
        need = item.need[demand]
        best = np.where(item.free_ways[:, demand], item.cost[count:, :, demand], np.inf)
        for fact in np.argsort(best.min(axis=1, initial=np.inf), kind="stable"):
            via = int(best[fact].argmin())
            if not np.isfinite(best[fact, via]):
                break
            take = min(need, left[fact])
            if take:
                rows.append((count + int(fact), via, int(demand)))
                units.append(take)
                left[fact] -= take
                need -= take
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return Pick(
        extra=np.zeros(count, dtype=item.need.dtype),
        source=table[:, 0],
        via=table[:, 1],
        demand=table[:, 2],
        units=np.array(units, dtype=item.need.dtype),
    )
