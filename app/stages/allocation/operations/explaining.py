"""Asking about a plan that is stored: its documents out, what was found out in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

import optimizer
from app.core.errors import NotFound
from app.core.jobs import Progress
from app.stages.allocation import queries
from app.stages.allocation.models import PlanDocument, PlanExplanation
from app.stages.allocation.operations.runs import minor_per_unit
from app.stages.allocation.queries import ExplanationFact
from app.stages.allocation.translate import in_minor, unpacked

MOST_ASKED = 10
"""Rules and limits that are asked about, and twice as many shares: each is planned again."""


@dataclass(frozen=True, kw_only=True)
class KeptPlan:
    """A stored plan as the optimizer knows it."""

    run_id: int
    currency: str
    settings: optimizer.Settings
    problem: optimizer.Problem
    solution: optimizer.Solution


def load_plan(session: Session, *, run_id: int) -> KeptPlan:
    """The problem and the plan of a run.

    Raises:
        NotFound: plan_unknown; plan_undocumented when the run is from before documents were kept.
    """
    fact = queries.get_plan(session, run_id=run_id)
    document = session.get(PlanDocument, run_id)
    if document is None:
        raise NotFound(
            "plan_undocumented",
            "This plan was made before plans could be asked about. Plan again.",
            run_id=run_id,
        )
    return KeptPlan(
        run_id=run_id,
        currency=fact.currency,
        settings=optimizer.Settings(
            **{name: fact.settings[name] for name in ("gap", "time_limit", "seed") if name in fact.settings}
        ),
        problem=optimizer.Problem.from_json(unpacked(document.problem)),
        solution=optimizer.Solution.from_json(unpacked(document.plan)),
    )


def compute_explanation(kept: KeptPlan, *, progress: Progress | None = None) -> optimizer.Explanation:
    """Find out what relief is worth, what caps cost and why shares are as they are; no transaction open."""

    def tell(report: dict[str, Any]) -> None:
        if progress is not None:
            progress(f"explain: {report['phase']}", report["done"], report["total"])

    return optimizer.explain(kept.problem, kept.solution, kept.settings, most=MOST_ASKED, progress=tell)


def store_explanation(
    session: Session, *, kept: KeptPlan, found: optimizer.Explanation, now: dt.datetime
) -> ExplanationFact:
    """Keep what was found out, money in minor units; said again it replaces what was said before."""
    unit = minor_per_unit(kept.currency)
    session.execute(delete(PlanExplanation).where(PlanExplanation.run_id == kept.run_id))
    session.execute(
        insert(PlanExplanation).values(
            run_id=kept.run_id,
            relief=[in_minor(row, unit, ("saving", "per_unit", "shadow_price")) for row in found.relief],
            caps=[in_minor(row, unit, ("price", "lowest_cost")) for row in found.caps],
            why=[in_minor(row, unit, ("extra", "per_unit", "deciding")) for row in found.why],
            created_at=now,
        )
    )
    fact = queries.explanation(session, run_id=kept.run_id)
    assert fact is not None
    return fact
