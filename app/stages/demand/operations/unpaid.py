"""Pledges whose deposit or balance is past due: they count no more, until they are paid after all."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.stages.demand.models import Campaign, Signal
from app.stages.demand.operations import caps, limits
from app.stages.demand.operations.exclusions import exclude_by_rule, take_back
from app.stages.demand.operations.turns import take_every_turn
from app.stages.demand.queries.exclusions import decided_signals
from app.stages.demand.rules import CampaignState, Reason
from app.stages.demand.rules.commitments import Commitment, Owing, past_due

RULE = "rule:unpaid"
"""Who excludes and, when the day was put off, takes back. A person's word always stands."""
ASKS = (CampaignState.OPEN, CampaignState.REACHED, CampaignState.IN_PRODUCTION, CampaignState.SHIPPING)
LOOKED_AT = (Reason.VALID, Reason.UNPAID, Reason.OVER_CAP)


def exclude_unpaid(session: Session, *, grace: dt.timedelta, now: dt.datetime) -> int:
    """Decide of every pledge that owes something; returns how many signals changed.

    Args:
        grace: how long after it was due a payment may still come.
    """
    dated = Campaign.deposit_due_at.is_not(None) | Campaign.balance_due_at.is_not(None)
    campaigns = select(Campaign).where(Campaign.state.in_(ASKS), dated).order_by(Campaign.id)
    found = session.scalars(campaigns).all()
    if not found:
        return 0
    take_every_turn(session)
    return sum(_decide(session, campaign, grace=grace, now=now) for campaign in found)


def _decide(session: Session, campaign: Campaign, *, grace: dt.timedelta, now: dt.datetime) -> int:
    terms = Owing(
        asks_balance=campaign.state != CampaignState.OPEN,
        deposit_minor=campaign.deposit_minor or 0,
        deposit_due_at=campaign.deposit_due_at,
        balance_due_at=campaign.balance_due_at,
    )
    query = select(Signal).where(
        Signal.campaign_id == campaign.id,
        Signal.quantity > 0,
        Signal.reason.in_(LOOKED_AT),
        Signal.commitment.in_([Commitment.DEPOSIT, Commitment.PLEDGE]),
    )
    pledges = session.scalars(query.order_by(Signal.id).with_for_update()).all()
    owed = {}
    for one in pledges:
        due = past_due(
            terms,
            commitment=one.commitment,
            made_at=one.ordered_at,
            unit_price_minor=one.unit_price_minor,
            grace=grace,
            now=now,
        )
        if due is not None:
            owed[one.id] = {"owes": due[0], "due_at": due[1].isoformat()}
    unpaid = [one for one in pledges if one.id in owed and one.reason != Reason.UNPAID]
    paid = [one for one in pledges if one.id not in owed and one.reason == Reason.UNPAID]
    kept = decided_signals(session, ids=[one.id for one in (*unpaid, *paid)])
    out, back = ([one for one in some if one.id not in kept] for some in (unpaid, paid))
    buyers = {(campaign.id, one.buyer) for one in (*out, *back) if one.buyer is not None}
    evidence = {one.id: owed[one.id] for one in out}
    exclude_by_rule(session, evidence=evidence, reason=Reason.UNPAID, rule=RULE, now=now)
    take_back(session, ids=[one.id for one in back], rule=RULE, now=now)
    if out or back:
        limits.decide_of_buyers(session, buyers=buyers, now=now)
        caps.decide(session, campaigns=[campaign.id], now=now)
    return len(out) + len(back)
