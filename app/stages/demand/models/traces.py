"""What a signal came with besides its content, by which accounts can be seen to belong together."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime


class SignalTrace(Base):
    """Keyed pseudonyms of the device, address and payment of one signal, and when its account was made.

    A table of its own, because most channels tell nothing of it, and because it may be forgotten sooner than
    the signal. It is no content of the signal: what was received first stands.
    """

    __tablename__ = "signal_trace"
    signal_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("signal.id"), primary_key=True, autoincrement=False
    )
    device: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(32))
    payment: Mapped[str | None] = mapped_column(String(32))
    account_created_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        CheckConstraint(
            "device IS NOT NULL OR address IS NOT NULL OR payment IS NOT NULL "
            "OR account_created_at IS NOT NULL",
            name="says_something",
        ),
    )
