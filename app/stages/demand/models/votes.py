"""Tables of votes: designs, rounds of voting on them, ballots, and the volumes that rounds promised."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.demand.rules.votes import RoundState


class Design(Base):
    """Something that may be made; `category` is that of the SKUs it would become."""

    __tablename__ = "design"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(80), index=True)


class DesignSku(Base):
    """The SKUs that a design became; a SKU is made after one design."""

    __tablename__ = "design_sku"
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    design_id: Mapped[int] = mapped_column(ForeignKey("design.id"), index=True)


class VoteRound(Base):
    """A time in which buyers choose one of a few designs."""

    __tablename__ = "vote_round"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    opens_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        one_of("state", [state.value for state in RoundState]),
        CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
    )


class VoteChoice(Base):
    """A design that can be chosen in a round."""

    __tablename__ = "vote_choice"
    round_id: Mapped[int] = mapped_column(ForeignKey("vote_round.id"), primary_key=True)
    design_id: Mapped[int] = mapped_column(ForeignKey("design.id"), primary_key=True, index=True)


class Ballot(Base):
    """The latest word of one buyer in one round, by the channel's time; no signal, and no units.

    `buyer` is the keyed pseudonym that the buyer's pledges have as well. `verified`: the channel said once
    that it knows this buyer.
    """

    __tablename__ = "ballot"
    round_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    buyer: Mapped[str] = mapped_column(String(32), primary_key=True)
    design_id: Mapped[int] = mapped_column(BigId)
    cast_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    verified: Mapped[bool]
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "design_id"], ["vote_choice.round_id", "vote_choice.design_id"]),
    )


class VotePrior(Base):
    """What a round promised of a campaign that followed it, as of its opening; and what it came to.

    `voters` are the ballots that counted for the design, `rate` the part of them thought to order. `learnt`
    is how many finished campaigns of the category were known then.
    """

    __tablename__ = "vote_prior"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    design_id: Mapped[int] = mapped_column(ForeignKey("design.id"), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("vote_round.id"))
    voters: Mapped[int]
    learnt: Mapped[int]
    rate: Mapped[float]
    units: Mapped[float]
    lo_80: Mapped[float]
    hi_80: Mapped[float]
    ordered: Mapped[int | None]
    landed_units: Mapped[int | None] = mapped_column(BigInteger)
    scored_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        CheckConstraint("voters >= 1 AND learnt >= 0", name="counts_positive"),
        CheckConstraint("0 <= rate AND rate <= 1", name="rate_in_unit"),
        CheckConstraint("0 <= lo_80 AND lo_80 <= units AND units <= hi_80", name="interval_in_order"),
        CheckConstraint(
            "(scored_at IS NULL) = (landed_units IS NULL) AND (scored_at IS NULL) = (ordered IS NULL)",
            name="score_whole",
        ),
    )
