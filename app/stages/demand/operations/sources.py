"""Channels that send by themselves: how they are trusted, and what becomes of each event."""

from __future__ import annotations

import base64
import datetime as dt
import secrets as random
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.core import audit, sealing
from app.core.access import Actor, Role
from app.core.errors import NotFound, RuleBroken
from app.stages.demand.models import ChannelEvent, ChannelSource
from app.stages.demand.operations.documents import NOTHING, Taken, keep_event, take_rows
from app.stages.demand.operations.pledges import PledgeSettings
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.queries.pledges import find_channel
from app.stages.demand.rules.signatures import Message, Scheme, message_id, usable, verify
from app.stages.imports import queries as mappings
from app.stages.imports.rules import events

ROTATION = dt.timedelta(hours=24)
"""How long the old secret counts beside the new one."""


@dataclass(frozen=True, slots=True)
class EventFact:
    """What became of an event. `again`: it was taken before; `ignored`: no mapping says what it means."""

    accepted: int
    known: int
    rejected: int
    again: bool = False
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The secret of a channel, told this once."""

    channel: str
    secret: str


def connect_channel(
    session: Session,
    *,
    channel: str,
    scheme: str,
    mapping: str,
    secret: str | None,
    key: str,
    currency: str,
    actor: Actor,
    now: dt.datetime,
) -> NewSecret:
    """Let a channel send webhooks; of one that does already, the secret and the mapping change.

    The secret before counts for another day, so that no message is lost while both sides change it.

    Args:
        secret: of the other side's making, or None for one of ours.
        key: what secrets are encrypted with.

    Raises:
        RuleBroken: `secret_unusable`, `scheme_unknown`, `mapping_unknown`, `mapping_no_events`.
    """
    actor.must_be(Role.ADMINISTRATOR)
    if scheme not in list(Scheme):
        raise RuleBroken("scheme_unknown", f"Choose one of {', '.join(Scheme)}.")
    if mappings.mapping(mapping).event is None:
        raise RuleBroken("mapping_no_events", "This mapping reads files, not events; choose another.")
    secret = secret or "whsec_" + base64.b64encode(random.token_bytes(32)).decode()
    if not usable(secret, scheme=Scheme(scheme)):
        raise RuleBroken(
            "secret_unusable", "A secret has 16 to 200 characters; Standard Webhooks write it in base64."
        )
    here = take_turn(session, channel=channel, currency=currency, now=now)
    known = session.get(ChannelSource, here.id)
    if known is None:
        known = ChannelSource(channel_id=here.id)
        session.add(known)
    else:
        known.sealed_old_secret, known.old_until = known.sealed_secret, now + ROTATION
    known.scheme, known.mapping, known.active = scheme, mapping, True
    known.sealed_secret = sealing.seal(secret, key=key)
    session.flush()
    data = {"scheme": scheme, "mapping": mapping}
    subject = f"channel:{channel}"
    audit.record(session, actor=actor, action="channel.connected", subject=subject, data=data, now=now)
    return NewSecret(channel, secret)


def disconnect_channel(session: Session, *, channel: str, actor: Actor, now: dt.datetime) -> None:
    """Refuse what this channel sends from now on; what it sent stays."""
    actor.must_be(Role.ADMINISTRATOR)
    source = _source(session, channel)
    source.active = False
    subject = f"channel:{channel}"
    audit.record(session, actor=actor, action="channel.disconnected", subject=subject, data={}, now=now)


def check_message(session: Session, *, channel: str, message: Message, key: str, now: dt.datetime) -> None:
    """Refuse a message that this channel did not sign just now.

    Raises:
        NotFound: `channel_unknown`; it sends no webhooks.
        NotAllowed: what `rules.signatures.verify` says.
    """
    source = _source(session, channel)
    sealed = [source.sealed_secret]
    if source.sealed_old_secret is not None and source.old_until is not None and now < source.old_until:
        sealed.append(source.sealed_old_secret)
    opened = [sealing.unseal(one, key=key) for one in sealed]
    verify(message, scheme=Scheme(source.scheme), secrets=opened, now=now)


def note_failure(session: Session, *, channel: str, sentence: str, now: dt.datetime) -> None:
    """Keep why the latest message was refused, for whoever looks at the channel."""
    here = find_channel(session, code=channel)
    if here is not None:
        changed = update(ChannelSource).where(ChannelSource.channel_id == here.id)
        session.execute(changed.values(failed_at=now, failure=sentence))


def take_event(
    session: Session,
    *,
    channel: str,
    message: Message,
    document: Any,
    now: dt.datetime,
    settings: PledgeSettings,
) -> EventFact:
    """Take a checked message: its rows become pledges, or correct those that are known.

    Each row says when it was changed, so that events may come late, twice and in any order: the latest word
    of quantity and status stands. A bad row is kept out with its reason, and the event is still taken: its
    sender can't mend it by sending it again.
    """
    source = _source(session, channel)
    plan = mappings.mapping(source.mapping)
    number = message_id(message, scheme=Scheme(source.scheme))
    here = take_turn(session, channel=channel, currency=settings.currency, now=now)
    before = session.scalar(
        select(ChannelEvent).where(ChannelEvent.channel_id == here.id, ChannelEvent.message_id == number)
    )
    if before is not None:
        return EventFact(before.accepted, before.known, before.rejected, again=True)
    kind = events.kind_of(document, plan, topic=message.headers.get("x-shopify-topic", ""))
    taken: Taken = NOTHING
    if kind is not None:
        actor = Actor(f"webhook:{channel}", Role.MERCHANDISER)
        rows = events.rows(document, plan)
        taken = take_rows(
            session, channel=channel, plan=plan, rows=rows, here=here, actor=actor, now=now, settings=settings
        )
    keep_event(session, channel_id=here.id, message_id=number, kind=kind or "ignored", taken=taken, now=now)
    return EventFact(taken.accepted, taken.known, taken.rejected, ignored=kind is None)


def forget_old_events(session: Session, *, before: dt.datetime, limit: int = 10_000) -> int:
    """Forget some events that were received before this instant, and why rows of them were kept out.

    A message that comes again after that is still harmless: its rows are known, and say when they were
    changed. What each channel sent last is kept.

    Returns:
        How many went; 0 when none is left.
    """
    newest = select(func.max(ChannelEvent.id)).group_by(ChannelEvent.channel_id)
    old = select(ChannelEvent.id).where(ChannelEvent.received_at < before, ChannelEvent.id.not_in(newest))
    gone = delete(ChannelEvent).where(ChannelEvent.id.in_(old.order_by(ChannelEvent.id).limit(limit)))
    return len(session.scalars(gone.returning(ChannelEvent.id)).all())


def _source(session: Session, channel: str) -> ChannelSource:
    here = find_channel(session, code=channel)
    source = session.get(ChannelSource, here.id) if here else None
    if source is None or not source.active:
        raise NotFound("channel_unknown", "No channel of this name sends webhooks.")
    return source
