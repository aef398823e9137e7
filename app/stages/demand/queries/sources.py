"""How channels are doing: those that send by themselves, those that are asked, and those that neither do."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, cast, extract, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.demand.models import Channel, ChannelEvent, ChannelPull, ChannelReject, ChannelSource
from app.stages.imports.models import ImportBatch

LATELY = dt.timedelta(hours=24)
USUAL_DAYS = 28
"""Days from which a channel's usual pauses are learned."""
DAY = 86_400


@dataclass(frozen=True, slots=True)
class WebhookFact:
    """How a channel sends webhooks. `failed_at`, `failure`: when a message was last refused, and why."""

    scheme: str
    mapping: str
    active: bool
    failed_at: dt.datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class PullFact:
    """How a channel is asked. `under_way`: a round has begun and not ended; `since`: changes seen until."""

    mapping: str
    url: str
    active: bool
    under_way: bool
    since: dt.datetime | None
    succeeded_at: dt.datetime | None
    failed_at: dt.datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFact:
    """A channel, when something last came from it, and its rows of the last 24 hours.

    Attributes:
        last_at: the last event, page with news, or file.
        lag_seconds: how long after the channel's latest change its latest event came.
        webhook, pull: None where it never did so.
    """

    channel: str
    currency: str
    last_at: dt.datetime | None
    lag_seconds: int | None
    accepted: int
    known: int
    rejected: int
    file_at: dt.datetime | None
    webhook: WebhookFact | None
    pull: PullFact | None

    @property
    def connected(self) -> bool:
        return bool((self.webhook and self.webhook.active) or (self.pull and self.pull.active))

    @property
    def failing(self) -> bool:
        """Whether the latest that is known of it is a failure."""
        ways: list[WebhookFact | PullFact | None] = [self.webhook, self.pull]
        failed = [one.failed_at for one in ways if one and one.active and one.failed_at]
        good = [at for at in (self.last_at, self.pull and self.pull.succeeded_at) if at]
        return bool(failed) and (not good or max(failed) >= max(good))


@dataclass(frozen=True, slots=True)
class ReceivedFact:
    """One event that was taken, and why its first rejected row was."""

    id: int
    kind: str
    received_at: dt.datetime
    changed_at: dt.datetime | None
    accepted: int
    known: int
    rejected: int
    sentence: str | None


@dataclass(frozen=True, slots=True)
class RejectFact:
    """Why one row of an event was kept out; rows count from 0."""

    event_id: int
    received_at: dt.datetime
    row: int
    field: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a channel usually sends: the longest pause (seconds) that ended on each day, its rows a day."""

    channel: str
    last_at: dt.datetime
    pauses: tuple[int, ...]
    rows_a_day: float


def list_sources(session: Session, *, now: dt.datetime) -> list[SourceFact]:
    """All channels, by code."""
    counts = _counts(session, now)
    latest = {row[0]: row[1:] for row in session.execute(_latest())}
    webhooks = {
        one.channel_id: WebhookFact(one.scheme, one.mapping, one.active, one.failed_at, one.failure)
        for one in session.scalars(select(ChannelSource))
    }
    pulls = {
        pull.channel_id: PullFact(
            pull.mapping,
            pull.url,
            pull.active,
            pull.position is not None,
            pull.since,
            pull.succeeded_at,
            pull.failed_at,
            pull.failure,
        )
        for pull in session.scalars(select(ChannelPull))
    }
    batches = select(ImportBatch.channel, func.max(ImportBatch.created_at)).group_by(ImportBatch.channel)
    files: dict[str, dt.datetime] = {row[0]: row[1] for row in session.execute(batches)}
    found = []
    for id_, code, currency in session.execute(
        select(Channel.id, Channel.code, Channel.currency).order_by(Channel.code)
    ):
        received, changed = latest.get(id_, (None, None))
        ends = [at for at in (received, files.get(code)) if at is not None]
        accepted, known, rejected = counts.get(id_, (0, 0, 0))
        fact = SourceFact(
            channel=code,
            currency=currency,
            last_at=max(ends, default=None),
            lag_seconds=max(int((received - changed).total_seconds()), 0) if received and changed else None,
            accepted=accepted,
            known=known,
            rejected=rejected,
            file_at=files.get(code),
            webhook=webhooks.get(id_),
            pull=pulls.get(id_),
        )
        found.append(fact)
    return found


def get_source(session: Session, *, channel: str, now: dt.datetime) -> SourceFact:
    """One channel. Raises NotFound `channel_unknown`."""
    for found in list_sources(session, now=now):
        if found.channel == channel:
            return found
    raise NotFound("channel_unknown", "There is no channel of this name.")


def received(
    session: Session, *, channel: str, limit: int = 50, before_id: int | None = None
) -> list[ReceivedFact]:
    """The latest events of a channel, newest first; `before_id` is the last one already seen."""
    columns = [getattr(ChannelEvent, name) for name in ReceivedFact.__dataclass_fields__]
    query = select(*columns).join(Channel, Channel.id == ChannelEvent.channel_id)
    query = query.where(Channel.code == channel).order_by(ChannelEvent.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(ChannelEvent.id < before_id)
    return [ReceivedFact(*row) for row in session.execute(query)]


def rejects(session: Session, *, channel: str, limit: int = 50) -> list[RejectFact]:
    """The latest rows of a channel that were kept out, newest first."""
    query = (
        select(
            ChannelReject.event_id,
            ChannelEvent.received_at,
            ChannelReject.row,
            ChannelReject.field,
            ChannelReject.code,
            ChannelReject.sentence,
        )
        .join(ChannelEvent, ChannelEvent.id == ChannelReject.event_id)
        .join(Channel, Channel.id == ChannelEvent.channel_id)
        .where(Channel.code == channel)
        .order_by(ChannelReject.id.desc())
        .limit(limit)
    )
    return [RejectFact(*row) for row in session.execute(query)]


def rhythms(session: Session, *, now: dt.datetime) -> list[Rhythm]:
    """How the connected channels sent in the last USUAL_DAYS days; those that sent nothing are left out.

    The longest pauses of each day are looked for by the database, over the events of that time.
    """
    second = cast(extract("epoch", ChannelEvent.received_at), Integer)
    pause = second - func.lag(second).over(
        partition_by=ChannelEvent.channel_id, order_by=ChannelEvent.received_at
    )
    since = now - dt.timedelta(days=USUAL_DAYS)
    events = select(
        ChannelEvent.channel_id,
        (second - second % DAY).label("day"),
        pause.label("pause"),
        ChannelEvent.received_at,
        ChannelEvent.accepted,
    )
    each = events.where(ChannelEvent.received_at >= since).subquery()
    daily = select(
        each.c.channel_id, func.max(each.c.pause), func.max(each.c.received_at), func.sum(each.c.accepted)
    ).group_by(each.c.channel_id, each.c.day)
    days: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(daily):
        days[row[0]].append(row[1:])
    connected = {one.channel for one in list_sources(session, now=now) if one.connected}
    codes = session.execute(select(Channel.id, Channel.code).order_by(Channel.code)).all()
    return [
        Rhythm(
            code,
            max(last for _, last, _ in days[id_]),
            tuple(int(longest) for longest, _, _ in days[id_] if longest is not None),
            sum(int(rows) for _, _, rows in days[id_]) / USUAL_DAYS,
        )
        for id_, code in codes
        if code in connected and id_ in days
    ]


def _counts(session: Session, now: dt.datetime) -> dict[int, tuple[int, int, int]]:
    sums = [func.sum(getattr(ChannelEvent, name)) for name in ("accepted", "known", "rejected")]
    query = select(ChannelEvent.channel_id, *sums).where(ChannelEvent.received_at > now - LATELY)
    return {
        row[0]: (int(row[1]), int(row[2]), int(row[3]))
        for row in session.execute(query.group_by(ChannelEvent.channel_id))
    }


def _latest() -> Any:
    """When the latest event of each channel came, and when the channel made the latest change in it."""
    newest = select(func.max(ChannelEvent.id)).group_by(ChannelEvent.channel_id)
    return select(ChannelEvent.channel_id, ChannelEvent.received_at, ChannelEvent.changed_at).where(
        ChannelEvent.id.in_(newest)
    )
