"""Tables of confirmation: production plan, plan line, answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.confirmation.rules import AnswerKind, LineState


class ProductionPlan(Base):
    """What one allocation run asks of one supplier."""

    __tablename__ = "production_plan"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    allocation_run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"))
    deadline: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (UniqueConstraint("supplier_id", "allocation_run_id"),)


class PlanLine(Base):
    """Units asked of a supplier, and the terms it stands to now. `version` counts changes: stale answers
    lose.

    `counter_refused` tells a line the buyer withdrew because of its counter-offer from one that a newer plan
    replaced: only the first says something about the supplier. `region_withheld`: its region has too few
    buyers to be told to the supplier.
    """

    __tablename__ = "plan_line"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("production_plan.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    order_week: Mapped[dt.date]
    due_week: Mapped[dt.date]
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(default=1)
    promised_quantity: Mapped[int | None]
    promised_week: Mapped[dt.date | None]
    first_promised_quantity: Mapped[int | None]
    first_promised_week: Mapped[dt.date | None]
    counter_refused: Mapped[bool] = mapped_column(default=False)
    region_withheld: Mapped[bool] = mapped_column(default=False, server_default=false())
    __table_args__ = (
        one_of("state", [state.value for state in LineState]),
        CheckConstraint("(warehouse_id IS NULL) <> (region_id IS NULL)", name="one_destination"),
        CheckConstraint("quantity >= 1", name="quantity_positive"),
        CheckConstraint("NOT counter_refused OR state = 'withdrawn'", name="refused_is_withdrawn"),
        CheckConstraint("promised_quantity IS NULL OR promised_quantity >= 1", name="promise_positive"),
        CheckConstraint(
            "state NOT IN ('confirmed', 'countered') "
            "OR (promised_quantity IS NOT NULL AND promised_week IS NOT NULL)",
            name="answer_has_promise",
        ),
        Index(None, "supplier_id", "state"),
    )


class Answer(Base):
    """What was said about a line, by whom and when; never changed."""

    __tablename__ = "answer"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("plan_line.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    quantity: Mapped[int | None]
    week: Mapped[dt.date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(254))
    answered_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (one_of("kind", [kind.value for kind in AnswerKind]),)


class CounterPreview(Base):
    """What taking or refusing a counter-offer would do to the plan, for one version of its line."""

    __tablename__ = "counter_preview"
    line_id: Mapped[int] = mapped_column(ForeignKey("plan_line.id"), primary_key=True)
    version: Mapped[int]
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
