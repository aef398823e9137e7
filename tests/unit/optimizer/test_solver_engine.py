"""The door to OR-Tools: HiGHS itself answers, its duals are duals, and limits are reported."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.model.build import Builder
from optimizer.model.engine import HIGHS, SCIP, Arrays, choose, run


def sixty_units() -> Arrays:
    """60 units at prices 3, 4 and 7 with caps 25, 40 and 40."""
    builder = Builder()
    bought = builder.columns(np.array([3.0, 4.0, 7.0]))
    builder.put(builder.rows(1, lower=60.0), bought, 1.0)
    for column, cap in zip(bought, (25.0, 40.0, 40.0), strict=True):
        builder.put(builder.rows(1, upper=cap), column, 1.0)
    return builder.arrays()


def knapsack() -> Arrays:
    builder = Builder()
    taken = builder.columns(np.array([-5.0, -4.0, -3.0]), upper=1.0, integer=True)
    builder.put(builder.rows(1, upper=5.0), taken, [2.0, 3.0, 1.0])
    return builder.arrays()


def test_duals_are_what_one_more_unit_is_worth() -> None:
    answer = run(sixty_units(), kinds=(HIGHS,))
    assert answer.objective == pytest.approx(25 * 3 + 35 * 4)
    assert answer.duals is not None
    assert answer.duals.tolist() == pytest.approx([4.0, -1.0, 0.0, 0.0])


@pytest.mark.parametrize("seconds", [30.0, float("inf")])
@pytest.mark.parametrize("kind", [HIGHS, SCIP])
def test_each_solver_answers_alone_with_every_limit_set(kind: int, seconds: float) -> None:
    answer = run(knapsack(), kinds=(kind,), gap=0.0, nodes=1000, seconds=seconds, seed=3)
    assert answer.optimal
    assert answer.objective == pytest.approx(-9.0)
    assert answer.bound == pytest.approx(-9.0)


def test_a_choice_in_whole_numbers_is_proven_within_its_work() -> None:
    answer = choose(knapsack(), gap=0.0, work=1.0)
    assert answer.optimal
    assert answer.objective == answer.bound == pytest.approx(-9.0)


def test_an_impossible_model_is_said_to_be_infeasible() -> None:
    builder = Builder()
    builder.put(builder.rows(1, lower=2.0), builder.columns(np.zeros(1), upper=1.0, integer=True), 1.0)
    answer = run(builder.arrays())
    assert answer.infeasible
    assert answer.values is None


@pytest.mark.parametrize("kind", [HIGHS, SCIP])
def test_the_last_point_of_an_impossible_lp_is_no_answer(kind: int) -> None:
    builder = Builder()
    bought = builder.columns(np.ones(2), lower=np.array([3.0, 0.0]), upper=np.array([3.0, 5.0]))
    builder.put(builder.rows(1, upper=2.0), bought[:1], 1.0)
    builder.put(builder.rows(1, lower=1.0), bought[1:], 1.0)
    answer = run(builder.arrays(), kinds=(kind,))
    assert answer.infeasible
    assert answer.values is None


def test_coefficients_put_twice_add_up_in_row_order() -> None:
    builder = Builder()
    columns = builder.columns(np.zeros(2))
    rows = builder.rows(2, upper=1.0)
    builder.put(rows[1], columns, 1.0)
    builder.put(rows, columns[0], 2.0)
    arrays = builder.arrays()
    triplets = list(zip(arrays.rows.tolist(), arrays.columns.tolist(), arrays.values.tolist(), strict=True))
    assert triplets == [(0, 0, 2.0), (1, 0, 3.0), (1, 1, 1.0)]
