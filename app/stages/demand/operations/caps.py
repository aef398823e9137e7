"""The cap of a campaign: which pledges are over it, decided again whenever its pledges change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.demand.models import Campaign, CampaignTotalDay, Channel, Signal
from app.stages.demand.operations.exclusions import exclude_by_rule, take_back
from app.stages.demand.queries.cells import counted
from app.stages.demand.queries.exclusions import decided_by_person
from app.stages.demand.rules import KINDS, Reason, kind_reason
from app.stages.demand.rules.campaigns import MADE, over_cap

RULE = "rule:over_cap"
"""Who excludes and, when an earlier pledge is gone, takes back. A person's word always stands."""

HOLDING = tuple(kind for kind in KINDS if kind_reason(kind) is Reason.VALID)
"""Kinds of cells whose units take room."""


def decide_of_file(session: Session, *, batch_id: int, now: dt.datetime) -> None:
    """Decide again for every campaign with a cap that this file has pledges of."""
    pledged = select(Signal.campaign_id).where(Signal.batch_id == batch_id, Signal.campaign_id.is_not(None))
    capped = select(Campaign.id).where(Campaign.id.in_(pledged), Campaign.cap_units.is_not(None))
    decide(session, campaigns=session.scalars(capped).all(), now=now)


def decide(session: Session, *, campaigns: Iterable[int], now: dt.datetime) -> None:
    """Decide again for these campaigns; pledges count in the order they were made.

    What is over the limit per buyer, or suspected, takes no room, so those rules come first.
    """
    query = select(Campaign.id, Campaign.cap_units).where(
        Campaign.id.in_(sorted(set(campaigns))), Campaign.cap_units.is_not(None)
    )
    for campaign_id, units in session.execute(query.order_by(Campaign.id)).all():
        cap = int(units or 0)
        if _may_be_over(session, campaign_id, cap=cap):
            _decide(session, campaign_id, cap=cap, now=now)


def _may_be_over(session: Session, campaign_id: int, *, cap: int) -> bool:
    """By the roll-ups, which are few rows: most campaigns are far below their cap."""
    table = counted(CampaignTotalDay)
    query = (
        select(table.reason, func.sum(table.raw_units), func.sum(table.signals))
        .where(table.campaign_id == campaign_id, table.reason.in_([*HOLDING, Reason.OVER_CAP]))
        .group_by(table.reason)
    )
    held = {reason: (int(units), int(signals)) for reason, units, signals in session.execute(query)}
    return (
        sum(held.get(kind, (0, 0))[0] for kind in HOLDING) > cap or held.get(Reason.OVER_CAP, (0, 0))[1] > 0
    )


def _decide(session: Session, campaign_id: int, *, cap: int, now: dt.datetime) -> None:
    kept = decided_by_person(session, campaign_id=campaign_id)
    columns = (Signal.id, Signal.ordered_at, Channel.code, Signal.external_id, Signal.quantity)
    query = (
        select(*columns, Signal.reason)
        .join(Channel, Channel.id == Signal.channel_id)
        .where(
            Signal.campaign_id == campaign_id,
            Signal.reason.in_([Reason.VALID, Reason.RETURNED, Reason.OVER_CAP]),
        )
    )
    rows = [tuple(row) for row in session.execute(query)]
    schema = {**MADE, "reason": pl.String}
    pledges = pl.DataFrame(rows, schema=schema, orient="row").filter(~pl.col("id").is_in(list(kept)))
    over = set(over_cap(pledges, cap=cap))
    reasons = dict(pledges.select("id", "reason").iter_rows())
    fresh = sorted(one for one in over if reasons[one] == Reason.VALID)
    again = sorted(one for one, reason in reasons.items() if reason == Reason.OVER_CAP and one not in over)
    evidence = {one: {"cap_units": cap} for one in fresh}
    exclude_by_rule(session, evidence=evidence, reason=Reason.OVER_CAP, rule=RULE, now=now)
    take_back(session, ids=again, rule=RULE, now=now)
