"""Rows that no plan breaks and the relaxation of a SKU would: lots come whole, whatever it takes of them.

Where 208 units are needed and a lot holds 100, the relaxation orders 2.08 lots and a plan three, or it leaves
8 units unmet (mixed-integer rounding; Nemhauser & Wolsey, 1990). Solvers find such rows only where one row
has all demand; here it is spread over the rows of the demands.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.build import Builder, Floats, Ints
from optimizer.model.piece import Piece

# Less than this part of a lot more, or less, says hardly more than the sum of the lots.
LEAST_PART = 0.02
# So many sizes of lots at most give a row of their own.
SIZES = 6


def needed(piece: Piece) -> float:
    """Units that lots must hold at least, or leave unmet."""
    return float(piece.need.sum()) - float(piece.item.facts.units.sum())


def add_lot_cuts(builder: Builder, piece: Piece, *, used: Ints, count: Ints, unmet: Ints) -> None:
    """Multiples and lots hold what is needed: rounded by every multiple, and by the sizes lots can have."""
    lots = piece.item.lots
    mine = np.flatnonzero((piece.lots_allowed > 0) & lots.rigid)
    if len(mine) < len(lots.week) - int((piece.lots_allowed == 0).sum()):
        return  # lots of any quantity are no whole numbers of anything
    units = needed(piece)
    for held, columns in ((lots.multiple[mine], count[mine]), (lots.most[mine], used[mine])):
        sizes = np.unique(held[held > 1])
        for size in sizes[:: -(-len(sizes) // SIZES) or 1].tolist():
            add_least(builder, units, held.astype(np.float64), units=columns, beside=unmet, size=size)


def add_least(
    builder: Builder, least: float, held: Floats, *, units: Ints, beside: Ints, size: float = 0.0
) -> None:
    """held x units + beside >= least, rounded by size (0: what each holds, if all hold the same).

    units are columns of whole numbers, beside of any from 0 on.
    """
    size = size or (float(held.max(initial=0.0)) if np.ptp(held) == 0 else 0.0)
    part = least / size % 1.0 if size > 0 and least > 0 else 0.0
    if not LEAST_PART < part < 1 - LEAST_PART:
        return
    row = builder.rows(1, lower=float(np.ceil(least / size)))
    whole, rest = np.divmod(held / size, 1.0)
    builder.put(row, units, whole + np.minimum(1.0, rest / part))
    builder.put(row, beside, 1.0 / (size * part))
