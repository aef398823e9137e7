"""Scenarios of a plan: what was otherwise, and what it came to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.allocation.models import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFact:
    """One scenario. changes: kind and its fields, places and SKUs by their codes.

    result is None until it was planned; then status, cost_minor, gap, cost_change_minor, parts_minor (by part
    of the cost), moved (units another supplier makes), unmet, unmet_change, late_change, shares (supplier,
    before, after), or for an infeasible one status and conflict.
    """

    id: int
    run_id: int
    changes: list[dict[str, Any]]
    result: dict[str, Any] | None
    created_by: str
    created_at: dt.datetime


def scenarios(session: Session, *, run_id: int, limit: int = 20) -> list[ScenarioFact]:
    """Scenarios of a plan, newest first."""
    query = select(Scenario).where(Scenario.run_id == run_id).order_by(Scenario.id.desc()).limit(limit)
    return [_fact(row) for row in session.scalars(query)]


def get_scenario(session: Session, *, scenario_id: int) -> ScenarioFact:
    """Raises NotFound."""
    row = session.get(Scenario, scenario_id)
    if row is None:
        raise NotFound("scenario_unknown", f"There is no scenario {scenario_id}.", scenario_id=scenario_id)
    return _fact(row)


def _fact(row: Scenario) -> ScenarioFact:
    return ScenarioFact(**{name: getattr(row, name) for name in ScenarioFact.__dataclass_fields__})
