"""How firm a signal is, and what becomes of a lighter one when its buyer commits more gravely."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Commitment(StrEnum):
    """From the gravest to the lightest."""

    PAID = "paid"
    DEPOSIT = "deposit"
    PLEDGE = "pledge"
    WAITLIST = "waitlist"
    VOTE = "vote"
    WISH_LIST = "wish_list"
    ENQUIRY = "enquiry"


INTEREST = (Commitment.WAITLIST, Commitment.VOTE, Commitment.WISH_LIST, Commitment.ENQUIRY)
"""Commitments that are no order: they are not valid demand, and count for what usually becomes of them."""
_GRAVITY = {one.value: place for place, one in enumerate(reversed(Commitment))}


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """One signal of a buyer for a thing; signals are compared by when they were made, then by identity.

    Only one that `stands` can be replaced: no cancelled one.
    """

    made_at: dt.datetime
    channel_id: int
    external_id: str
    id: int
    commitment: str
    quantity: int
    stands: bool = True


def gravity(commitment: str) -> int:
    """How grave a commitment is: the greater, the firmer."""
    return _GRAVITY[commitment]


def superseded(signals: Sequence[Said]) -> dict[int, int]:
    """Which signals of one buyer for one thing a later, graver one replaces; the order given does not matter.

    In the order in which they were made, each signal replaces lighter ones made before it that nothing has
    replaced yet, the oldest first, until those held as many units as it has. It replaces each as a whole: who
    pledged three and paid for two wants two. So nothing counts twice, and what a buyer wants besides stays.

    Returns:
        The id of each signal that is replaced, with the id of the one that replaces it.
    """
    replaced: dict[int, int] = {}
    ordered = sorted(signals)
    for place, graver in enumerate(ordered):
        left = graver.quantity
        for lighter in ordered[:place]:
            if left <= 0:
                break
            replaceable = lighter.stands and lighter.id not in replaced
            if replaceable and gravity(lighter.commitment) < gravity(graver.commitment):
                replaced[lighter.id] = graver.id
                left -= lighter.quantity
    return replaced


@dataclass(frozen=True, slots=True)
class Owing:
    """What a campaign asks for, and until when; money in minor units a unit. A balance once it goes."""

    asks_balance: bool
    deposit_minor: int
    deposit_due_at: dt.datetime | None
    balance_due_at: dt.datetime | None


def past_due(
    terms: Owing,
    *,
    commitment: str,
    made_at: dt.datetime,
    unit_price_minor: int,
    grace: dt.timedelta,
    now: dt.datetime,
) -> tuple[str, dt.datetime] | None:
    """What a pledge still owes although its time is over, and since when: `deposit` or `balance`.

    A pledge owes the deposit, if the campaign asks for one, and the balance; a pledge with a deposit the
    balance, unless the deposit is the whole price. Who comes after the day has the grace from then on.
    """
    owed = []
    if commitment == Commitment.PLEDGE and terms.deposit_minor > 0:
        owed.append(("deposit", terms.deposit_due_at))
    rest = commitment == Commitment.PLEDGE or (
        commitment == Commitment.DEPOSIT and unit_price_minor > terms.deposit_minor
    )
    if rest and terms.asks_balance:
        owed.append(("balance", terms.balance_due_at))
    for what, due_at in owed:
        if due_at is not None and now > max(due_at, made_at) + grace:
            return what, due_at
    return None
