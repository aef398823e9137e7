"""What of a plan is started from."""

from __future__ import annotations

import pytest
from unit.optimizer.allocation_problems import document, need, offer, plan

from optimizer.form.clock import never
from optimizer.model.network import network
from optimizer.model.parts import Effort
from optimizer.search.starting import kept_plan


def test_what_a_plan_leaves_unmet_is_left_unmet_though_it_is_due_first() -> None:
    due = [need(10, short_cost=20.0), need(10, week=1)]
    problem, solution = plan(document(offers=[offer(lead_weeks=1, max=10)], demand=due, weeks=2))
    assert [(one.week, one.quantity) for one in solution.unmet] == [(0, 10)]
    kept = kept_plan(network(problem), solution, Effort(), deadline=never())
    assert kept.cost() == pytest.approx(solution.objective)
