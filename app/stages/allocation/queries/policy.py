"""What the next plan is made with: its settings, and how much share is too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.stages.allocation import rules
from app.stages.allocation.models import ConcentrationLimit, PlanPolicy
from app.stages.allocation.rules import CLASSES, PlanSettings


def plan_settings(session: Session) -> PlanSettings:
    """The settings of the next plan: the defaults, with what was set for all plans."""
    row = session.get(PlanPolicy, 1)
    if row is None:
        return PlanSettings()
    levels = {name: getattr(row, f"service_{name.lower()}") for name in CLASSES}
    service = {name: percent for name, percent in levels.items() if percent is not None}
    return replace(PlanSettings(), service=service or None, churn_minor=row.churn_minor)


def limits(session: Session) -> Sequence[rules.Limit]:
    """The concentration limits that hold: what was set, or the default."""
    rows = session.scalars(
        select(ConcentrationLimit).order_by(ConcentrationLimit.scope, ConcentrationLimit.base)
    ).all()
    found = [
        rules.Limit(
            rules.Scope(row.scope), rules.Base(row.base), row.threshold_percent, row.hard, row.penalty_minor
        )
        for row in rows
    ]
    return tuple(found) or rules.DEFAULT_LIMITS
