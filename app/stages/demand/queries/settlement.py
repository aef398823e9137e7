"""What a campaign's close comes to: go or not, the price reached, balances to ask and deposits to return."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
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
    RegionSum,
    Sum,
    owed,
    returned,
)
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
    asked = owed(session, campaign) if goes else None
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
        balance=asked.total() if asked else NOTHING,
        refund_minor=asked.too_much() if asked else 0,
        deposits_to_return=returned(session, campaign, goes=goes).total(),
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


def deposits_to_return(
    session: Session, *, campaign_id: int, offset: int = 0, limit: int = 100
) -> list[PledgeSum]:
    """What buyers paid for units that are not made: all of a campaign that failed, else what was kept out."""
    due = _due_back(session, get_campaign(session, campaign_id=campaign_id))
    return due.page(offset=offset, limit=limit) if due else []


def deposit_sums(session: Session, *, campaign_id: int) -> Sum:
    """The same in total."""
    due = _due_back(session, get_campaign(session, campaign_id=campaign_id))
    return due.total() if due else NOTHING


def _due_back(session: Session, campaign: CampaignFact) -> Amounts | None:
    """What is to be returned as the campaign stands: nothing before it is decided."""
    if campaign.state in {one.value for one in (*FAILED, *ASKING)}:
        return returned(session, campaign, goes=campaign.state in {one.value for one in ASKING})
    return None
