"""Units nobody asks for that pay: for a price break, a share of what is spent, or a lane's minimum."""

from __future__ import annotations

import pytest
from unit.optimizer.allocation_problems import document, need, offer, plan, with_suppliers


def test_one_unit_more_than_is_locked_reaches_the_break_though_nobody_needs_it() -> None:
    locked = [{"supplier": "S", "sku": "B", "week": 0, "to": "R", "quantity": 10}]
    broken = {"supplier": "S", "sku": "B", "breaks": [[0, 5], [11, 3]]}
    data = document(
        weeks=1, skus=[{"id": "A"}, {"id": "B"}], offers=[offer(), broken], demand=[need(1)], locked=locked
    )
    _, solution = plan(data)
    assert {one.sku: one.quantity for one in solution.orders} == {"A": 1, "B": 11}
    assert solution.objective == pytest.approx(10 + 33)


def test_goods_that_stay_in_the_warehouse_fill_the_lane_of_those_that_go_on() -> None:
    data = document(
        weeks=2,
        warehouses=[{"id": "W", "award_cost": 3}],
        skus=[{"id": "A", "holding_cost": 1, "volume": 2}],
        lanes=[{"from": "S", "to": "W", "minimum": 7, "cost": 0.5}, {"from": "W", "to": "R"}],
        demand=[need(2, week=1)],
    )
    _, solution = plan(data)
    leaving = {(one.source, one.target): one.quantity for one in solution.flows}
    assert leaving == {("S", "W"): 4, ("W", "R"): 2}, "volume 8 is enough for 7"
    assert solution.cost.freight == pytest.approx(4)
    assert solution.cost.holding == pytest.approx(2), "at the end of the last week"
    assert solution.objective == pytest.approx(40 + 4 + 2 + 3)


@pytest.mark.parametrize(("limits", "met"), [({"storage": 1}, 0), ({"inbound": 3}, 0), ({"storage": 2}, 2)])
def test_where_they_would_not_fit_the_lane_stays_closed(limits: dict[str, int], met: int) -> None:
    data = document(
        weeks=1,
        warehouses=[{"id": "W"} | limits],
        lanes=[{"from": "S", "to": "W", "minimum": 4}, {"from": "W", "to": "R"}],
        demand=[need(2)],
    )
    _, solution = plan(data)
    assert sum(one.quantity for one in solution.unmet) == 2 - met


def test_a_lane_is_filled_by_the_cheapest_goods_there_are() -> None:
    data = document(
        weeks=1,
        warehouses=[{"id": "W"}],
        skus=[{"id": "A"}, {"id": "B"}],
        offers=[offer(), {"supplier": "S", "sku": "B", "breaks": [[0, 1]]}],
        lanes=[{"from": "S", "to": "W", "minimum": 6}, {"from": "W", "to": "R"}],
        demand=[need(2)],
    )
    _, solution = plan(data)
    assert {one.sku: one.quantity for one in solution.orders} == {"A": 2, "B": 4}


def test_a_break_is_reached_by_parts_of_units_that_add_up_to_it() -> None:
    data = document(
        weeks=3,
        continuous=True,
        offers=[offer() | {"breaks": [[0, 3], [23, 1]]}],
        demand=[need(0) | {"quantity": 8.26}, need(0, week=2) | {"quantity": 14.74}],
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(23, abs=1e-4)


def test_money_for_goods_nobody_needs_is_spent_where_a_share_is_dearer() -> None:
    """S has 12 of 20 where it may have half: 4 more for T cost 4 and save 5 x 2."""
    locked = [{"supplier": "T", "sku": "B", "week": 0, "to": "R", "quantity": 8}]
    data = document(
        weeks=1,
        suppliers=[{"id": "S"}, {"id": "T"}],
        skus=[{"id": "A"}, {"id": "B"}],
        offers=[offer(price=1), {"supplier": "T", "sku": "B", "breaks": [[0, 1]]}],
        lanes=[{"from": "S", "to": "R"}, {"from": "T", "to": "R"}],
        demand=[need(12)],
        locked=locked,
        share_caps=[{"scope": "plan", "base": "spend", "max_share": 0.5, "penalty": 5}],
    )
    _, solution = plan(data)
    assert {one.sku: one.quantity for one in solution.orders} == {"A": 12, "B": 12}
    assert solution.objective == pytest.approx(24)
    data["share_caps"][0]["penalty"] = 0.9
    _, solution = plan(data)
    assert {one.sku: one.quantity for one in solution.orders} == {"A": 12, "B": 8}


def test_an_order_of_before_that_nobody_needs_is_kept_with_the_second_source_it_must_have() -> None:
    data = with_suppliers(
        2,
        [1.0, 2.0],
        weeks=1,
        skus=[{"id": "A", "min_sources": 2}, {"id": "B"}],
        demand=[need(1) | {"sku": "B", "short_cost": 0}],
        previous=[{"supplier": "S0", "sku": "A", "week": 0, "to": "R", "quantity": 9}],
        churn_cost=4,
    )
    _, solution = plan(data)
    assert {one.supplier: one.quantity for one in solution.orders} == {"S0": 9, "S1": 1}
    assert solution.objective == pytest.approx(9 + 2)
