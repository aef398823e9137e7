"""Making a plan: freeze its inputs and compute it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

import optimizer
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import JobCancelled, Progress
from app.stages.allocation import queries, rules
from app.stages.allocation.models import PlanDocument
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Commitments, PlanSettings
from app.stages.allocation.translate import (
    Inputs,
    Translation,
    build,
    digest,
    unpacked,
)
from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand
from app.stages.forecasts import queries as forecasts
from app.stages.stock import queries as stock

DEFAULT_SETTINGS = PlanSettings()
CANCELLED = "cancelled"
"""What `stopped_by` says of a plan whose search somebody ended."""


@dataclass(frozen=True, kw_only=True)
class FrozenProblem:
    """The inputs of one plan, frozen.

    `digest` names the plan: the same inputs and settings have the same one, on any database. `guard` is over
    what a plan may not contradict (answers, stock, network, limits): it must not have moved when the plan is
    stored. Demand is not in it, because it never stands still: it is read as of the freeze, and what came
    later is for the next turn. `base_run_id` is the plan whose changes are charged, where they are, and
    `start` what suppliers were asked for last in this week (`start_run_id`), from which the search begins;
    neither is in the digest, so that inputs that stay the same keep their plan.
    """

    translation: Translation
    digest: str
    guard: str
    forecast_run_id: int
    as_of: dt.date
    currency: str
    settings: PlanSettings
    base_run_id: int | None = None
    start_run_id: int | None = None
    start: optimizer.Solution | None = None

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
    last = queries.last_asked(session, as_of=as_of)
    base = last if settings.churn_minor else None
    start = _kept(session, last) if last is not None and last.first_week == rules.monday(as_of) else None
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
        start_run_id=None if last is None or start is None else last.run_id,
        start=start,
    )


def _kept(session: Session, plan: PlanFact) -> optimizer.Solution | None:
    """The plan as the optimizer knows it; None where it is from before documents were kept."""
    document = session.get(PlanDocument, plan.run_id)
    return None if document is None else optimizer.Solution.from_json(unpacked(document.plan))


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
    found = optimizer.solve(frozen.translation.problem, settings, start=frozen.start, progress=told)
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
