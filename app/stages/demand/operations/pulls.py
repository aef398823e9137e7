"""Channels that are asked page by page. Between two pages no transaction is open.

Each page is taken in one transaction with the place of the next one: whatever ends a pull, another goes on
where it was, and a page that is asked for again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets as random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import audit, sealing
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.demand.models import Channel, ChannelPull
from app.stages.demand.operations.documents import Taken, keep_event, take_rows
from app.stages.demand.operations.pledges import PledgeSettings
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.queries.pledges import find_channel
from app.stages.imports import queries as mappings
from app.stages.imports.readers.remote import Page, read_page
from app.stages.imports.rules import Mapping as Plan
from app.stages.imports.rules import events, paging
from app.stages.imports.rules.paging import PullShape

MOST_ROWS = 5_000
"""Rows of one page; they are taken in one transaction."""
SECRET = re.compile(r"[ -~]{1,500}")


@dataclass(frozen=True, slots=True)
class NextPage:
    """Which page of a channel is asked for next, and how. `version` is the pull's when this was read."""

    channel: str
    mapping: str
    url: str
    address: str
    headers: Mapping[str, str]
    position: str | None
    version: int


@dataclass(frozen=True, slots=True)
class PageFact:
    """What became of the rows of one page; `last`: the round is over."""

    accepted: int
    known: int
    rejected: int
    last: bool


def connect_pull(
    session: Session,
    *,
    channel: str,
    mapping: str,
    url: str,
    secret: str | None,
    key: str,
    currency: str,
    trusted: Collection[str],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Have a channel asked page by page; of one that is asked already, what is told here changes.

    Another address or mapping begins at the beginning; another host needs its secret told again.

    Args:
        secret: what the source wants to see, or None to keep the one there is.
        key: what secrets are encrypted with.

    Raises:
        RuleBroken: `mapping_unknown`, `mapping_no_pull`, `source_address`, `secret_unusable`,
            `channel_invalid`.
    """
    actor.must_be(Role.ADMINISTRATOR)
    _shape(mapping)
    paging.check_address(url, trusted=trusted)
    if secret is not None and not SECRET.fullmatch(secret):
        raise RuleBroken("secret_unusable", "The secret of a source has 1 to 500 printable ASCII characters.")
    here = take_turn(session, channel=channel, currency=currency, now=now)
    pull = session.get(ChannelPull, here.id)
    if pull is None:
        pull = ChannelPull(channel_id=here.id, version=0)
        session.add(pull)
    elif (pull.mapping, pull.url) != (mapping, url):
        if urlsplit(pull.url).netloc != urlsplit(url).netloc:
            pull.sealed_secret = None  # a secret stays with the host that it was given for
        pull.position = pull.since = pull.reached = None
    pull.mapping, pull.url, pull.active = mapping, url, True
    pull.failed_at = pull.failure = None
    pull.version += 1
    if secret is not None:
        pull.sealed_secret = sealing.seal(secret, key=key)
    session.flush()
    data = {"mapping": mapping, "url": url}
    subject = f"channel:{channel}"
    audit.record(session, actor=actor, action="channel.pull_connected", subject=subject, data=data, now=now)


def disconnect_pull(session: Session, *, channel: str, actor: Actor, now: dt.datetime) -> None:
    """Ask this channel no more; a pull that is under way stops at its next page. What came stays.

    Raises:
        NotFound: `source_unknown`.
    """
    actor.must_be(Role.ADMINISTRATOR)
    pull = _pull(session, channel)
    pull.active = False
    pull.version += 1
    subject = f"channel:{channel}"
    audit.record(session, actor=actor, action="channel.pull_stopped", subject=subject, data={}, now=now)


def next_page(session: Session, *, channel: str, key: str) -> NextPage:
    """The page that a pull asks for next.

    Raises:
        NotFound: `source_unknown`; the channel is not asked.
        Conflict: `secret_unreadable`.
    """
    pull = _pull(session, channel)
    shape = _shape(pull.mapping)
    secret = sealing.unseal(pull.sealed_secret, key=key) if pull.sealed_secret else None
    return NextPage(
        channel=channel,
        mapping=pull.mapping,
        url=pull.url,
        address=paging.page_address(pull.url, shape, position=pull.position, since=pull.since),
        headers={shape.header: shape.prefix + secret} if secret else {},
        position=pull.position,
        version=pull.version,
    )


def ask(page: NextPage, *, trusted: Collection[str]) -> Page:
    """Ask the source; no transaction may be open. Raises what `readers.remote.read_page` does."""
    return read_page(page.address, headers=page.headers, trusted=trusted)


def take_page(
    session: Session, *, asked: NextPage, page: Page, now: dt.datetime, settings: PledgeSettings
) -> PageFact:
    """Take the rows of a page, and go on to the next one, in the caller's transaction.

    Raises:
        Conflict: `pull_moved`, when somebody else pulls this channel, or changed how it is pulled.
        RuleBroken: `source_unreadable`, `source_too_large`, `source_strays`, `source_loops`.
    """
    plan, shape = mappings.mapping(asked.mapping), _shape(asked.mapping)
    listed = paging.documents(page.document, shape)
    rows = [row for one in listed if _is_read(one, plan) for row in events.rows(one, plan)]
    if len(rows) > MOST_ROWS:
        raise RuleBroken("source_too_large", f"A page has more than {MOST_ROWS:,} rows; ask for fewer.")
    following = paging.next_position(
        shape,
        asked=asked.address,
        position=asked.position,
        document=page.document,
        link=page.link,
        count=len(listed),
    )
    here = take_turn(session, channel=asked.channel, currency=settings.currency, now=now)
    pull = session.get_one(ChannelPull, here.id)
    if pull.version != asked.version:
        raise Conflict("pull_moved", "Somebody else pulls this channel, or changed how it is pulled.")
    actor = Actor(f"pull:{asked.channel}", Role.MERCHANDISER)
    taken = take_rows(
        session,
        channel=asked.channel,
        plan=plan,
        rows=rows,
        here=here,
        actor=actor,
        now=now,
        settings=settings,
    )
    taken = _news(taken, pull.since)
    if taken.accepted or taken.rejects or _is_later(taken.changed_at, pull.since):
        number = f"pull-{random.token_hex(16)}"
        keep_event(session, channel_id=here.id, message_id=number, kind="pull", taken=taken, now=now)
    _go_on(pull, following, taken.changed_at, shape, now)
    session.flush()
    return PageFact(taken.accepted, taken.known, taken.rejected, last=following is None)


def note_pull_failure(session: Session, *, channel: str, sentence: str, now: dt.datetime) -> None:
    """Keep why the latest pull ended early, for whoever looks at the channel."""
    here = find_channel(session, code=channel)
    if here is not None:
        changed = update(ChannelPull).where(ChannelPull.channel_id == here.id)
        session.execute(changed.values(failed_at=now, failure=sentence))


def pulled_channels(session: Session) -> list[str]:
    """The channels that are asked, by code."""
    query = select(Channel.code).join(ChannelPull, ChannelPull.channel_id == Channel.id)
    return list(session.scalars(query.where(ChannelPull.active).order_by(Channel.code)))


def _go_on(
    pull: ChannelPull, following: str | None, latest: dt.datetime | None, shape: PullShape, now: dt.datetime
) -> None:
    """Where the next page is. After the last one, the next round asks for what changed since."""
    reached = max((at for at in (pull.reached, latest) if at is not None), default=None)
    pull.version += 1
    pull.succeeded_at, pull.failed_at, pull.failure = now, None, None
    if following is not None:
        pull.position, pull.reached = following, reached
        return
    pull.since = max((at for at in (pull.since, reached) if at is not None), default=None)
    pull.reached = None
    keeps_cursor = shape.follow is paging.Follow.CURSOR and shape.since is None
    pull.position = pull.position if keeps_cursor else None


def _news(taken: Taken, since: dt.datetime | None) -> Taken:
    """Without the bad rows that a round before has told of already: the latest change is asked for again."""
    rejects = tuple(
        one for one in taken.rejects if one.changed_at is None or _is_later(one.changed_at, since)
    )
    return Taken(taken.accepted, taken.known + taken.rejected - len(rejects), rejects, taken.changed_at)


def _is_later(at: dt.datetime | None, since: dt.datetime | None) -> bool:
    return at is not None and (since is None or at > since)


def _is_read(document: Any, plan: Plan) -> bool:
    """A document that says what it is has to be of a type that is read."""
    assert plan.event is not None
    return plan.event.type is None or events.kind_of(document, plan, topic="") is not None


def _shape(mapping: str) -> PullShape:
    plan = mappings.mapping(mapping)
    if plan.pull is None or plan.event is None:
        raise RuleBroken("mapping_no_pull", "This mapping does not say how to ask a source; choose another.")
    return plan.pull


def _pull(session: Session, channel: str) -> ChannelPull:
    here = find_channel(session, code=channel)
    pull = session.get(ChannelPull, here.id) if here else None
    if pull is None or not pull.active:
        raise NotFound("source_unknown", "This channel is not pulled from anywhere.")
    return pull
