"""How channels that send by themselves are doing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.demand.models import Channel, ChannelEvent, ChannelSource

LATELY = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SourceFact:
    """A channel that sends webhooks, when it last did, and its rows of the last 24 hours.

    `failed_at` and `failure`: when a message was last refused, and why.
    """

    channel: str
    scheme: str
    mapping: str
    active: bool
    last_at: dt.datetime | None
    accepted: int
    known: int
    rejected: int
    failed_at: dt.datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class ReceivedFact:
    """One event that was taken, and why its first rejected row was."""

    id: int
    kind: str
    received_at: dt.datetime
    accepted: int
    known: int
    rejected: int
    sentence: str | None


def list_sources(session: Session, *, now: dt.datetime) -> list[SourceFact]:
    """All channels that send webhooks, by code."""
    late = ChannelEvent.received_at > now - LATELY
    sums = [
        func.coalesce(func.sum(getattr(ChannelEvent, name)).filter(late), 0)
        for name in ("accepted", "known", "rejected")
    ]
    query = (
        select(
            Channel.code,
            ChannelSource.scheme,
            ChannelSource.mapping,
            ChannelSource.active,
            func.max(ChannelEvent.received_at),
            *sums,
            ChannelSource.failed_at,
            ChannelSource.failure,
        )
        .join(Channel, Channel.id == ChannelSource.channel_id)
        .outerjoin(ChannelEvent, ChannelEvent.channel_id == ChannelSource.channel_id)
        .group_by(Channel.code, ChannelSource.channel_id)
        .order_by(Channel.code)
    )
    return [SourceFact(*row[:5], *map(int, row[5:8]), *row[8:]) for row in session.execute(query)]


def get_source(session: Session, *, channel: str, now: dt.datetime) -> SourceFact:
    """One of them. Raises NotFound `channel_unknown`."""
    for found in list_sources(session, now=now):
        if found.channel == channel:
            return found
    raise NotFound("channel_unknown", "No channel of this name sends webhooks.")


def received(session: Session, *, channel: str, limit: int = 50) -> list[ReceivedFact]:
    """The latest events of a channel, newest first."""
    columns = [getattr(ChannelEvent, name) for name in ReceivedFact.__dataclass_fields__]
    query = (
        select(*columns)
        .join(Channel, Channel.id == ChannelEvent.channel_id)
        .where(Channel.code == channel)
        .order_by(ChannelEvent.id.desc())
        .limit(limit)
    )
    return [ReceivedFact(*row) for row in session.execute(query)]
