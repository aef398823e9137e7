"""What is kept of one buyer, who is only ever a pseudonym here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.stages.catalog.models import Region, Sku
from app.stages.demand.models import Ballot, Campaign, Channel, Signal, SignalTrace
from app.stages.imports.rules import pseudonym

NOBODY = "x"
"""What stands for a buyer who was forgotten begins with it; no pseudonym does."""
TRACES = {"device": SignalTrace.device, "address": SignalTrace.address, "payment": SignalTrace.payment}


@dataclass(frozen=True, slots=True)
class KeptFact:
    """One signal of a buyer, with all that is kept of it about a person."""

    channel: str
    external_id: str
    commitment: str
    sku: str
    region: str
    campaign: str | None
    quantity: int
    unit_price_minor: int
    currency: str
    ordered_at: dt.datetime
    buyer: str | None
    device: str | None
    address: str | None
    payment: str | None
    account_created_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class BallotFact:
    """One ballot of a buyer."""

    round_id: int
    design_id: int
    cast_at: dt.datetime
    buyer: str


@dataclass(frozen=True, slots=True)
class BuyerFact:
    """All that is kept of one buyer."""

    signals: list[KeptFact]
    ballots: list[BallotFact]
    next_after: int | None
    """Where to go on, when there are more signals; the ballots come with the first of them."""


def pseudonyms_of(session: Session, *, who: str, key: bytes) -> list[str]:
    """The pseudonyms of what names a buyer (an e-mail, a member's number): one in each channel."""
    channels = session.scalars(select(Channel.code).order_by(Channel.code))
    return [pseudonym(who.strip(), key=key, channel=channel) for channel in channels]


def kept_of(
    session: Session, *, pseudonyms: Collection[str], after: int, limit: int
) -> tuple[list[KeptFact], int | None]:
    """Signals behind `after` that have one of these pseudonyms, as buyer, device, address or payment.

    With them the place where to go on, None when these are the last.
    """
    query = (
        select(
            Signal.id,
            Channel.code,
            Signal.external_id,
            Signal.commitment,
            Sku.code,
            Region.code,
            Campaign.code,
            Signal.quantity,
            Signal.unit_price_minor,
            Channel.currency,
            Signal.ordered_at,
            Signal.buyer,
            *TRACES.values(),
            SignalTrace.account_created_at,
        )
        .join(Channel, Channel.id == Signal.channel_id)
        .join(Sku, Sku.id == Signal.sku_id)
        .join(Region, Region.id == Signal.region_id)
        .outerjoin(Campaign, Campaign.id == Signal.campaign_id)
        .outerjoin(SignalTrace, SignalTrace.signal_id == Signal.id)
        .where(Signal.id > after, _names(pseudonyms))
        .order_by(Signal.id)
        .limit(limit)
    )
    rows = session.execute(query).all()
    return [KeptFact(*tuple(row)[1:]) for row in rows], rows[-1][0] if len(rows) == limit else None


def ballots_of(session: Session, *, pseudonyms: Collection[str]) -> list[BallotFact]:
    """Every ballot cast under one of these pseudonyms."""
    query = select(Ballot.round_id, Ballot.design_id, Ballot.cast_at, Ballot.buyer)
    rows = session.execute(query.where(Ballot.buyer.in_(pseudonyms)).order_by(Ballot.round_id, Ballot.buyer))
    return [BallotFact(*row) for row in rows]


def ballots_before(session: Session, *, instant: dt.datetime, limit: int) -> list[tuple[int, str]]:
    """Round and pseudonym of ballots older than an instant that still name somebody."""
    query = select(Ballot.round_id, Ballot.buyer).where(
        Ballot.cast_at < instant, ~Ballot.buyer.startswith(NOBODY)
    )
    return [
        (row[0], row[1])
        for row in session.execute(query.order_by(*Ballot.__table__.primary_key).limit(limit))
    ]


def ids_of(session: Session, *, pseudonyms: Collection[str], after: int, limit: int) -> list[int]:
    """The ids of those signals, in order."""
    query = select(Signal.id).outerjoin(SignalTrace, SignalTrace.signal_id == Signal.id)
    query = query.where(Signal.id > after, _names(pseudonyms))
    return list(session.scalars(query.order_by(Signal.id).limit(limit)))


def count_of(session: Session, *, pseudonyms: Collection[str], after: int = 0) -> int:
    """How many they are behind `after`."""
    query = select(func.count()).select_from(Signal)
    query = query.outerjoin(SignalTrace, SignalTrace.signal_id == Signal.id)
    return session.scalar(query.where(Signal.id > after, _names(pseudonyms))) or 0


def named_before(session: Session, *, day: dt.date, limit: int) -> list[int]:
    """Ids of signals older than a day that still name somebody."""
    traced = select(SignalTrace.signal_id).where(SignalTrace.signal_id == Signal.id).exists()
    query = select(Signal.id).where(Signal.day < day, or_(Signal.buyer.is_not(None), traced))
    return list(session.scalars(query.order_by(Signal.id).limit(limit)))


def _names(pseudonyms: Collection[str]) -> ColumnElement[bool]:
    return or_(Signal.buyer.in_(pseudonyms), *(column.in_(pseudonyms) for column in TRACES.values()))
