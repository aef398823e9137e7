"""The kinds of stock movement and what each may do."""

from __future__ import annotations

from enum import StrEnum

from app.core.errors import RuleBroken
from app.core.limits import LARGEST_QUANTITY


class MovementKind(StrEnum):
    OPENING = "opening"
    RECEIPT = "receipt"
    SHIPMENT = "shipment"
    ADJUSTMENT = "adjustment"


_SIGNS = {MovementKind.OPENING: 1, MovementKind.RECEIPT: 1, MovementKind.SHIPMENT: -1}
"""Which way each kind moves stock; an adjustment goes either way."""


def check_movement(*, kind: MovementKind, quantity: int, on_hand: int) -> None:
    """Whether `quantity` (signed: what comes is positive, what goes negative) may be moved.

    Raises:
        RuleBroken: quantity_invalid for nothing, too much, or the wrong sign of its kind; insufficient_stock
            when more would go than is on hand.
    """
    if quantity == 0 or abs(quantity) > LARGEST_QUANTITY:
        raise RuleBroken(
            "quantity_invalid",
            f"A movement is of 1 to {LARGEST_QUANTITY:,} units, not {quantity:,}.",
            quantity=quantity,
        )
    sign = _SIGNS.get(kind)
    if sign is not None and sign * quantity < 0:
        way = "positive: it brings units in" if sign > 0 else "negative: it takes units out"
        raise RuleBroken("quantity_invalid", f"The quantity of a {kind.value} is {way}.", quantity=quantity)
    if on_hand + quantity < 0:
        raise RuleBroken(
            "insufficient_stock",
            f"{-quantity:,} units would go, {on_hand:,} are on hand. Move at most those, "
            "or correct the stock by an adjustment first.",
            on_hand=on_hand,
            quantity=quantity,
        )
