"""Changing plans: making and storing them, asking about them, and deciding where there is none."""

from app.stages.allocation.operations.explaining import (
    KeptPlan,
    compute_explanation,
    load_plan,
    store_explanation,
)
from app.stages.allocation.operations.limits import set_limit
from app.stages.allocation.operations.refusals import decide, keep_refusal, take_back
from app.stages.allocation.operations.runs import (
    CANCELLED,
    DEFAULT_SETTINGS,
    FrozenProblem,
    check_unmoved,
    compute,
    freeze,
    minor_per_unit,
    store,
)
from app.stages.allocation.operations.scenarios import compute_scenario, draft_scenario, store_scenario

__all__ = [
    "CANCELLED",
    "DEFAULT_SETTINGS",
    "FrozenProblem",
    "KeptPlan",
    "check_unmoved",
    "compute",
    "compute_explanation",
    "compute_scenario",
    "decide",
    "draft_scenario",
    "freeze",
    "keep_refusal",
    "load_plan",
    "minor_per_unit",
    "set_limit",
    "store",
    "store_explanation",
    "store_scenario",
    "take_back",
]
