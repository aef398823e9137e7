"""A supplier declines: only what no longer holds is planned anew, with a stated gap and hardly any churn."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unit.optimizer.allocation_problems import EXACT, need, plan, with_suppliers

from benchmarks.allocation_scale import problem
from optimizer import Problem, ProblemError, Settings, Solution, by_rule, check, replan, solve
from optimizer.form.problem import Locked
from optimizer.model import likely
from optimizer.rules.legality import misfits, narrower
from optimizer.rules.limits import previous_units
from optimizer.search import neighbourhood

# The package gives the function of this name.
replan_module = importlib.import_module("optimizer.search.replan")


def three(**more: Any) -> dict[str, Any]:
    """SKUs A, B and C of three suppliers each, S0 the cheapest with room for two of them."""
    data = with_suppliers(3, [10.0, 11.0, 12.0], **more)
    data["skus"] = [{"id": one} for one in "ABC"]
    data["offers"] = [row | {"sku": sku, "order_cost": 5} for sku in "ABC" for row in data["offers"]]
    data["demand"] = [need(60) | {"sku": sku} for sku in "ABC"]
    data["suppliers"] = [{"id": one, "capacity": 120} for one in ("S0", "S1", "S2")]
    return data


def wanted_again(problem: Problem, base: Solution, churn: float) -> Problem:
    lanes = {(one.sku, one.source): one.target for one in base.flows}
    rows = tuple(
        Locked(
            supplier=one.supplier,
            sku=one.sku,
            week=one.week,
            to=lanes[one.sku, one.supplier],
            quantity=one.quantity,
        )
        for one in base.orders
    )
    return replace(problem, previous=rows, churn_cost=churn)


def declined(problem: Problem, *pairs: tuple[str, str]) -> Problem:
    return replace(problem, offers=tuple(o for o in problem.offers if (o.supplier, o.sku) not in pairs))


def moved(problem: Problem, solution: Solution) -> int:
    """Units of the previous plan that are not ordered again."""
    again = {(one.supplier, one.sku, one.week): one.quantity for one in solution.orders}
    return sum(max(0, units - again.get(key, 0)) for key, units in previous_units(problem).items())


def test_only_the_sku_whose_line_was_declined_is_planned_anew() -> None:
    problem, base = plan(three())
    kept = {one.sku for one in base.orders if one.supplier == "S0"}
    sku = min(kept)
    changed = declined(wanted_again(problem, base, 2.0), ("S0", sku))
    found = replan(changed, base, EXACT, before=problem)
    assert found.skus == (sku,)
    assert found.slack == pytest.approx(0.0, abs=1e-6)
    # 60 units elsewhere for 1 more each, and 2 each for the change
    assert found.solution.objective == pytest.approx(base.objective + 60 * (1 + 2))
    assert check(changed, found.solution).total == pytest.approx(found.solution.objective)
    assert found.solution.bound == pytest.approx(base.bound)
    assert moved(changed, found.solution) == 60
    others = [one for one in base.orders if one.sku != sku]
    assert others == [one for one in found.solution.orders if one.sku != sku]


def test_the_room_that_others_hold_is_not_there_and_what_was_freed_is() -> None:
    problem, base = plan(three())
    sku = min(one.sku for one in base.orders if one.supplier == "S0")
    other = next(one.sku for one in base.orders if one.supplier == "S1")
    changed = declined(problem, ("S0", sku), ("S1", other))
    found = replan(changed, base, EXACT)
    assert set(found.skus) == {sku, other}
    assert found.solution.objective == pytest.approx(solve(changed, EXACT).objective)  # type: ignore[union-attr]
    assert {one.supplier for one in found.solution.orders if one.sku == other} == {"S0"}


def test_who_is_in_the_way_makes_room_rather_than_leave_demand_late() -> None:
    """Only S0 is left to A, and B and C hold all of it though others could make theirs."""
    data = three()
    data["suppliers"][0]["capacity"] = 120
    problem = Problem.from_json(data)
    base = solve(declined(problem, ("S0", "A")), EXACT)
    assert isinstance(base, Solution)
    assert {one.sku for one in base.orders if one.supplier == "S0"} == {"B", "C"}
    changed = declined(problem, ("S1", "A"), ("S2", "A"))
    found = replan(changed, base, EXACT)
    assert not found.solution.unmet
    assert found.solution.objective == pytest.approx(solve(changed, EXACT).objective)  # type: ignore[union-attr]


@pytest.mark.parametrize(("churn", "worth", "late"), [(3.0, 0.05, 0), (6.0, 0.05, 60), (3.0, 1.0, 60)])
def test_nobody_makes_room_where_moving_costs_more_than_it_saves_or_the_gap_allows_it(
    churn: float, worth: float, late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit of A costs 5 a week late, 300 in all; the gap allows 0.9 of the 600 that A costs."""
    monkeypatch.setattr(replan_module, "ROOM_WORTH", worth)
    problem = Problem.from_json(three())
    base = solve(declined(problem, ("S0", "A")), EXACT)
    assert isinstance(base, Solution)
    changed = declined(wanted_again(problem, base, churn), ("S1", "A"), ("S2", "A"))
    found = replan(changed, base, Settings(gap=0.9))
    assert sum(one.quantity for one in found.solution.late) == late
    assert (len(found.skus) > 1) == (not late)


def test_more_skus_are_planned_anew_only_if_that_is_cheaper(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem.from_json(three())
    base = solve(declined(problem, ("S0", "A")), EXACT)
    assert isinstance(base, Solution)
    changed = declined(problem, ("S1", "A"), ("S2", "A"))
    found = replan_module.around

    def wasteful(net: Any, plan: Any, skus: list[str], *rest: Any, **more: Any) -> Any:
        """As around, but of several SKUs it orders nothing."""
        made = found(net, plan, skus, *rest, **more)
        if len(skus) == 1:
            return made
        unmet = {(one.sku, one.region, one.week): one.quantity for one in problem.demand if one.sku in skus}
        none = replace(made.book, orders={}, flows={}, unmet=unmet, split={})
        return replace(made, book=neighbourhood.merged(made.book, none, skus), chosen={})

    monkeypatch.setattr(replan_module, "around", wasteful)
    kept = replan(changed, base, EXACT)
    assert kept.skus == ("A",)
    assert sum(one.quantity for one in kept.solution.late) == 60


def test_skus_that_are_as_they_were_are_not_checked_again_and_all_others_are() -> None:
    problem, base = plan(three())
    kept = {one.sku for one in base.orders if one.supplier == "S0"}
    gone = declined(problem, ("S0", min(kept)))
    assert misfits(gone, base) == misfits(gone, base, problem) == {min(kept)}
    fewer = replace(problem, lanes=tuple(one for one in problem.lanes if one.source != "S0"))
    assert misfits(fewer, base) == misfits(fewer, base, problem) == kept
    more = tuple(replace(one, quantity=61) if one.sku == "B" else one for one in problem.demand)
    changed = replace(problem, demand=more)
    assert misfits(changed, base) == misfits(changed, base, problem) == {"B"}


def test_limits_that_fell_take_the_largest_users_first() -> None:
    problem, base = plan(three())
    lower = replace(problem.suppliers[0], capacity=(70.0,) * 4)
    changed = replace(problem, suppliers=(lower, *problem.suppliers[1:]))
    found = replan(changed, base, EXACT, before=problem)
    assert len(found.skus) == 1
    check(changed, found.solution)
    assert found.solution.bound == pytest.approx(base.bound)


def test_a_plan_that_still_holds_is_kept_to_the_unit() -> None:
    problem, base = plan(three())
    found = replan(wanted_again(problem, base, 1.0), base, EXACT, before=problem)
    assert found.skus == ()
    assert json.dumps(found.solution.to_json() | {"seconds": 0}) == json.dumps(
        base.to_json() | {"seconds": 0}
    )


def test_more_demand_is_planned_for_and_a_vanished_sku_is_dropped() -> None:
    problem, base = plan(three())
    more = tuple(replace(one, quantity=90) if one.sku == "B" else one for one in problem.demand)
    found = replan(replace(problem, demand=more), base, EXACT, before=problem)
    assert found.skus == ("B",)
    assert (found.solution.bound, found.solution.unmet) == (0.0, ())
    gone = replace(problem, demand=tuple(one for one in problem.demand if one.sku != "C"))
    left = replan(gone, base, EXACT)
    assert left.skus == ("C",)
    assert {one.sku for one in left.solution.orders} == {"A", "B"}


def test_the_bound_is_carried_only_where_the_problem_got_narrower() -> None:
    problem, base = plan(three())
    assert narrower(problem, declined(problem, ("S0", "A")), base)
    assert narrower(problem, wanted_again(problem, base, 3.0), base)
    assert not narrower(declined(problem, ("S0", "A")), problem, base)
    cheaper = tuple(replace(one, breaks=((0, 1.0),)) for one in problem.offers)
    assert not narrower(problem, replace(problem, offers=cheaper), base)
    wider = tuple(replace(one, capacity=None) for one in problem.suppliers)
    assert not narrower(problem, replace(problem, suppliers=wider), base)
    locked = replace(problem, locked=wanted_again(problem, base, 1.0).previous)
    assert not narrower(problem, locked, base)  # a locked unit may wait in its region, others may not


def test_a_rule_that_kept_skus_break_together_is_said() -> None:
    problem, base = plan(three())
    single = replace(problem, regions=tuple(replace(one, single_source=True) for one in problem.regions))
    with pytest.raises(ProblemError, match="single_source"):
        replan(single, base, Settings())


def test_many_skus_are_planned_anew_in_the_same_room_by_two_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbourhood, "AT_ONCE_WAYS", -1)
    made = problem(4, suppliers=3, warehouses=1, regions=2, sold_in=1)
    base = by_rule(made)
    skus = sorted({one.sku for one in base.orders})[:2]
    changed = declined(made, *((min(o.supplier for o in base.orders if o.sku == k), k) for k in skus))
    one, two = (replan(changed, base, Settings(threads=threads, gap=0.1)) for threads in (1, 2))
    assert set(skus) <= set(one.skus)
    plans = [json.dumps(found.solution.to_json() | {"seconds": 0}) for found in (one, two)]
    assert plans[0] == plans[1]
    assert check(changed, one.solution).total == pytest.approx(one.solution.objective)


def test_few_skus_planned_without_prices_keep_every_rule_and_their_slack_is_true(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = problem(4, suppliers=3, warehouses=1, regions=2, sold_in=1)
    base = by_rule(made)
    skus = sorted({one.sku for one in base.orders})[:2]
    changed = declined(made, *((min(o.supplier for o in base.orders if o.sku == k), k) for k in skus))
    monkeypatch.setattr(replan_module, "NEIGHBOURS", 0)
    best = replan(changed, base, Settings(gap=1e-4))
    monkeypatch.setattr(neighbourhood, "AT_ONCE_WAYS", -1)
    monkeypatch.setattr(replan_module, "FEW", 1.0)
    quick = replan(changed, base, Settings(gap=0.1))
    assert quick.skus == best.skus
    assert check(changed, quick.solution).total == pytest.approx(quick.solution.objective)
    assert quick.slack < 0.2 * quick.solution.objective
    assert best.solution.objective >= quick.solution.objective - quick.slack - 1e-6
    assert quick.solution.objective >= best.solution.objective - best.slack - 1e-6


def test_one_sku_alone_is_planned_anew_in_a_model_of_its_likely_lots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = problem(4, suppliers=3, warehouses=1, regions=2, sold_in=1)
    base = by_rule(made)
    sku = base.orders[0].sku
    changed = declined(made, (min(o.supplier for o in base.orders if o.sku == sku), sku))
    monkeypatch.setattr(replan_module, "NEIGHBOURS", 0)
    best = replan(changed, base, Settings(gap=1e-4))
    monkeypatch.setattr(neighbourhood, "AT_ONCE_WAYS", -1)
    monkeypatch.setattr(neighbourhood, "solve_in_parts", lambda *_, **__: pytest.fail("the long search"))
    likely = replan(changed, base, Settings(gap=1e-4))
    assert likely.skus == best.skus == (sku,)
    assert best.solution.objective - best.slack <= likely.solution.objective + 1e-6
    assert likely.solution.objective <= 1.002 * best.solution.objective
    assert likely.slack == float("inf")


def test_one_sku_planned_anew_may_have_the_lots_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its relaxation would order none of them."""
    made = problem(4, suppliers=3, warehouses=1, regions=2, sold_in=1)
    base = by_rule(made)
    sku = base.orders[0].sku
    more = tuple(replace(one, quantity=one.quantity + 1) if one.sku == sku else one for one in made.demand)
    monkeypatch.setattr(replan_module, "NEIGHBOURS", 0)
    monkeypatch.setattr(neighbourhood, "AT_ONCE_WAYS", -1)
    monkeypatch.setattr(likely, "relaxation", lambda net, item: (np.zeros(len(item.lots.week), bool), None))
    found = replan(replace(made, demand=more), base, Settings(gap=1e-4))
    lots = [
        {(one.supplier, one.week) for one in plan.orders if one.sku == sku} for plan in (base, found.solution)
    ]
    assert found.skus == (sku,)
    assert lots[1] and lots[1] <= lots[0]
