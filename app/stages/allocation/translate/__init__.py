"""Between the stages' values and the optimizer's: a problem out, a plan back, and the digests of both."""

from app.stages.allocation.translate.answer import Plan, PlanFlow, PlanLine, Unplanned, read_plan
from app.stages.allocation.translate.counters import (
    CounterCase,
    accepted,
    counter_in_minor,
    mean_price,
    refused,
    with_base,
    with_room,
)
from app.stages.allocation.translate.digest import digest
from app.stages.allocation.translate.documents import in_minor, packed, unpacked
from app.stages.allocation.translate.needs import Inputs, LeftOut
from app.stages.allocation.translate.network import node_names, place_names
from app.stages.allocation.translate.outcomes import (
    DRAWN,
    Answer,
    draws_of,
    outcome_in_minor,
    robust_in_minor,
)
from app.stages.allocation.translate.problem import Translation, build

__all__ = [
    "DRAWN",
    "Answer",
    "CounterCase",
    "Inputs",
    "LeftOut",
    "Plan",
    "PlanFlow",
    "PlanLine",
    "Translation",
    "Unplanned",
    "accepted",
    "build",
    "counter_in_minor",
    "digest",
    "draws_of",
    "in_minor",
    "mean_price",
    "node_names",
    "outcome_in_minor",
    "packed",
    "place_names",
    "read_plan",
    "refused",
    "robust_in_minor",
    "unpacked",
    "with_base",
    "with_room",
]
