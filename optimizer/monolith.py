"""All SKUs in one model: exact, for problems small enough to be proven at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.block import add_piece, couple, fixed_cost
from optimizer.build import Builder
from optimizer.engine import Answer, run
from optimizer.item import Item
from optimizer.network import Network
from optimizer.openings import NOBODY, Beside, Openings, paid_already, waits
from optimizer.picks import Pick, read_pick
from optimizer.pieces import full_piece


@dataclass(frozen=True, kw_only=True)
class AtOnce:
    """The plan (None when none was found), the proven bound, slack (by how much the plan may be dearer than
    the best), whether the clock stopped the search, and whether there can't be a plan."""

    chosen: dict[str, tuple[Item, Pick]] | None
    bound: float
    slack: float
    timed_out: bool
    infeasible: bool


def ways(items: dict[str, Item]) -> int:
    """How many route columns the one model would have: the measure of its size."""
    return sum(int(np.isfinite(item.cost).sum()) for item in items.values())


def solve_at_once(
    net: Network,
    items: dict[str, Item],
    *,
    gap: float,
    seed: int,
    nodes: int,
    seconds: float,
    beside: Beside = NOBODY,
) -> AtOnce:
    """One model of everything, solved to the gap within the nodes. beside: what SKUs use that are not in it;
    the room they leave is the network's."""
    builder = Builder()
    coupling = net.coupling
    kinds = [coupling.inbound, coupling.storage, coupling.throughput]
    kinds += [coupling.lane_in, coupling.lane_out, coupling.lane_direct]
    shared = any((rows >= 0).any() for rows in kinds) or net.minimums
    waiting = waits(net)
    parts = []
    for item in items.values():
        piece, via = full_piece(net, item, waits=waiting)
        whole = shared and not net.problem.continuous
        parts.append((piece, via, add_piece(builder, net, piece, whole_routes=whole)))
    gates = Openings(builder, net, parts, beside).gates
    couple(builder, net, [(piece, layout) for piece, _, layout in parts], gates=gates)
    answer: Answer = run(builder.arrays(), gap=gap, seed=seed, nodes=nodes, seconds=seconds)
    bound = answer.bound + sum(fixed_cost(net, item) for item in items.values()) + paid_already(net)
    chosen = None
    if answer.values is not None:
        values = answer.values
        chosen = {
            piece.item.sku.id: (piece.item, read_pick(piece, layout, via, values))
            for piece, via, layout in parts
        }
    return AtOnce(
        chosen=chosen,
        bound=bound,
        slack=answer.objective - answer.bound,
        timed_out=answer.timed_out,
        infeasible=answer.infeasible,
    )
