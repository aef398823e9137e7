"""Pledges that a person should look at, as the last judgement of their campaign found them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime


class Suspect(Base):
    """A pledge that counts and scores too low, or by too weak a rule, to be excluded without being asked.

    Written anew whenever its campaign is judged. Pledges of one `cluster` have the same evidence.
    """

    __tablename__ = "suspect"
    signal_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("signal.id"), primary_key=True, autoincrement=False
    )
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    cluster: Mapped[str] = mapped_column(String(16), index=True)
    score: Mapped[float]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    judged_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (CheckConstraint("score BETWEEN 0 AND 1", name="score_in_range"),)
