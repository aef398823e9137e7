"""What a scenario came to, as plain rows with money in minor units; and draws of its demand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import optimizer
from app.stages.allocation.rules import week_of
from app.stages.forecasts.rules.service import LEVELS, Band

Answer = optimizer.Solution | optimizer.Infeasible
DRAWN = "demand_drawn"
"""The change that is no single problem: demand is drawn from its quantiles."""
MOST_MOVED = 12
"""SKUs that a result names; the rest of a long list says nothing more to a reader."""


def outcome_in_minor(base: optimizer.Solution, answer: Answer, unit: int) -> dict[str, Any]:
    """The plan of a scenario against the base plan, or why there is none."""
    if isinstance(answer, optimizer.Infeasible):
        return {"status": "infeasible", "rules": [list(group) for group in answer.rules]}
    difference = optimizer.difference(base, answer)
    return {
        "status": answer.status,
        "cost_minor": round(answer.objective * unit),
        "bound_minor": int(answer.bound * unit),
        "gap": answer.gap,
        "stopped_by": answer.limit,
        "cost_change_minor": round(difference.cost * unit),
        "cost_parts": _minor(asdict(answer.cost), unit),
        "parts_minor": _minor(difference.parts, unit),
        "moved": difference.moved,
        "unmet": sum(one.quantity for one in answer.unmet),
        "unmet_change": difference.unmet,
        "late": sum(one.quantity for one in answer.late),
        "late_change": difference.late,
        "shares": list(difference.shares),
        "moves": moves(base, answer)[:MOST_MOVED],
    }


def robust_in_minor(found: optimizer.Robust, unit: int) -> dict[str, Any]:
    """The plan that is best over all draws, and what the others tried would cost."""

    def told(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "level": row["level"],
            "expected_minor": round(row["expected"] * unit),
            "cvar_minor": round(row["cvar"] * unit),
        }

    best = told({"level": found.level, "expected": found.expected, "cvar": found.cvar})
    return {
        "status": "drawn",
        "draws": len(found.costs),
        **best,
        "ordered": sum(one.quantity for one in found.plan.orders),
        "tried": [told(row) for row in found.tried],
        "stopped_by": found.limit,
    }


def moves(base: optimizer.Solution, other: optimizer.Solution) -> list[dict[str, Any]]:
    """SKUs whose units change between suppliers: sku, supplier, before, after; what moves most first."""
    before, after = _made(base), _made(other)
    rows: list[dict[str, Any]] = [
        {"sku": sku, "supplier": supplier, "before": before.get((sku, supplier), 0), "after": units}
        for (sku, supplier), units in (dict.fromkeys(before, 0) | after).items()
        if before.get((sku, supplier), 0) != units
    ]
    moved: dict[str, int] = defaultdict(int)
    for row in rows:
        moved[row["sku"]] += abs(row["after"] - row["before"])
    return sorted(rows, key=lambda row: (-moved[row["sku"]], row["sku"], row["supplier"]))


def draws_of(
    problem: optimizer.Problem,
    bands: Mapping[tuple[str, dt.date], Band],
    *,
    first: dt.date,
    count: int,
    seed: int,
) -> optimizer.Units:
    """Draws of every demand, [count, demands]: what the SKU's forecast may miss, spread over regions.

    What is drawn is the forecast's distance from its mean; it is added to what is demanded, pledges included.

    Args:
        bands: by SKU code and Monday.
    """
    total: dict[tuple[str, int], float] = defaultdict(float)
    for one in problem.demand:
        total[one.sku, one.week] += one.quantity
    rows = []
    for one in problem.demand:
        band = bands.get((one.sku, week_of(one.week, first=first)))
        part = one.quantity / total[one.sku, one.week] if total[one.sku, one.week] else 0.0
        misses = [0.0] * len(LEVELS) if band is None else [bound - band.mean for bound in band.bounds]
        rows.append([max(one.quantity + miss * part, 0.0) for miss in misses])
    return optimizer.draw_demand(problem, levels=LEVELS, quantiles=rows, count=count, seed=seed)


def _made(plan: optimizer.Solution) -> dict[tuple[str, str], int]:
    units: dict[tuple[str, str], int] = defaultdict(int)
    for one in plan.orders:
        units[one.sku, one.supplier] += one.quantity
    return dict(units)


def _minor(parts: Mapping[str, float], unit: int) -> dict[str, int]:
    return {name: round(value * unit) for name, value in parts.items()}
