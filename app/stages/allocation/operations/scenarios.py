"""Scenarios: the problem of a stored plan with something otherwise, planned and held against it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

import optimizer
from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.core.jobs import JobCancelled, Progress
from app.stages.allocation import queries
from app.stages.allocation.models import Scenario
from app.stages.allocation.operations.explaining import KeptPlan, load_plan
from app.stages.allocation.operations.runs import minor_per_unit, plan_progress
from app.stages.allocation.queries import ScenarioFact
from app.stages.allocation.translate import DRAWN, Answer, draws_of, outcome_in_minor, robust_in_minor
from app.stages.catalog import queries as catalog
from app.stages.forecasts import queries as forecasts

DRAWS = 10
"""Draws of demand that a plan is judged over, where nobody says how many."""


def draft_scenario(
    session: Session, *, run_id: int, changes: Sequence[Mapping[str, Any]], actor: Actor, now: dt.datetime
) -> ScenarioFact:
    """Write down what is to be otherwise; planning it is a job.

    Raises:
        NotFound: plan_unknown or plan_undocumented.
        RuleBroken: scenario_invalid, when a change is none or names what the plan does not have;
            scenario_idle, when the plan would stay as it is.
    """
    actor.must_be(Role.MERCHANDISER)
    kept = load_plan(session, run_id=run_id)
    drawn = [{"draws": DRAWS, "seed": 0, **one} for one in changes if one.get("kind") == DRAWN]
    try:
        found = [optimizer.change_from_json(one) for one in changes if one.get("kind") != DRAWN]
        changed = optimizer.changed(kept.problem, found)
    except optimizer.ProblemError as error:
        raise RuleBroken(
            "scenario_invalid", f"This can't be planned: {error.path}: {error.reason}.", path=error.path
        ) from error
    if changed == kept.problem and not drawn:
        raise RuleBroken("scenario_idle", "These changes change nothing in this plan. Choose others.")
    row = Scenario(
        run_id=run_id,
        changes=[optimizer.change_to_json(one) for one in found] + drawn[:1],
        created_by=actor.name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return queries.get_scenario(session, scenario_id=row.id)


def load_spread(session: Session, *, scenario: ScenarioFact, kept: KeptPlan) -> optimizer.Units | None:
    """Draws of the demand, [draws, demands], where a scenario asks for them; else None.

    Raises:
        RuleBroken: forecast_without_totals, when the plan's forecast is from before totals had bounds.
    """
    drawn = next((one for one in scenario.changes if one["kind"] == DRAWN), None)
    if drawn is None:
        return None
    plan = queries.get_plan(session, run_id=scenario.run_id)
    bands = forecasts.sku_bands(session, run_id=plan.forecast_run_id)
    if not bands:
        raise RuleBroken(
            "forecast_without_totals", "This plan's forecast has no bounds to draw demand from. Plan again."
        )
    codes = {sku: name.code for sku, name in catalog.names(session).skus.items()}
    named = {(codes[sku], week): band for (sku, week), band in bands.items() if sku in codes}
    problem = optimizer.changed(kept.problem, _changes(scenario))
    return draws_of(problem, named, first=plan.first_week, count=drawn["draws"], seed=drawn["seed"])


def compute_scenario(
    kept: KeptPlan,
    *,
    scenario: ScenarioFact,
    draws: optimizer.Units | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Plan the scenario, with no transaction open; its result with money in minor units.

    What progress raises passes through: one plan that was cancelled is not kept. Of drawn demand the levels
    are that met all draws by then; JobCancelled where none did.
    """
    unit = minor_per_unit(kept.currency)
    problem = optimizer.changed(kept.problem, _changes(scenario))
    settings = replace(kept.settings, threads=threads)
    if draws is not None:
        base = kept.solution if problem == kept.problem else None
        told = plan_progress("scenario", unit, progress, keeps_best=True)
        try:
            found = optimizer.robust(problem, draws, settings, base=base, start=kept.solution, progress=told)
        except optimizer.Cancelled as stop:
            raise JobCancelled("The scenario was stopped before any level had met all draws.") from stop
        return robust_in_minor(found, unit)
    told = plan_progress("scenario", unit, progress)
    answer: Answer = optimizer.solve(problem, settings, start=kept.solution, progress=told)
    return outcome_in_minor(kept.solution, answer, unit)


def store_scenario(session: Session, *, scenario_id: int, result: Mapping[str, Any]) -> None:
    """Keep what the scenario came to; one that was discarded meanwhile stays discarded."""
    session.execute(update(Scenario).where(Scenario.id == scenario_id).values(result=dict(result)))


def discard_scenario(session: Session, *, scenario_id: int, actor: Actor, now: dt.datetime) -> ScenarioFact:
    """Forget a scenario; what it was stays in the audit log.

    Raises:
        NotFound: scenario_unknown.
    """
    actor.must_be(Role.MERCHANDISER)
    fact = queries.get_scenario(session, scenario_id=scenario_id)
    session.execute(delete(Scenario).where(Scenario.id == scenario_id))
    audit.record(
        session,
        actor=actor,
        action="scenario.discarded",
        subject=f"scenario:{scenario_id}",
        data={"run_id": fact.run_id, "changes": fact.changes},
        now=now,
    )
    return fact


def _changes(scenario: ScenarioFact) -> tuple[optimizer.Change, ...]:
    return tuple(optimizer.change_from_json(one) for one in scenario.changes if one["kind"] != DRAWN)
