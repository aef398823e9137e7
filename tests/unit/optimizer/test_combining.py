"""One plan a SKU out of several: the cheapest choice that fits, and never a dearer plan than without it."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.allocation_scale import problem
from optimizer import Infeasible, Problem, Settings, check, decomposition, solve
from optimizer import solving as solving_module
from optimizer.master import Master
from optimizer.parts import Part

ROWS = 3


def tight() -> Problem:
    """Half of the capacity and of the docks that such a network has."""
    data = problem(10, suppliers=5, warehouses=3, regions=8, sold_in=3).to_json()
    for one in data["suppliers"]:
        one["capacity"] = [max(1.0, value / 2) for value in one["capacity"]]
    for one in data["warehouses"]:
        one["inbound"] = 150
    return Problem.from_json(json.loads(json.dumps(data)))


@st.composite
def pools(draw: st.DrawFn) -> Master:
    room = np.array([float(draw(st.integers(0, 12))) for _ in range(ROWS)])
    master = Master(room=room, ceiling=np.full(ROWS, 10.0))
    for sku in range(draw(st.integers(1, 4))):
        for _ in range(draw(st.integers(1, 4))):
            amounts = np.array([float(draw(st.integers(0, 6))) for _ in range(ROWS)])
            rows = np.flatnonzero(amounts)
            cost = float(draw(st.integers(0, 50)))
            master.add([Part(sku=f"K{sku}", bound=0.0, cost=cost, rows=rows, amounts=amounts[rows])])
    return master


def cost_of(chosen: tuple[Part, ...], master: Master, above: float) -> float:
    used = np.zeros(ROWS)
    for one in chosen:
        used[one.rows] += one.amounts
    return sum(one.cost for one in chosen) + above * float(np.maximum(used - master.room, 0.0).sum())


@settings(max_examples=60)
@given(pools(), st.sampled_from([0.5, 3.0, 1000.0]))
def test_the_choice_is_the_cheapest_of_all_choices(master: Master, above: float) -> None:
    chosen = master.choose(np.full(ROWS, above), gap=0.0, nodes=1000, seed=0)
    assert chosen is not None
    assert [one.sku for one in chosen] == list(master.columns)
    best = min(cost_of(one, master, above) for one in itertools.product(*master.columns.values()))
    assert cost_of(tuple(chosen), master, above) == pytest.approx(best)


def test_a_tight_plan_is_cheaper_with_a_choice_than_with_repair_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving_module, "AT_ONCE_WAYS", -1)
    monkeypatch.setattr(solving_module, "SECOND_OPINION_WAYS", -1)
    monkeypatch.setattr(decomposition, "PROVEN_PAIRS", 0)
    monkeypatch.setattr(decomposition, "improve", lambda *_, **__: True)
    made = tight()
    combined = solve(made, Settings(threads=1))
    monkeypatch.setattr(decomposition, "combine", lambda *_, **__: True)
    repaired = solve(made, Settings(threads=1))
    assert not isinstance(combined, Infeasible) and not isinstance(repaired, Infeasible)
    assert check(made, combined).total == pytest.approx(combined.objective)
    assert combined.objective < repaired.objective
