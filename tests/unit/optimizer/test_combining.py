"""Several plans a SKU: the cheapest mix decides, and looking again only ever makes a plan cheaper."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.allocation_scale import problem
from optimizer import Problem
from optimizer.form.clock import never
from optimizer.form.errors import SolverError
from optimizer.model.fees import Fees
from optimizer.model.network import Network, network
from optimizer.model.parts import Effort, Part, idle_part
from optimizer.search import choosing
from optimizer.search.choosing import best_choice, distinct
from optimizer.search.combining import Pool, choice, first_pool, gather, lagrangian
from optimizer.search.improving import improve
from optimizer.search.master import Master, total_use
from optimizer.search.repair import Plan, repair
from optimizer.search.workers import Crew, Workers

ROWS = 3


def free(rows: int) -> Fees:
    """No fee before any row."""
    return Fees(cost=np.zeros(0), of_row=np.full(rows, -1))


def tight() -> Problem:
    """Half of the capacity and of the docks that such a network has."""
    data = problem(6, suppliers=4, warehouses=2, regions=5, sold_in=2).to_json()
    for one in data["suppliers"]:
        one["capacity"] = [max(100.0, value / 2) for value in one["capacity"]]
    for one in data["warehouses"]:
        one["inbound"] = 150
    return Problem.from_json(json.loads(json.dumps(data)))


@st.composite
def pools(draw: st.DrawFn) -> Master:
    """Plans that use what they use, with room for all of them at once."""
    master = Master(room=np.full(ROWS, 1000.0), ceiling=np.full(ROWS, 10.0), fees=free(ROWS))
    for sku in range(draw(st.integers(1, 4))):
        costs = draw(st.lists(st.integers(0, 50), min_size=1, max_size=4, unique=True))
        for cost in costs:
            amounts = np.array([float(draw(st.integers(0, 6))) for _ in range(ROWS)])
            rows = np.flatnonzero(amounts)
            master.add([Part(sku=f"K{sku}", bound=0.0, cost=float(cost), rows=rows, amounts=amounts[rows])])
    return master


@given(pools())
def test_with_room_for_all_the_choice_is_the_cheapest_plan_of_each_sku(master: Master) -> None:
    chosen = master.heaviest(np.full(ROWS, 1000.0))
    assert [one.sku for one in chosen] == list(master.columns)
    for one in chosen:
        assert one.cost == min(other.cost for other in master.columns[one.sku])


def test_a_full_row_goes_to_the_sku_that_loses_most_without_it() -> None:
    master = Master(room=np.array([10.0]), ceiling=np.array([1.0]), fees=free(1))
    row, none = np.array([0]), np.zeros(0, dtype=np.int64)
    for sku, without in (("A", 50.0), ("B", 90.0)):
        master.add([Part(sku=sku, bound=0.0, cost=10.0, rows=row, amounts=np.array([10.0]))])
        master.add([Part(sku=sku, bound=0.0, cost=without, rows=none, amounts=np.zeros(0))])
    first, second = master.heaviest(np.array([1000.0]))
    assert (first.cost, second.cost) == (50.0, 10.0)


def pooled(workers: Workers, net: Network, *, goal: float = 0.0) -> tuple[Pool, Plan, float]:
    """The pool of plans begun at prices of zero, the plan that fits, and the bound at those prices."""
    skus, prices = [sku.id for sku in net.problem.skus], np.zeros(len(net.coupling.room))
    own = {one.sku: one for one in workers.sweep(skus, prices, Effort(), deadline=never())}
    plan = Plan(net, dict(own), prices)
    assert repair(plan, Effort(), tell=lambda done, total: None, deadline=never())
    best = first_pool(plan, own)
    pool, plan = gather(
        best,
        plan,
        workers,
        Effort(),
        lambda _: None,
        pairs=1,
        better=lambda pool, known: known,
        goal=lambda pool: goal,
        deadline=never(),
    )
    return pool, plan, lagrangian(net, own.values(), prices)


@pytest.mark.slow
def test_rounds_raise_the_bound_of_the_first_prices_and_give_every_sku_more_plans() -> None:
    net = network(tight())
    with Workers(net, Crew()) as workers:
        pool, plan, first = pooled(workers, net)
    assert pool.complete and set(pool.own) == set(plan.parts)
    assert pool.bound > first
    assert all(len(plans) > 2 for plans in pool.master.columns.values())


def test_no_more_rounds_are_made_for_a_plan_that_is_good_enough() -> None:
    net = network(tight())
    with Workers(net, Crew()) as workers:
        pool, _, first = pooled(workers, net, goal=math.inf)
    assert pool.complete and pool.bound >= first
    assert max(len(plans) for plans in pool.master.columns.values()) == 3  # what fits, and of two rounds


def cost(master: Master, parts: Sequence[Part], above: float) -> float:
    """What a choice costs, with what it uses above the room."""
    beyond = np.maximum(total_use(list(parts), len(master.room)) - master.room - 1e-9, 0.0).sum()
    return sum(one.cost for one in parts) + (above * float(beyond) if beyond else 0.0)


@given(
    pools(),
    st.lists(st.integers(0, 12), min_size=ROWS, max_size=ROWS),
    st.sampled_from([0.7, 1.0]),
    st.sampled_from([0.01, 1.5, 1000.0, math.inf]),
)
def test_the_best_choice_is_the_cheapest_of_all(
    master: Master, room: list[int], unit: float, above: float
) -> None:
    """Also where uses are no whole numbers, and where none may be above the room."""
    tight = Master(room=np.array(room) * unit, ceiling=master.ceiling, fees=master.fees)
    for parts in master.columns.values():
        tight.add([replace(one, amounts=one.amounts * unit) for one in parts])
    columns = list(tight.columns.values())
    idle = Part(sku="", bound=0.0, cost=60.0, rows=np.zeros(0, dtype=np.int64), amounts=np.zeros(0))
    known = {sku: replace(idle, sku=sku) for sku in tight.columns}
    found = best_choice(tight, np.full(ROWS, above), known=known, gap=0.0, seed=0)
    assert found is not None
    assert [one.sku for one in found] == list(tight.columns)
    every = itertools.product(*([known[parts[0].sku], *parts] for parts in columns))
    least = min(cost(tight, parts, above) for parts in every)
    assert cost(tight, found, above) == pytest.approx(least, abs=0.05)


def test_a_plan_seen_again_stays_where_it_first_was() -> None:
    one = Part(sku="A", bound=0.0, cost=10.0, rows=np.array([0]), amounts=np.array([10.0]))
    other = replace(one, amounts=np.array([9.0]))
    found = distinct([one, other, replace(one, bound=5.0)])
    assert len(found) == 2
    assert found[0] is one and found[1] is other


def test_a_fee_that_no_plan_is_worth_is_not_paid() -> None:
    master = Master(
        room=np.array([15.0]), ceiling=np.ones(1), fees=Fees(cost=np.array([70.0]), of_row=np.array([0]))
    )
    row, none = np.array([0]), np.zeros(0, dtype=np.int64)
    for without in (40.0, 90.0):
        master.columns.clear()
        master.add([Part(sku="A", bound=0.0, cost=10.0, rows=row, amounts=np.array([10.0]))])
        master.add([Part(sku="A", bound=0.0, cost=without, rows=none, amounts=np.zeros(0))])
        found = best_choice(master, np.full(1, 1000.0), known={"A": master.columns["A"][0]}, gap=0.0, seed=0)
        assert found is not None
        assert found[0].cost == (40.0 if without == 40.0 else 10.0)


def test_the_known_plan_may_be_chosen_though_it_is_none_of_the_pool() -> None:
    master = Master(room=np.array([15.0]), ceiling=np.ones(1), fees=free(1))
    known = {}
    for sku in ("A", "B"):
        part = Part(sku=sku, bound=0.0, cost=10.0, rows=np.array([0]), amounts=np.array([10.0]))
        master.add([part, replace(part, bound=5.0), replace(part, cost=20.0, amounts=np.array([8.0]))])
        known[sku] = replace(part, cost=15.0, amounts=np.array([6.0]))
    found = best_choice(master, np.full(1, 1000.0), known=known, gap=0.0, seed=0)
    assert found is not None
    assert [one.cost for one in found] == [15.0, 15.0]


@pytest.mark.slow
def test_looking_again_keeps_the_hard_rows_and_makes_the_plan_cheaper() -> None:
    net = network(tight())
    with Workers(net, Crew()) as workers:
        pool, plan, _ = pooled(workers, net)
        plan = Plan(net, choice(plan, pool.master, seed=0), pool.prices)
        assert repair(plan, Effort(), tell=lambda done, total: None, deadline=never())
        repaired = plan.cost()
        skus = list(plan.parts)
        improve(plan, workers, skus, Effort(), goal=0.0, tell=lambda done, total: None, deadline=never())
    assert not plan.over().any()
    assert plan.cost() < repaired


def test_a_sku_whose_spend_gives_others_their_share_can_not_leave_them_without() -> None:
    one = {"quantity": 10, "region": "R", "week": 0, "short_cost": 100}
    problem = Problem.from_json(
        {
            "schema": "allocation/1",
            "weeks": 1,
            "suppliers": [{"id": "S"}, {"id": "T"}],
            "regions": [{"id": "R"}],
            "skus": [{"id": "A"}, {"id": "B"}],
            "offers": [
                {"supplier": "S", "sku": "A", "breaks": [[0, 5]]},
                {"supplier": "T", "sku": "B", "breaks": [[0, 5]]},
            ],
            "lanes": [{"from": "S", "to": "R"}, {"from": "T", "to": "R"}],
            "demand": [one | {"sku": "A"}, one | {"sku": "B"}],
            "share_caps": [{"scope": "plan", "base": "spend", "max_share": 0.5, "hard": True}],
        }
    )
    net = network(problem)
    with Workers(net, Crew()) as workers:
        found = list(workers.sweep(["A", "B"], np.zeros(len(net.coupling.room)), Effort(), deadline=never()))
    plan = Plan(net, {one.sku: one for one in found}, np.zeros(len(net.coupling.room)))
    assert not plan.over().any()
    assert plan.fits(plan.parts["B"])
    assert not plan.fits(idle_part(net, "B"))


@given(
    st.lists(st.integers(-6, 15), min_size=4, max_size=4),
    st.sampled_from([1.0, 0.3]),
    st.sampled_from([1.0, 1e9, math.inf]),
)
def test_whatever_the_size_of_numbers_there_is_a_choice(sizes: list[int], part: float, above: float) -> None:
    """Uses far above a small room and far below a large one, whole and not; costs as different."""
    room, use, cheap, dear = (part * 10.0**size for size in sizes)
    master = Master(room=np.array([room]), ceiling=np.ones(1), fees=free(1))
    row, none = np.array([0]), np.zeros(0, dtype=np.int64)
    idle = Part(sku="A", bound=0.0, cost=dear, rows=none, amounts=np.zeros(0))
    busy = Part(sku="A", bound=0.0, cost=cheap, rows=row, amounts=np.array([use]))
    master.add([busy])
    found = best_choice(master, np.array([above]), known={"A": idle}, gap=0.0, seed=0)
    assert found is not None and len(found) == 1
    assert cost(master, found, above) <= dear * (1 + 1e-6)


def test_where_the_solver_takes_no_model_the_mix_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SolverError("no such numbers")

    monkeypatch.setattr(choosing, "choose", refuse)
    net = network(tight())
    with Workers(net, Crew()) as workers:
        pool, plan, _ = pooled(workers, net)
    chosen = choice(plan, pool.master, seed=0)
    assert chosen.keys() == plan.parts.keys()
    above = np.where(np.isinf(net.coupling.penalty), 1e6, net.coupling.penalty)
    assert best_choice(pool.master, above, known=plan.parts, gap=0.0, seed=0) is None
