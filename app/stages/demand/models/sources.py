"""Tables of what comes from channels by itself: how they are trusted and read, and what came."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.demand.rules.signatures import Scheme


class ChannelSource(Base):
    """How the webhooks of a channel are signed and read. The secrets are encrypted, and never shown again.

    While one secret follows another, both count until `old_until`.
    """

    __tablename__ = "channel_source"
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"), primary_key=True)
    scheme: Mapped[str] = mapped_column(String(10))
    mapping: Mapped[str] = mapped_column(String(60))
    sealed_secret: Mapped[str] = mapped_column(Text)
    sealed_old_secret: Mapped[str | None] = mapped_column(Text)
    old_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    active: Mapped[bool]
    failed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        one_of("scheme", [scheme.value for scheme in Scheme]),
        CheckConstraint("(sealed_old_secret IS NULL) = (old_until IS NULL)", name="old_secret_ends"),
        CheckConstraint("(failed_at IS NULL) = (failure IS NULL)", name="failure_whole"),
    )


class ChannelPull(Base):
    """How a channel is asked page by page, and how far that went.

    `position` names the next page of a round that is under way; `since` is the latest change that rounds
    before have seen, `reached` that of this one. `version` counts pages: of two that pull at once, one gives
    way.
    """

    __tablename__ = "channel_pull"
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"), primary_key=True)
    mapping: Mapped[str] = mapped_column(String(60))
    url: Mapped[str] = mapped_column(Text)
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool]
    position: Mapped[str | None] = mapped_column(Text)
    since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    reached: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    succeeded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (CheckConstraint("(failed_at IS NULL) = (failure IS NULL)", name="failure_whole"),)


class ChannelEvent(Base):
    """One event, or one page that was pulled. Of its content only what the mapping names is kept, as pledges.

    `changed_at` is when the channel made the latest change in it.
    """

    __tablename__ = "channel_event"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    message_id: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(60))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    accepted: Mapped[int] = mapped_column(BigInteger)
    known: Mapped[int] = mapped_column(BigInteger)
    rejected: Mapped[int] = mapped_column(BigInteger)
    sentence: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("channel_id", "message_id"),
        CheckConstraint("accepted >= 0 AND known >= 0 AND rejected >= 0", name="counts_positive"),
        Index(None, "channel_id", "received_at"),
        Index(None, "received_at"),
    )


class ChannelReject(Base):
    """Why one row of an event was kept out; `row` counts from 0. Nothing of its content is kept."""

    __tablename__ = "channel_reject"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("channel_event.id", ondelete="CASCADE"), index=True)
    row: Mapped[int] = mapped_column(BigInteger)
    field: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40))
    sentence: Mapped[str] = mapped_column(Text)
