"""Scenarios: the problem of a stored plan with something otherwise, planned and held against it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

import optimizer
from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.core.jobs import Progress
from app.stages.allocation import queries
from app.stages.allocation.models import Scenario
from app.stages.allocation.operations.explaining import KeptPlan, load_plan
from app.stages.allocation.operations.runs import minor_per_unit
from app.stages.allocation.queries import ScenarioFact


def draft_scenario(
    session: Session, *, run_id: int, changes: Sequence[Mapping[str, Any]], actor: Actor, now: dt.datetime
) -> ScenarioFact:
    """Write down what is to be otherwise; planning it is a job.

    Raises:
        NotFound: plan_unknown or plan_undocumented.
        RuleBroken: scenario_invalid, when a change is none or names what the plan does not have.
    """
    actor.must_be(Role.MERCHANDISER)
    kept = load_plan(session, run_id=run_id)
    try:
        found = [optimizer.change_from_json(one) for one in changes]
        optimizer.changed(kept.problem, found)
    except optimizer.ProblemError as error:
        raise RuleBroken(
            "scenario_invalid", f"This can't be planned: {error.path}: {error.reason}.", path=error.path
        ) from error
    row = Scenario(
        run_id=run_id,
        changes=[optimizer.change_to_json(one) for one in found],
        created_by=actor.name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return queries.get_scenario(session, scenario_id=row.id)


def compute_scenario(
    kept: KeptPlan, *, scenario: ScenarioFact, threads: int = 1, progress: Progress | None = None
) -> optimizer.Outcome:
    """Plan the scenario, with no transaction open. A cancelled one is not kept."""

    def tell(report: dict[str, Any]) -> None:
        if progress is not None:
            progress(f"scenario: {report['phase']}", report["done"], report["total"])

    changes = tuple(optimizer.change_from_json(one) for one in scenario.changes)
    settings = replace(kept.settings, threads=threads)
    (outcome,) = optimizer.what_if(kept.problem, [changes], settings, base=kept.solution, progress=tell)
    return outcome


def store_scenario(session: Session, *, kept: KeptPlan, scenario_id: int, outcome: optimizer.Outcome) -> None:
    """Keep what the scenario came to, money in minor units."""
    result = _result(outcome, minor_per_unit(kept.currency))
    session.execute(update(Scenario).where(Scenario.id == scenario_id).values(result=result))


def _result(outcome: optimizer.Outcome, unit: int) -> dict[str, Any]:
    answer, difference = outcome.answer, outcome.difference
    if isinstance(answer, optimizer.Infeasible) or difference is None:
        return {"status": "infeasible", "conflict": list(answer.conflict)}  # type: ignore[union-attr]
    return {
        "status": answer.status,
        "cost_minor": round(answer.objective * unit),
        "gap": answer.gap,
        "cost_change_minor": round(difference.cost * unit),
        "parts_minor": {name: round(value * unit) for name, value in difference.parts.items()},
        "moved": difference.moved,
        "unmet": sum(one.quantity for one in answer.unmet),
        "unmet_change": difference.unmet,
        "late_change": difference.late,
        "shares": list(difference.shares),
    }
