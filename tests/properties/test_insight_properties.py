"""Random small problems: relief is a re-solve, clashes are minimal, relaxations are plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer import Binding, Infeasible, Problem, Settings, Solution, check, explain, solve, what_if
from optimizer.insight.relief import loosen
from optimizer.rules.selection import only, spread_caps
from support.problems import built, small

EXACT = Settings(gap=0.0)
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(small())
def test_relief_is_worth_what_planning_again_saves(data: dict[str, Any]) -> None:
    problem = built(data)
    solution = solve(problem, EXACT)
    assert isinstance(solution, Solution)
    for one in explain(problem, solution, EXACT, most=4).relief:
        bound = Binding(rule=one["rule"], ids=one["ids"], used=0.0, limit=0.0)
        again = solve(loosen(bound, one["step"])(spread_caps(problem)), EXACT)
        assert isinstance(again, Solution)
        assert solution.objective - again.objective == pytest.approx(one["saving"], abs=2e-4)


@st.composite
def capped(draw: st.DrawFn) -> dict[str, Any]:
    """A small problem whose share caps are hard and low."""
    data = draw(small())
    share = draw(st.sampled_from([0.2, 0.3, 0.4, 0.45]))
    data["share_caps"] = [{"scope": draw(st.sampled_from(["sku", "plan"])), "max_share": share, "hard": True}]
    return data


@FEW
@given(capped())
def test_without_any_one_rule_of_a_clash_there_is_a_plan(data: dict[str, Any]) -> None:
    problem = built(data)
    answer = solve(problem, EXACT)
    assume(isinstance(answer, Infeasible))
    assert isinstance(answer, Infeasible)
    for group in answer.rules:
        cap = next(rule for rule in group if rule["rule"] == "share_cap")
        mine = [one.id for one in problem.skus if cap["ids"]["key"] in (None, one.id)]
        part = only(spread_caps(problem), frozenset(mine))
        assert isinstance(solve(part, EXACT), Infeasible)
        for rule in group:
            assert isinstance(solve(_without(part, rule), EXACT), Solution)


def _without(problem: Problem, rule: dict[str, Any]) -> Problem:
    if rule["rule"] == "demand":
        return replace(problem, demand=tuple(replace(one, quantity=0) for one in problem.demand))
    ids = (rule["ids"]["scope"], rule["ids"]["key"])
    return replace(
        problem, share_caps=tuple(one for one in problem.share_caps if (one.scope, one.key) != ids)
    )


@FEW
@given(capped())
def test_every_relaxation_is_a_plan_that_is_found_again(data: dict[str, Any]) -> None:
    problem = built(data)
    answer = solve(problem, EXACT)
    assume(isinstance(answer, Infeasible))
    assert isinstance(answer, Infeasible)
    assert {"raise_cap", "soften_cap"} <= {one["code"] for one in answer.relaxations}
    raised = next(one for one in answer.relaxations if one["code"] == "raise_cap")
    share = raised["numbers"]["percent"] / 100
    caps = {(one["scope"], one["key"]) for one in raised["caps"]}
    again = replace(
        spread_caps(problem),
        share_caps=tuple(
            replace(one, max_share=share) if (one.scope, one.key) in caps else one
            for one in spread_caps(problem).share_caps
        ),
    )
    found = solve(again, EXACT)
    assert isinstance(found, Solution)
    assert check(again, found).total == pytest.approx(raised["cost"])


@FEW
@given(small())
def test_a_scenario_without_a_change_is_the_base(data: dict[str, Any]) -> None:
    problem = built(data)
    (same,) = what_if(problem, [()], EXACT)
    assert same.difference is not None
    assert (same.difference.cost, same.difference.moved, same.difference.unmet) == (0.0, 0, 0)
