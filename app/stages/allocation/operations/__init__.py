"""Changing plans: making and storing them, asking about them, and deciding where there is none."""

from app.stages.allocation.operations.counters import CounterQuestion, compute_counter, load_counter
from app.stages.allocation.operations.explaining import (
    KeptPlan,
    compute_explanation,
    load_plan,
    store_explanation,
)
from app.stages.allocation.operations.limits import set_limit
from app.stages.allocation.operations.policy import set_policy
from app.stages.allocation.operations.refusals import decide, keep_refusal, take_back
from app.stages.allocation.operations.runs import (
    CANCELLED,
    DEFAULT_SETTINGS,
    FrozenProblem,
    check_unmoved,
    compute,
    freeze,
    minor_per_unit,
)
from app.stages.allocation.operations.scenarios import (
    compute_scenario,
    discard_scenario,
    draft_scenario,
    load_spread,
    store_scenario,
)
from app.stages.allocation.operations.storing import mark_asked, store

__all__ = [
    "CANCELLED",
    "DEFAULT_SETTINGS",
    "CounterQuestion",
    "FrozenProblem",
    "KeptPlan",
    "check_unmoved",
    "compute",
    "compute_counter",
    "compute_explanation",
    "compute_scenario",
    "decide",
    "discard_scenario",
    "draft_scenario",
    "freeze",
    "keep_refusal",
    "load_counter",
    "load_plan",
    "load_spread",
    "mark_asked",
    "minor_per_unit",
    "set_limit",
    "set_policy",
    "store",
    "store_explanation",
    "store_scenario",
    "take_back",
]
