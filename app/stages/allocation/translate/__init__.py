"""Between the stages' values and the optimizer's: a problem out, a plan back, and the digests of both."""

from app.stages.allocation.translate.answer import Plan, PlanFlow, PlanLine, Unplanned, read_plan
from app.stages.allocation.translate.digest import digest
from app.stages.allocation.translate.documents import in_minor, packed, unpacked
from app.stages.allocation.translate.needs import Inputs, LeftOut
from app.stages.allocation.translate.problem import Translation, build

__all__ = [
    "Inputs",
    "LeftOut",
    "Plan",
    "PlanFlow",
    "PlanLine",
    "Translation",
    "Unplanned",
    "build",
    "digest",
    "in_minor",
    "packed",
    "read_plan",
    "unpacked",
]
