"""What each pledge of a campaign is still to pay, or is to get back: summed and paged by the database.

Only pledges with units at a limited price are read one by one, and there are no more of them than such units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    distinct,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.stages.demand.models import Channel, Correction, Signal
from app.stages.demand.queries.awards import awarded
from app.stages.demand.queries.campaigns import CampaignFact
from app.stages.demand.queries.terms import tiers
from app.stages.demand.rules import Commitment, Reason, SignalStatus
from app.stages.demand.rules.campaigns import Limited, paid_each, volume_price

OWING = (Commitment.DEPOSIT, Commitment.PLEDGE)
PAYING = (Commitment.DEPOSIT, Commitment.PAID)
STILL_OWED = (Reason.VALID, Reason.UNPAID)
"""What is past due counts no more, and may still be paid."""
KEPT_OUT = (Reason.OVER_LIMIT, Reason.SUSPECTED, Reason.OVER_CAP)
"""Reasons for which units of a campaign that goes are not made although somebody may have paid for them."""


class Refund(StrEnum):
    """Why a buyer is to get money back."""

    NOT_MADE = "not_made"
    OVERPAID = "overpaid"
    REPLACED = "replaced"
    """A deposit whose pledge an order paid in full took the place of."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Pledges with their buyers (pseudonyms), units and an amount in minor units."""

    pledges: int
    buyers: int
    units: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class RegionSum:
    region_id: int
    pledges: int
    buyers: int
    units: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PledgeSum:
    """One pledge with an amount to ask for or to return; `buyer` is a pseudonym."""

    channel: str
    external_id: str
    buyer: str | None
    region_id: int
    units: int
    amount_minor: int
    why: Refund | None = None
    """Why it is to be returned; None if it is to be asked for."""


@dataclass(frozen=True, slots=True)
class RefundSum(Sum):
    why: Refund


@dataclass(frozen=True, slots=True)
class _Single:
    """A pledge of which the amount was reckoned by itself; `alike` is what it would be like any other."""

    region_id: int
    amount: int
    alike: int


class Amounts:
    """The pledges of one campaign of which an amount is to be asked for, or to be returned: those above 0.

    A pledge has `each` × its quantity, but for those in `singly`, by id.
    """

    def __init__(
        self,
        session: Session,
        where: Iterable[ColumnElement[bool]],
        each: ColumnElement[int],
        singly: Mapping[int, _Single] | None = None,
    ) -> None:
        self._session, self._where, self._singly = session, tuple(where), singly or {}
        self._each, self._alike = each, each * Signal.quantity
        owing = {id_: one for id_, one in self._singly.items() if one.amount > 0}
        others = ~_among(self._singly)
        self._meant = or_(and_(each > 0, others), _among(owing)) if self._singly else each > 0
        self._corrections = [(one.region_id, one.amount - one.alike) for one in owing.values()]

    def total(self) -> Sum:
        row = self._session.execute(self._sums().where(self._meant)).one()
        pledges, buyers, units, amount = (int(value or 0) for value in row)
        return Sum(pledges, buyers, units, amount + sum(more for _, more in self._corrections))

    def by_region(self) -> tuple[RegionSum, ...]:
        query = self._sums(Signal.region_id).where(self._meant)
        rows = self._session.execute(query.group_by(Signal.region_id).order_by(Signal.region_id))
        more: Counter[int] = Counter()
        for region_id, amount in self._corrections:
            more[region_id] += amount
        return tuple(
            RegionSum(region_id, pledges, buyers, int(units), int(amount) + more[region_id])
            for region_id, pledges, buyers, units, amount in rows
        )

    def page(self, *, offset: int, limit: int) -> list[PledgeSum]:
        """In the order of channel and external id."""
        columns = (Channel.code, Signal.external_id, Signal.buyer, Signal.region_id, Signal.quantity)
        query = self._joined(select(*columns, self._alike, Signal.id)).where(self._meant)
        query = query.order_by(Channel.code, Signal.external_id).offset(offset).limit(limit)
        rows = self._session.execute(query).all()
        told = [PledgeSum(*row[:-1]) for row in rows]
        return [
            replace(one, amount_minor=self._singly[row.id].amount) if row.id in self._singly else one
            for one, row in zip(told, rows, strict=True)
        ]

    def __neg__(self) -> Amounts:
        """The same pledges the other way round: of what is owed, what was paid too much."""
        singly = {
            id_: replace(one, amount=-one.amount, alike=-one.alike) for id_, one in self._singly.items()
        }
        return Amounts(self._session, self._where, -self._each, singly)

    def _sums(self, *keys: Any) -> Select[*tuple[Any, ...]]:
        buyers = func.count(distinct(Signal.buyer))
        sums = (func.count(), buyers, func.sum(Signal.quantity), func.sum(self._alike))
        return self._joined(select(*keys, *sums))

    def _joined(self, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        return _joined(query).where(*self._where)


def owed(session: Session, campaign: CampaignFact) -> Amounts:
    """What is still to pay for each valid pledge at the price reached."""
    where = _pledges(campaign.id, reasons=STILL_OWED, commitments=[*OWING, Commitment.PAID])
    reached = volume_price(tiers(session, campaign_id=campaign.id), units=campaign.valid_units)
    price: SQLColumnExpression[int] = Signal.unit_price_minor if reached is None else literal(reached)
    parts = {made.id: parts for made, parts in awarded(session, campaign_id=campaign.id)}
    each = price - _paid_each(campaign)
    singly = _singly(session, campaign, where, parts, reached) if parts else {}
    return Amounts(session, where, each, singly)


def refunds(session: Session, campaign: CampaignFact, *, asked: Amounts | None) -> dict[Refund, Amounts]:
    """What buyers are to get back, by why.

    `asked` is what is `owed` of a campaign that goes; of one that fails, nothing is, and all goes back.
    """
    not_made = KEPT_OUT if asked else (*STILL_OWED, *KEPT_OUT)
    paid = _paid_each(campaign)
    kept_out = _pledges(campaign.id, reasons=not_made, commitments=PAYING)
    replaced = _pledges(campaign.id, reasons=[Reason.SUPERSEDED], commitments=[Commitment.DEPOSIT])
    back = {
        Refund.NOT_MADE: Amounts(session, kept_out, paid),
        Refund.REPLACED: Amounts(session, replaced, paid),
    }
    return {**back, Refund.OVERPAID: -asked} if asked else back


def _singly(
    session: Session,
    campaign: CampaignFact,
    where: Iterable[ColumnElement[bool]],
    awards: Mapping[int, tuple[Limited, ...]],
    reached: int | None,
) -> dict[int, _Single]:
    """What is still to pay for each pledge with units at a limited price."""
    columns = (Signal.id, Signal.region_id, Signal.commitment, Signal.unit_price_minor, Signal.quantity)
    query = _joined(select(*columns)).where(*where, _among(awards))
    found = {}
    for id_, region_id, commitment, ordered_price, quantity in session.execute(query):
        price = ordered_price if reached is None else reached
        paid = paid_each(
            commitment=commitment,
            ordered_price_minor=ordered_price,
            deposit_minor=campaign.deposit_minor or 0,
        )
        alike = (price - paid) * quantity
        less = sum(part.units * (part.unit_price_minor - price) for part in awards[id_])
        found[id_] = _Single(region_id, alike + less, alike)
    return found


def _paid_each(campaign: CampaignFact) -> ColumnElement[int]:
    """The rule `paid_each`, by which commitments nothing else is told of, as the database reckons it."""
    paid = {
        Commitment.PAID.value: Signal.unit_price_minor,
        Commitment.DEPOSIT.value: literal(campaign.deposit_minor or 0),
    }
    return case(paid, value=Signal.commitment, else_=literal(0))


def _pledges(
    campaign_id: int, *, reasons: Iterable[Reason], commitments: Iterable[Commitment]
) -> tuple[ColumnElement[bool], ...]:
    status = func.coalesce(Correction.status, Signal.status)
    return (
        Signal.campaign_id == campaign_id,
        Signal.quantity > 0,
        Signal.reason.in_([one.value for one in reasons]),
        Signal.commitment.in_([one.value for one in commitments]),
        status == SignalStatus.PLACED,
    )


def _joined(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    same = (Correction.channel_id == Signal.channel_id) & (Correction.external_id == Signal.external_id)
    query = query.select_from(Signal).join(Channel, Channel.id == Signal.channel_id)
    return query.outerjoin(Correction, same)


def _among(ids: Collection[int]) -> ColumnElement[bool]:
    """One of these signals; the numbers are part of the statement, since there may be very many."""
    return Signal.id.in_(bindparam(None, list(ids), expanding=True, literal_execute=True))
