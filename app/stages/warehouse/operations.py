"""Taking goods in at the gate."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.confirmation import queries as confirmation
from app.stages.confirmation.queries import LineFact
from app.stages.confirmation.rules import LineState
from app.stages.stock import operations as stock
from app.stages.stock.rules import MovementKind
from app.stages.warehouse import queries
from app.stages.warehouse.models import Receipt
from app.stages.warehouse.queries import ReceiptFact
from app.stages.warehouse.rules import check_receipt


def receive(
    session: Session, *, actor: Actor, line_id: int, reference: str, quantity: int, now: dt.datetime
) -> ReceiptFact:
    """Take in units of a confirmed line: a receipt is posted and stock moves, both once for each reference.

    Raises:
        NotAllowed: only the warehouse planner receives.
        NotFound: line_unknown.
        Conflict: reference_used for other goods or another quantity.
        RuleBroken: reference_missing, line_not_confirmed, line_direct (it goes to no warehouse),
            receipt_quantity, over_receipt (more than is still to come).
    """
    actor.must_be(Role.WAREHOUSE_PLANNER)
    reference = _checked(reference)
    received = queries.received_units(session, line_id=line_id)
    before = queries.find_receipt(session, reference=reference)
    if before is not None:
        return _same(before, line_id=line_id, quantity=quantity)
    line = confirmation.supplier_line(session, actor=actor, line_id=line_id)
    warehouse_id = _warehouse_of(line)
    check_receipt(quantity, promised=line.promised_quantity or 0, received=received)
    session.execute(
        insert(Receipt).values(
            plan_line_id=line_id,
            warehouse_id=warehouse_id,
            reference=reference,
            quantity=quantity,
            received_by=actor.name,
            received_at=now,
        )
    )
    stock.move(
        session,
        sku_id=line.sku_id,
        warehouse_id=warehouse_id,
        quantity=quantity,
        kind=MovementKind.RECEIPT,
        source=f"receipt:{reference}",
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="line.received",
        subject=f"line:{line_id}",
        data={"reference": reference, "quantity": quantity, "warehouse_id": warehouse_id},
        now=now,
    )
    return _posted(session, reference)


def _checked(reference: str) -> str:
    reference = reference.strip()
    if not 1 <= len(reference) <= 80:
        raise RuleBroken(
            "reference_missing",
            "Name the delivery note: 1 to 80 characters. It makes a receipt sent twice count once.",
        )
    return reference


def _same(before: ReceiptFact, *, line_id: int, quantity: int) -> ReceiptFact:
    if (before.plan_line_id, before.quantity) != (line_id, quantity):
        raise Conflict(
            "reference_used",
            f"The reference {before.reference} stands for another receipt already.",
            reference=before.reference,
            line_id=before.plan_line_id,
            quantity=before.quantity,
        )
    return before


def _warehouse_of(line: LineFact) -> int:
    if line.state != LineState.CONFIRMED:
        raise RuleBroken(
            "line_not_confirmed",
            f"This line is {line.state}; only confirmed lines can be received.",
            state=line.state,
        )
    if line.warehouse_id is None:
        raise RuleBroken("line_direct", "This line goes straight to a region and passes no warehouse.")
    return line.warehouse_id


def _posted(session: Session, reference: str) -> ReceiptFact:
    receipt = queries.find_receipt(session, reference=reference)
    if receipt is None:
        raise NotFound("receipt_unknown", f"There is no receipt {reference}.", reference=reference)
    return receipt
