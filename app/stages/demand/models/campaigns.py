"""Tables of campaigns: their terms, variants and prices, and what was decided of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.demand.rules.campaigns import CampaignState, DecisionKind


class Campaign(Base):
    """A pre-sale. A trigger keeps `expected_units` and `go_factor_percent` as they were launched.

    `deposit_minor` is asked for every unit until `deposit_due_at`, the rest of the price until
    `balance_due_at`. From `fill_starts_at` to the close pledges can only grow. After the close pledges are
    taken up to `cap_units` until `late_until`.
    """

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
    cap_units: Mapped[int | None]
    deposit_minor: Mapped[int | None] = mapped_column(BigInteger)
    deposit_due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    balance_due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    fill_starts_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    late_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    launched_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (
        one_of("state", [state.value for state in CampaignState]),
        CheckConstraint("closes_at > opens_at", name="closes_after_opening"),
        CheckConstraint("expected_units >= 1", name="expected_positive"),
        CheckConstraint("go_factor_percent >= 1", name="go_factor_positive"),
        CheckConstraint("per_buyer_limit IS NULL OR per_buyer_limit >= 1", name="limit_positive"),
        CheckConstraint("cap_units IS NULL OR cap_units >= 1", name="cap_positive"),
        CheckConstraint("deposit_minor IS NULL OR deposit_minor >= 1", name="deposit_positive"),
        CheckConstraint("version >= 1", name="version_positive"),
    )


class CampaignSku(Base):
    """A variant of a campaign: one SKU, and the option by which buyers choose it, such as “black, M”."""

    __tablename__ = "campaign_sku"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True, index=True)
    option: Mapped[str | None] = mapped_column(String(80))


class Tier(Base):
    """The price of every unit once the campaign has reached `min_units`."""

    __tablename__ = "tier"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    min_units: Mapped[int] = mapped_column(primary_key=True)
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("min_units >= 0 AND unit_price_minor >= 0", name="units_and_price_positive"),
    )


class LimitedTier(Base):
    """The price of the first units, in the order they were pledged; `place` 1 is given away first."""

    __tablename__ = "limited_tier"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    units: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("place >= 1", name="place_positive"),
        CheckConstraint("units >= 1 AND unit_price_minor >= 0", name="units_and_price_positive"),
    )


class CampaignDecision(Base):
    """One step of a campaign's life: what was decided, on what figures, by a rule or by whom. Append-only.

    `rule_goes` is what the go rule said, where it was asked; `inputs` holds the waterfall, the landing and
    whatever else was looked at.
    """

    __tablename__ = "campaign_decision"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    valid_units: Mapped[int] = mapped_column(BigInteger)
    expected_units: Mapped[int]
    go_factor_percent: Mapped[int]
    rule_goes: Mapped[bool | None]
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str | None] = mapped_column(String(500))
    decided_by: Mapped[str] = mapped_column(String(254))
    decided_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        one_of("kind", [kind.value for kind in DecisionKind]),
        one_of("from_state", [state.value for state in CampaignState]),
        one_of("to_state", [state.value for state in CampaignState]),
    )
