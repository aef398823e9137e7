"""Tables of demand: channel, campaign, tier, signal, correction, exclusion, and the roll-ups."""

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
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of, reference
from app.core.limits import LARGEST_QUANTITY
from app.stages.demand.rules import CampaignState, Commitment, Reason, SignalStatus

REASONS = [reason.value for reason in Reason]
ByteOrdered = String(200).with_variant(String(200, collation="C"), "postgresql")
"""Text compared byte by byte: a key in a language's order costs several times the CPU on every insert."""


class Channel(Base):
    """Where signals come from; a channel sells in one currency and counts days in one time zone."""

    __tablename__ = "channel"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class Campaign(Base):
    __tablename__ = "campaign"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_zh: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    opens_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expected_units: Mapped[int]
    go_factor_percent: Mapped[int] = mapped_column(default=120)
    per_buyer_limit: Mapped[int | None]
    due_week: Mapped[dt.date]
    __table_args__ = (
        one_of("state", [state.value for state in CampaignState]),
        CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
        CheckConstraint("expected_units >= 1", name="expected_positive"),
        CheckConstraint("go_factor_percent >= 1", name="go_factor_positive"),
        CheckConstraint("per_buyer_limit IS NULL OR per_buyer_limit >= 1", name="limit_positive"),
    )


class CampaignSku(Base):
    __tablename__ = "campaign_sku"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True, index=True)


class Tier(Base):
    """The price of every unit once the campaign has reached `min_units`."""

    __tablename__ = "tier"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    min_units: Mapped[int] = mapped_column(primary_key=True)
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("min_units >= 0 AND unit_price_minor >= 0", name="units_and_price_positive"),
    )


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
        one_of("reason", [reason for reason in REASONS if reason != Reason.DUPLICATE]),
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
    )


class Correction(Base):
    """The latest word on what may change of a pledge, by the time the channel says it changed.

    A row may come before its pledge: then `received_quantity` is null, and it waits. Afterwards that is the
    quantity with which the pledge was received; the signal itself holds the corrected one.
    """

    __tablename__ = "correction"
    channel_id: Mapped[int] = mapped_column(ForeignKey("channel.id"))
    external_id: Mapped[str] = mapped_column(ByteOrdered)
    quantity: Mapped[int | None]
    quantity_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str | None] = mapped_column(String(10))
    status_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    received_quantity: Mapped[int | None]
    __table_args__ = (
        PrimaryKeyConstraint("channel_id", "external_id"),
        one_of("status", [status.value for status in SignalStatus]),
        CheckConstraint(f"quantity BETWEEN 1 AND {LARGEST_QUANTITY}", name="quantity_in_range"),
        CheckConstraint("(quantity IS NULL) = (quantity_at IS NULL)", name="quantity_timed"),
        CheckConstraint("(status IS NULL) = (status_at IS NULL)", name="status_timed"),
        CheckConstraint("quantity IS NOT NULL OR status IS NOT NULL", name="says_something"),
        {"sqlite_with_rowid": False},
    )


class Exclusion(Base):
    """Why one signal is not valid demand, with its evidence; undone by a person, never deleted."""

    __tablename__ = "exclusion"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), index=True)
    reason: Mapped[str] = mapped_column(String(12))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(254))
    undone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        one_of("reason", REASONS),
        CheckConstraint("(undone_by IS NULL) = (undone_at IS NULL)", name="undo_whole"),
    )


class _RollUp:
    """Counts of signals by reason.

    `units` is the signed sum of the accepted rows, `raw_units` their positive part, `valid_units` what
    they add to valid demand. Rows of the reason `duplicate` count what was received again; they are no
    accepted rows, so their `units` and `valid_units` are zero.
    """

    day: Mapped[dt.date]
    reason: Mapped[str] = mapped_column(String(12))
    signals: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)
    raw_units: Mapped[int] = mapped_column(BigInteger)
    valid_units: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)

    @declared_attr
    def sku_id(self) -> Mapped[int]:
        return mapped_column(reference("sku.id"))

    @declared_attr
    def region_id(self) -> Mapped[int]:
        return mapped_column(reference("region.id"))


class DemandDay(_RollUp, Base):
    """Channel × SKU × region × day × reason, kept in the order in which weekly series are read."""

    __tablename__ = "demand_day"
    channel_id: Mapped[int] = mapped_column(reference("channel.id"))
    __table_args__ = (
        PrimaryKeyConstraint("sku_id", "region_id", "day", "channel_id", "reason"),
        one_of("reason", REASONS),
        {"sqlite_with_rowid": False},  # one tree instead of two: half the writes of an import
    )


class CampaignDay(_RollUp, Base):
    """Campaign × SKU × region × day × reason: the pledge curve. Its signals count in DemandDay as well."""

    __tablename__ = "campaign_day"
    campaign_id: Mapped[int] = mapped_column(reference("campaign.id"))
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "day", "sku_id", "region_id", "reason"),
        one_of("reason", REASONS),
        {"sqlite_with_rowid": False},
    )
