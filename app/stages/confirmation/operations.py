"""Asking suppliers, recording what they answer, and what the buyer makes of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, RuleBroken
from app.stages.allocation.queries import PlanFact, PlanLineFact
from app.stages.confirmation import queries, rules
from app.stages.confirmation.models import Answer, CounterPreview, PlanLine, ProductionPlan
from app.stages.confirmation.queries import LineFact
from app.stages.confirmation.rules import AnswerKind, Line, LineState, Terms
from app.stages.demand.queries.buyers import few_buyers

ANSWER_DAYS = 5
"""Days a supplier has to answer, unless the buyer gives another number."""


@dataclass(frozen=True, slots=True)
class IssueFact:
    """What asking did: plans and lines asked now, older lines withdrawn, confirmed units kept."""

    plans: int
    lines: int
    units: int
    withdrawn: int
    kept_units: int


def issue_plans(
    session: Session,
    *,
    run: PlanFact,
    lines: Sequence[PlanLineFact],
    actor: Actor,
    now: dt.datetime,
    answer_days: int = ANSWER_DAYS,
) -> IssueFact:
    """Ask each supplier for what the run newly wants of it: planned units minus those already confirmed.

    Lines of earlier runs that nobody has settled are withdrawn; confirmed ones stay. Asking twice for the
    same run asks only for what is not asked yet. Which region a line goes to straight is withheld from its
    supplier where fewer than five buyers have ordered the SKU there.

    Raises:
        RuleBroken: answer_days below one.
        Conflict: plans_issued_meanwhile when another turn asks for the same run at this moment.
    """
    actor.must_be(Role.MERCHANDISER)
    if answer_days < 1:
        raise RuleBroken("answer_days", "Suppliers need at least one day to answer.", given=answer_days)
    withdrawn = _withdraw_open(session, run_id=run.run_id)
    asked = _asked_already(session, run_id=run.run_id)
    wanted: dict[int, list[PlanLineFact]] = defaultdict(list)
    for line in lines:
        if line.quantity > line.locked_quantity and _key(line) not in asked:
            wanted[line.supplier_id].append(line)
    deadline = now + dt.timedelta(days=answer_days)
    direct = {(one.sku_id, one.region_id) for new in wanted.values() for one in new if one.region_id}
    few = few_buyers(session, cells=direct)
    for supplier, new in sorted(wanted.items()):
        plan_id = _open_plan(session, supplier=supplier, run_id=run.run_id, deadline=deadline, now=now)
        session.execute(
            insert(PlanLine), [_asked_row(line, plan_id, currency=run.currency, few=few) for line in new]
        )
    fact = IssueFact(
        plans=len(wanted),
        lines=sum(len(new) for new in wanted.values()),
        units=sum(line.quantity - line.locked_quantity for new in wanted.values() for line in new),
        withdrawn=withdrawn,
        kept_units=sum(line.locked_quantity for line in lines),
    )
    if fact.lines or fact.withdrawn:
        _audit(session, actor, "plans.issued", f"plan:{run.run_id}", now, lines=fact.lines, units=fact.units)
    return fact


def record_answer(
    session: Session,
    *,
    actor: Actor,
    line_id: int,
    version: int,
    kind: str,
    quantity: int | None = None,
    week: dt.date | None = None,
    note: str = "",
    now: dt.datetime,
) -> LineFact:
    """Record a supplier's answer to one of its lines.

    Raises:
        NotFound: there is no such line, or it is another supplier's.
        NotAllowed: only suppliers answer (and the operator, for one who answers by phone).
        Conflict: stale_answer when the line changed since `version`.
        RuleBroken: answer_kind, and what `rules.answer_line` refuses.
    """
    actor.must_be(Role.SUPPLIER)
    fact, line = _load(session, actor=actor, line_id=line_id, version=version)
    terms = Terms(_kind(kind), quantity, week, note.strip())
    answered = rules.answer_line(line, terms, deadline=fact.deadline, now=now)
    _apply(session, fact, answered)
    session.execute(
        insert(Answer).values(
            line_id=line_id,
            kind=terms.kind.value,
            quantity=None if terms.kind is AnswerKind.DECLINE else answered.promised_quantity,
            week=None if terms.kind is AnswerKind.DECLINE else answered.promised_week,
            note=terms.note,
            answered_by=actor.name,
            answered_at=now,
        )
    )
    _audit_line(session, actor, f"line.{answered.state.value}", fact, answered, now)
    return queries.supplier_line(session, actor=actor, line_id=line_id)


def settle_counter(
    session: Session, *, actor: Actor, line_id: int, version: int, accept: bool, now: dt.datetime
) -> LineFact:
    """Take a counter-offer (the line is confirmed at the supplier's terms) or refuse it (the line is
    withdrawn).

    Raises:
        NotFound, Conflict: as `record_answer`.
        NotAllowed: only the buyer settles.
        RuleBroken: no_counter when the line is not countered.
    """
    actor.must_be(Role.MERCHANDISER)
    fact, line = _load(session, actor=actor, line_id=line_id, version=version)
    settled = rules.settle_counter(line, accept=accept)
    _apply(session, fact, settled)
    _audit_line(session, actor, "counter.accepted" if accept else "counter.refused", fact, settled, now)
    return queries.supplier_line(session, actor=actor, line_id=line_id)


def store_preview(
    session: Session, *, line_id: int, version: int, result: Mapping[str, Any], now: dt.datetime
) -> None:
    """Keep what a counter-offer would do to the plan, for this version of its line."""
    session.execute(delete(CounterPreview).where(CounterPreview.line_id == line_id))
    session.execute(
        insert(CounterPreview).values(line_id=line_id, version=version, result=dict(result), created_at=now)
    )


def expire_overdue(session: Session, *, now: dt.datetime) -> int:
    """Lines whose deadline passed without an answer expire; returns how many did."""
    overdue = select(ProductionPlan.id).where(ProductionPlan.deadline < now)
    changed = session.execute(
        update(PlanLine)
        .where(PlanLine.state == LineState.ASKED, PlanLine.plan_id.in_(overdue))
        .values(state=LineState.EXPIRED.value, version=PlanLine.version + 1)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def _kind(word: str) -> AnswerKind:
    try:
        return AnswerKind(word)
    except ValueError:
        words = ", ".join(kind.value for kind in AnswerKind)
        raise RuleBroken("answer_kind", f"An answer is one of {words}, not {word!r}.", given=word) from None


def _load(session: Session, *, actor: Actor, line_id: int, version: int) -> tuple[LineFact, Line]:
    """The line as it stands, locked until the end of the transaction where the database can."""
    session.execute(select(PlanLine.id).where(PlanLine.id == line_id).with_for_update())
    fact = queries.supplier_line(session, actor=actor, line_id=line_id)
    fields = {name: getattr(fact, name) for name in Line.__dataclass_fields__ if name != "state"}
    line = Line(state=LineState(fact.state), **fields)
    rules.check_version(line, version)
    return fact, line


def _apply(session: Session, fact: LineFact, line: Line) -> None:
    """Write the new state; the old version in the condition lets nobody overwrite a faster answer."""
    changed = session.execute(
        update(PlanLine)
        .where(PlanLine.id == fact.id, PlanLine.version == fact.version)
        .values(
            state=line.state.value,
            version=line.version,
            promised_quantity=line.promised_quantity,
            promised_week=line.promised_week,
            first_promised_quantity=line.first_promised_quantity,
            first_promised_week=line.first_promised_week,
            counter_refused=line.counter_refused,
        )
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        rules.check_version(line, fact.version)


def _withdraw_open(session: Session, *, run_id: int) -> int:
    """Withdraw what earlier runs asked and nobody has settled."""
    earlier = select(ProductionPlan.id).where(ProductionPlan.allocation_run_id != run_id)
    changed = session.execute(
        update(PlanLine)
        .where(PlanLine.state.in_([state.value for state in rules.OPEN]), PlanLine.plan_id.in_(earlier))
        .values(state=LineState.WITHDRAWN.value, version=PlanLine.version + 1)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def _key(line: Any) -> tuple[Any, ...]:
    return line.supplier_id, line.sku_id, line.warehouse_id, line.region_id, line.order_week


def _asked_already(session: Session, *, run_id: int) -> set[tuple[Any, ...]]:
    """What this run has asked and not withdrawn itself; what a newer run withdrew may be asked again."""
    line = PlanLine
    rows = session.execute(
        select(line.supplier_id, line.sku_id, line.warehouse_id, line.region_id, line.order_week)
        .join(ProductionPlan, ProductionPlan.id == line.plan_id)
        .where(
            ProductionPlan.allocation_run_id == run_id,
            (line.state != LineState.WITHDRAWN) | line.counter_refused,
        )
    )
    return {_key(row) for row in rows}


def _open_plan(
    session: Session, *, supplier: int, run_id: int, deadline: dt.datetime, now: dt.datetime
) -> int:
    """The production plan of this supplier and run, with a deadline for what is asked now."""
    plan = session.scalars(
        select(ProductionPlan).where(
            ProductionPlan.supplier_id == supplier, ProductionPlan.allocation_run_id == run_id
        )
    ).first()
    if plan is None:
        plan = ProductionPlan(
            supplier_id=supplier, allocation_run_id=run_id, deadline=deadline, created_at=now
        )
        try:
            with session.begin_nested():
                session.add(plan)
        except IntegrityError as error:
            raise Conflict(
                "plans_issued_meanwhile", "Another turn is asking the suppliers for this plan. Turn again."
            ) from error
    plan.deadline = deadline
    session.flush()
    return plan.id


def _asked_row(
    line: PlanLineFact, plan_id: int, *, currency: str, few: Set[tuple[int, int]]
) -> dict[str, Any]:
    return {
        "plan_id": plan_id,
        "supplier_id": line.supplier_id,
        "sku_id": line.sku_id,
        "warehouse_id": line.warehouse_id,
        "region_id": line.region_id,
        "order_week": line.order_week,
        "due_week": line.arrival_week,
        "quantity": line.quantity - line.locked_quantity,
        "unit_price_minor": line.unit_price_minor,
        "currency": currency,
        "state": LineState.ASKED.value,
        "version": 1,
        "counter_refused": False,
        "region_withheld": (line.sku_id, line.region_id) in few,
    }


def _audit_line(
    session: Session, actor: Actor, action: str, fact: LineFact, line: Line, now: dt.datetime
) -> None:
    _audit(
        session,
        actor,
        action,
        f"line:{fact.id}",
        now,
        supplier_id=fact.supplier_id,
        asked=[fact.quantity, fact.due_week.isoformat()],
        promised=[line.promised_quantity, line.promised_week.isoformat() if line.promised_week else None],
        version=line.version,
    )


def _audit(session: Session, actor: Actor, action: str, subject: str, now: dt.datetime, **data: Any) -> None:
    audit.record(session, actor=actor, action=action, subject=subject, data=data, now=now)
