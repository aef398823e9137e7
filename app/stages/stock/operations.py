"""Moving stock: every change is a new entry of the ledger, made once per source."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.access import Actor
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import Progress
from app.stages.catalog import operations as catalog
from app.stages.catalog import queries as catalogs
from app.stages.catalog.operations import NetworkFact
from app.stages.stock import queries
from app.stages.stock.models import StockMovement
from app.stages.stock.rules import MovementKind


def move(
    session: Session,
    *,
    sku_id: int,
    warehouse_id: int,
    quantity: int,
    kind: MovementKind,
    source: str,
    now: dt.datetime,
) -> bool:
    """Enter one movement; the same source again changes nothing. Returns whether stock moved.

    Raises:
        RuleBroken: `quantity_zero`, or `insufficient_stock` when more would leave than is there.
        Conflict: `source_used` when the source moved another quantity before.
    """
    if quantity == 0:
        raise RuleBroken("quantity_zero", "A stock movement has a quantity other than 0.")
    known = queries.find_movement(session, source=source, sku_id=sku_id, warehouse_id=warehouse_id)
    if known is not None:
        if known.quantity != quantity:
            raise Conflict("source_used", f"{source} moved {known.quantity} units before, not {quantity}.")
        return False
    there = queries.units_on_hand(session, sku_id=sku_id, warehouse_id=warehouse_id)
    if there + quantity < 0:
        raise RuleBroken(
            "insufficient_stock", f"Only {there} units are on hand; {-quantity} can't leave.", on_hand=there
        )
    session.add(
        StockMovement(
            sku_id=sku_id,
            warehouse_id=warehouse_id,
            quantity=quantity,
            kind=kind,
            source=source,
            occurred_at=now,
        )
    )
    session.flush()
    return True


def import_network(
    session: Session,
    *,
    directory: Path,
    actor: Actor,
    now: dt.datetime,
    currency: str,
    progress: Progress | None = None,
) -> NetworkFact:
    """Load a network directory: the catalog, and the stock it counts.

    Stock that differs from what was counted before is corrected by an adjustment; the same directory again
    changes nothing.

    Raises:
        RuleBroken: `network_invalid` with all errors found; nothing is stored.
    """
    fact = catalog.import_network(
        session, directory=directory, actor=actor, now=now, currency=currency, progress=progress
    )
    path = directory / "stock.csv"
    return replace(fact, stock=_count(session, path=path, now=now)) if path.exists() else fact


def _count(session: Session, *, path: Path, now: dt.datetime) -> int:
    """Bring the ledger to the quantities counted; returns how many entries that took."""
    counted = catalog.read_stock(path)
    skus, warehouses = catalogs.sku_ids(session), catalogs.warehouse_ids(session)
    here, moved = queries.on_hand(session), 0
    for sku, warehouse, quantity in counted:
        key = (skus[sku], warehouses[warehouse])
        difference = quantity - here.get(key, 0)
        if difference:
            kind = MovementKind.ADJUSTMENT if key in here else MovementKind.OPENING
            moved += move(
                session,
                sku_id=key[0],
                warehouse_id=key[1],
                quantity=difference,
                kind=kind,
                source=f"count:{now.isoformat()}",
                now=now,
            )
    return moved
