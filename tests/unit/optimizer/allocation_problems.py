"""Small allocation problems for the tests, as JSON documents that are easy to vary."""

from __future__ import annotations

from typing import Any

from optimizer import Infeasible, Problem, Settings, Solution, check, solve

EXACT = Settings(gap=0.0)


def document(**parts: Any) -> dict[str, Any]:
    """One SKU A, one supplier S, one region R, a direct lane, 95 units due in week 0 of 4; parts override."""
    base: dict[str, Any] = {
        "schema": "allocation/1",
        "weeks": 4,
        "suppliers": [{"id": "S"}],
        "warehouses": [],
        "regions": [{"id": "R"}],
        "skus": [{"id": "A"}],
        "offers": [{"supplier": "S", "sku": "A", "breaks": [[0, 10.0]]}],
        "lanes": [{"from": "S", "to": "R"}],
        "demand": [need(95)],
    }
    return base | parts


def need(quantity: int, *, week: int = 0, **more: Any) -> dict[str, Any]:
    """Demand for SKU A in region R, dear when late or short."""
    row = {
        "sku": "A",
        "region": "R",
        "week": week,
        "quantity": quantity,
        "late_cost": 5.0,
        "short_cost": 100.0,
    }
    return row | more


def offer(supplier: str = "S", price: float = 10.0, **more: Any) -> dict[str, Any]:
    """An offer for SKU A at one price."""
    return {"supplier": supplier, "sku": "A", "breaks": [[0, price]]} | more


def with_suppliers(count: int, prices: list[float], **more: Any) -> dict[str, Any]:
    """count suppliers S0, S1, ... with one price each and a direct lane."""
    names = [f"S{number}" for number in range(count)]
    return document(
        suppliers=[{"id": name} for name in names],
        offers=[offer(name, price) for name, price in zip(names, prices, strict=True)],
        lanes=[{"from": name, "to": "R"} for name in names],
        **more,
    )


def plan(data: dict[str, Any], settings: Settings = EXACT) -> tuple[Problem, Solution]:
    """Solve, check once more, and give both."""
    problem = Problem.from_json(data)
    solution = solve(problem, settings)
    assert not isinstance(solution, Infeasible)
    assert abs(check(problem, solution).total - solution.objective) < 1e-6
    return problem, solution
