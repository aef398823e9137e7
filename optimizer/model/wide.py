"""One SKU with more ways than one model can hold: the model has only the lots a better plan can use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.ascent import Ascent, Relaxation, ascend, least_lots, relaxation
from optimizer.model.block import fixed_cost
from optimizer.model.item import Item
from optimizer.model.monolith import AtOnce, Lots, Model, Question, improving
from optimizer.model.network import Network
from optimizer.model.openings import paid_already
from optimizer.model.picks import quantities
from optimizer.rules.checking import check_quantities

# The first plan is looked for among so many times the lots that are open at the prices, to this gap, by so
# many nodes.
FIRST_LOTS, FIRST_GAP, FIRST_NODES = 2.0, 1e-3, 100


def improving_wide(net: Network, item: Item, asked: Question) -> Iterator[AtOnce]:
    """A first plan among the lots that look best; then all lots its cost and the bound do not rule out."""
    loose = relaxation(net, item)
    if not loose.cost.size:
        yield from improving(net, {item.sku.id: item}, asked)
        return
    known = fixed_cost(net, item) + paid_already(net)
    least = least_lots(loose, cost=0.0)
    prices = ascend(loose, least=least)
    lots = _lots(item, loose, prices, _nearest(prices), least=least)
    quick = replace(asked, gap=max(asked.gap, FIRST_GAP), nodes=FIRST_NODES)
    first = Model(net, {item.sku.id: item}, {item.sku.id: lots}).solve(quick)
    if first.chosen is None:
        yield from improving(net, {item.sku.id: item}, asked)
        return
    cost = _cost(net, first)
    if least > (sure := least_lots(loose, cost=cost - known)):
        least, prices = sure, ascend(loose, least=sure)
    bound = prices.bound + known
    possible = prices.forced <= cost - bound + 1e-9 * abs(cost)
    yield replace(first, bound=bound)
    if cost - bound <= asked.gap * cost or first.timed_out:
        return
    lots = _lots(item, loose, prices, possible, least=least)
    second = Model(net, {item.sku.id: item}, {item.sku.id: lots}).solve(asked)
    proven = cost if second.infeasible else max(bound, min(second.bound, cost))
    best = second if second.chosen is not None and _cost(net, second) < cost else first
    yield replace(best, bound=proven, timed_out=second.timed_out)


def _cost(net: Network, found: AtOnce) -> float:
    assert found.chosen is not None
    return check_quantities(net.problem, quantities(net, found.chosen)).total


def _nearest(prices: Ascent) -> NDArray[np.bool_]:
    """Lots that are open at the prices, and as many again that would cost least."""
    count = int(FIRST_LOTS * prices.opened.sum()) + 1
    near = np.zeros(len(prices.opened), dtype=bool)
    near[np.lexsort((prices.forced, ~prices.opened))[:count]] = True
    return near


def _lots(item: Item, loose: Relaxation, prices: Ascent, kept: NDArray[np.bool_], *, least: int = 0) -> Lots:
    """The lots kept, and the routes that are worth having at the prices."""
    count = len(item.lots.week)
    worth = loose.cost - prices.price + prices.rent[:, None] < 0
    tight = np.broadcast_to(worth[:, None, :], item.cost.shape)
    facts = len(item.facts.units)
    return Lots(kept=kept[:count], tight=tight, least=max(0, least - facts))
