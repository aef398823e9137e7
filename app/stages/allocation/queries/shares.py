"""What a plan comes to: how much each supplier has of it, and what it leaves unmet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.allocation import rules
from app.stages.allocation.models import AllocationShare, UnmetDemand


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareFact:
    """One supplier's part of a scope, 0–1.

    `share` is of what is allocated (who will make it), `demand_share` of what is wanted (units only; the
    optimizer's cap is on that one). `scope_key` is a SKU code, a category, or empty for the whole plan.
    """

    scope: str
    scope_key: str
    base: str
    supplier_id: int
    amount: int
    scope_amount: int
    share: float
    demand_share: float | None
    hhi: float
    effective_suppliers: float


@dataclass(frozen=True, slots=True)
class UnmetFact:
    sku_id: int
    region_id: int
    week: dt.date
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class UnmetSku:
    """Unplanned units of one SKU over all regions and weeks; `reasons` maps reason code to units."""

    sku_id: int
    quantity: int
    reasons: dict[str, int]


def shares(
    session: Session,
    *,
    run_id: int,
    scope: str | None = None,
    scope_key: str | None = None,
    base: str | None = None,
    above: int | None = None,
    limit: int | None = None,
) -> list[ShareFact]:
    """Shares of a plan, largest amounts above the line first.

    `above` keeps those strictly above that many percent, by integers: exactly 40 % is not above 40.
    """
    row = AllocationShare
    query = select(row).where(row.run_id == run_id)
    for column, value in ((row.scope, scope), (row.scope_key, scope_key), (row.base, base)):
        if value is not None:
            query = query.where(column == value)
    if above is not None:
        query = query.where(row.amount * 100 > above * row.scope_amount)
    excess = row.amount * 100 - (above or 0) * row.scope_amount
    query = query.order_by(excess.desc(), row.scope, row.scope_key, row.base, row.supplier_id).limit(limit)
    return [_share(found) for found in session.scalars(query)]


def unmet(
    session: Session, *, run_id: int, sku_id: int | None = None, limit: int | None = None
) -> list[UnmetFact]:
    """Unplanned demand cells, largest first."""
    cell = UnmetDemand
    query = select(cell.sku_id, cell.region_id, cell.week, cell.quantity, cell.reason).where(
        cell.run_id == run_id
    )
    if sku_id is not None:
        query = query.where(cell.sku_id == sku_id)
    query = query.order_by(cell.quantity.desc(), cell.sku_id, cell.region_id, cell.week).limit(limit)
    return [UnmetFact(*row) for row in session.execute(query)]


def unmet_by_sku(session: Session, *, run_id: int, limit: int | None = None) -> list[UnmetSku]:
    """Unplanned units by SKU with their reasons, largest first."""
    cell = UnmetDemand
    query = (
        select(cell.sku_id, cell.reason, func.sum(cell.quantity))
        .where(cell.run_id == run_id)
        .group_by(cell.sku_id, cell.reason)
    )
    found: dict[int, dict[str, int]] = {}
    for sku, reason, units in session.execute(query):
        found.setdefault(sku, {})[reason] = int(units)
    skus = [UnmetSku(sku, sum(reasons.values()), reasons) for sku, reasons in found.items()]
    return sorted(skus, key=lambda sku: (-sku.quantity, sku.sku_id))[:limit]


def _share(row: AllocationShare) -> ShareFact:
    return ShareFact(
        scope=row.scope,
        scope_key=row.scope_key,
        base=row.base,
        supplier_id=row.supplier_id,
        amount=row.amount,
        scope_amount=row.scope_amount,
        share=row.amount / row.scope_amount,
        demand_share=row.amount / row.demand_amount if row.demand_amount else None,
        hhi=row.hhi,
        effective_suppliers=rules.effective_suppliers(row.hhi),
    )
