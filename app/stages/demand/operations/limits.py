"""The limit per buyer: which pledges of a campaign are over it, decided again when new ones arrive."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from app.stages.demand import rules
from app.stages.demand.models import Campaign, Exclusion, Signal
from app.stages.demand.operations.moving import move
from app.stages.demand.rules import Reason

RULE = "rule:over_limit"
"""Who excludes and, when an earlier pledge is gone, takes back. A person's word always stands."""


def apply(session: Session, *, batch_id: int, now: dt.datetime) -> None:
    """Decide again for every buyer of this file who pledged in a campaign with a limit.

    Pledges count in the order they were made, whatever the order they arrived in.
    """
    for campaign_id, limit in _limited(session, batch_id=batch_id):
        kept = _kept_by_person(session, campaign_id=campaign_id)
        over, under = [], []
        for _, signals in groupby(
            _pledges(session, campaign_id=campaign_id, batch_id=batch_id), lambda one: one.buyer
        ):
            judged = [one for one in signals if one.id not in kept]
            flags = rules.over_limit([one.quantity for one in judged], limit=limit)
            over += [
                one.id for one, flag in zip(judged, flags, strict=True) if flag and one.reason == Reason.VALID
            ]
            under += [
                one.id
                for one, flag in zip(judged, flags, strict=True)
                if not flag and one.reason == Reason.OVER_LIMIT
            ]
        _exclude(session, over, limit=limit, now=now)
        _take_back(session, under, now=now)


def _limited(session: Session, *, batch_id: int) -> list[tuple[int, int]]:
    touched = select(Signal.campaign_id).where(Signal.batch_id == batch_id, Signal.campaign_id.is_not(None))
    query = select(Campaign.id, Campaign.per_buyer_limit).where(
        Campaign.id.in_(touched), Campaign.per_buyer_limit.is_not(None)
    )
    return [
        (campaign_id, int(limit or 0)) for campaign_id, limit in session.execute(query.order_by(Campaign.id))
    ]


def _pledges(session: Session, *, campaign_id: int, batch_id: int) -> list[Row[Any]]:
    buyers = select(Signal.buyer).where(Signal.batch_id == batch_id, Signal.campaign_id == campaign_id)
    query = select(Signal.id, Signal.buyer, Signal.quantity, Signal.reason).where(
        Signal.campaign_id == campaign_id,
        Signal.buyer.in_(buyers),
        Signal.reason.in_([Reason.VALID, Reason.RETURNED, Reason.OVER_LIMIT]),
    )
    return list(session.execute(query.order_by(Signal.buyer, Signal.ordered_at, Signal.external_id)))


def _kept_by_person(session: Session, *, campaign_id: int) -> set[int]:
    """Signals somebody decided to count, or excluded by hand."""
    counted = Exclusion.undone_by.is_not(None) & (Exclusion.undone_by != RULE)
    excluded = Exclusion.undone_by.is_(None) & (Exclusion.created_by != RULE)
    query = (
        select(Exclusion.signal_id)
        .join(Signal, Signal.id == Exclusion.signal_id)
        .where(Signal.campaign_id == campaign_id, counted | excluded)
    )
    return set(session.scalars(query))


def _exclude(session: Session, ids: list[int], *, limit: int, now: dt.datetime) -> None:
    if not ids:
        return
    move(session, ids=ids, reason=Reason.OVER_LIMIT)
    evidence = {"per_buyer_limit": limit}
    rows = [
        {
            "signal_id": one,
            "reason": Reason.OVER_LIMIT,
            "evidence": evidence,
            "created_by": RULE,
            "created_at": now,
        }
        for one in ids
    ]
    session.execute(insert(Exclusion), rows)


def _take_back(session: Session, ids: list[int], *, now: dt.datetime) -> None:
    if not ids:
        return
    move(session, ids=ids, reason=Reason.VALID)
    undone = update(Exclusion).where(Exclusion.signal_id.in_(ids), Exclusion.undone_at.is_(None))
    session.execute(
        undone.values(undone_by=RULE, undone_at=now), execution_options={"synchronize_session": False}
    )
