"""Making a plan: freeze its inputs, compute it, store it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy import Table, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import optimizer
from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import JobCancelled, Progress
from app.stages.allocation import queries, rules
from app.stages.allocation.models import (
    AllocationFlow,
    AllocationLine,
    AllocationRun,
    AllocationShare,
    PlanDocument,
    UnmetDemand,
)
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Commitments, PlanSettings
from app.stages.allocation.translate import (
    Inputs,
    Plan,
    Translation,
    build,
    digest,
    packed,
    read_plan,
)
from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand
from app.stages.forecasts import queries as forecasts
from app.stages.stock import queries as stock

MOST_BINDING = 500
"""Binding rules kept with a run; the rest of a long list says nothing more to a reader."""
DEFAULT_SETTINGS = PlanSettings()
CANCELLED = "cancelled"
"""What `stopped_by` says of a plan whose search somebody ended."""
CHUNK = 5000
"""Rows in one INSERT."""


@dataclass(frozen=True, kw_only=True)
class FrozenProblem:
    """The inputs of one plan, frozen.

    `digest` names the plan: the same inputs and settings have the same one, on any database. `guard` is over
    what a plan may not contradict (answers, stock, network, limits): it must not have moved when the plan is
    stored. Demand is not in it, because it never stands still: it is read as of the freeze, and what came
    later is for the next turn. `base_run_id` is the plan whose changes are charged, where they are; it is
    not in the digest, so that inputs that stay the same keep their plan.
    """

    translation: Translation
    digest: str
    guard: str
    forecast_run_id: int
    as_of: dt.date
    currency: str
    settings: PlanSettings
    base_run_id: int | None = None

    @property
    def minor_per_unit(self) -> int:
        return minor_per_unit(self.currency)


def minor_per_unit(currency: str) -> int:
    """Minor units in one unit of an ISO 4217 currency: 100 for CNY, 1 for JPY."""
    return int(10 ** get_currency_precision(currency))


def freeze(
    session: Session,
    *,
    forecast_run_id: int,
    as_of: dt.date,
    commitments: Commitments,
    currency: str,
    settings: PlanSettings = DEFAULT_SETTINGS,
) -> FrozenProblem:
    """Read everything a plan is made from, and fingerprint it. Call it in one reading transaction.

    Raises:
        RuleBroken: nothing_to_plan when no demand falls in the horizon; network_unusable when a figure of the
            network is out of range, naming it.
    """
    guard, fixed = _fixed_inputs(session, commitments)
    base = queries.last_asked(session, as_of=as_of) if settings.churn_minor else None
    run = forecasts.get_run(session, run_id=forecast_run_id)
    pledged: dict[tuple[int, int], dict[dt.date, int]] = {}
    for need in demand.campaign_requirements(session, as_of=as_of):
        pledged.setdefault((need.sku_id, need.region_id), {})[need.week] = need.units
    translation = _translate(
        Inputs(
            **fixed,
            forecast=forecasts.planning_units(session, run_id=forecast_run_id, service=settings.service),
            pledged=pledged,
            commitments=commitments,
            settings=settings,
            as_of=as_of,
            minor_per_unit=minor_per_unit(currency),
            previous=() if base is None else queries.plan_lines(session, run_id=base.run_id),
        )
    )
    content = [
        replace(translation.problem, previous=()).to_json(),
        translation.left_out,
        {name: value for name, value in asdict(settings).items() if value is not None},
        currency,
        rules.monday(as_of),
        None if run is None else run.fingerprint,
    ]
    return FrozenProblem(
        translation=translation,
        digest=digest(content),
        guard=guard,
        forecast_run_id=forecast_run_id,
        as_of=as_of,
        currency=currency,
        settings=settings,
        base_run_id=None if base is None else base.run_id,
    )


def compute(
    frozen: FrozenProblem, *, threads: int = 1, progress: Progress | None = None
) -> optimizer.Solution:
    """Solve, with no transaction open. When progress cancels, it is the best plan so far.

    Raises:
        RuleBroken: plan_infeasible, with the clashing rules in words and what would resolve them.
    """
    settings = optimizer.Settings(
        gap=frozen.settings.gap,
        time_limit=frozen.settings.time_limit,
        threads=threads,
        seed=frozen.settings.seed,
    )
    told = plan_progress("allocate", frozen.minor_per_unit, progress, keeps_best=True)
    found = optimizer.solve(frozen.translation.problem, settings, progress=told)
    if isinstance(found, optimizer.Infeasible):
        raise RuleBroken(
            "plan_infeasible",
            "No plan keeps all rules: " + "; ".join(found.conflict) + ".",
            conflict=list(found.conflict),
            rules=[list(group) for group in found.rules],
            relaxations=list(found.relaxations),
            lowest_share=found.lowest_share,
        )
    return found


def store(
    session: Session,
    *,
    frozen: FrozenProblem,
    solution: optimizer.Solution,
    commitments: Commitments,
    actor: Actor,
    now: dt.datetime,
) -> PlanFact:
    """Check the solution without a solver and store it; inputs that have a plan already keep that one.

    Args:
        commitments: what stands now, read in this transaction.

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
    run_id = _insert_run(session, frozen, solution, plan, named=named, actor=actor, now=now)
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


def problem_digest(frozen: FrozenProblem, solution: optimizer.Solution) -> str:
    """The name of a plan's inputs. A search that was cancelled has one of its own: asked again, the same
    inputs are planned to the end."""
    if solution.limit != CANCELLED:
        return frozen.digest
    return digest([frozen.digest, CANCELLED, solution.objective])


def check_unmoved(session: Session, *, frozen: FrozenProblem, commitments: Commitments) -> None:
    """Raises Conflict inputs_moved when what a plan may not contradict has changed since the freeze."""
    if _fixed_inputs(session, commitments)[0] != frozen.guard:
        raise Conflict(
            "inputs_moved",
            "Answers, stock, the network or the limits changed while this plan was made. Plan again.",
            problem_digest=frozen.digest,
        )


def _fixed_inputs(session: Session, commitments: Commitments) -> tuple[str, dict[str, Any]]:
    """What a plan may not contradict, and its fingerprint."""
    fixed: dict[str, Any] = {
        "network": catalog.network(session),
        "on_hand": stock.on_hand(session),
        "limits": tuple(queries.limits(session)),
    }
    on_hand = [[*key, units] for key, units in sorted(fixed["on_hand"].items())]
    return digest([fixed["network"], on_hand, fixed["limits"], commitments]), fixed


def _translate(inputs: Inputs) -> Translation:
    try:
        translation = build(inputs)
    except optimizer.ProblemError as error:
        raise RuleBroken(
            "network_unusable",
            f"The network cannot be planned: {error.path}: {error.reason}. Correct it and import it again.",
            path=error.path,
            reason=error.reason,
        ) from error
    if translation is None:
        raise RuleBroken(
            "nothing_to_plan",
            f"No demand anybody can make falls in the {inputs.settings.weeks} weeks from {inputs.first}. "
            "Import orders and a network first, or plan as of a date near your latest orders.",
            first_week=inputs.first.isoformat(),
            weeks=inputs.settings.weeks,
        )
    return translation


def plan_progress(
    name: str, unit: int, progress: Progress | None, *, keeps_best: bool = False
) -> Callable[[dict[str, Any]], None] | None:
    """Tell the phase with the bound, the best plan and the gap, money in minor units.

    A job that was cancelled ends the search; with `keeps_best` that is no failure, and gives the best so far.
    """
    if progress is None:
        return None

    def minor(value: float | None) -> int | None:
        return None if value is None else round(value * unit)

    def tell(report: dict[str, Any]) -> None:
        figures = {
            "bound_minor": minor(report["bound"]),
            "incumbent_minor": minor(report["incumbent"]),
            "gap": report["gap"],
        }
        try:
            progress(f"{name}: {report['phase']}", report["done"], report["total"], figures)
        except JobCancelled as stop:
            if keeps_best:
                raise optimizer.Cancelled from stop
            raise

    return tell


def _insert_run(
    session: Session,
    frozen: FrozenProblem,
    solution: optimizer.Solution,
    plan: Plan,
    *,
    named: str,
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
