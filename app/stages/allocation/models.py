"""Tables of the allocation stage: runs, lines, flows, unmet demand, shares, concentration limits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.allocation.rules import Base as ShareBase
from app.stages.allocation.rules import RunStatus, Scope, UnmetReason
from app.stages.forecasts.rules.service import HIGHEST_SERVICE, LOWEST_SERVICE

SCOPES = [scope.value for scope in Scope]
BASES = [base.value for base in ShareBase]


class ConcentrationLimit(Base):
    """The share above which a scope leans on one supplier. Soft limits are priced, hard ones hold.

    Without a penalty of its own a soft limit is priced at a part of what a unit costs.
    """

    __tablename__ = "concentration_limit"
    scope: Mapped[str] = mapped_column(String(10), primary_key=True)
    base: Mapped[str] = mapped_column(String(10), primary_key=True)
    threshold_percent: Mapped[int] = mapped_column(default=40)
    hard: Mapped[bool] = mapped_column(default=False)
    penalty_minor: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        one_of("scope", SCOPES),
        one_of("base", BASES),
        CheckConstraint("threshold_percent BETWEEN 1 AND 100", name="threshold_in_range"),
        CheckConstraint("penalty_minor IS NULL OR penalty_minor >= 0", name="penalty_positive"),
    )


class PlanPolicy(Base):
    """What plans are made with beside the limits; one row, and none while everything is at its default.

    A class without a service level is planned to its mean, a charge of null is none.
    """

    __tablename__ = "plan_policy"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    service_a: Mapped[int | None]
    service_b: Mapped[int | None]
    service_c: Mapped[int | None]
    churn_minor: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        *(
            CheckConstraint(
                f"service_{one} IS NULL OR service_{one} BETWEEN {LOWEST_SERVICE} AND {HIGHEST_SERVICE}",
                name=f"service_{one}_in_range",
            )
            for one in "abc"
        ),
        CheckConstraint("churn_minor IS NULL OR churn_minor >= 1", name="churn_positive"),
    )


class AllocationRun(Base):
    """One accepted plan. The checker recomputed every figure; money is in minor units of `currency`.

    `asked_at` is when suppliers were last asked for it, null where they never were; `ahead` says that it was
    made before its day.
    """

    __tablename__ = "allocation_run"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    forecast_run_id: Mapped[int] = mapped_column(ForeignKey("forecast_run.id"))
    as_of: Mapped[dt.date]
    weeks: Mapped[int]
    status: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    problem_digest: Mapped[str] = mapped_column(String(64), unique=True)
    plan_digest: Mapped[str] = mapped_column(String(64))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    demand_units: Mapped[int] = mapped_column(BigInteger)
    planned_units: Mapped[int] = mapped_column(BigInteger)
    unmet_units: Mapped[int] = mapped_column(BigInteger)
    cost_minor: Mapped[int] = mapped_column(BigInteger)
    bound_minor: Mapped[int] = mapped_column(BigInteger)
    gap: Mapped[float]
    cost_parts: Mapped[dict[str, int]] = mapped_column(JSON)
    binding: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    seconds: Mapped[float]
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    ahead: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (one_of("status", [status.value for status in RunStatus]),)


class AllocationLine(Base):
    """Units of one SKU from one supplier, ordered in one week, to one warehouse or straight to a region.

    `surplus_quantity` of them are bought only for a MOQ, a lot or a price break and serve no demand of the
    plan.
    """

    __tablename__ = "allocation_line"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouse.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    order_week: Mapped[dt.date]
    arrival_week: Mapped[dt.date]
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    locked_quantity: Mapped[int] = mapped_column(default=0)
    surplus_quantity: Mapped[int] = mapped_column(default=0)
    __table_args__ = (
        CheckConstraint("(warehouse_id IS NULL) <> (region_id IS NULL)", name="one_destination"),
        CheckConstraint("quantity >= 1", name="quantity_positive"),
        CheckConstraint("locked_quantity BETWEEN 0 AND quantity", name="locked_within"),
        CheckConstraint("surplus_quantity BETWEEN 0 AND quantity", name="surplus_within"),
    )


class AllocationFlow(Base):
    """Units leaving one warehouse for one region in one week."""

    __tablename__ = "allocation_flow"
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouse.id"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True)
    week: Mapped[dt.date] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    __table_args__ = (CheckConstraint("quantity >= 1", name="quantity_positive"),)


class UnmetDemand(Base):
    __tablename__ = "unmet_demand"
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True)
    week: Mapped[dt.date] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(String(20))
    __table_args__ = (
        one_of("reason", [reason.value for reason in UnmetReason]),
        CheckConstraint("quantity >= 1", name="quantity_positive"),
    )


class AllocationShare(Base):
    """One supplier's part of what is allocated within a scope; the scope `plan` has the empty key."""

    __tablename__ = "allocation_share"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"))
    scope: Mapped[str] = mapped_column(String(10))
    scope_key: Mapped[str] = mapped_column(String(80))
    base: Mapped[str] = mapped_column(String(10))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    scope_amount: Mapped[int] = mapped_column(BigInteger)
    demand_amount: Mapped[int | None] = mapped_column(BigInteger)
    hhi: Mapped[float]
    __table_args__ = (
        one_of("scope", SCOPES),
        one_of("base", BASES),
        CheckConstraint("amount BETWEEN 0 AND scope_amount", name="part_of_whole"),
        Index(None, "run_id", "scope", "scope_key"),
    )


class PlanDocument(Base):
    """The problem and the plan of a run as their packed JSON, so that it can be asked about ever after."""

    __tablename__ = "plan_document"
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    problem: Mapped[bytes] = mapped_column(LargeBinary)
    plan: Mapped[bytes] = mapped_column(LargeBinary)


class PlanExplanation(Base):
    """What was found out about a plan by planning again; money in its rows is in minor units."""

    __tablename__ = "plan_explanation"
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), primary_key=True)
    relief: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    caps: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    why: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class PlanRefusal(Base):
    """Inputs that no plan can keep all rules of: the clashes, the ways out, and what was decided about them.

    `decision` holds the code of the relaxation, and the limits it set, before and after.
    """

    __tablename__ = "plan_refusal"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    as_of: Mapped[dt.date]
    currency: Mapped[str] = mapped_column(String(3))
    problem_digest: Mapped[str] = mapped_column(String(64), unique=True)
    clashes: Mapped[list[list[dict[str, Any]]]] = mapped_column(JSON)
    relaxations: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    lowest_share: Mapped[float | None]
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    decided_by: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    __table_args__ = (
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decision_whole"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decision_known"),
    )


class Scenario(Base):
    """The problem of a plan with something otherwise. `result` is null until it was planned."""

    __tablename__ = "scenario"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("allocation_run.id"), index=True)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
