"""Who makes what, when, and where it goes: a problem in, a checked plan with a proven bound (or why not) out.

    solve(problem, settings, *, start=None, progress=None, client=None) -> Solution | Infeasible
    check(problem, solution) -> Cost
    replan(problem, plan, settings, *, before=None) -> Replanned
    by_rule(problem) -> Solution
    explain(problem, solution, settings) -> Explanation
    what_if(problem, changes, settings, *, base=None) -> tuple[Outcome, ...]
    robust(problem, draws, settings) -> Robust

Pure: no web framework, no database. Problems and plans are frozen values with a JSON form ("allocation/1").
"""

from optimizer.form.errors import BrokenRule, Cancelled, ProblemError, SolverError, StateError
from optimizer.form.plan import (
    Binding,
    Cost,
    Flow,
    Infeasible,
    Late,
    Order,
    Settings,
    ShadowPrice,
    Share,
    Solution,
    Unmet,
)
from optimizer.form.problem import (
    Demand,
    Lane,
    Locked,
    Offer,
    Problem,
    Region,
    ShareCap,
    Sku,
    Stock,
    Supplier,
    Warehouse,
)
from optimizer.insight.insight import Explanation, explain
from optimizer.rules.checking import check
from optimizer.scenarios.changes import (
    CapacityChange,
    Change,
    DemandChange,
    LaneClosed,
    MaterialChange,
    PriceChange,
    SupplierOut,
    change_from_json,
    change_to_json,
)
from optimizer.scenarios.draws import draw_demand
from optimizer.scenarios.placed import Units
from optimizer.scenarios.robust import Robust, robust
from optimizer.scenarios.scenarios import Difference, Outcome, changed, difference, what_if
from optimizer.search.greedy import by_rule
from optimizer.search.replan import Replanned, replan
from optimizer.search.solving import solve

__all__ = [
    "Binding",
    "BrokenRule",
    "Cancelled",
    "CapacityChange",
    "Change",
    "Cost",
    "Demand",
    "DemandChange",
    "Difference",
    "Explanation",
    "Flow",
    "Infeasible",
    "Lane",
    "LaneClosed",
    "Late",
    "Locked",
    "MaterialChange",
    "Offer",
    "Order",
    "Outcome",
    "PriceChange",
    "Problem",
    "ProblemError",
    "Region",
    "Replanned",
    "Robust",
    "Settings",
    "ShadowPrice",
    "Share",
    "ShareCap",
    "Sku",
    "Solution",
    "SolverError",
    "StateError",
    "Stock",
    "Supplier",
    "SupplierOut",
    "Units",
    "Unmet",
    "Warehouse",
    "by_rule",
    "change_from_json",
    "change_to_json",
    "changed",
    "check",
    "difference",
    "draw_demand",
    "explain",
    "replan",
    "robust",
    "solve",
    "what_if",
]
