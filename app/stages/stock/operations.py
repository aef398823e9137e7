"""Moving stock: every change is a new entry of the ledger, made once per source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor
from app.core.errors import Conflict
from app.core.jobs import Progress
from app.stages.catalog import operations as catalog
from app.stages.catalog import queries as catalogs
from app.stages.catalog.operations import NetworkFact, StockRow, TableFact
from app.stages.catalog.rules import Fault
from app.stages.stock import queries
from app.stages.stock.models import StockMovement
from app.stages.stock.rules import MovementKind, check_movement

OPENING = "opening:"
"""Sources of a declared stock begin so; what they moved in sum is the stock last declared."""

Cell = tuple[int, int]
"""(SKU id, warehouse id)."""


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

    `quantity` is signed: a receipt is positive, a shipment negative.

    Raises:
        RuleBroken: `quantity_invalid`, or `insufficient_stock` when more would leave than is there.
        Conflict: `source_used` when the source moved another quantity, or in another way, before.
    """
    kind = MovementKind(kind)
    queries.lock_cell(session, sku_id=sku_id, warehouse_id=warehouse_id)
    known = queries.find_movement(session, source=source, sku_id=sku_id, warehouse_id=warehouse_id)
    if known is not None:
        if (known.quantity, known.kind) != (quantity, kind):
            raise Conflict(
                "source_used",
                f"{source} moved {known.quantity} units as {known.kind} before, not {quantity} as {kind}.",
                source=source,
            )
        return False
    there = queries.units_on_hand(session, sku_id=sku_id, warehouse_id=warehouse_id)
    check_movement(kind=kind, quantity=quantity, on_hand=there)
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
    """Load a network directory: the catalog, and the stock it begins with.

    Stock that differs from what was declared before is corrected by an adjustment; the same directory again
    changes nothing.

    Raises:
        RuleBroken: `network_invalid` with all errors found; nothing is stored.
    """
    fact = catalog.import_network(
        session, directory=directory, actor=actor, now=now, currency=currency, progress=progress
    )
    stock = _declare(session, catalog.read_stock(directory), now=now)
    if stock.unchanged != stock.read:
        data = {"created": stock.created, "updated": stock.updated}
        audit.record(session, actor=actor, action="stock.declared", subject="stock", data=data, now=now)
    unchanged = fact.unchanged and stock.unchanged == stock.read
    return replace(fact, tables={**fact.tables, "stock": stock}, unchanged=unchanged)


def _declare(session: Session, declared: Sequence[StockRow], *, now: dt.datetime) -> TableFact:
    """Bring the opening stock to what is declared; pairs that are not listed stay as they are.

    The first declaration of a SKU in a warehouse is an `opening`. A later one with another quantity is an
    `adjustment` by the difference of the two declarations, so that what moved since then still counts.
    """
    skus, warehouses = catalogs.sku_ids(session), catalogs.warehouse_ids(session)
    rows = sorted((skus[one.sku], warehouses[one.warehouse], one.quantity, one.row) for one in declared)
    before, here = queries.moved_by(session, prefix=OPENING), queries.on_hand(session)
    steps = [
        (row, (sku_id, warehouse_id), units - before.get((sku_id, warehouse_id), 0))
        for sku_id, warehouse_id, units, row in rows
        if units != before.get((sku_id, warehouse_id), 0)
    ]
    catalog.refuse_faults([_overdrawn(*step, here) for step in steps if here.get(step[1], 0) + step[2] < 0])
    source = f"{OPENING}{queries.count_sources(session, prefix=OPENING) + 1}"
    entries = [
        {
            "sku_id": cell[0],
            "warehouse_id": cell[1],
            "quantity": step,
            "kind": MovementKind.ADJUSTMENT if cell in before else MovementKind.OPENING,
            "source": source,
            "occurred_at": now,
        }
        for _, cell, step in steps
    ]
    if entries:
        session.execute(insert(StockMovement), entries)
    updated = sum(cell in before for _, cell, _ in steps)
    return TableFact(len(rows), len(steps) - updated, updated, len(rows) - len(steps))


def _overdrawn(row: int, cell: Cell, step: int, here: Mapping[Cell, int]) -> Fault:
    why = (
        f"{here.get(cell, 0):,} units are on hand, and this is {-step:,} fewer than declared before: "
        "less than nothing would be left. Correct the quantity."
    )
    return Fault("stock.csv", row, "quantity", "insufficient_stock", why)
