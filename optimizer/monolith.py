"""All SKUs in one model: exact, for problems small enough to be proven at once."""

from __future__ import annotations

import numpy as np

from optimizer.block import add_piece, couple, fixed_cost
from optimizer.build import Builder, Layout
from optimizer.engine import run
from optimizer.item import Item
from optimizer.network import Network
from optimizer.picks import Pick, read_pick
from optimizer.pieces import full_piece


def ways(items: dict[str, Item]) -> int:
    """How many route columns the one model would have: the measure of its size."""
    return sum(int(np.isfinite(item.cost).sum()) for item in items.values())


def solve_at_once(
    net: Network, items: dict[str, Item], *, gap: float, seed: int, nodes: int, seconds: float
) -> tuple[dict[str, tuple[Item, Pick]] | None, float, bool]:
    """The plan (None when none was found), the proven bound, and whether the clock stopped the search."""
    builder = Builder()
    coupling = net.coupling
    shared = bool((coupling.inbound >= 0).any() or (coupling.storage >= 0).any())
    awards = any(one.award_cost > 0 for one in net.problem.suppliers)
    parts = []
    for sku, item in items.items():
        piece, via = full_piece(net, item)
        layout = add_piece(builder, net, piece, whole_routes=shared, awards=awards)
        parts.append((sku, piece, via, layout))
    couple(builder, net, [(piece, layout) for _, piece, _, layout in parts])
    if awards:
        _add_supplier_awards(builder, net, [(piece.item, layout) for _, piece, _, layout in parts])
    answer = run(builder.arrays(), gap=gap, seed=seed, nodes=nodes, seconds=seconds)
    bound = answer.bound + sum(fixed_cost(net, item) for item in items.values())
    if answer.values is None:
        return None, bound, answer.timed_out
    chosen = {
        sku: (piece.item, read_pick(piece, layout, via, answer.values)) for sku, piece, via, layout in parts
    }
    return chosen, bound, answer.timed_out


def _add_supplier_awards(builder: Builder, net: Network, parts: list[tuple[Item, Layout]]) -> None:
    costs = np.array([one.award_cost for one in net.problem.suppliers])
    chosen = builder.columns(costs, upper=1.0, integer=True)
    for item, layout in parts:
        rows = builder.rows(len(item.offers), upper=0.0)
        builder.put(rows, layout.awarded, 1.0)
        builder.put(rows, chosen[item.supplier], -1.0)
