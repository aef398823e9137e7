"""What a campaign's close comes to: go or not, the price reached, balances to ask for, what to return."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from app.stages.demand import rules
from app.stages.demand.models import Signal
from app.stages.demand.queries.awards import list_awards
from app.stages.demand.queries.campaigns import CampaignFact, get_campaign, late_units, list_campaigns
from app.stages.demand.queries.owing import (
    OWING,
    STILL_OWED,
    Amounts,
    PledgeSum,
    Refund,
    RefundSum,
    RegionSum,
    Sum,
    owed,
    refunds,
)
from app.stages.demand.queries.sketches import campaign_buyers
from app.stages.demand.queries.terms import tiers
from app.stages.demand.rules import CampaignState
from app.stages.demand.rules.campaigns import next_tier, volume_price

ASKING = (CampaignState.REACHED, CampaignState.IN_PRODUCTION, CampaignState.SHIPPING)
"""A balance is asked for once a campaign goes, until it is closed."""
FAILED = (CampaignState.MISSED, CampaignState.CANCELLED)
NOTHING = Sum(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class CloseOutlook:
    """What would happen if the campaign were closed now.

    `valid_units` were pledged before the close; `late_units` come after it and decide nothing. `buyers` are
    about how many ordered. `price_minor` is the price reached, `next_tier_short` the units to the next one.
    `released_units` require nothing any more. `refunds` are what buyers are to get back, each reason once.
    """

    goes: bool
    valid_units: int
    late_units: int
    expected_units: int
    go_factor_percent: int
    go_units: int
    buyers: int
    price_minor: int | None
    next_price_minor: int | None
    next_tier_short: int | None
    limited_units: int
    released_units: int
    balance: Sum
    refunds: tuple[RefundSum, ...]


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
    asked = owed(session, campaign) if goes else None
    return CloseOutlook(
        goes=goes,
        valid_units=valid,
        late_units=late,
        expected_units=campaign.expected_units,
        go_factor_percent=campaign.go_factor_percent,
        go_units=campaign.go_units,
        buyers=campaign_buyers(session, campaign_id=campaign_id),
        price_minor=volume_price(steps, units=campaign.valid_units),
        next_price_minor=upward.unit_price_minor if upward else None,
        next_tier_short=upward.min_units - campaign.valid_units if upward else None,
        limited_units=sum(one.units for one in awards),
        released_units=0 if goes else campaign.valid_units,
        balance=asked.total() if asked else NOTHING,
        refunds=_sums(refunds(session, campaign, asked=asked)),
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
            Signal.reason.in_(STILL_OWED),
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
    asked = owed(session, campaign)
    regions = asked.by_region()
    return BalanceFact(campaign.id, campaign.code, campaign.balance_due_at, asked.total(), regions)


def owed_pledges(session: Session, *, campaign_id: int, offset: int = 0, limit: int = 100) -> list[PledgeSum]:
    """The pledges whose balance is open, in the order of channel and id; of a campaign that goes."""
    campaign = get_campaign(session, campaign_id=campaign_id)
    if campaign.state not in {one.value for one in ASKING}:
        return []
    return owed(session, campaign).page(offset=offset, limit=limit)


def list_refunds(session: Session, *, campaign_id: int, offset: int = 0, limit: int = 100) -> list[PledgeSum]:
    """Each pledge with something to return and why: reason by reason, in the order of channel and id."""
    campaign = get_campaign(session, campaign_id=campaign_id)
    found: list[PledgeSum] = []
    for why, amounts in _due_back(session, campaign).items():
        page = amounts.page(offset=offset, limit=limit - len(found))
        found += [replace(one, why=why) for one in page]
        if len(found) == limit:
            break
        offset = 0 if page else offset - amounts.total().pledges
    return found


def refund_sums(session: Session, *, campaign_id: int) -> tuple[RefundSum, ...]:
    """The same in total: all reasons that there can be as the campaign stands, also those with nothing."""
    return _sums(_due_back(session, get_campaign(session, campaign_id=campaign_id)))


def _due_back(session: Session, campaign: CampaignFact) -> dict[Refund, Amounts]:
    """What is to be returned as the campaign stands: nothing before it is decided, or once it is over."""
    if campaign.state in {one.value for one in ASKING}:
        return refunds(session, campaign, asked=owed(session, campaign))
    if campaign.state in {one.value for one in FAILED}:
        return refunds(session, campaign, asked=None)
    return {}


def _sums(back: dict[Refund, Amounts]) -> tuple[RefundSum, ...]:
    return tuple(RefundSum(**asdict(amounts.total()), why=why) for why, amounts in back.items())
