"""A channel's turn: whoever stores or corrects its pledges, from a file or online, takes it first.

A plain pledge shares the turn with other plain pledges; everybody else takes it alone. On PostgreSQL a turn
is an advisory lock, so that sharing it writes nothing; on SQLite the one writer has every turn.
"""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.errors import RuleBroken
from app.stages.demand.models import Channel
from app.stages.demand.queries.pledges import ChannelCurrency

ALONE = "SELECT pg_advisory_xact_lock(hashtext('channel'), hashtext(%s))"
SHARED = "SELECT pg_advisory_xact_lock_shared(hashtext('channel'), hashtext(%s))"
SHARED_BY_BUYER = SHARED + ", pg_advisory_xact_lock(hashtext('buyer'), hashtext(%s))"
CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def take_turn(session: Session, *, channel: str, currency: str, now: dt.datetime) -> ChannelCurrency:
    """The channel, made if it is new, for the caller alone until the transaction ends.

    So a correction and its pledge can't miss each other, nobody adds a pledge between looking for it and
    storing it, and two pledges of one buyer see each other's units.

    Raises:
        RuleBroken: `channel_invalid`.
    """
    must_be_channel(channel)
    _lock(session, ALONE, channel)
    wanted = select(Channel.id, Channel.currency).where(Channel.code == channel)
    row = session.execute(wanted).one_or_none()
    if row is None:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        new = insert(Channel).values(code=channel, currency=currency, created_at=now)
        session.execute(new.on_conflict_do_nothing(index_elements=["code"]))
        row = session.execute(wanted).one()
    return ChannelCurrency(*row)


def must_be_channel(code: str) -> None:
    """Refuse what is no code of a channel: `channel_invalid`."""
    if not CHANNEL.fullmatch(code):
        raise RuleBroken(
            "channel_invalid",
            f"A channel's code has letters, digits, dots and dashes, at most 40; not {code[:60]!r}.",
        )


def share_turn(session: Session, *, channel: str, buyer: str | None) -> None:
    """Share the channel's turn with other plain pledges; those of one buyer still come one after the other.

    Args:
        buyer: the pseudonym, where a limit per buyer may count.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    run = session.connection().exec_driver_sql
    run(SHARED if buyer is None else SHARED_BY_BUYER, (channel,) if buyer is None else (channel, buyer))


def take_every_turn(session: Session) -> None:
    """Take the turns of all channels alone, in the order in which several turns are always taken.

    A person's word needs no turn.
    """
    for code in session.scalars(select(Channel.code).order_by(Channel.code)).all():
        _lock(session, ALONE, code)


def _lock(session: Session, statement: str, channel: str) -> None:
    if session.get_bind().dialect.name != "sqlite":
        session.connection().exec_driver_sql(statement, (channel,))
