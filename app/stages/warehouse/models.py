"""Tables of the warehouse stage: receipts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime


class Receipt(Base):
    """Units of one plan line that came through the gate; each receipt moves stock once."""

    __tablename__ = "receipt"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_line_id: Mapped[int] = mapped_column(ForeignKey("plan_line.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    reference: Mapped[str] = mapped_column(String(80), unique=True)
    quantity: Mapped[int]
    received_by: Mapped[str] = mapped_column(String(254))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (CheckConstraint("quantity >= 1", name="quantity_positive"),)
