"""A campaign's life, its go rule, its prices and its cap, and when pledges are taken or may only grow.

Everything here is a function of the pledges and not of the order they arrived in: they count in the order
they were made, by the channel's time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import polars as pl

from app.core.errors import RuleBroken


class CampaignState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    REACHED = "reached"
    MISSED = "missed"
    CANCELLED = "cancelled"
    IN_PRODUCTION = "in_production"
    SHIPPING = "shipping"
    CLOSED = "closed"


class DecisionKind(StrEnum):
    """What can be decided of a campaign."""

    LAUNCH = "launch"
    EXTEND = "extend"
    GO = "go"
    NO_GO = "no_go"
    CANCEL = "cancel"
    PRODUCE = "produce"
    SHIP = "ship"
    FINISH = "finish"


LIFE: dict[tuple[CampaignState, DecisionKind], CampaignState] = {
    (CampaignState.DRAFT, DecisionKind.LAUNCH): CampaignState.OPEN,
    (CampaignState.DRAFT, DecisionKind.CANCEL): CampaignState.CANCELLED,
    (CampaignState.OPEN, DecisionKind.EXTEND): CampaignState.OPEN,
    (CampaignState.OPEN, DecisionKind.GO): CampaignState.REACHED,
    (CampaignState.OPEN, DecisionKind.NO_GO): CampaignState.MISSED,
    (CampaignState.OPEN, DecisionKind.CANCEL): CampaignState.CANCELLED,
    (CampaignState.REACHED, DecisionKind.NO_GO): CampaignState.MISSED,
    (CampaignState.REACHED, DecisionKind.CANCEL): CampaignState.CANCELLED,
    (CampaignState.REACHED, DecisionKind.PRODUCE): CampaignState.IN_PRODUCTION,
    (CampaignState.MISSED, DecisionKind.GO): CampaignState.REACHED,
    (CampaignState.MISSED, DecisionKind.FINISH): CampaignState.CLOSED,
    (CampaignState.CANCELLED, DecisionKind.FINISH): CampaignState.CLOSED,
    (CampaignState.IN_PRODUCTION, DecisionKind.SHIP): CampaignState.SHIPPING,
    (CampaignState.SHIPPING, DecisionKind.FINISH): CampaignState.CLOSED,
}
"""The only moves there are. From missed to reached, and back, a person overrules the go rule."""

LONGEST_EXTENSION = 90
"""Days by which a campaign is extended at once."""


def step(state: str, kind: DecisionKind) -> CampaignState:
    """The state after a decision.

    Raises:
        RuleBroken: `campaign_move` when the campaign's life does not lead there.
    """
    to = LIFE.get((CampaignState(state), kind))
    if to is None:
        word = kind.value.replace("_", "-")
        raise RuleBroken("campaign_move", f"A campaign that is {state} can't take the step “{word}”.")
    return to


def steps_from(state: str) -> tuple[str, ...]:
    """What can be decided next."""
    return tuple(kind.value for source, kind in LIFE if source == state)


def reaches_go(*, valid_units: int, expected_units: int, go_factor_percent: int) -> bool:
    """The go rule, in whole numbers: valid units ≥ factor × expected volume; exactly at the line is go."""
    return valid_units * 100 >= go_factor_percent * expected_units


def go_units(*, expected_units: int, go_factor_percent: int) -> int:
    """The fewest valid units with which a campaign goes."""
    return -(-go_factor_percent * expected_units // 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a campaign takes pledges: from `opens_at`, before `closes_at`, and late ones before `late_until`.

    From `fill_starts_at` to the close they can only grow. A draft takes none.
    """

    is_draft: bool
    opens_at: dt.datetime
    closes_at: dt.datetime
    fill_starts_at: dt.datetime | None = None
    late_until: dt.datetime | None = None

    @property
    def takes_until(self) -> dt.datetime:
        return max(self.closes_at, self.late_until or self.closes_at)

    def in_fill_phase(self, at: dt.datetime) -> bool:
        return self.fill_starts_at is not None and self.fill_starts_at <= at < self.closes_at

    def is_late(self, at: dt.datetime) -> bool:
        return self.closes_at <= at < self.takes_until


NOT_OPEN = "campaign_not_open"
CLOSED = "campaign_closed"
FILLING = "fill_phase"


def pledge_refusal(window: Window, *, ordered_at: dt.datetime, quantity: int) -> str | None:
    """Why a campaign does not take a signal, or None: the code of the refusal.

    Units that come back are taken at any time after the opening but in the fill phase.
    """
    if window.is_draft or ordered_at < window.opens_at:
        return NOT_OPEN
    if quantity < 0:
        return FILLING if window.in_fill_phase(ordered_at) else None
    return CLOSED if ordered_at >= window.takes_until else None


WINDOWS: dict[str, Any] = {
    "campaign_id": pl.Int64,
    "is_draft": pl.Boolean,
    **dict.fromkeys(
        ("opens_at", "closes_at", "takes_until", "fill_starts_at"), pl.Datetime("us", time_zone="UTC")
    ),
}


def refusal_expression() -> pl.Expr:
    """`pledge_refusal` over the columns ordered_at, quantity and WINDOWS; rows of no campaign are taken."""
    at, returned = pl.col("ordered_at"), pl.col("quantity") < 0
    filling = at.is_between(pl.col("fill_starts_at"), pl.col("closes_at"), closed="left").fill_null(False)
    return (
        pl.when(pl.col("opens_at").is_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(pl.col("is_draft") | (at < pl.col("opens_at")))
        .then(pl.lit(NOT_OPEN))
        .when(returned & filling)
        .then(pl.lit(FILLING))
        .when(~returned & (at >= pl.col("takes_until")))
        .then(pl.lit(CLOSED))
        .otherwise(pl.lit(None, dtype=pl.String))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates of a campaign that an extension moves."""

    closes_at: dt.datetime
    fill_starts_at: dt.datetime | None
    late_until: dt.datetime | None
    deposit_due_at: dt.datetime | None
    balance_due_at: dt.datetime | None


def extended(dates: Dates, *, days: int) -> Dates:
    """All dates so many days later; what was pledged stays pledged.

    Raises:
        RuleBroken: `extension_days`.
    """
    if not 1 <= days <= LONGEST_EXTENSION:
        raise RuleBroken("extension_days", f"Extend by 1 to {LONGEST_EXTENSION} days.")
    more = dt.timedelta(days=days)

    def later(at: dt.datetime | None) -> dt.datetime | None:
        return None if at is None else at + more

    return replace(
        dates,
        closes_at=dates.closes_at + more,
        fill_starts_at=later(dates.fill_starts_at),
        late_until=later(dates.late_until),
        deposit_due_at=later(dates.deposit_due_at),
        balance_due_at=later(dates.balance_due_at),
    )


def beyond(quantities: Sequence[int], *, most: int) -> list[bool]:
    """Which pledges are beyond the most units there may be, in the order they were made.

    A pledge that would take the sum above it is beyond it as a whole; a later and smaller one that still fits
    is not. Returned units (negative) make room again.
    """
    held, flags = 0, []
    for quantity in quantities:
        flags.append(quantity > 0 and held + quantity > most)
        if not flags[-1]:
            held += quantity
    return flags


@dataclass(frozen=True, slots=True, order=True)
class Made:
    """One pledge at its place in the order in which pledges were made; ties go by channel and id."""

    ordered_at: dt.datetime
    channel: str
    external_id: str
    id: int
    quantity: int


MADE: dict[str, Any] = {
    "id": pl.Int64,
    "ordered_at": pl.Datetime("us", time_zone="UTC"),
    "channel": pl.String,
    "external_id": pl.String,
    "quantity": pl.Int64,
}


def over_cap(pledges: pl.DataFrame, *, cap: int) -> list[int]:
    """Ids of the pledges (MADE) that are over the campaign's cap, whatever the order they come in."""
    made = pledges.sort("ordered_at", "channel", "external_id")
    flags = beyond(made["quantity"].to_list(), most=cap)
    return made["id"].filter(pl.Series(flags, dtype=pl.Boolean)).to_list()


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """From `min_units` on, every unit costs `unit_price_minor`."""

    min_units: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class Limited:
    """The next `units` cost `unit_price_minor`, first come first served."""

    units: int
    unit_price_minor: int


def volume_price(tiers: Iterable[Step], *, units: int) -> int | None:
    """The price of every unit at so many units; below the first tier it is the first one's."""
    rising = sorted(tiers)
    reached = [tier for tier in rising if tier.min_units <= units] or rising[:1]
    return reached[-1].unit_price_minor if reached else None


def next_tier(tiers: Iterable[Step], *, units: int) -> Step | None:
    """The next tier that more units would reach."""
    return next((tier for tier in sorted(tiers) if tier.min_units > units), None)


def limited_awards(pledges: Iterable[Made], *, limited: Sequence[Limited]) -> dict[int, tuple[Limited, ...]]:
    """Which units of which pledge (by id) get a limited price: the first ones that were made.

    A pledge across a border has units on both sides of it. Whoever gets none is left out.
    """
    left = [one.units for one in limited]
    awards: dict[int, tuple[Limited, ...]] = {}
    place = 0
    for pledge in sorted(one for one in pledges if one.quantity > 0):
        wanted, parts = pledge.quantity, []
        while wanted and place < len(limited):
            units = min(wanted, left[place])
            if units:
                parts.append(Limited(units, limited[place].unit_price_minor))
            wanted, left[place] = wanted - units, left[place] - units
            place += left[place] == 0
        if parts:
            awards[pledge.id] = tuple(parts)
        if place == len(limited):
            break
    return awards


def deposit_allowed(*, deposit_minor: int, lowest_price_minor: int, cap_percent: int) -> bool:
    """A deposit is at most so many percent of the lowest price that a buyer may have to pay."""
    return deposit_minor * 100 <= cap_percent * lowest_price_minor


def paid_each(*, commitment: str, ordered_price_minor: int, deposit_minor: int) -> int:
    """What was paid for each unit so far."""
    return {"paid": ordered_price_minor, "deposit": deposit_minor}.get(commitment, 0)
