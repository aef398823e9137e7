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
from app.stages.demand.rules.commitments import INTEREST as INTEREST
from app.stages.demand.rules.commitments import Commitment as Commitment


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
    SUPERSEDED = "superseded"
    UNPAID = "unpaid"
    OVER_LIMIT = "over_limit"
    SUSPECTED = "suspected"
    OVER_CAP = "over_cap"
    INTEREST = "interest"


COUNTING = (Reason.VALID, Reason.RETURNED, Reason.INTEREST)
"""What stands as the channel told it: valid demand, units that came back, interest that is no order."""
EXCLUDING = tuple(reason for reason in Reason if reason not in (*COUNTING, Reason.DUPLICATE))
"""Reasons that take a signal out of the pool and that a person can undo."""
KINDS = (
    *(reason for reason in Reason if reason is not Reason.INTEREST),
    *(one for one in Commitment if one is not Commitment.PAID),
)
"""How a roll-up tells its cells apart: by reason, and what stands by commitment as well; see `cell_kind`."""


BY_RULE = "rule:"
"""How the names of rules begin that exclude and take back by themselves; the word of a person stands."""


@dataclass(frozen=True, slots=True)
class SignalFacts:
    """What the classification of one signal depends on."""

    goods: bool
    status: str
    quantity: int
    unit_price_minor: int
    commitment: str = Commitment.PAID


def classify(facts: SignalFacts) -> Reason:
    """The waterfall's reason for one signal: the first rule of the table that applies.

    `reason_expression` is the same table for whole columns; a property test holds the two together. The limit
    per buyer and suspicion are not here, because they depend on other signals: see `over_limit`, `suspicion`.

    Interest needs no price. A negative line that nobody was ever charged for is a stock correction, not a
    return, so it takes no units out of valid demand; it is unpriced like any other line without a price.
    """
    if not facts.goods:
        return Reason.NOT_GOODS
    if facts.status == SignalStatus.TEST:
        return Reason.TEST
    if facts.status == SignalStatus.CANCELLED and facts.quantity > 0:
        return Reason.CANCELLED
    if facts.commitment in INTEREST:
        return Reason.INTEREST
    if facts.quantity < 0 and (facts.unit_price_minor > 0 or facts.status == SignalStatus.CANCELLED):
        return Reason.RETURNED
    if facts.unit_price_minor <= 0:
        return Reason.UNPRICED
    return Reason.VALID


def reason_expression() -> pl.Expr:
    """`classify` over the columns goods, status, quantity, unit_price_minor and commitment."""
    status, quantity, price = pl.col("status"), pl.col("quantity"), pl.col("unit_price_minor")
    cancelled = status == SignalStatus.CANCELLED.value
    return (
        pl.when(~pl.col("goods"))
        .then(pl.lit(Reason.NOT_GOODS.value))
        .when(status == SignalStatus.TEST.value)
        .then(pl.lit(Reason.TEST.value))
        .when(cancelled & (quantity > 0))
        .then(pl.lit(Reason.CANCELLED.value))
        .when(pl.col("commitment").is_in([one.value for one in INTEREST]))
        .then(pl.lit(Reason.INTEREST.value))
        .when((quantity < 0) & ((price > 0) | cancelled))
        .then(pl.lit(Reason.RETURNED.value))
        .when(price <= 0)
        .then(pl.lit(Reason.UNPRICED.value))
        .otherwise(pl.lit(Reason.VALID.value))
    )


def valid_units(*, reason: str, quantity: int) -> int:
    """Units that a signal adds to valid demand: all of a valid or (negative) returned one, else none."""
    return quantity if reason in (Reason.VALID, Reason.RETURNED) else 0


def counted_expression() -> pl.Expr:
    """The reason of a signal that stands as it was told, over the columns commitment and quantity."""
    return (
        pl.when(pl.col("commitment").is_in([one.value for one in INTEREST]))
        .then(pl.lit(Reason.INTEREST.value))
        .when(pl.col("quantity") > 0)
        .then(pl.lit(Reason.VALID.value))
        .otherwise(pl.lit(Reason.RETURNED.value))
    )


def cell_kind() -> pl.Expr:
    """The kind of roll-up cell a signal counts in, over the columns reason and commitment: one of KINDS."""
    told = pl.col("reason").is_in([Reason.VALID.value, Reason.INTEREST.value])
    lighter = pl.col("commitment") != Commitment.PAID.value
    return pl.when(told & lighter).then(pl.col("commitment")).otherwise(pl.col("reason"))


def kind_reason(kind: str) -> Reason:
    """The reason that a kind of cell stands for."""
    if kind not in set(Commitment):
        return Reason(kind)
    return Reason.INTEREST if kind in INTEREST else Reason.VALID


def over_limit(quantities: Sequence[int], *, limit: int) -> list[bool]:
    """Which of one buyer's pledges in one campaign are over the limit.

    A pledge that would take the buyer above the limit is over it as a whole; a later and smaller one that
    still fits is not. Returned units (negative) make room again.

    Args:
        quantities: units of the pledges in the order they were made.
        limit: the most units one buyer may have.
    """
    return beyond(quantities, most=limit)
