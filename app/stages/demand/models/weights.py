"""What a unit of each commitment is worth: the part of it that is expected to be paid, as it was learnt."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.demand.rules import Commitment


class WeightRun(Base):
    """One time that weights were learnt from data with this fingerprint; the newest is in use."""

    __tablename__ = "weight_run"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    learnt_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class CommitmentWeight(Base):
    """The weight of a commitment in a category, in thousandths; the category '' stands for all others.

    Of `signals` in finished campaigns `converted` were paid. The prior is what other categories taught, worth
    `prior_signals`.
    """

    __tablename__ = "commitment_weight"
    run_id: Mapped[int] = mapped_column(ForeignKey("weight_run.id"), primary_key=True)
    category: Mapped[str] = mapped_column(String(80), primary_key=True)
    commitment: Mapped[str] = mapped_column(String(10), primary_key=True)
    prior_mean: Mapped[float]
    prior_signals: Mapped[float]
    campaigns: Mapped[int]
    signals: Mapped[int] = mapped_column(BigInteger)
    converted: Mapped[int] = mapped_column(BigInteger)
    permille: Mapped[int]
    lo_permille: Mapped[int]
    hi_permille: Mapped[int]
    __table_args__ = (
        one_of("commitment", [one.value for one in Commitment]),
        CheckConstraint(
            "0 <= lo_permille AND lo_permille <= permille AND permille <= hi_permille "
            "AND hi_permille <= 1000",
            name="in_order",
        ),
        CheckConstraint("0 <= converted AND converted <= signals", name="converted_of_signals"),
    )
