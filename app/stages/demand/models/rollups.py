"""Roll-ups: what the signals of a day add up to, at each level that screens and forecasts read."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, LargeBinary, PrimaryKeyConstraint, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.db import Base, BigId, one_of, reference
from app.stages.demand.rules import KINDS, Reason

REASONS = [reason.value for reason in Reason]
CELLS = [kind.value for kind in KINDS]


class RollUp:
    """Counts of signals by reason; those that count, but for paid orders, by their commitment.

    `units` is the signed sum of the accepted rows, `raw_units` their positive part, `valid_units` what
    they add to valid demand. Rows of the reason `duplicate` count what was received again; they are no
    accepted rows, so their `units` and `valid_units` are zero. Only the totals have such rows; what they are
    made of stands in levels of its own, `Again`.

    A cell is not the whole count: changes that wait (`DemandChange`) belong to it as well. Read cells through
    `queries.cells.counted`, or `received` where raw units matter.
    """

    day: Mapped[dt.date]
    reason: Mapped[str] = mapped_column(String(12))
    signals: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)
    raw_units: Mapped[int] = mapped_column(BigInteger)
    valid_units: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class _Finest(RollUp):
    """By SKU and region."""

    @declared_attr
    def sku_id(self) -> Mapped[int]:
        return mapped_column(reference("sku.id"))

    @declared_attr
    def region_id(self) -> Mapped[int]:
        return mapped_column(reference("region.id"))


class DemandDay(_Finest, Base):
    """Channel × SKU × region × day × reason, kept in the order in which weekly series are read."""

    __tablename__ = "demand_day"
    channel_id: Mapped[int] = mapped_column(reference("channel.id"))
    __table_args__ = (
        PrimaryKeyConstraint("sku_id", "region_id", "day", "channel_id", "reason"),
        one_of("reason", CELLS),
        {"sqlite_with_rowid": False},  # one tree instead of two: half the writes of an import
    )


class CampaignDay(_Finest, Base):
    """Campaign × SKU × region × day × reason: the pledge curve. Its signals count in DemandDay as well."""

    __tablename__ = "campaign_day"
    campaign_id: Mapped[int] = mapped_column(reference("campaign.id"))
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "sku_id", "day", "region_id", "reason"),
        one_of("reason", CELLS),
        {"sqlite_with_rowid": False},
    )


# The coarser levels hold sums of the two above, which refer to what they name and check their reasons.


class DemandSkuDay(RollUp, Base):
    """SKU × day × reason, over all channels and regions."""

    __tablename__ = "demand_sku_day"
    sku_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (PrimaryKeyConstraint("sku_id", "day", "reason"), {"sqlite_with_rowid": False})


class DemandTotalDay(RollUp, Base):
    """Channel × day × reason, over all SKUs and regions."""

    __tablename__ = "demand_total_day"
    channel_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (PrimaryKeyConstraint("day", "channel_id", "reason"), {"sqlite_with_rowid": False})


class CampaignRegionDay(RollUp, Base):
    """Campaign × region × day × reason, over all SKUs."""

    __tablename__ = "campaign_region_day"
    campaign_id: Mapped[int] = mapped_column(BigId)
    region_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "region_id", "day", "reason"),
        {"sqlite_with_rowid": False},
    )


class CampaignTotalDay(RollUp, Base):
    """Campaign × day × reason, over all SKUs and regions."""

    __tablename__ = "campaign_total_day"
    campaign_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "day", "reason"), {"sqlite_with_rowid": False})


class Again:
    """What was received again: so many rows, and raw units that the waterfall takes out first.

    Not beside the cells of accepted rows, where each would split a page of the key.
    """

    day: Mapped[dt.date]
    signals: Mapped[int] = mapped_column(BigInteger)
    raw_units: Mapped[int] = mapped_column(BigInteger)


class DemandAgain(Again, Base):
    """Channel × SKU × region × day."""

    __tablename__ = "demand_again"
    sku_id: Mapped[int] = mapped_column(BigId)
    region_id: Mapped[int] = mapped_column(BigId)
    channel_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (
        PrimaryKeyConstraint("sku_id", "region_id", "day", "channel_id"),
        {"sqlite_with_rowid": False},
    )


class DemandSkuAgain(Again, Base):
    """SKU × day, over all channels and regions."""

    __tablename__ = "demand_sku_again"
    sku_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (PrimaryKeyConstraint("sku_id", "day"), {"sqlite_with_rowid": False})


class CampaignAgain(Again, Base):
    """Campaign × SKU × region × day. It counts in DemandAgain as well."""

    __tablename__ = "campaign_again"
    campaign_id: Mapped[int] = mapped_column(BigId)
    sku_id: Mapped[int] = mapped_column(BigId)
    region_id: Mapped[int] = mapped_column(BigId)
    __table_args__ = (
        PrimaryKeyConstraint("campaign_id", "sku_id", "day", "region_id"),
        {"sqlite_with_rowid": False},
    )


class CampaignBuyers(Base):
    """Campaign × day: who ordered, as a sketch that says how many and not who; see `rules.buyers`."""

    __tablename__ = "campaign_buyers"
    campaign_id: Mapped[int] = mapped_column(BigId)
    day: Mapped[dt.date]
    sketch: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (PrimaryKeyConstraint("campaign_id", "day"),)


class DemandChange(RollUp, Base):
    """What one pledge, correction or exclusion adds to the cells of its day, until it is folded into them.

    Rows are only added and, when they are folded, deleted: so nobody waits for a cell that many touch.
    `sketch` is of buyers of the campaign and day, and need not be of this row's signals.
    """

    __tablename__ = "demand_change"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(BigId)
    campaign_id: Mapped[int | None] = mapped_column(BigId)
    sku_id: Mapped[int] = mapped_column(BigId)
    region_id: Mapped[int] = mapped_column(BigId)
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary)
