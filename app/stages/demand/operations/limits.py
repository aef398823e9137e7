"""The limit per buyer: which pledges of a campaign are over it, decided again when new ones arrive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.stages.demand import rules
from app.stages.demand.models import Campaign, Signal
from app.stages.demand.operations.exclusions import exclude_by_rule, take_back
from app.stages.demand.queries.exclusions import decided_by_person
from app.stages.demand.rules import Reason

RULE = "rule:over_limit"
"""Who excludes and, when an earlier pledge is gone, takes back. A person's word always stands."""

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
    wanted = sorted(set(buyers))
    for campaign_id, limit in _limited(session, [campaign_id for campaign_id, _ in wanted]) if wanted else []:
        pseudonyms = [buyer for campaign, buyer in wanted if campaign == campaign_id]
        _decide(session, campaign_id, pseudonyms, limit=limit, now=now)


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
        Signal.reason.in_([Reason.VALID, Reason.RETURNED, Reason.OVER_LIMIT, Reason.OVER_CAP]),
    )
    return list(session.execute(query.order_by(Signal.buyer, Signal.ordered_at, Signal.external_id)))
