"""A quick plan of one SKU from its relaxation, by two small LPs a guess instead of branch and bound.

A guess is the set of lots whose relaxed yes/no is above a threshold. All of them are ordered, the first LP
says how much, quantities are rounded up to whole lots, and the second LP (a transport problem) sends whole
units.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.block import single_model
from optimizer.model.build import Floats
from optimizer.model.clusters import Clustered, only_lots, spread
from optimizer.model.engine import Arrays, run
from optimizer.model.network import Network
from optimizer.model.picks import Pick, lot_units

THRESHOLDS = (0.05, 0.3, 0.6, 0.9)


def dive(
    net: Network, one: Clustered, chance: Floats, *, seed: int, room: Floats | None = None
) -> list[Pick]:
    """Plans from relaxed yes/no values chance [L], one a distinct guess, within room [rows] if given."""
    seen: set[bytes] = set()
    picks = []
    for threshold in THRESHOLDS:
        kept = chance >= threshold
        if not kept.any() or kept.tobytes() in seen:
            continue
        seen.add(kept.tobytes())
        pick = _guess(net, only_lots(one, kept), kept, seed=seed, room=room)
        if pick is not None:
            picks.append(pick)
    return picks


def _guess(
    net: Network, one: Clustered, kept: NDArray[np.bool_], *, seed: int, room: Floats | None
) -> Pick | None:
    arrays, layout = single_model(net, one.piece, room=room)
    lots = one.piece.item.lots
    lower = arrays.lower.copy()
    lower[layout.used[kept]] = 1.0
    first = run(_linear(replace(arrays, lower=lower)), seed=seed)
    if first.values is None:
        return None
    exact, fewest = first.values[layout.count], -(-lots.least // lots.multiple)
    for counts in (np.ceil(exact - 1e-6), np.floor(exact + 1e-6)):
        rigid = np.clip(counts, fewest, lots.most // lots.multiple)
        count = np.where(lots.rigid, rigid, np.clip(exact, lots.least, lots.most)) * kept
        lower[layout.count], upper = count, arrays.upper.copy()
        upper[layout.count] = count
        second = run(_linear(replace(arrays, lower=lower, upper=upper)), seed=seed)
        if second.values is not None:
            return spread(one, lot_units(one.piece.item, count), second.values[layout.routes])
    return None


def _linear(arrays: Arrays) -> Arrays:
    return replace(arrays, integer=np.zeros(len(arrays.cost), dtype=bool))
