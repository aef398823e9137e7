"""Random small problems with something otherwise: what is kept of the plan before, and planning from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer import (
    CapacityChange,
    Change,
    DemandChange,
    Infeasible,
    PriceChange,
    Problem,
    ProblemError,
    Settings,
    Solution,
    SupplierOut,
    changed,
    check,
    solve,
)
from optimizer.form.clock import never
from optimizer.model.network import network
from optimizer.model.parts import Effort
from optimizer.model.picks import LaidOut, quantities
from optimizer.rules.checking import check_quantities
from optimizer.search import solving
from optimizer.search.closing import without_rules
from optimizer.search.starting import kept_plan
from support.problems import built, small

FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
EXACT = Settings(gap=0.0)
CHANGES = st.sampled_from(
    [
        DemandChange(factor=0.5),
        DemandChange(factor=1.6),
        CapacityChange(factor=0.5),
        CapacityChange(factor=2.0),
        PriceChange(factor=1.3),
        SupplierOut(supplier="S0"),
    ]
)


def otherwise(data: dict[str, Any], change: Change) -> tuple[Problem, Solution, Problem]:
    """A problem without rules on lanes, its plan, and the problem with a change."""
    problem = without_rules(built(data))
    base = solve(problem, EXACT)
    assume(isinstance(base, Solution))
    assert isinstance(base, Solution)
    try:
        return problem, base, changed(problem, [change])
    except ProblemError:
        assume(False)
        raise


def cost_of_kept(problem: Problem, base: Solution) -> float:
    """What is kept of the plan costs, by the checker, which sees that it breaks no rule."""
    net = network(problem)
    made = kept_plan(net, base, Effort(), deadline=never())
    picks = {sku: one.pick for sku, one in made.parts.items() if one.pick is not None}
    assert len(picks) == len(problem.skus)
    cost = check_quantities(problem, quantities(net, LaidOut(net, picks))).total
    return cost


@FEW
@given(small(), CHANGES)
def test_what_is_kept_of_a_plan_keeps_every_rule_of_the_changed_problem(
    data: dict[str, Any], change: Change
) -> None:
    problem, base, other = otherwise(data, change)
    assert cost_of_kept(problem, base) <= base.objective + 1e-6 * max(1.0, base.objective)
    cost_of_kept(other, base)


@FEW
@given(small(), CHANGES, st.booleans())
def test_a_plan_from_another_is_checked_and_its_bound_is_true(
    data: dict[str, Any], change: Change, priced: bool
) -> None:
    _, base, other = otherwise(data, change)
    best = solve(other, EXACT)
    with patch.object(solving, "AT_ONCE_WAYS", -1), patch.object(solving, "SECOND_OPINION_WAYS", -1):
        cold = solve(other, EXACT)
        assume(isinstance(cold, Solution))
        assert isinstance(cold, Solution)
        start = replace(base, shadow_prices=cold.shadow_prices if priced else ())
        warm = solve(other, EXACT, start=start)
    assert not isinstance(best, Infeasible)
    assert isinstance(warm, Solution)
    check(other, warm)
    assert warm.bound <= best.objective + 1e-6 * max(1.0, best.objective)
    assert warm.objective >= best.bound - 1e-6 * max(1.0, best.objective)
    assert Solution.from_json(cold.to_json()).shadow_prices == cold.shadow_prices
    assert all(one.price > 0 for one in cold.shadow_prices)
