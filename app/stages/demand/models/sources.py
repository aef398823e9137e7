"""Tables of what channels send by themselves: how a channel is trusted and read, and the events it sent."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
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


class ChannelEvent(Base):
    """One event that was taken. Of its content only what the mapping names was kept, as pledges."""

    __tablename__ = "channel_event"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel_source.channel_id"))
    message_id: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(60))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    accepted: Mapped[int] = mapped_column(BigInteger)
    known: Mapped[int] = mapped_column(BigInteger)
    rejected: Mapped[int] = mapped_column(BigInteger)
    sentence: Mapped[str | None] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("channel_id", "message_id"),
        CheckConstraint("accepted >= 0 AND known >= 0 AND rejected >= 0", name="counts_positive"),
    )
