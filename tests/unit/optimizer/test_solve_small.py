"""Small fixed problems: what a plan must cost, whatever the order in which it is written down."""

from __future__ import annotations

import pytest
from unit.optimizer.allocation_problems import EXACT, document, need, offer, plan, with_suppliers

from optimizer import Infeasible, Problem, solve


def test_a_surplus_is_bought_when_it_makes_everything_cheaper() -> None:
    data = document(offers=[offer(breaks=[[0, 10.0], [100, 8.0]])])
    _, solution = plan(data)
    assert solution.objective == pytest.approx(800.0)
    assert sum(order.quantity for order in solution.orders) == 100
    assert sum(flow.quantity for flow in solution.flows) == 95


def test_an_incremental_break_only_makes_the_units_above_it_cheaper() -> None:
    breaks = [[0, 10.0], [50, 8.0]]
    _, all_units = plan(document(offers=[offer(breaks=breaks)]))
    _, incremental = plan(document(offers=[offer(breaks=breaks, price_mode="incremental")]))
    assert all_units.objective == pytest.approx(95 * 8.0)
    assert incremental.objective == pytest.approx(50 * 10.0 + 45 * 8.0)


def test_a_moq_above_the_need_is_bought_as_surplus() -> None:
    _, solution = plan(document(offers=[offer(moq=120)]))
    assert solution.objective == pytest.approx(1200.0)
    assert [one.rule for one in solution.binding] == ["moq"]


def test_a_moq_dearer_than_the_shortage_leaves_the_demand_unmet_and_says_so() -> None:
    _, solution = plan(document(offers=[offer(moq=2000)]))
    assert solution.objective == pytest.approx(9500.0)
    [unmet] = solution.unmet
    assert (unmet.quantity, unmet.reason) == (95, "moq")
    assert unmet.numbers["least_order"] == 2000


def test_quantities_are_whole_multiples() -> None:
    _, solution = plan(document(offers=[offer(multiple=30)]))
    assert solution.objective == pytest.approx(1200.0)


def test_a_lot_of_one_size_may_be_less_than_a_unit_where_quantities_need_not_be_whole() -> None:
    half = offer(moq=0.5, multiple=0.5, max=0.5)
    _, solution = plan(document(offers=[half], demand=[need(1) | {"quantity": 0.5}], continuous=True))
    assert solution.objective == pytest.approx(5.0)


def test_goods_that_cannot_come_in_time_are_late_at_a_cost() -> None:
    _, solution = plan(
        document(offers=[offer(lead_weeks=1)], lanes=[{"from": "S", "to": "R", "lead_weeks": 1}])
    )
    assert solution.objective == pytest.approx(95 * (10.0 + 2 * 5.0))
    [late] = solution.late
    assert (late.weeks_late, late.quantity, late.reason) == (2, 95, "lead_time")


def test_demand_no_lead_time_reaches_is_unmet_because_of_the_lead_time() -> None:
    lanes = [{"from": "S", "to": "R", "lead_weeks": 1}]
    data = document(offers=[offer(lead_weeks=1)], lanes=lanes, demand=[need(95, max_late_weeks=1)])
    _, solution = plan(data)
    assert solution.objective == pytest.approx(9500.0)
    assert solution.unmet[0].reason == "lead_time"
    assert solution.unmet[0].numbers["earliest_week"] == 2


def test_a_lead_time_beyond_the_whole_horizon_is_unmet_too() -> None:
    _, solution = plan(document(lanes=[{"from": "S", "to": "R", "lead_weeks": 9}]))
    assert solution.unmet[0].reason == "lead_time"


def test_demand_without_an_offer_or_a_lane_says_which_is_missing() -> None:
    _, no_offer = plan(document(offers=[]))
    _, no_lane = plan(document(lanes=[]))
    assert no_offer.unmet[0].reason == "no_offer"
    assert no_lane.unmet[0].reason == "no_lane"


def test_a_shortage_cheaper_than_any_supply_is_a_matter_of_cost() -> None:
    _, solution = plan(document(demand=[need(95, short_cost=7.0)]))
    assert solution.objective == pytest.approx(665.0)
    assert solution.unmet[0].reason == "cost"
    assert solution.unmet[0].numbers["cheapest_supply"] == 10.0


WAREHOUSE = {
    "warehouses": [{"id": "W"}],
    "lanes": [{"from": "S", "to": "W", "cost": 1.0}, {"from": "W", "to": "R", "cost": 0.5}],
}


def test_stock_is_used_before_anything_is_bought() -> None:
    data = document(**WAREHOUSE, stock=[{"sku": "A", "warehouse": "W", "quantity": 60}])
    _, solution = plan(data)
    assert solution.objective == pytest.approx(60 * 0.5 + 35 * 11.5)


def test_stock_that_nobody_needs_costs_its_holding_to_the_end() -> None:
    data = document(
        **WAREHOUSE,
        skus=[{"id": "A", "holding_cost": 0.1}],
        stock=[{"sku": "A", "warehouse": "W", "quantity": 100}],
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(95 * 0.5 + 5 * 4 * 0.1)


def test_locked_orders_are_kept_and_the_rest_is_planned_around_them() -> None:
    data = with_suppliers(
        2, [10.0, 12.0], locked=[{"supplier": "S1", "sku": "A", "week": 0, "to": "R", "quantity": 40}]
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(40 * 12.0 + 55 * 10.0)
    assert ("S1", 40) in [(one.supplier, one.quantity) for one in solution.orders]


def test_a_locked_order_above_capacity_and_below_moq_stands_and_is_reported() -> None:
    data = document(
        suppliers=[{"id": "S", "capacity": 30}],
        offers=[offer(moq=50)],
        locked=[{"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": 40}],
        demand=[need(40)],
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(400.0)
    forced = {one.rule for one in solution.binding if one.forced}
    assert forced == {"capacity", "moq"}


def test_a_locked_unit_that_comes_early_waits_in_its_region() -> None:
    data = document(
        skus=[{"id": "A", "holding_cost": 0.25}],
        demand=[need(40, week=2)],
        locked=[{"supplier": "S", "sku": "A", "week": 0, "to": "R", "quantity": 40}],
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(400.0 + 40 * 2 * 0.25)
    assert not solution.unmet


def test_an_order_placed_before_the_horizon_arrives_inside_it() -> None:
    data = document(
        offers=[offer(lead_weeks=3)],
        locked=[{"supplier": "S", "sku": "A", "week": -3, "to": "R", "quantity": 95}],
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(950.0)


CAP = [{"scope": "sku", "max_share": 0.4, "penalty": 3.0}]


def test_exactly_forty_per_cent_costs_nothing() -> None:
    _, solution = plan(with_suppliers(3, [10.0, 10.0, 10.0], demand=[need(100)], share_caps=CAP))
    assert solution.cost.share == 0.0
    assert solution.objective == pytest.approx(1000.0)


def test_a_split_above_the_cap_pays_the_penalty_per_unit_above_it() -> None:
    _, solution = plan(with_suppliers(2, [10.0, 11.0], demand=[need(100)], share_caps=CAP))
    assert solution.objective == pytest.approx(60 * 10.0 + 40 * 11.0 + 20 * 3.0)


def test_a_dear_second_source_is_not_worth_a_small_penalty() -> None:
    _, solution = plan(with_suppliers(2, [10.0, 20.0], demand=[need(100)], share_caps=CAP))
    assert solution.objective == pytest.approx(1000.0 + 60 * 3.0)


def test_a_moq_can_make_three_thirds_the_least_cost() -> None:
    data = with_suppliers(3, [10.0, 10.0, 10.0], demand=[need(99)], share_caps=CAP)
    for row in data["offers"]:
        row["moq"] = 33
    _, solution = plan(data)
    assert solution.objective == pytest.approx(990.0)


def test_a_plan_cap_counts_all_skus_together() -> None:
    data = with_suppliers(3, [10.0, 11.0, 11.0], demand=[need(100)])
    data["share_caps"] = [{"scope": "plan", "max_share": 0.4, "penalty": 3.0}]
    _, solution = plan(data)
    assert solution.objective == pytest.approx(400.0 + 60 * 11.0)


def test_a_hard_cap_with_too_few_suppliers_is_refused_before_solving() -> None:
    caps = [{"scope": "sku", "key": "A", "max_share": 0.4, "hard": True}]
    answer = solve(Problem.from_json(with_suppliers(2, [10.0, 11.0], share_caps=caps)), EXACT)
    assert isinstance(answer, Infeasible)
    assert answer.lowest_share == 0.5
    assert "sku A" in answer.conflict[0] and "40%" in answer.conflict[0]


def test_a_hard_cap_that_can_hold_holds() -> None:
    caps = [{"scope": "sku", "max_share": 0.4, "hard": True}]
    _, solution = plan(with_suppliers(3, [10.0, 20.0, 30.0], demand=[need(100)], share_caps=caps))
    assert solution.objective == pytest.approx(400.0 + 800.0 + 600.0)


def test_capacity_is_per_week_of_the_order() -> None:
    data = document(suppliers=[{"id": "S", "capacity": [50, 30, 15, 0]}])
    _, solution = plan(data)
    assert solution.objective == pytest.approx(950.0 + 30 * 5.0 + 15 * 10.0)
    assert {one.reason for one in solution.late} == {"capacity"}


def test_an_offers_own_week_capacity_limits_only_that_offer() -> None:
    data = with_suppliers(2, [10.0, 11.0])
    data["offers"][0]["week_capacity"] = 20
    _, solution = plan(data)
    assert solution.objective == pytest.approx(20 * 10.0 + 75 * 11.0)
    assert "week_capacity" in {one.rule for one in solution.binding}


def test_capacity_is_used_at_the_offers_rate() -> None:
    data = document(
        suppliers=[{"id": "S", "capacity": 90, "horizon_capacity": 150}], offers=[offer(capacity_use=2)]
    )
    _, solution = plan(data)
    assert sum(one.quantity for one in solution.unmet) == 20
    assert solution.unmet[0].reason == "capacity"


def test_inbound_limits_what_a_warehouse_takes_in_a_week() -> None:
    data = document(**WAREHOUSE | {"warehouses": [{"id": "W", "inbound": 60}]})
    _, solution = plan(data)
    assert solution.objective == pytest.approx(95 * 11.5 + 35 * 5.0)


def test_storage_limits_what_waits_at_a_weeks_end() -> None:
    data = document(
        **WAREHOUSE | {"warehouses": [{"id": "W", "storage": 10}]},
        suppliers=[{"id": "S", "capacity": [95, 0, 0, 0]}],
        demand=[need(20), need(30, week=1)],
        skus=[{"id": "A", "volume": 1.0}],
    )
    _, solution = plan(data)
    assert solution.objective == pytest.approx(30 * 11.5 + 20 * 100.0)


def test_lane_cost_and_storage_grow_with_the_volume_of_the_sku() -> None:
    _, solution = plan(document(**WAREHOUSE, skus=[{"id": "A", "volume": 2.0}]))
    assert solution.objective == pytest.approx(95 * 10.0 + 95 * 2 * 1.5)


def test_award_and_order_costs_count_once_each() -> None:
    data = document(
        suppliers=[{"id": "S", "award_cost": 70.0}],
        offers=[offer(order_cost=20.0, award_cost=5.0)],
        demand=[need(10), need(10, week=1)],
    )
    _, solution = plan(data)
    assert solution.cost.award == 75.0
    assert solution.objective == pytest.approx(200.0 + 75.0 + min(40.0, 20.0 + 10 * 5.0))


def test_risk_is_a_surcharge_on_spend() -> None:
    data = with_suppliers(2, [10.0, 10.5])
    data["suppliers"][0]["risk"] = 0.1
    _, solution = plan(data)
    assert solution.objective == pytest.approx(95 * 10.5)


def test_a_second_source_of_nothing_is_none_where_quantities_need_not_be_whole() -> None:
    data = with_suppliers(2, [10.0, 11.0], skus=[{"id": "A", "min_sources": 2}], continuous=True)
    _, solution = plan(data)
    assert {one.supplier for one in solution.orders} == {"S0", "S1"}
    assert solution.objective == pytest.approx(950.0, abs=0.01)


def test_minimum_sources_are_found() -> None:
    data = with_suppliers(2, [10.0, 12.0], skus=[{"id": "A", "min_sources": 2}])
    _, solution = plan(data)
    assert solution.objective == pytest.approx(94 * 10.0 + 12.0)


def test_shares_are_of_what_is_ordered_and_carry_the_hhi() -> None:
    _, solution = plan(with_suppliers(3, [10.0, 10.0, 10.0], demand=[need(100)], share_caps=CAP))
    rows = [one for one in solution.shares if (one.scope, one.base) == ("sku", "units")]
    assert sum(one.share for one in rows) == pytest.approx(1.0)
    assert rows[0].hhi == pytest.approx(sum(one.share**2 for one in rows))
    assert all(one.share <= 0.4 for one in rows)
