"""One SKU at given prices of the shared rows: a proven lower bound and a plan of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.block import Piece, add_piece, couple, fixed_cost
from optimizer.build import Builder, Floats, Ints, Layout
from optimizer.clusters import Clustered, cluster, spread
from optimizer.engine import Answer, Arrays, run
from optimizer.item import Item
from optimizer.network import Network
from optimizer.picks import Pick, left_units, pick_uses
from optimizer.pricing import spend


@dataclass(frozen=True, kw_only=True)
class Part:
    """bound: what the SKU costs at least at the prices asked; cost: of pick without prices; uses of shared rows."""

    sku: str
    bound: float
    cost: float
    pick: Pick
    rows: Ints
    amounts: Floats


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How hard to work on one SKU: relative gap and nodes of the small MIP; whole: never drop lots first."""

    gap: float = 0.004
    nodes: int = 10
    whole: bool = False
    seed: int = 0


def solve_part(net: Network, item: Item, prices: Floats, effort: Effort) -> Part:
    """LP first, drop the lots it left at zero, then the small MIP; the bound is the LP's, or the whole MIP's."""
    one = cluster(net, item, prices)
    constant = one.constant + fixed_cost(net, item)
    arrays, layout = _model(net, one.piece)
    relaxed = _relaxed(arrays, effort)
    if relaxed.values is None:
        return part(net, item, _greedy_none(item), bound=0.0)
    if effort.whole:
        answer = run(arrays, gap=effort.gap, nodes=effort.nodes, seed=effort.seed)
        bound = max(answer.bound, relaxed.objective)
    else:
        kept = relaxed.values[layout.count] > 1e-7
        piece = replace(one.piece, lots_allowed=kept.astype(np.int64))
        answer = relaxed
        if not _is_whole(relaxed.values, arrays):
            small, layout = _model(net, piece)
            answer = run(small, gap=effort.gap, nodes=effort.nodes, seed=effort.seed)
        bound = relaxed.objective
    if answer.values is None:
        return part(net, item, _greedy_none(item), bound=bound + constant)
    return part(net, item, _pick(one, layout, answer.values), bound=bound + constant)


def _greedy_none(item: Item) -> Pick:
    from optimizer.picks import idle_pick

    return idle_pick(item)


def _model(net: Network, piece: Piece) -> tuple[Arrays, Layout]:
    builder = Builder()
    layout = add_piece(builder, net, piece)
    return builder.arrays(), layout


def _relaxed(arrays: Arrays, effort: Effort) -> Answer:
    return run(replace(arrays, integer=np.zeros(len(arrays.cost), dtype=bool)), seed=effort.seed)


def _is_whole(values: Floats, arrays: Arrays) -> bool:
    own = values[arrays.integer]
    return bool(np.abs(own - np.rint(own)).max(initial=0.0) < 1e-7)


def _pick(one: Clustered, layout: Layout, values: Floats) -> Pick:
    extra = np.rint(values[layout.count]).astype(np.int64) * one.piece.item.lots.multiple
    return spread(one, extra, values[layout.routes])


def part(net: Network, item: Item, pick: Pick, *, bound: float) -> Part:
    """Measure a pick: its true cost and its uses of shared rows."""
    uses = pick_uses(net, item, pick)
    rows = np.flatnonzero(uses)
    return Part(
        sku=item.sku.id,
        bound=bound,
        cost=pick_cost(net, item, pick),
        pick=pick,
        rows=rows,
        amounts=uses[rows],
    )


def pick_cost(net: Network, item: Item, pick: Pick) -> float:
    """What one SKU's pick costs, locked units and its own share caps included, shared soft rows not."""
    lots = item.lots
    total = fixed_cost(net, item)
    if len(pick.units):
        total += float((item.cost[pick.source, pick.via, pick.demand] * pick.units).sum())
    total += float((item.leftover * left_units(item, pick)).sum())
    total += float(lots.order_cost[pick.extra > 0].sum())
    met = np.bincount(pick.demand, weights=pick.units, minlength=len(item.need))
    total += float((item.short * (item.need - met)).sum())
    extra = np.bincount(lots.offer, weights=pick.extra, minlength=len(item.offers)).astype(np.int64)
    for number, offer in enumerate(item.offers):
        fixed = int(item.locked_units[number])
        units = int(extra[number]) + fixed
        risk = net.problem.supplier_of[offer.supplier].risk
        known = offer.breaks[0][1] * fixed if len(offer.breaks) == 1 else 0.0
        total += (spend(offer, units) - known) * (1.0 + risk)
        total += offer.award_cost if units else 0.0
        for cap in item.caps:
            over = float(extra[number]) - cap.free[int(item.supplier[number])]
            total += cap.penalty * max(0.0, over) if not cap.hard else 0.0
    return total


def refit(net: Network, item: Item, prices: Floats, *, room: Floats, effort: Effort) -> Part | None:
    """Plan one SKU anew within what the others leave of every shared row; None when nothing fits."""
    one = cluster(net, item, prices, priced=False)
    builder = Builder()
    layout = add_piece(builder, net, one.piece)
    couple(builder, net, [(one.piece, layout)], room=room)
    answer = run(builder.arrays(), gap=effort.gap, nodes=effort.nodes, seed=effort.seed)
    if answer.values is None:
        return None
    return part(net, item, _pick(one, layout, answer.values), bound=0.0)
