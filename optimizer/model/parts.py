"""One SKU at given prices of the shared rows: a proven lower bound and a plan of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.form.pricing import spend
from optimizer.model.block import fixed_cost, lot_uses, money_uses, put_money, setup_uses, single_model
from optimizer.model.build import Floats, Ints, Layout, tally
from optimizer.model.clusters import Clustered, cluster, only_lots, spread, worth_asking
from optimizer.model.dive import dive
from optimizer.model.engine import Arrays, run
from optimizer.model.item import Item, compile_item
from optimizer.model.network import Network
from optimizer.model.picks import Pick, idle_pick, left_units, lot_units, pick_uses, stays_of
from optimizer.model.pieces import waiting_cost


@dataclass(frozen=True, kw_only=True)
class Part:
    """bound: what the SKU costs at least at the prices asked; cost: of pick without prices; uses of shared
    rows.

    pick is None when only the relaxation was asked for: cost and uses are then the relaxation's.
    support [L] are the lots the relaxation would order.
    """

    sku: str
    bound: float
    cost: float
    rows: Ints
    amounts: Floats
    pick: Pick | None = None
    support: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How hard to work on one SKU.

    relaxed: no plan, only the relaxation. searched: the plan is by a small MIP of the relaxation's lots;
    dives make one in a quarter of the time. gap and nodes: of the small MIP. proven: it has all lots, so that
    its bound is one.
    """

    gap: float = 0.005
    nodes: int = 10
    relaxed: bool = False
    searched: bool = False
    proven: bool = False
    seed: int = 0


def solve_part(net: Network, item: Item, prices: Floats, effort: Effort) -> Part:
    """The relaxation (its cost is the bound) and, unless only that was asked, a quick plan from it."""
    one = cluster(net, item, prices)
    one = only_lots(one, worth_asking(net, item, prices))
    arrays, layout = single_model(net, one.piece)
    relaxed = run(replace(arrays, integer=np.zeros(len(arrays.cost), dtype=bool)), seed=effort.seed)
    if relaxed.values is None:
        return part(net, item, idle_pick(item), bound=0.0)
    bound = relaxed.objective + one.constant + fixed_cost(net, item)
    if effort.relaxed:
        return _relaxed_part(net, one, layout, relaxed.values, prices, bound=bound)
    support = relaxed.values[layout.count] > 1e-7
    if _is_whole(relaxed.values, arrays):
        picks = [read(one, layout, relaxed.values)]
    else:
        picks = _searched(net, one, support, effort) if effort.searched else []
        picks = picks or dive(net, one, relaxed.values[layout.used], seed=effort.seed)
    parts = [part(net, item, pick, bound=bound, support=support) for pick in [*picks, idle_pick(item)]]
    return min(parts, key=lambda made: made.cost + float(prices[made.rows] @ made.amounts))


def _searched(
    net: Network, one: Clustered, lots: NDArray[np.bool_], effort: Effort, *, room: Floats | None = None
) -> list[Pick]:
    """The plan of the small MIP of some lots [L], within room [rows] if given; none where it finds none."""
    one = only_lots(one, lots)
    arrays, layout = single_model(net, one.piece, room=room)
    answer = run(arrays, gap=effort.gap, nodes=effort.nodes, seed=effort.seed)
    return [] if answer.values is None else [read(one, layout, answer.values)]


def sharpen_part(net: Network, item: Item, prices: Floats, effort: Effort, known: Part) -> Part:
    """The small MIP over the lots of the relaxation, or over all worth asking, whose bound then counts too.

    Returns the cheaper plan of the two, with the higher bound.
    """
    assert known.support is not None
    one = cluster(net, item, prices)
    one = only_lots(one, worth_asking(net, item, prices) if effort.proven else known.support)
    arrays, layout = single_model(net, one.piece)
    answer = run(arrays, gap=effort.gap, nodes=effort.nodes, seed=effort.seed)
    bound = known.bound
    if effort.proven and np.isfinite(answer.bound):
        bound = max(bound, answer.bound + one.constant + fixed_cost(net, item))
    found = [known]
    if answer.values is not None:
        found.append(part(net, item, read(one, layout, answer.values), bound=bound, support=known.support))
    best = min(found, key=lambda made: made.cost + float(prices[made.rows] @ made.amounts))
    return replace(best, bound=bound)


def _relaxed_part(
    net: Network, one: Clustered, layout: Layout, values: Floats, prices: Floats, *, bound: float
) -> Part:
    piece = one.piece
    lot, row, amount = lot_uses(net, piece.item)
    units = values[layout.count] * piece.item.lots.multiple
    size = len(prices)
    uses = tally(row, weights=amount * units[lot], minlength=size)
    lot, row, amount = setup_uses(net, piece.item)
    uses += tally(row, weights=amount * values[layout.used][lot], minlength=size)
    row, column, amount = put_money(layout, *money_uses(net, piece.item))
    uses += tally(row, weights=amount * values[column], minlength=size)
    flow = values[layout.routes][piece.use_route]
    uses += tally(piece.use_row, weights=piece.use_amount * flow, minlength=size)
    left = values[layout.leftover][piece.left_fact]
    uses += tally(piece.left_row, weights=piece.left_amount * left, minlength=size)
    rows = np.flatnonzero(np.abs(uses) > 1e-9)
    cost = bound - float(uses @ prices)
    return Part(sku=piece.item.sku.id, bound=bound, cost=cost, rows=rows, amounts=uses[rows])


def _is_whole(values: Floats, arrays: Arrays) -> bool:
    own = values[arrays.integer]
    return bool(np.abs(own - np.rint(own)).max(initial=0.0) < 1e-7)


def read(one: Clustered, layout: Layout, values: Floats) -> Pick:
    """Whole quantities from the solver's values."""
    return spread(one, lot_units(one.piece.item, values[layout.count]), values[layout.routes])


def part(
    net: Network, item: Item, pick: Pick, *, bound: float, support: NDArray[np.bool_] | None = None
) -> Part:
    """Measure a pick: its true cost and its uses of shared rows."""
    uses = pick_uses(net, item, pick)
    rows = np.flatnonzero(uses)
    return Part(
        sku=item.sku.id,
        bound=bound,
        cost=pick_cost(net, item, pick),
        rows=rows,
        amounts=uses[rows],
        pick=pick,
        support=support,
    )


def idle_part(net: Network, sku: str) -> Part:
    """Order nothing and use no fact: the dearest plan, and always possible."""
    item = compile_item(net, net.problem.sku_of[sku])
    return part(net, item, idle_pick(item), bound=0.0)


def pick_cost(net: Network, item: Item, pick: Pick) -> float:
    """What one SKU's pick costs, locked units and its own share caps included, shared soft rows not."""
    lots = item.lots
    total = fixed_cost(net, item)
    if len(pick.units):
        total += float((item.cost[pick.source, pick.via, pick.demand] * pick.units).sum())
    if pick.delay is not None and pick.delay.any():
        wait = waiting_cost(net, item, pick.source, pick.via, pick.demand)
        total += float((wait * pick.delay * pick.units).sum())
    total += float((item.leftover * left_units(item, pick)).sum())
    staying, units = stays_of(net, item, pick)
    total += float((staying.cost * units).sum())
    total += float(lots.order_cost[pick.extra > 0].sum())
    met = tally(pick.demand, weights=pick.units, minlength=len(item.need))
    total += float((item.short * (item.need - met)).sum())
    total += _lost(item, pick)
    extra = tally(lots.offer, weights=pick.extra, minlength=len(item.offers)).astype(item.need.dtype)
    for number, offer in enumerate(item.offers):
        fixed = item.locked_units[number].item()
        units = extra[number].item() + fixed
        risk = net.problem.supplier_of[offer.supplier].risk
        known = offer.breaks[0][1] * fixed if len(offer.breaks) == 1 else 0.0
        total += (spend(offer, units) - known) * (1.0 + risk)
        total += offer.award_cost if units else 0.0
    by_supplier = np.unique(item.supplier)
    for cap in item.caps:
        for supplier in by_supplier if not cap.hard else ():
            over = float(extra[item.supplier == supplier].sum()) - cap.free[int(supplier)]
            total += cap.penalty * max(0.0, over)
    return total


def _lost(item: Item, pick: Pick) -> float:
    """What is charged for units of the previous plan that are not ordered again."""
    churn, lots = item.churn, item.lots
    total = 0.0
    for supplier, week, units in zip(churn.supplier, churn.week, churn.units, strict=True):
        again = pick.extra[(item.supplier[lots.offer] == supplier) & (lots.week == week)].sum()
        total += churn.cost * max(0.0, float(units - again))
    return total


def refit(
    net: Network,
    item: Item,
    prices: Floats,
    *,
    room: Floats,
    effort: Effort,
    quick: bool = False,
    known: Pick | None = None,
) -> Part | None:
    """Plan one SKU anew within what the others leave of every shared row; None when nothing fits.

    quick: take the best of the quick plans if there is one, without a small MIP. known: a plan whose lots the
    small MIP has beside those of the relaxation.
    """
    one = cluster(net, item, prices, priced=False)
    arrays, layout = single_model(net, one.piece, room=room)
    relaxed = run(replace(arrays, integer=np.zeros(len(arrays.cost), dtype=bool)), seed=effort.seed)
    if relaxed.values is None:
        return None
    if quick:
        picks = dive(net, one, relaxed.values[layout.used], seed=effort.seed, room=room)
        parts = [part(net, item, pick, bound=0.0) for pick in picks]
        if parts:
            return min(parts, key=lambda made: made.cost + _soft_charge(net, made, room))
    likely = relaxed.values[layout.count] > 1e-7
    if known is not None:
        likely |= known.extra > 0
    found = _searched(net, one, likely, effort, room=room)
    return part(net, item, found[0], bound=0.0) if found else None


def _soft_charge(net: Network, made: Part, room: Floats) -> float:
    """What soft rows charge for a part on top of what they charge for the others."""
    penalty = net.coupling.penalty[made.rows]
    above = np.maximum(made.amounts - np.maximum(room[made.rows], 0.0), 0.0)
    soft = np.isfinite(penalty)
    return float((above[soft] * penalty[soft]).sum())
