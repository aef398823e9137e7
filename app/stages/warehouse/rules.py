"""Available to promise, the promise date, and how much of a line may still come in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from app.core.errors import RuleBroken


def available_to_promise(on_hand: int, *, supply: Sequence[int], committed: Sequence[int]) -> tuple[int, ...]:
    """Units that can still be promised for each week without breaking a promise already made.

    Cumulative ATP with look-ahead (Vollmann, Berry, Whybark and Jacobs, Manufacturing Planning and Control
    for Supply Chain Management, ch. 8): what has come by a week, minus what is promised by then, is only
    available as far as no later week falls short of its own promises. It never falls from week to week
    and is never below zero.

    Args:
        on_hand: units there before the first week; a negative count is taken as a debt.
        supply: firm units arriving in each week.
        committed: units promised for each week.

    Raises:
        ValueError: the two weeks' lists differ in length.
    """
    if len(supply) != len(committed):
        raise ValueError(f"{len(supply)} weeks of supply, {len(committed)} of commitments")
    changes = (came - promised for came, promised in zip(supply, committed, strict=True))
    left = list(accumulate(changes, initial=on_hand))[1:]
    look_ahead = list(accumulate(reversed(left), min))
    return tuple(max(units, 0) for units in reversed(look_ahead))


def promise_index(available: Sequence[int], *, quantity: int) -> int | None:
    """The first week whose cumulative ATP covers the quantity; None when none of them does."""
    return next((week for week, units in enumerate(available) if units >= quantity), None)


def check_receipt(quantity: int, *, promised: int, received: int) -> None:
    """Whether so many units may come in on a line.

    Raises:
        RuleBroken: receipt_quantity below one unit; over_receipt above what is still open.
    """
    if quantity < 1:
        raise RuleBroken("receipt_quantity", "A receipt is of at least one unit.", quantity=quantity)
    still_open = promised - received
    if quantity > still_open:
        raise RuleBroken(
            "over_receipt",
            f"Only {still_open} of {promised} units are still to come on this line; {quantity} is more. "
            "Count again, or receive the rest against another line.",
            quantity=quantity,
            open=still_open,
            promised=promised,
            received=received,
        )
