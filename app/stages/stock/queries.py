"""What is on hand, and the movements that made it so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.stock.models import StockMovement


@dataclass(frozen=True, slots=True)
class MovementFact:
    """One entry of the ledger; `quantity` is signed: what came is positive, what went negative."""

    id: int
    sku_id: int
    warehouse_id: int
    quantity: int
    kind: str
    source: str
    occurred_at: dt.datetime


def on_hand(session: Session) -> dict[tuple[int, int], int]:
    """Units by (SKU id, warehouse id); pairs that hold nothing are left out."""
    total = func.sum(StockMovement.quantity)
    query = (
        select(StockMovement.sku_id, StockMovement.warehouse_id, total)
        .group_by(StockMovement.sku_id, StockMovement.warehouse_id)
        .having(total != 0)
        .order_by(StockMovement.sku_id, StockMovement.warehouse_id)
    )
    return {(sku, warehouse): int(units) for sku, warehouse, units in session.execute(query)}


def units_on_hand(session: Session, *, sku_id: int, warehouse_id: int) -> int:
    """Units of one SKU in one warehouse."""
    query = select(func.coalesce(func.sum(StockMovement.quantity), 0)).where(
        StockMovement.sku_id == sku_id, StockMovement.warehouse_id == warehouse_id
    )
    return int(session.scalar(query) or 0)


def movements(
    session: Session,
    *,
    sku_id: int | None = None,
    warehouse_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[MovementFact]:
    """The newest movements first; `before_id` is the last id of the page before."""
    query = select(*_COLUMNS).order_by(StockMovement.id.desc()).limit(limit)
    if sku_id is not None:
        query = query.where(StockMovement.sku_id == sku_id)
    if warehouse_id is not None:
        query = query.where(StockMovement.warehouse_id == warehouse_id)
    if before_id is not None:
        query = query.where(StockMovement.id < before_id)
    return [MovementFact(*row) for row in session.execute(query)]


def find_movement(session: Session, *, source: str, sku_id: int, warehouse_id: int) -> MovementFact | None:
    """What this source did to this SKU in this warehouse, if it did."""
    query = select(*_COLUMNS).where(
        StockMovement.source == source,
        StockMovement.sku_id == sku_id,
        StockMovement.warehouse_id == warehouse_id,
    )
    row = session.execute(query).one_or_none()
    return MovementFact(*row) if row else None


def moved_by(session: Session, *, prefix: str) -> dict[tuple[int, int], int]:
    """Units by (SKU id, warehouse id) that sources beginning with `prefix` have moved, zeros included."""
    query = (
        select(StockMovement.sku_id, StockMovement.warehouse_id, func.sum(StockMovement.quantity))
        .where(StockMovement.source.startswith(prefix, autoescape=True))
        .group_by(StockMovement.sku_id, StockMovement.warehouse_id)
    )
    return {(sku, warehouse): int(units) for sku, warehouse, units in session.execute(query)}


def count_sources(session: Session, *, prefix: str) -> int:
    """How many different sources begin with `prefix`."""
    query = select(func.count(StockMovement.source.distinct())).where(
        StockMovement.source.startswith(prefix, autoescape=True)
    )
    return session.scalar(query) or 0


def lock_cell(session: Session, *, sku_id: int, warehouse_id: int) -> None:
    """Let movements of one SKU in one warehouse wait for each other until the transaction ends.

    The pair's first movement stands for the lock: where there is none, nothing can be taken out either.
    SQLite has one writer at a time and ignores it.
    """
    session.execute(
        select(StockMovement.id)
        .where(StockMovement.sku_id == sku_id, StockMovement.warehouse_id == warehouse_id)
        .order_by(StockMovement.id)
        .limit(1)
        .with_for_update()
    )


_COLUMNS = [getattr(StockMovement, field) for field in MovementFact.__dataclass_fields__]
