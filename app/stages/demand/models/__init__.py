"""Tables of demand: channel, signal, correction, exclusion, roll-ups; campaigns have their own file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of, reference
from app.core.limits import LARGEST_QUANTITY
from app.stages.demand.models.campaigns import Campaign, CampaignDecision, CampaignSku, LimitedTier, Tier
from app.stages.demand.models.rollups import (
    REASONS,
    Again,
    CampaignAgain,
    CampaignBuyers,
    CampaignDay,
    CampaignRegionDay,
    CampaignTotalDay,
    DemandAgain,
    DemandChange,
    DemandDay,
    DemandSkuAgain,
    DemandSkuDay,
    DemandTotalDay,
    RollUp,
)
from app.stages.demand.models.sources import ChannelEvent, ChannelPull, ChannelReject, ChannelSource
from app.stages.demand.models.suspects import Suspect
from app.stages.demand.models.tolerance import Tolerance, ToleranceFill, ToleranceSku, ToleranceStep
from app.stages.demand.models.traces import SignalTrace
from app.stages.demand.models.votes import Ballot, Design, DesignSku, VoteChoice, VotePrior, VoteRound
from app.stages.demand.models.weights import CommitmentWeight, WeightRun
from app.stages.demand.rules import Commitment, Reason, SignalStatus

__all__ = [
    "LIGHTER",
    "Again",
    "Ballot",
    "Campaign",
    "CampaignAgain",
    "CampaignBuyers",
    "CampaignDay",
    "CampaignDecision",
    "CampaignRegionDay",
    "CampaignSku",
    "CampaignTotalDay",
    "Channel",
    "ChannelEvent",
    "ChannelPull",
    "ChannelReject",
    "ChannelSource",
    "CommitmentWeight",
    "Correction",
    "DemandAgain",
    "DemandChange",
    "DemandDay",
    "DemandSkuAgain",
    "DemandSkuDay",
    "DemandTotalDay",
    "Design",
    "DesignSku",
    "Exclusion",
    "LimitedTier",
    "RollUp",
    "Signal",
    "SignalTrace",
    "Suspect",
    "Tier",
    "Tolerance",
    "ToleranceFill",
    "ToleranceSku",
    "ToleranceStep",
    "VoteChoice",
    "VotePrior",
    "VoteRound",
    "WeightRun",
]

LIGHTER = text("commitment <> 'paid' AND campaign_id IS NULL")
"""Signals outside of campaigns that are no paid order yet, written out: so their index is found."""
ByteOrdered = String(200).with_variant(String(200, collation="C"), "postgresql")
"""Text compared byte by byte: a key in a language's order costs several times the CPU on every insert."""


class Channel(Base):
    """Where signals come from; a channel sells in one currency and counts days in one time zone."""

    __tablename__ = "channel"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Signal(Base):
    """One expression of demand. (channel, external id) is its identity. A negative quantity takes units back.

    `buyer` is a keyed pseudonym. `day` is the business day in the region's time zone. `status` is what the
    channel said when the row was received, `reason` what the waterfall made of it.
    """

    __tablename__ = "signal"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(reference("channel.id"))
    external_id: Mapped[str] = mapped_column(ByteOrdered)
    batch_id: Mapped[int | None] = mapped_column(reference("import_batch.id"))
    commitment: Mapped[str] = mapped_column(String(10))
    sku_id: Mapped[int] = mapped_column(reference("sku.id"))
    region_id: Mapped[int] = mapped_column(reference("region.id"))
    campaign_id: Mapped[int | None] = mapped_column(reference("campaign.id"))
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    buyer: Mapped[str | None] = mapped_column(String(32))
    ordered_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    day: Mapped[dt.date]
    status: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(12))
    __table_args__ = (
        UniqueConstraint("channel_id", "external_id"),
        one_of("status", [status.value for status in SignalStatus]),
        one_of("commitment", [commitment.value for commitment in Commitment]),
        one_of("reason", [reason.value for reason in Reason if reason is not Reason.DUPLICATE]),
        CheckConstraint(
            f"quantity <> 0 AND quantity BETWEEN -{LARGEST_QUANTITY} AND {LARGEST_QUANTITY}",
            name="quantity_in_range",
        ),
        Index(
            "ix_signal_campaign",
            "campaign_id",
            "buyer",
            sqlite_where=campaign_id.column.is_not(None),  # type: ignore[attr-defined]
            postgresql_where=campaign_id.column.is_not(None),  # type: ignore[attr-defined]
        ),
        Index(
            "ix_signal_excluded",
            "reason",
            "day",
            sqlite_where=reason.column != "valid",  # type: ignore[attr-defined]
            postgresql_where=reason.column != "valid",  # type: ignore[attr-defined]
        ),
        Index("ix_signal_lighter", "buyer", "sku_id", sqlite_where=LIGHTER, postgresql_where=LIGHTER),
    )


class Correction(Base):
    """The latest word on what may change of a pledge, by the time the channel says it changed.

    A row may come before its pledge: then `received_quantity` is null, and it waits. Afterwards that is the
    quantity with which the pledge was received; the signal itself holds the corrected one.

    `fill_quantity` is the most that was said in the fill phase of its campaign, where a pledge can only grow:
    it counts where it is more than the quantity. `waiting` holds every word of a row that waits, because only
    its pledge tells in which phase they were said.
    """

    __tablename__ = "correction"
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    external_id: Mapped[str] = mapped_column(ByteOrdered)
    quantity: Mapped[int | None]
    quantity_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str | None] = mapped_column(String(10))
    status_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    received_quantity: Mapped[int | None]
    fill_quantity: Mapped[int | None]
    waiting: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    __table_args__ = (
        PrimaryKeyConstraint("channel_id", "external_id"),
        one_of("status", [status.value for status in SignalStatus]),
        CheckConstraint(f"quantity BETWEEN 1 AND {LARGEST_QUANTITY}", name="quantity_in_range"),
        CheckConstraint("(quantity IS NULL) = (quantity_at IS NULL)", name="quantity_timed"),
        CheckConstraint("(status IS NULL) = (status_at IS NULL)", name="status_timed"),
        CheckConstraint("fill_quantity IS NULL OR fill_quantity >= 1", name="fill_positive"),
        CheckConstraint(
            "quantity IS NOT NULL OR status IS NOT NULL OR fill_quantity IS NOT NULL OR waiting IS NOT NULL",
            name="says_something",
        ),
        {"sqlite_with_rowid": False},
    )


class Exclusion(Base):
    """Why one signal is not valid demand, with its evidence; undone by a person, never deleted.

    `cluster` is the key of the suspects that a person decided on together.
    """

    __tablename__ = "exclusion"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), index=True)
    reason: Mapped[str] = mapped_column(String(12))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(254))
    undone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    cluster: Mapped[str | None] = mapped_column(String(16))
    __table_args__ = (
        Index(
            "ix_exclusion_cluster",
            "cluster",
            sqlite_where=cluster.column.is_not(None),  # type: ignore[attr-defined]
            postgresql_where=cluster.column.is_not(None),  # type: ignore[attr-defined]
        ),
        one_of("reason", REASONS),
        CheckConstraint("(undone_by IS NULL) = (undone_at IS NULL)", name="undo_whole"),
    )
