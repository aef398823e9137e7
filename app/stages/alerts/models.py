"""The alert table: one row per cause, however often it is seen."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.alerts.rules import AlertKind, AlertState


class Alert(Base):
    """`cause` identifies what is wrong (kind and subject); `owner` is the role that can mend it."""

    __tablename__ = "alert"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    cause: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    owner: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    weight: Mapped[float]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        one_of("state", [state.value for state in AlertState]),
        one_of("kind", [kind.value for kind in AlertKind]),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
        Index(None, "state", "kind"),
    )
