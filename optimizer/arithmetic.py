"""What can be seen to be impossible before any solving: hard caps and minimum sources with too few
suppliers."""

from __future__ import annotations

from collections import defaultdict

from optimizer.limits import CapRow, cap_rows, locked_orders
from optimizer.plan import Infeasible
from optimizer.problem import Problem


def clashes(problem: Problem) -> Infeasible | None:
    """The hard share caps that too few suppliers can't hold, in words; None when there are none."""
    sources: dict[str, set[str]] = defaultdict(set)
    for offer in problem.offers:
        sources[offer.sku].add(offer.supplier)
    stock: dict[str, int] = defaultdict(int)
    for one in problem.stock:
        stock[one.sku] += one.quantity
    found = []
    lowest = 0.0
    for row in cap_rows(problem):
        suppliers = set().union(*(sources[sku] for sku in row.skus))
        if row.cap.hard and suppliers and not _holds(problem, row, suppliers, stock):
            found.append(_sentence(row, len(suppliers)))
            lowest = max(lowest, 1 / len(suppliers))
    return Infeasible(conflict=tuple(found), lowest_share=lowest) if found else None


def _holds(problem: Problem, row: CapRow, suppliers: set[str], stock: dict[str, int]) -> bool:
    """Whole units: each supplier may have at most the floor of the cap, or what is locked with it already."""
    locked: dict[str, int] = defaultdict(int)
    for (supplier, sku, _), units in locked_orders(problem).items():
        if sku in row.skus:
            locked[supplier] += units
    within = sum(max(int(row.free_units), locked[one]) for one in suppliers)
    in_stock = sum(stock[sku] for sku in row.skus)
    return within + in_stock >= row.demand


def _sentence(row: CapRow, count: int) -> str:
    scope = "the whole plan" if row.cap.scope == "plan" else f"{row.cap.scope} {row.key}"
    who = "1 supplier has" if count == 1 else f"{count} suppliers have"
    return (
        f"share_cap [{scope}]: the hard cap of {row.cap.max_share:.0%} can't hold: {who} offers, "
        f"which cover at most {count} x {int(row.free_units)} of {row.demand} units; "
        f"the lowest reachable top share is 1/{count}"
    )
