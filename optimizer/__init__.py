"""Who makes what, when, and where it goes: a problem in, a checked plan with a proven bound (or why not) out.

    solve(problem, settings, *, progress=None) -> Solution | Infeasible
    check(problem, solution) -> Cost

Pure: no web framework, no database. Problems and plans are frozen values with a JSON form ("allocation/1").
"""

from optimizer.checking import check
from optimizer.errors import BrokenRule, Cancelled, ProblemError, SolverError
from optimizer.plan import Binding, Cost, Flow, Infeasible, Late, Order, Settings, Share, Solution, Unmet
from optimizer.problem import (
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
from optimizer.solving import solve

__all__ = [
    "Binding",
    "BrokenRule",
    "Cancelled",
    "Cost",
    "Demand",
    "Flow",
    "Infeasible",
    "Lane",
    "Late",
    "Locked",
    "Offer",
    "Order",
    "Problem",
    "ProblemError",
    "Region",
    "Settings",
    "Share",
    "ShareCap",
    "Sku",
    "Solution",
    "SolverError",
    "Stock",
    "Supplier",
    "Unmet",
    "Warehouse",
    "check",
    "solve",
]
