"""Keeping a plan: checked without a solver, with its lines, flows, shares and documents, or not at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from sqlalchemy import Table, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import optimizer
from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict
from app.stages.allocation import queries, rules
from app.stages.allocation.models import (
    AllocationFlow,
    AllocationLine,
    AllocationRun,
    AllocationShare,
    PlanDocument,
    UnmetDemand,
)
from app.stages.allocation.operations.runs import FrozenProblem, check_unmoved, problem_digest
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Commitments
from app.stages.allocation.translate import (
    Plan,
    packed,
    read_plan,
)

MOST_BINDING = 500
"""Binding rules kept with a run; the rest of a long list says nothing more to a reader."""
CHUNK = 5000
"""Rows in one INSERT."""


def store(
    session: Session,
    *,
    frozen: FrozenProblem,
    solution: optimizer.Solution,
    commitments: Commitments,
    today: dt.date,
    actor: Actor,
    now: dt.datetime,
) -> PlanFact:
    """Check the solution without a solver and store it; inputs that have a plan already keep that one.

    Args:
        commitments: what stands now, read in this transaction.
        today: the brand's day; a plan of a later one is made ahead.

    Raises:
        Conflict: inputs_moved when answers, stock, network or limits changed since the freeze;
            plan_stored_meanwhile when another turn was faster.
        optimizer.BrokenRule: the solution breaks a rule; nothing is stored.
    """
    actor.must_be(Role.MERCHANDISER)
    named = problem_digest(frozen, solution)
    stored = queries.find_plan(session, problem_digest=named)
    if stored is not None:
        return stored
    check_unmoved(session, frozen=frozen, commitments=commitments)
    plan = read_plan(
        frozen.translation,
        solution,
        first=rules.monday(frozen.as_of),
        minor_per_unit=frozen.minor_per_unit,
    )
    ahead = frozen.as_of > today
    run_id = _insert_run(session, frozen, solution, plan, named=named, ahead=ahead, actor=actor, now=now)
    _insert_rows(session, run_id, plan)
    session.add(
        PlanDocument(
            run_id=run_id,
            problem=packed(frozen.translation.problem.to_json()),
            plan=packed(solution.to_json()),
        )
    )
    session.flush()
    fact = queries.get_plan(session, run_id=run_id)
    _record(session, fact, actor=actor, now=now)
    return fact


def mark_asked(session: Session, *, run_id: int, now: dt.datetime) -> None:
    """Suppliers are asked for this plan; from then on it is no preview."""
    session.execute(update(AllocationRun).where(AllocationRun.id == run_id).values(asked_at=now))


def _insert_run(
    session: Session,
    frozen: FrozenProblem,
    solution: optimizer.Solution,
    plan: Plan,
    *,
    named: str,
    ahead: bool,
    actor: Actor,
    now: dt.datetime,
) -> int:
    run = AllocationRun(
        forecast_run_id=frozen.forecast_run_id,
        as_of=frozen.as_of,
        weeks=frozen.settings.weeks,
        status=solution.status,
        currency=frozen.currency,
        problem_digest=named,
        plan_digest=plan.digest,
        settings={
            **asdict(frozen.settings),
            "stopped_by": solution.limit,
            "base_run_id": frozen.base_run_id,
            "start_run_id": frozen.start_run_id,
        },
        demand_units=frozen.translation.demand_units,
        planned_units=sum(line.quantity for line in plan.lines),
        unmet_units=sum(one.quantity for one in plan.unmet),
        cost_minor=plan.cost_minor,
        bound_minor=plan.bound_minor,
        gap=plan.gap,
        cost_parts=plan.cost_parts,
        binding=[asdict(one) for one in solution.binding[:MOST_BINDING]],
        seconds=solution.seconds,
        created_by=actor.name,
        created_at=now,
        ahead=ahead,
    )
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError as error:
        raise Conflict(
            "plan_stored_meanwhile", "Another turn stored this plan first. Turn again to go on with it."
        ) from error
    return run.id


def _insert_rows(session: Session, run_id: int, plan: Plan) -> None:
    lines = [_row(line, run_id, AllocationLine) for line in plan.lines]
    flows = [_row(flow, run_id, AllocationFlow) for flow in plan.flows]
    unmet = [_row(one, run_id, UnmetDemand) for one in plan.unmet]
    parts = [
        {
            "run_id": run_id,
            "scope": share.scope.value,
            "scope_key": share.key,
            "base": share.base.value,
            "supplier_id": share.supplier_id,
            "amount": share.amount,
            "scope_amount": share.scope_amount,
            "demand_amount": plan.demand_of.get((share.scope.value, share.key))
            if share.base is rules.Base.UNITS
            else None,
            "hhi": share.hhi,
        }
        for share in plan.shares
    ]
    for model, rows in (
        (AllocationLine, lines),
        (AllocationFlow, flows),
        (UnmetDemand, unmet),
        (AllocationShare, parts),
    ):
        table: Table = model.__table__  # type: ignore[assignment]
        for start in range(0, len(rows), CHUNK):
            session.execute(insert(table), rows[start : start + CHUNK])


def _row(value: Any, run_id: int, model: type) -> dict[str, Any]:
    """The fields of a value that are columns of the model."""
    columns = model.__table__.columns.keys()  # type: ignore[attr-defined]
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__ if name in columns}
    return {"run_id": run_id, **fields}


def _record(session: Session, fact: PlanFact, *, actor: Actor, now: dt.datetime) -> None:
    audit.record(
        session,
        actor=actor,
        action="plan.stored",
        subject=f"plan:{fact.run_id}",
        data={
            "problem_digest": fact.problem_digest,
            "plan_digest": fact.plan_digest,
            "cost_minor": fact.cost_minor,
            "currency": fact.currency,
            "unmet_units": fact.unmet_units,
        },
        now=now,
    )
