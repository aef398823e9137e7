"""What a campaign's close comes to: go or not, the price reached, balances to ask and deposits to return."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, distinct, func, select
from sqlalchemy.orm import Session

from app.stages.demand import rules
from app.stages.demand.models import Channel, Correction, Signal
from app.stages.demand.queries.campaigns import CampaignFact, get_campaign, late_units, list_campaigns
from app.stages.demand.queries.terms import limited_tiers, tiers
from app.stages.demand.rules import CampaignState, Commitment, Reason, SignalStatus
from app.stages.demand.rules.campaigns import (
    Limited,
    Made,
    Step,
    limited_awards,
    next_tier,
    paid_each,
    volume_price,
)

OWING = (Commitment.DEPOSIT, Commitment.PLEDGE)
PAYING = (Commitment.DEPOSIT, Commitment.PAID)
ASKING = (CampaignState.REACHED, CampaignState.IN_PRODUCTION, CampaignState.SHIPPING)
"""A balance is asked for once a campaign goes, until it is closed."""
FAILED = (CampaignState.MISSED, CampaignState.CANCELLED)
KEPT_OUT = (Reason.OVER_LIMIT, Reason.SUSPECTED, Reason.OVER_CAP)
"""Reasons for which units of a campaign that goes are not made although somebody may have paid for them."""


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


@dataclass(frozen=True, slots=True)
class AwardFact:
    """Units of one pledge at a limited price."""

    channel: str
    external_id: str
    ordered_at: dt.datetime
    units: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class CloseOutlook:
    """What would happen if the campaign were closed now.

    `valid_units` were pledged before the close; `late_units` come after it and decide nothing.
    `price_minor` is the price reached, `next_tier_short` the units to the next one. `released_units` require
    nothing any more. `refund` is what buyers paid above the price reached.
    """

    goes: bool
    valid_units: int
    late_units: int
    expected_units: int
    go_factor_percent: int
    go_units: int
    price_minor: int | None
    next_price_minor: int | None
    next_tier_short: int | None
    limited_units: int
    released_units: int
    balance: Sum
    refund_minor: int
    deposits_to_return: Sum


@dataclass(frozen=True, slots=True)
class OpenBalance:
    """Pledges, buyers and units of a campaign whose balance is open."""

    campaign_id: int
    campaign: str
    balance_due_at: dt.datetime
    pledges: int
    buyers: int
    units: int


@dataclass(frozen=True, slots=True)
class BalanceFact:
    """Balances of one campaign that are asked for: who owes, by region, and until when."""

    campaign_id: int
    campaign: str
    balance_due_at: dt.datetime | None
    total: Sum
    regions: tuple[RegionSum, ...]


def close_outlook(session: Session, *, campaign_id: int) -> CloseOutlook:
    """The dry run of a close, by the figures as they stand now.

    Raises:
        NotFound: `campaign_unknown`.
    """
    campaign = get_campaign(session, campaign_id=campaign_id)
    late = late_units(session, campaign_id=campaign_id, closes_at=campaign.closes_at)
    valid = campaign.valid_units - late
    goes = rules.reaches_go(
        valid_units=valid,
        expected_units=campaign.expected_units,
        go_factor_percent=campaign.go_factor_percent,
    )
    steps = tiers(session, campaign_id=campaign_id)
    upward = next_tier(steps, units=campaign.valid_units)
    awards = list_awards(session, campaign_id=campaign_id)
    nothing = Sum(0, 0, 0, 0)
    balance, refund = _balance(session, campaign) if goes else (nothing, 0)
    return CloseOutlook(
        goes=goes,
        valid_units=valid,
        late_units=late,
        expected_units=campaign.expected_units,
        go_factor_percent=campaign.go_factor_percent,
        go_units=campaign.go_units,
        price_minor=volume_price(steps, units=campaign.valid_units),
        next_price_minor=upward.unit_price_minor if upward else None,
        next_tier_short=upward.min_units - campaign.valid_units if upward else None,
        limited_units=sum(one.units for one in awards),
        released_units=0 if goes else campaign.valid_units,
        balance=balance,
        refund_minor=refund,
        deposits_to_return=_total(_deposits(session, campaign, goes=goes)),
    )


def open_balances(session: Session) -> list[OpenBalance]:
    """Every campaign that goes and has a date for the balance, with who still owes it; the soonest first."""
    asking = list_campaigns(session, states=[state.value for state in ASKING])
    dated: dict[Any, tuple[str, dt.datetime]] = {
        one.id: (one.code, one.balance_due_at) for one in asking if one.balance_due_at is not None
    }
    query = (
        select(
            Signal.campaign_id,
            func.count(),
            func.count(distinct(Signal.buyer)),
            func.sum(Signal.quantity),
        )
        .where(
            Signal.campaign_id.in_(dated),
            Signal.reason == Reason.VALID,
            Signal.commitment.in_([one.value for one in OWING]),
        )
        .group_by(Signal.campaign_id)
    )
    found = [
        OpenBalance(int(id_ or 0), *dated[id_], pledges, buyers, int(units))
        for id_, pledges, buyers, units in session.execute(query)
    ]
    return sorted(found, key=lambda one: (one.balance_due_at, one.campaign_id))


def balance_of(session: Session, *, campaign_id: int) -> BalanceFact:
    """Who owes the balance of a campaign: counts by region, never a name."""
    campaign = get_campaign(session, campaign_id=campaign_id)
    owed = _owed(session, campaign)
    by_region: dict[int, list[PledgeSum]] = defaultdict(list)
    for one in owed:
        by_region[one.region_id].append(one)
    regions = [_of_region(region_id, theirs) for region_id, theirs in sorted(by_region.items())]
    return BalanceFact(campaign.id, campaign.code, campaign.balance_due_at, _total(owed), tuple(regions))


def owed_pledges(session: Session, *, campaign_id: int, offset: int = 0, limit: int = 100) -> list[PledgeSum]:
    """The pledges whose balance is open, in the order of channel and id; of a campaign that goes."""
    campaign = get_campaign(session, campaign_id=campaign_id)
    owed = _owed(session, campaign) if campaign.state in {one.value for one in ASKING} else []
    return _page(owed, offset=offset, limit=limit)


def deposits_to_return(
    session: Session, *, campaign_id: int, offset: int = 0, limit: int = 100
) -> list[PledgeSum]:
    """What buyers paid for units that are not made: all of a campaign that failed, else what was kept out."""
    return _page(_due_back(session, get_campaign(session, campaign_id=campaign_id)), offset, limit)


def deposit_sums(session: Session, *, campaign_id: int) -> Sum:
    """The same in total."""
    return _total(_due_back(session, get_campaign(session, campaign_id=campaign_id)))


def list_awards(session: Session, *, campaign_id: int) -> list[AwardFact]:
    """Who gets a limited price, in the order the pledges were made; it never depends on their arrival."""
    return [
        AwardFact(made.channel, made.external_id, made.ordered_at, part.units, part.unit_price_minor)
        for made, parts in _awarded(session, campaign_id)
        for part in parts
    ]


def _awarded(session: Session, campaign_id: int) -> list[tuple[Made, tuple[Limited, ...]]]:
    limited = limited_tiers(session, campaign_id=campaign_id)
    if not limited:
        return []
    made = _first_made(session, campaign_id, units=sum(one.units for one in limited))
    awards = limited_awards(made, limited=limited)
    return [(one, awards[one.id]) for one in sorted(made) if one.id in awards]


def _first_made(session: Session, campaign_id: int, *, units: int) -> list[Made]:
    """The pledges that hold the first units, and all that were made at the moment of the last of them."""
    query = (
        select(Signal.ordered_at, Channel.code, Signal.external_id, Signal.id, Signal.quantity)
        .join(Channel, Channel.id == Signal.channel_id)
        .where(Signal.campaign_id == campaign_id, Signal.reason == Reason.VALID, Signal.quantity > 0)
        .order_by(Signal.ordered_at)
    )
    made: list[Made] = []
    held = 0
    with session.execute(query.execution_options(yield_per=1000)) as rows:
        for row in rows:
            one = Made(*row)
            if held >= units and one.ordered_at > made[-1].ordered_at:
                break
            made.append(one)
            held += one.quantity
    return made


def _balance(session: Session, campaign: CampaignFact) -> tuple[Sum, int]:
    """What is owed in all, and what was paid too much."""
    parts = _prices(session, campaign)
    owed = _total([one for one in parts if one.amount_minor > 0])
    return owed, -sum(one.amount_minor for one in parts if one.amount_minor < 0)


def _owed(session: Session, campaign: CampaignFact) -> list[PledgeSum]:
    return [one for one in _prices(session, campaign) if one.amount_minor > 0]


def _prices(session: Session, campaign: CampaignFact) -> list[PledgeSum]:
    """What is still to pay for each valid pledge at the price reached; below 0 it was too much."""
    steps: list[Step] = tiers(session, campaign_id=campaign.id)
    reached = volume_price(steps, units=campaign.valid_units)
    awards = {made.id: parts for made, parts in _awarded(session, campaign.id)}
    query = _pledges(campaign.id, reasons=[Reason.VALID], commitments=[*OWING, Commitment.PAID])
    sums = []
    for id_, commitment, price, channel, external_id, buyer, region, quantity in session.execute(query):
        parts = awards.get(id_, ())
        rest = quantity - sum(part.units for part in parts)
        due = sum(part.units * part.unit_price_minor for part in parts)
        due += rest * (price if reached is None else reached)
        paid = paid_each(
            commitment=commitment, ordered_price_minor=price, deposit_minor=campaign.deposit_minor or 0
        )
        owed = due - paid * quantity
        sums.append(PledgeSum(channel, external_id, buyer, region, quantity, owed))
    return sums


def _due_back(session: Session, campaign: CampaignFact) -> list[PledgeSum]:
    """What is to be returned as the campaign stands: nothing before it is decided."""
    if campaign.state in {one.value for one in FAILED}:
        return _deposits(session, campaign, goes=False)
    if campaign.state in {one.value for one in ASKING}:
        return _deposits(session, campaign, goes=True)
    return []


def _deposits(session: Session, campaign: CampaignFact, *, goes: bool) -> list[PledgeSum]:
    reasons = KEPT_OUT if goes else (Reason.VALID, *KEPT_OUT)
    query = _pledges(campaign.id, reasons=reasons, commitments=PAYING)
    sums = []
    for _, commitment, price, channel, external_id, buyer, region, quantity in session.execute(query):
        paid = paid_each(
            commitment=commitment, ordered_price_minor=price, deposit_minor=campaign.deposit_minor or 0
        )
        sums.append(PledgeSum(channel, external_id, buyer, region, quantity, paid * quantity))
    return [one for one in sums if one.amount_minor]


def _pledges(
    campaign_id: int, *, reasons: Iterable[Reason], commitments: Iterable[Commitment]
) -> Select[*tuple[Any, ...]]:
    """Id, commitment, price, channel, external id, buyer, region and quantity, by channel and id."""
    same = (Correction.channel_id == Signal.channel_id) & (Correction.external_id == Signal.external_id)
    status = func.coalesce(Correction.status, Signal.status)
    return (
        select(
            Signal.id,
            Signal.commitment,
            Signal.unit_price_minor,
            Channel.code,
            Signal.external_id,
            Signal.buyer,
            Signal.region_id,
            Signal.quantity,
        )
        .join(Channel, Channel.id == Signal.channel_id)
        .outerjoin(Correction, same)
        .where(
            Signal.campaign_id == campaign_id,
            Signal.quantity > 0,
            Signal.reason.in_([one.value for one in reasons]),
            Signal.commitment.in_([one.value for one in commitments]),
            status == SignalStatus.PLACED,
        )
        .order_by(Channel.code, Signal.external_id)
    )


def _page(found: list[PledgeSum], offset: int, limit: int) -> list[PledgeSum]:
    return found[offset : offset + limit]


def _total(found: Iterable[PledgeSum]) -> Sum:
    listed = list(found)
    return Sum(
        pledges=len(listed),
        buyers=len({one.buyer for one in listed if one.buyer is not None}),
        units=sum(one.units for one in listed),
        amount_minor=sum(one.amount_minor for one in listed),
    )


def _of_region(region_id: int, found: list[PledgeSum]) -> RegionSum:
    whole = _total(found)
    return RegionSum(region_id, whole.pledges, whole.buyers, whole.units, whole.amount_minor)
