"""What the model of one SKU is built from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.model.build import Floats, Ints
from optimizer.model.item import Item
from optimizer.model.network import Amounts


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What the model of one SKU is built from. Routes [R]: source, demand, cost; need and short [D'].

    lot_extra [L] is added to a lot's unit price, order_extra [L] to its order cost, money_extra [O] to each
    unit of money an offer gets. delay [R] are weeks a route waits in its warehouse beyond what it must.
    use_route, use_row and use_amount are a route's uses of shared
    rows; the left_ arrays the same for facts never used. lots_allowed [L] says which lots may be ordered.
    tight [R]: routes whose flow is held to their lot's yes/no one by one. Any plan is right without; all of
    them give the best bound.
    """

    item: Item
    need: Amounts
    short: Floats
    source: Ints
    demand: Ints
    cost: Floats
    lot_extra: Floats
    order_extra: Floats
    money_extra: Floats
    delay: Ints
    leftover: Floats
    lots_allowed: Ints
    tight: NDArray[np.bool_]
    use_route: Ints
    use_row: Ints
    use_amount: Floats
    left_fact: Ints
    left_row: Ints
    left_amount: Floats
