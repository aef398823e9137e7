"""Channels that send by themselves: how they are trusted, and what becomes of each event."""

from __future__ import annotations

import base64
import datetime as dt
import secrets as random
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import audit, sealing
from app.core.access import Actor, Role
from app.core.errors import NotFound, RuleBroken
from app.stages.demand.models import ChannelEvent, ChannelSource
from app.stages.demand.operations import corrections
from app.stages.demand.operations.pledges import Outcome, PledgeSettings, take_checked
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.queries.pledges import find_channel
from app.stages.demand.rules.signatures import Message, Scheme, message_id, usable, verify
from app.stages.imports import queries as mappings
from app.stages.imports.rules import Mapping, check, events

ROTATION = dt.timedelta(hours=24)
"""How long the old secret counts beside the new one."""
LONGEST_KIND = 60


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
    fact, sentence = EventFact(0, 0, 0, ignored=True), None
    if kind is not None:
        actor = Actor(f"webhook:{channel}", Role.MERCHANDISER)
        taking = _Taking(session, channel, plan, here.currency, actor, now, settings)
        fact, sentence = taking.take(events.rows(document, plan))
    session.add(
        ChannelEvent(
            channel_id=here.id,
            message_id=number,
            kind=(kind or "ignored")[:LONGEST_KIND],
            received_at=now,
            accepted=fact.accepted,
            known=fact.known,
            rejected=fact.rejected,
            sentence=sentence,
        )
    )
    session.flush()
    return fact


@dataclass(frozen=True, slots=True)
class _Taking:
    """The rows of one event."""

    session: Session
    channel: str
    plan: Mapping
    currency: str
    actor: Actor
    now: dt.datetime
    settings: PledgeSettings

    def take(self, found: list[dict[str, str | None]]) -> tuple[EventFact, str | None]:
        """Counts, and why the first bad row is one."""
        numbers = {"row": list(range(len(found)))}
        cells = {field: [one.get(field) for one in found] for field in self.plan.columns}
        schema = {"row": pl.Int64, **dict.fromkeys(cells, pl.String)}
        frame = pl.DataFrame({**numbers, **cells}, schema=schema)
        checked = check(
            frame,
            self.plan,
            {},
            currency=self.currency,
            key=self.settings.pseudonym_key,
            channel=self.channel,
        )
        reasons = {row: sentence for row, _, _, sentence in checked.rejects.iter_rows()}
        good = {}
        for row in checked.rows.iter_rows(named=True):
            changed = events.changed_at(found[row["row"]])
            if changed is None or changed > self.now + corrections.AHEAD:
                reasons[row["row"]] = (
                    "changed_at: the time of the change is missing, or is no time until now."
                )
            else:
                good[row["row"]] = (row, changed)
        results = take_checked(
            self.session,
            channel=self.channel,
            rows={number: row for number, (row, _) in good.items()},
            create_unknown=self.plan.create_unknown,
            regions=[self.plan.defaults["region"]] if "region" in self.plan.defaults else [],
            actor=self.actor,
            now=self.now,
            settings=self.settings,
        )
        accepted = 0
        for number, result in results.items():
            if result.outcome is Outcome.REJECTED and result.flaws[0].code != "identity_conflict":
                reasons[number] = (
                    f"{result.flaws[0].field}: the value can't be used ({result.flaws[0].code})."
                )
                continue
            accepted += result.outcome is Outcome.ACCEPTED
            self._correct(*good[number])
        known = len(found) - accepted - len(reasons)
        return EventFact(accepted, known, len(reasons)), next(iter(reasons.values()), None)

    def _correct(self, row: dict[str, Any], changed: dt.datetime) -> None:
        """The row's word on quantity and status, by its own time: also of a new pledge, which may be late."""
        corrections.correct_pledge(
            self.session,
            channel=self.channel,
            external_id=row["external_id"],
            quantity=row["quantity"] if row["quantity"] > 0 else None,
            status=row["status"],
            changed_at=changed,
            actor=self.actor,
            now=self.now,
            currency=self.settings.currency,
        )


def _source(session: Session, channel: str) -> ChannelSource:
    here = find_channel(session, code=channel)
    source = session.get(ChannelSource, here.id) if here else None
    if source is None or not source.active:
        raise NotFound("channel_unknown", "No channel of this name sends webhooks.")
    return source
