"""All SKUs in one model: exact, for problems small enough to be proven at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.block import add_piece, couple, fixed_cost
from optimizer.model.build import Builder
from optimizer.model.engine import HIGHS, SCIP, run
from optimizer.model.item import Item
from optimizer.model.network import Network
from optimizer.model.openings import NOBODY, Beside, Openings, paid_already, waits
from optimizer.model.picks import Pick, read_pick
from optimizer.model.pieces import full_piece
from optimizer.model.stays import add_stays, stay_uses

# The first search for a plan has at most so many nodes.
FIRST_NODES = 200


@dataclass(frozen=True, kw_only=True)
class Question:
    """How hard to search; wide: one SKU with more ways than one model can hold."""

    gap: float
    seed: int
    nodes: int
    seconds: float
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class AtOnce:
    """The plan (None when none was found), the proven bound, slack (by how much the plan may be dearer than
    the best), whether the gap asked is reached, whether the clock stopped the search, and whether there can't
    be a plan."""

    chosen: dict[str, tuple[Item, Pick]] | None
    bound: float
    slack: float
    optimal: bool
    timed_out: bool
    infeasible: bool


@dataclass(frozen=True, kw_only=True)
class Lots:
    """Of one SKU the only lots [L] that may be ordered, the ways [N, V, D] that are held to their lot's
    yes/no one by one, and how many lots there are at least."""

    kept: NDArray[np.bool_]
    tight: NDArray[np.bool_]
    least: int = 0


def ways(items: dict[str, Item]) -> int:
    """How many route columns the one model would have: the measure of its size."""
    return sum(int(np.isfinite(item.cost).sum()) for item in items.values())


class Model:
    """Everything (or some lots of some SKUs) as one model; a solve starts from the plan of the one before.

    beside: what SKUs use that are not in it; the room they leave is the network's.
    """

    def __init__(
        self,
        net: Network,
        items: dict[str, Item],
        lots: dict[str, Lots] | None = None,
        *,
        beside: Beside = NOBODY,
    ) -> None:
        builder = Builder()
        coupling = net.coupling
        kinds = [coupling.inbound, coupling.storage, coupling.throughput]
        kinds += [coupling.lane_in, coupling.lane_out, coupling.lane_direct]
        shared = any((rows >= 0).any() for rows in kinds) or net.minimums
        waiting = waits(net)
        self.parts, self.stays, uses = [], [], []
        whole = not net.problem.continuous
        for item in items.values():
            few = (lots or {}).get(item.sku.id)
            kept, tight = (few.kept, few.tight) if few is not None else (None, None)
            piece, via = full_piece(net, item, waits=waiting, lots=kept, tight=tight)
            layout = add_piece(builder, net, piece, whole_routes=shared and whole)
            self.parts.append((piece, via, layout))
            mine, columns = add_stays(builder, net, item, layout, whole=whole)
            self.stays.append((mine, columns))
            number, row, amount = stay_uses(net, item, mine)
            uses.append((row, columns[number], amount))
            if few is not None and few.least:
                builder.put(builder.rows(1, lower=float(few.least)), layout.used, 1.0)
        gates = Openings(builder, net, self.parts, self.stays, beside).gates
        couple(builder, net, [(piece, layout) for piece, _, layout in self.parts], gates=gates, others=uses)
        self.arrays = builder.arrays()
        self.known = sum(fixed_cost(net, item) for item in items.values()) + paid_already(net)
        self.bound = -np.inf

    def solve(self, asked: Question, *, final: bool = True) -> AtOnce:
        """The plan found, with the best bound so far. final: SCIP is asked where HiGHS has no plan."""
        answer = run(
            self.arrays,
            gap=asked.gap,
            seed=asked.seed,
            nodes=asked.nodes,
            seconds=asked.seconds,
            kinds=(HIGHS, SCIP) if final else (HIGHS,),
        )
        self.bound = max(self.bound, answer.bound + self.known)
        chosen = None
        if answer.values is not None:
            self.arrays = replace(self.arrays, start=answer.values)
            chosen = {
                piece.item.sku.id: (piece.item, read_pick(piece, layout, via, answer.values, *staying))
                for (piece, via, layout), staying in zip(self.parts, self.stays, strict=True)
            }
        return AtOnce(
            chosen=chosen,
            bound=self.bound,
            slack=answer.objective - answer.bound,
            optimal=answer.optimal,
            timed_out=answer.timed_out,
            infeasible=answer.infeasible,
        )

    def solve_in_steps(self, asked: Question) -> AtOnce:
        """As solve, but flows are only made whole once lots are chosen: half the time, and no bound."""
        mine = self.arrays.integer.copy()
        for _, _, layout in self.parts:
            mine[layout.routes] = False
        first = run(
            replace(self.arrays, integer=mine),
            gap=asked.gap,
            seed=asked.seed,
            nodes=asked.nodes,
            seconds=asked.seconds,
        )
        before = self.arrays
        if first.values is not None:
            chosen = np.rint(first.values)
            lower, upper = (np.where(mine, chosen, limit) for limit in (before.lower, before.upper))
            self.arrays = replace(before, lower=lower, upper=upper)
        found = self.solve(asked)
        if found.chosen is None and first.values is not None:
            self.arrays = before
            found = self.solve(asked)
        return replace(found, bound=-np.inf, slack=np.inf, optimal=False)


def improving(net: Network, items: dict[str, Item], asked: Question) -> Iterator[AtOnce]:
    """A first plan by few nodes, then the final one that starts from it."""
    model = Model(net, items)
    more = asked.nodes > FIRST_NODES
    answer = model.solve(replace(asked, nodes=min(asked.nodes, FIRST_NODES)), final=not more)
    yield answer
    if more and not (answer.optimal or answer.timed_out or answer.infeasible):
        yield model.solve(asked)
