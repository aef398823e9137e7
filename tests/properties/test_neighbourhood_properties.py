"""Random small problems: what a plan uses of shared rules, and some of its SKUs planned anew among others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer import Locked, Problem, ProblemError, Settings, Solution, replan, solve
from optimizer.form.clock import Clock, never
from optimizer.model.item import compile_item
from optimizer.model.network import network
from optimizer.model.parts import Effort
from optimizer.model.picks import quantities
from optimizer.model.uses import uses
from optimizer.rules.book import Book, book
from optimizer.rules.checking import check_quantities
from optimizer.search import neighbourhood
from optimizer.search.closing import has_rules
from optimizer.search.greedy import greedy_plan
from optimizer.search.neighbourhood import around
from optimizer.search.workers import Crew
from support.problems import built, small

FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
EXACT = Settings(gap=0.0)


def by_rule(problem: Problem) -> tuple[Book, np.ndarray]:
    """A plan by a planner's rule, and what its SKUs use of the shared rows by their own arrays."""
    net = network(problem)
    plan = greedy_plan(net, Effort(), deadline=never())
    chosen = {}
    for sku, one in plan.parts.items():
        assert one.pick is not None
        chosen[sku] = (compile_item(net, net.problem.sku_of[sku]), one.pick)
    return quantities(net, chosen), plan.used


@FEW
@given(small())
def test_what_a_plan_uses_is_what_its_skus_use_by_their_own_arrays(data: dict[str, Any]) -> None:
    problem = built(data)
    plan, used = by_rule(problem)
    assert uses(network(problem), plan).total() == pytest.approx(used, abs=1e-6)


@FEW
@given(small(), st.data())
def test_some_skus_planned_anew_keep_every_rule_and_cost_no_more(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    problem = built(data)
    if has_rules(problem):  # a planner's rule does not see them
        data = data | {"regions": [one | {"single_source": False} for one in data["regions"]]}
        data["lanes"] = [one | {"minimum": 0} for one in data["lanes"]]
        problem = built(data)
    plan, _ = by_rule(problem)
    before = check_quantities(problem, plan).total
    skus = draw.draw(st.lists(st.sampled_from([one.id for one in problem.skus]), min_size=1, unique=True))
    clock = Clock(limit=60.0)
    tell = clock.listen(None)
    found = around(network(problem), plan, skus, EXACT, tell=tell, clock=clock, crew=Crew())
    assert found is not None
    cost = check_quantities(problem, found.book).total
    assert cost <= before + 1e-6 * max(1.0, before)
    assert 0 <= found.slack < math.inf
    assert cost - found.slack <= before + 1e-6 * max(1.0, before)
    others = {key: units for key, units in plan.flows.items() if key[0] not in skus}
    assert others == {key: units for key, units in found.book.flows.items() if key[0] not in skus}


@FEW
@given(small(), st.data())
def test_one_sku_in_a_model_of_its_likely_lots_keeps_every_rule_and_costs_no_more(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    """The lots of the plan are among them, so that the SKU can do what it did; rules on lanes hold too."""
    problem = built(data)
    plan = solve(problem, EXACT)
    assume(isinstance(plan, Solution))
    assert isinstance(plan, Solution)
    sku = draw.draw(st.sampled_from([one.id for one in problem.skus]))
    clock, before = Clock(limit=60.0), book(problem, plan)
    with (
        patch.object(neighbourhood, "AT_ONCE_WAYS", -1),
        patch.object(neighbourhood, "LIKELY_GAP", 0.0),
        patch.object(neighbourhood, "LIKELY_NODES", 2_000),
    ):
        net, tell = network(problem), clock.listen(None)
        found = around(net, before, [sku], EXACT, tell=tell, clock=clock, crew=Crew(), likely=True)
    assert found is not None
    cost = check_quantities(problem, found.book).total
    assert cost <= plan.objective + 1e-6 * max(1.0, plan.objective)
    others = {key: units for key, units in before.flows.items() if key[0] != sku}
    assert others == {key: units for key, units in found.book.flows.items() if key[0] != sku}


@FEW
@given(small(), st.data())
def test_after_a_decline_hardly_more_moves_than_must_and_the_bound_is_true(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    """Churn dearer than anything else makes one model of the whole find the fewest units that must move."""
    data = data | {"locked": [], "previous": [], "churn_cost": 0}
    data["lanes"] = [one | {"minimum": 0} for one in data["lanes"]]
    data["share_caps"] = [
        one | {"hard": False} for one in data["share_caps"]
    ]  # of all spend: it ties all SKUs
    for kind, limits in (("suppliers", ("capacity", "horizon_capacity")), ("materials", ("available",))):
        data[kind] = [one | {name: one[name] or None for name in limits} for one in data[kind]]
    there = {(one["from"], one["to"]) for one in data["lanes"]}
    direct = [(s["id"], r["id"]) for s in data["suppliers"] for r in data["regions"]]
    data["lanes"] += [{"from": s, "to": r, "cost": 3} for s, r in direct if (s, r) not in there]
    data["demand"] = [one | {"short_cost": 200, "max_late_weeks": None} for one in data["demand"]]
    before = built(data)
    base = solve(before, EXACT)
    assert isinstance(base, Solution)
    assume(base.orders)
    gone = draw.draw(st.sampled_from(base.orders))
    to = {(one.sku, one.source): one.target for one in base.flows}
    previous = tuple(
        Locked(supplier=one.supplier, sku=one.sku, week=one.week, to=lane, quantity=one.quantity)
        for one in base.orders
        if (lane := to.get((one.sku, one.supplier)))
    )
    offers = tuple(o for o in before.offers if (o.supplier, o.sku) != (gone.supplier, gone.sku))
    changed = replace(before, offers=offers, previous=previous, churn_cost=1e4)
    try:
        found = replan(changed, base, EXACT, before=before)
    except ProblemError as error:  # a rule on lanes that ties all SKUs together: to be planned as a whole
        assert "single_source" in str(error)
        return
    least = solve(changed, EXACT)
    assert isinstance(least, Solution)
    assert found.solution.cost.churn <= 1.2 * least.cost.churn + 1e-6
    assert found.solution.bound <= least.objective + 1e-6 * max(1.0, least.objective)
    assert gone.sku in found.skus
