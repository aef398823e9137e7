"""A channel's turn: whoever stores or corrects its pledges, from a file or online, takes it first."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.errors import RuleBroken
from app.stages.demand.models import Channel
from app.stages.demand.queries.pledges import ChannelCurrency

CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def take_turn(session: Session, *, channel: str, currency: str, now: dt.datetime) -> ChannelCurrency:
    """The channel, made if it is new, and locked until the transaction ends.

    So a correction and its pledge can't miss each other, nobody adds a pledge between looking for it and
    storing it, and two pledges of one buyer see each other's units.

    Raises:
        RuleBroken: `channel_invalid`.
    """
    if not CHANNEL.fullmatch(channel):
        raise RuleBroken(
            "channel_invalid",
            f"A channel's code has letters, digits, dots and dashes, at most 40; not {channel[:60]!r}.",
        )
    wanted = select(Channel.id, Channel.currency).where(Channel.code == channel)
    # References to the channel are let in: who excludes a pledge meanwhile makes some, and need not wait.
    locked = wanted.with_for_update(key_share=True)
    row = session.execute(locked).one_or_none()
    if row is None:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        new = insert(Channel).values(code=channel, currency=currency, created_at=now)
        session.execute(new.on_conflict_do_nothing(index_elements=["code"]))
        row = session.execute(locked).one()
    return ChannelCurrency(*row)


def take_every_turn(session: Session) -> None:
    """Lock all channels until the transaction ends, in the order in which several turns are always taken.

    A person's word needs no turn: it refers to channels, which this lock allows.
    """
    session.execute(select(Channel.id).order_by(Channel.code).with_for_update(key_share=True))
