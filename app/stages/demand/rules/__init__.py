"""What counts as demand: commitments and the waterfall's reasons. Campaigns have rules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from app.stages.demand.rules.campaigns import CampaignState as CampaignState
from app.stages.demand.rules.campaigns import beyond
from app.stages.demand.rules.campaigns import go_units as go_units
from app.stages.demand.rules.campaigns import reaches_go as reaches_go


class Commitment(StrEnum):
    PAID = "paid"
    DEPOSIT = "deposit"
    PLEDGE = "pledge"
    WAITLIST = "waitlist"
    VOTE = "vote"


class SignalStatus(StrEnum):
    """What the sales channel said of the order when it was received."""

    PLACED = "placed"
    CANCELLED = "cancelled"
    TEST = "test"


class Reason(StrEnum):
    """Why units are not valid demand, in the order of the waterfall; `valid` is what is left."""

    VALID = "valid"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    TEST = "test"
    NOT_GOODS = "not_goods"
    UNPRICED = "unpriced"
    OVER_LIMIT = "over_limit"
    SUSPECTED = "suspected"
    OVER_CAP = "over_cap"


EXCLUDING = tuple(
    reason for reason in Reason if reason not in (Reason.VALID, Reason.DUPLICATE, Reason.RETURNED)
)
"""Reasons that take a signal out of valid demand and that a person can undo."""


BY_RULE = "rule:"
"""How the names of rules begin that exclude and take back by themselves; the word of a person stands."""


@dataclass(frozen=True, slots=True)
class SignalFacts:
    """What the classification of one signal depends on."""

    goods: bool
    status: str
    quantity: int
    unit_price_minor: int


def classify(facts: SignalFacts) -> Reason:
    """The waterfall's reason for one signal: the first rule of the table that applies.

    `reason_expression` is the same table for whole columns; a property test holds the two together. The limit
    per buyer and suspicion are not here, because they depend on other signals: see `over_limit`, `suspicion`.

    A negative line that nobody was ever charged for is a stock correction, not a return, so it takes no units
    out of valid demand; it is unpriced like any other line without a price.
    """
    if not facts.goods:
        return Reason.NOT_GOODS
    if facts.status == SignalStatus.TEST:
        return Reason.TEST
    if facts.status == SignalStatus.CANCELLED and facts.quantity > 0:
        return Reason.CANCELLED
    if facts.quantity < 0 and (facts.unit_price_minor > 0 or facts.status == SignalStatus.CANCELLED):
        return Reason.RETURNED
    if facts.unit_price_minor <= 0:
        return Reason.UNPRICED
    return Reason.VALID


def reason_expression() -> pl.Expr:
    """`classify` over the columns goods, status, quantity and unit_price_minor."""
    status, quantity, price = pl.col("status"), pl.col("quantity"), pl.col("unit_price_minor")
    cancelled = status == SignalStatus.CANCELLED.value
    return (
        pl.when(~pl.col("goods"))
        .then(pl.lit(Reason.NOT_GOODS.value))
        .when(status == SignalStatus.TEST.value)
        .then(pl.lit(Reason.TEST.value))
        .when(cancelled & (quantity > 0))
        .then(pl.lit(Reason.CANCELLED.value))
        .when((quantity < 0) & ((price > 0) | cancelled))
        .then(pl.lit(Reason.RETURNED.value))
        .when(price <= 0)
        .then(pl.lit(Reason.UNPRICED.value))
        .otherwise(pl.lit(Reason.VALID.value))
    )


def valid_units(*, reason: str, quantity: int) -> int:
    """Units that a signal adds to valid demand: all of a valid or (negative) returned one, else none."""
    return quantity if reason in (Reason.VALID, Reason.RETURNED) else 0


def counted_reason(*, quantity: int) -> Reason:
    """The reason of a signal that a person decided to count."""
    return Reason.VALID if quantity > 0 else Reason.RETURNED


def over_limit(quantities: Sequence[int], *, limit: int) -> list[bool]:
    """Which of one buyer's pledges in one campaign are over the limit.

    A pledge that would take the buyer above the limit is over it as a whole; a later and smaller one that
    still fits is not. Returned units (negative) make room again.

    Args:
        quantities: units of the pledges in the order they were made.
        limit: the most units one buyer may have.
    """
    return beyond(quantities, most=limit)
