"""What the next plan is made with."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from app.stages.allocation.models import PlanPolicy
from app.stages.allocation.rules import CLASSES, PlanSettings


def plan_settings(session: Session) -> PlanSettings:
    """The settings of the next plan: the defaults, with what was set for all plans."""
    row = session.get(PlanPolicy, 1)
    if row is None:
        return PlanSettings()
    levels = {name: getattr(row, f"service_{name.lower()}") for name in CLASSES}
    service = {name: percent for name, percent in levels.items() if percent is not None}
    return replace(PlanSettings(), service=service or None, churn_minor=row.churn_minor)
