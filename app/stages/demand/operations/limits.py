"""The limit per buyer: which pledges of a campaign are over it, decided again when new ones arrive."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session

from app.core.db import among
from app.stages.demand import rules
from app.stages.demand.models import Campaign, Signal
from app.stages.demand.operations.exclusions import exclude_by_rule, take_back
from app.stages.demand.queries.exclusions import decided_by_person
from app.stages.demand.rules import Reason

RULE = "rule:over_limit"
"""Who excludes and, when an earlier pledge is gone, takes back. A person's word always stands."""

JUDGED = (Reason.VALID, Reason.RETURNED, Reason.OVER_LIMIT, Reason.OVER_CAP)
_Buyers = list[str] | Select[str | None]
"""Pseudonyms, or the query that finds them: those of a file can be too many for a list."""


def decide_of_file(session: Session, *, batch_id: int, now: dt.datetime) -> None:
    """Decide again for every buyer of this file who pledged in a campaign with a limit."""
    pledged = select(Signal.campaign_id).where(Signal.batch_id == batch_id, Signal.campaign_id.is_not(None))
    for campaign_id, limit in _limited(session, pledged):
        buyers = select(Signal.buyer).where(Signal.batch_id == batch_id, Signal.campaign_id == campaign_id)
        _decide(session, campaign_id, buyers, limit=limit, now=now)


def decide_of_buyers(session: Session, *, buyers: Iterable[tuple[int, str]], now: dt.datetime) -> None:
    """Decide again for these buyers (campaign id, pseudonym)."""
    wanted = set(buyers)
    if not wanted:
        return
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for campaign_id, limit, buyer in _in_question(session, wanted):
        if (campaign_id, buyer) in wanted:
            found[campaign_id, limit].append(buyer)
    for (campaign_id, limit), pseudonyms in sorted(found.items()):
        _decide(session, campaign_id, sorted(pseudonyms), limit=limit, now=now)


def of_campaigns(session: Session, campaigns: Iterable[int]) -> dict[int, int]:
    """The limits of those of these campaigns that have one, by their ids."""
    return dict(_limited(session, sorted(campaigns)))


def _in_question(session: Session, wanted: set[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """Campaign, limit and buyer, where the buyer has more than the limit or was found over it before.

    Most buyers pledge once: one statement spares a look at each campaign of a batch.
    """
    campaigns, buyers = {campaign for campaign, _ in wanted}, {buyer for _, buyer in wanted}
    units = func.sum(case((Signal.quantity > 0, Signal.quantity), else_=0))
    was_over = func.sum(case((Signal.reason == Reason.OVER_LIMIT, 1), else_=0))
    query = (
        select(Campaign.id, Campaign.per_buyer_limit, Signal.buyer)
        .join(Signal, Signal.campaign_id == Campaign.id)
        .where(Campaign.id.in_(sorted(campaigns)), among(session, Signal.buyer, sorted(buyers)))
        .where(Campaign.per_buyer_limit.is_not(None), Signal.reason.in_(JUDGED))
        .group_by(Campaign.id, Campaign.per_buyer_limit, Signal.buyer)
        .having((units > Campaign.per_buyer_limit) | (was_over > 0))
    )
    return [(row[0], int(row[1] or 0), str(row[2])) for row in session.execute(query)]


def _limited(session: Session, campaigns: list[int] | Select[int | None]) -> list[tuple[int, int]]:
    query = select(Campaign.id, Campaign.per_buyer_limit).where(
        Campaign.id.in_(campaigns), Campaign.per_buyer_limit.is_not(None)
    )
    return [
        (campaign_id, int(limit or 0)) for campaign_id, limit in session.execute(query.order_by(Campaign.id))
    ]


def _decide(session: Session, campaign_id: int, buyers: _Buyers, *, limit: int, now: dt.datetime) -> None:
    """Pledges count in the order they were made, whatever the order they arrived in."""
    kept = decided_by_person(session, campaign_id=campaign_id, buyers=buyers)
    over: list[int] = []
    under: list[int] = []
    for _, signals in groupby(_pledges(session, campaign_id, buyers), lambda one: one.buyer):
        judged = [one for one in signals if one.id not in kept]
        flags = rules.over_limit([one.quantity for one in judged], limit=limit)
        for one, flag in zip(judged, flags, strict=True):
            if flag and one.reason in (Reason.VALID, Reason.OVER_CAP):
                over.append(one.id)
            elif not flag and one.reason == Reason.OVER_LIMIT:
                under.append(one.id)
    evidence = {one: {"per_buyer_limit": limit} for one in over}
    exclude_by_rule(session, evidence=evidence, reason=Reason.OVER_LIMIT, rule=RULE, now=now)
    take_back(session, ids=under, rule=RULE, now=now)


def _pledges(session: Session, campaign_id: int, buyers: _Buyers) -> list[Row[Any]]:
    query = select(Signal.id, Signal.buyer, Signal.quantity, Signal.reason).where(
        Signal.campaign_id == campaign_id,
        Signal.buyer.in_(buyers),
        Signal.reason.in_(JUDGED),
    )
    return list(session.execute(query.order_by(Signal.buyer, Signal.ordered_at, Signal.external_id)))
