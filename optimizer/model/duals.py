"""Shadow prices of the shared rows of a plan: its yes/no decisions stay, quantities may move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from optimizer.model.block import add_piece, couple
from optimizer.model.build import Builder
from optimizer.model.engine import run
from optimizer.model.item import compile_item
from optimizer.model.likely import ordered_lots
from optimizer.model.network import Network
from optimizer.model.pieces import full_piece
from optimizer.rules.book import Book

# How hard the model looks for price segments and awards.
GAP, NODES = 1e-4, 200
Named = tuple[str, str, int | None]


def shadow_prices(net: Network, plan: Book) -> dict[Named, float]:
    """What one more of each shared row's room saves at the margin, by (rule, place, week); 0 where nothing.

    The lots the plan orders are used, and no others; which price segment holds and who is awarded is fixed as
    the small model chooses, and the linear program of the quantities gives the duals.
    """
    problem, wide = net.problem, _roomy(net)
    builder = Builder()
    pieces = []
    free: list[int] = []
    used: list[int] = []
    for sku in problem.skus:
        item = compile_item(wide, sku)
        mine = ordered_lots(net, item, plan)
        piece, _ = full_piece(net, item, lots=mine)
        layout = add_piece(builder, net, piece)
        free += layout.count.tolist()
        used += layout.used[mine].tolist()
        pieces.append((piece, layout))
    rows = couple(builder, net, pieces)
    arrays = builder.arrays()
    arrays.lower[used] = 1.0
    whole = run(arrays, gap=GAP, nodes=NODES)
    if whole.values is None:
        return {}
    fixed = arrays.integer.copy()
    fixed[free] = False
    answer = run(
        replace(
            arrays,
            lower=np.where(fixed, np.rint(whole.values), arrays.lower),
            upper=np.where(fixed, np.rint(whole.values), arrays.upper),
            integer=np.zeros(len(fixed), dtype=bool),
        )
    )
    if answer.duals is None:
        return {}
    return {name_of(*net.coupling.names[row]): max(0.0, -float(answer.duals[at])) for row, at in rows.items()}


def _roomy(net: Network) -> Network:
    """Lots as large as they would be with more capacity: else a lot's own limit takes the row's price."""
    coupling, room = net.coupling, net.coupling.room.copy()
    for rows in (coupling.capacity, coupling.horizon, coupling.material):
        room[rows[rows >= 0]] = 2 * room[rows[rows >= 0]] + 1000
    return replace(net, coupling=replace(coupling, room=room))


def name_of(rule: str, ids: Mapping[str, object]) -> Named:
    """(rule, place or material, week or None) of a shared row."""
    week = ids.get("week")
    place = [str(ids[one]) for one in ("supplier", "warehouse", "material", "from", "to") if ids.get(one)]
    return rule, "->".join(place), None if week is None else int(str(week))
