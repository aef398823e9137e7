"""The stock ledger: append-only movements; on hand is their sum."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.stock.rules import MovementKind


class StockMovement(Base):
    """`source` names the document that caused it; a source moves stock once, however often it is sent."""

    __tablename__ = "stock_movement"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"))
    quantity: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(120))
    occurred_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("source", "sku_id", "warehouse_id"),
        Index(None, "sku_id", "warehouse_id"),
        one_of("kind", [kind.value for kind in MovementKind]),
        CheckConstraint("quantity <> 0", name="quantity_not_zero"),
    )
