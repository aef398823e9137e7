"""What can be asked about plans: runs, lines, flows, unmet demand, shares, limits, explanations, refusals."""

from app.stages.allocation.queries.explanations import (
    ExplanationFact,
    RefusalFact,
    can_be_explained,
    explanation,
    get_refusal,
    latest_refusal,
)
from app.stages.allocation.queries.lines import (
    PlanLineFact,
    SankeyLink,
    WarehouseLink,
    WeekFlow,
    count_plan_lines,
    plan_lines,
    supplier_warehouse_flows,
    warehouse_region_flows,
    weekly_flows,
)
from app.stages.allocation.queries.plans import (
    PlanFact,
    find_plan,
    get_plan,
    last_asked,
    latest_plan,
    list_plans,
    money_text,
)
from app.stages.allocation.queries.policy import limits, plan_settings
from app.stages.allocation.queries.scenarios import Choices, ScenarioFact, choices, get_scenario, scenarios
from app.stages.allocation.queries.shares import (
    ShareFact,
    UnmetFact,
    UnmetSku,
    shares,
    unmet,
    unmet_by_sku,
)

__all__ = [
    "Choices",
    "ExplanationFact",
    "PlanFact",
    "PlanLineFact",
    "RefusalFact",
    "SankeyLink",
    "ScenarioFact",
    "ShareFact",
    "UnmetFact",
    "UnmetSku",
    "WarehouseLink",
    "WeekFlow",
    "can_be_explained",
    "choices",
    "count_plan_lines",
    "explanation",
    "find_plan",
    "get_plan",
    "get_refusal",
    "get_scenario",
    "last_asked",
    "latest_plan",
    "latest_refusal",
    "limits",
    "list_plans",
    "money_text",
    "plan_lines",
    "plan_settings",
    "scenarios",
    "shares",
    "supplier_warehouse_flows",
    "unmet",
    "unmet_by_sku",
    "warehouse_region_flows",
    "weekly_flows",
]
