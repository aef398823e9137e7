"""Tables of tolerance: what a buyer would take instead, and what was made of it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime
from app.core.limits import LARGEST_QUANTITY


class Tolerance(Base):
    """“I would take 2–4”: said with a pledge, and never corrected. Null: as many as were asked for.

    A table of its own, because few pledges say so, and mass imports should not carry it.
    """

    __tablename__ = "tolerance"
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), primary_key=True)
    min_quantity: Mapped[int | None]
    max_quantity: Mapped[int | None]
    __table_args__ = (
        CheckConstraint(f"min_quantity >= 1 AND max_quantity <= {LARGEST_QUANTITY}", name="range_possible"),
        CheckConstraint("min_quantity <= max_quantity", name="range_in_order"),
    )


class ToleranceSku(Base):
    """“Flexible on colour”: a SKU of the campaign that the buyer would take as well."""

    __tablename__ = "tolerance_sku"
    signal_id: Mapped[int] = mapped_column(ForeignKey("tolerance.signal_id"), primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)


class ToleranceFill(Base):
    """Tolerance that was used to fill a line: of one SKU, or (null) the go line of the campaign."""

    __tablename__ = "tolerance_fill"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    sku_id: Mapped[int | None] = mapped_column(ForeignKey("sku.id"))
    wanted_units: Mapped[int]
    gained_units: Mapped[int]
    buyers: Mapped[int]
    applied_by: Mapped[str] = mapped_column(String(254))
    applied_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(254))
    undone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        CheckConstraint("(undone_by IS NULL) = (undone_at IS NULL)", name="undo_whole"),
        CheckConstraint("wanted_units >= 1 AND gained_units >= 1 AND buyers >= 1", name="counts_positive"),
    )


class ToleranceStep(Base):
    """What a fill made of one pledge: other units, another SKU, or both."""

    __tablename__ = "tolerance_step"
    fill_id: Mapped[int] = mapped_column(ForeignKey("tolerance_fill.id"), primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id"), primary_key=True, index=True)
    from_sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    to_sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    from_quantity: Mapped[int]
    to_quantity: Mapped[int]
    __table_args__ = (
        CheckConstraint("from_quantity >= 1 AND to_quantity >= from_quantity", name="grows"),
        CheckConstraint("from_sku_id <> to_sku_id OR to_quantity > from_quantity", name="changes_something"),
    )
