"""What pledges and their corrections share online: a channel's turn, and the limit per buyer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.errors import RuleBroken
from app.stages.demand import rules
from app.stages.demand.models import Campaign, Channel, Exclusion, Signal
from app.stages.demand.operations import limits
from app.stages.demand.queries.pledges import ChannelCurrency
from app.stages.demand.rules import Reason

CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def take_turn(session: Session, *, channel: str, currency: str, now: dt.datetime) -> ChannelCurrency:
    """The channel, made if it is new, and locked until the transaction ends.

    Files lock it the same way: whoever stores pledges of a channel or corrects them takes turns, so that a
    correction and its pledge can't miss each other, and two pledges of one buyer see each other's units.

    Raises:
        RuleBroken: `channel_invalid`.
    """
    if not CHANNEL.fullmatch(channel):
        raise RuleBroken(
            "channel_invalid",
            f"A channel's code has letters, digits, dots and dashes, at most 40; not {channel[:60]!r}.",
        )
    locked = select(Channel.id, Channel.currency).where(Channel.code == channel).with_for_update()
    row = session.execute(locked).one_or_none()
    if row is None:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        new = insert(Channel).values(code=channel, currency=currency, created_at=now)
        session.execute(new.on_conflict_do_nothing(index_elements=["code"]))
        row = session.execute(locked).one()
    return ChannelCurrency(*row)


def decide_limits(session: Session, *, buyers: Iterable[tuple[int, str]], now: dt.datetime) -> None:
    """Decide again which pledges of these buyers (campaign id, pseudonym) are over the campaign's limit.

    Pledges count in the order they were made, whatever the order they arrived in.
    """
    wanted = sorted(set(buyers))
    limited = select(Campaign.id, Campaign.per_buyer_limit).where(
        Campaign.id.in_({campaign_id for campaign_id, _ in wanted}), Campaign.per_buyer_limit.is_not(None)
    )
    for campaign_id, limit in session.execute(limited.order_by(Campaign.id)).all() if wanted else []:
        pseudonyms = [buyer for campaign, buyer in wanted if campaign == campaign_id]
        _decide(session, _pledges(session, campaign_id, pseudonyms), limit=int(limit or 0), now=now)


def _decide(session: Session, pledges: list[Row[Any]], *, limit: int, now: dt.datetime) -> None:
    kept = _kept_by_person(session, [one.id for one in pledges])
    over: list[int] = []
    under: list[int] = []
    for _, signals in groupby(pledges, lambda one: one.buyer):
        judged = [one for one in signals if one.id not in kept]
        flags = rules.over_limit([one.quantity for one in judged], limit=limit)
        for one, flag in zip(judged, flags, strict=True):
            if flag and one.reason == Reason.VALID:
                over.append(one.id)
            elif not flag and one.reason == Reason.OVER_LIMIT:
                under.append(one.id)
    limits._exclude(session, over, limit=limit, now=now)
    limits._take_back(session, under, now=now)


def _pledges(session: Session, campaign_id: int, buyers: list[str]) -> list[Row[Any]]:
    query = select(Signal.id, Signal.buyer, Signal.quantity, Signal.reason).where(
        Signal.campaign_id == campaign_id,
        Signal.buyer.in_(buyers),
        Signal.reason.in_([Reason.VALID, Reason.RETURNED, Reason.OVER_LIMIT]),
    )
    return list(session.execute(query.order_by(Signal.buyer, Signal.ordered_at, Signal.external_id)))


def _kept_by_person(session: Session, ids: list[int]) -> set[int]:
    """Signals among these that somebody decided to count, or excluded by hand."""
    counted = Exclusion.undone_by.is_not(None) & (Exclusion.undone_by != limits.RULE)
    excluded = Exclusion.undone_by.is_(None) & (Exclusion.created_by != limits.RULE)
    query = select(Exclusion.signal_id).where(Exclusion.signal_id.in_(ids), counted | excluded)
    return set(session.scalars(query))
