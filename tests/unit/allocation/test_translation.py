"""Stage values into the optimizer's problem, and its answer back."""

from __future__ import annotations

from dataclasses import replace

import pytest

import optimizer
from app.stages.allocation.rules import Base as ShareBase
from app.stages.allocation.rules import Commitments, Firm, Limit, Scope, UnmetReason
from app.stages.allocation.translate import Plan, Translation, build, digest, read_plan
from support.planning import MONDAY, inputs, network, offer, week


def built(**changes: object) -> Translation:
    translation = build(inputs(**changes))
    assert translation is not None
    return translation


def planned(**changes: object) -> Plan:
    translation = built(**changes)
    solution = optimizer.solve(translation.problem, optimizer.Settings(gap=0.0))
    assert isinstance(solution, optimizer.Solution)
    return read_plan(translation, solution, first=MONDAY, minor_per_unit=100)


def firm(**changes: object) -> Firm:
    terms: dict[str, object] = {
        "supplier_id": 1,
        "sku_id": 1,
        "warehouse_id": 1,
        "region_id": None,
        "arrival_week": week(3),
        "quantity": 30,
    }
    return Firm(**{**terms, **changes})  # type: ignore[arg-type]


def test_ids_are_codes_weeks_are_numbers_and_money_is_currency_units() -> None:
    problem = built().problem
    assert [one.id for one in problem.skus] == ["MUG"]
    assert [(one.sku, one.region, one.week, one.quantity) for one in problem.demand] == [
        ("MUG", "R1", 4, 100)
    ]
    assert problem.offer_of["S1", "MUG"].breaks == ((0, 9.0),)
    assert problem.lane_of["CAN", "R1"].lead_weeks == 1


def test_a_unit_short_costs_three_times_the_dearest_landed_cost_and_a_week_late_two_percent() -> None:
    (demand,) = built().problem.demand
    dearest = 990 + 300 + 80
    assert demand.short_cost == pytest.approx(3 * dearest / 100)
    assert demand.late_cost == pytest.approx(0.28)


def test_pledges_use_up_forecast_so_that_demand_is_counted_once() -> None:
    translation = built(pledged={(1, 1): {week(4): 30}})
    assert translation.demand_units == 100


def test_a_code_that_a_warehouse_and_a_region_share_is_told_apart_by_its_kind() -> None:
    base = network()
    clashing = replace(base, regions=(replace(base.regions[0], code="CAN"), base.regions[1]))
    problem = built(network=clashing).problem
    assert {"warehouse:CAN", "region:CAN"} <= {lane.source for lane in problem.lanes} | {
        lane.target for lane in problem.lanes
    }


def test_a_confirmed_line_ordered_this_week_or_later_is_locked() -> None:
    problem = built(commitments=Commitments(firm=(firm(),))).problem
    assert problem.locked == (optimizer.Locked(supplier="S1", sku="MUG", week=1, to="CAN", quantity=30),)
    assert problem.stock == ()


def test_a_confirmed_line_that_left_before_is_stock_in_its_week_of_arrival() -> None:
    problem = built(commitments=Commitments(firm=(firm(arrival_week=week(1)),))).problem
    assert problem.locked == ()
    assert problem.stock == (optimizer.Stock(sku="MUG", warehouse="CAN", quantity=30, week=1),)


def test_an_overdue_line_is_expected_this_week() -> None:
    problem = built(commitments=Commitments(firm=(firm(arrival_week=week(-3)),))).problem
    assert problem.stock[0].week == 0


def test_a_confirmed_line_on_its_way_straight_to_a_region_covers_demand() -> None:
    on_its_way = firm(warehouse_id=None, region_id=1, arrival_week=week(1))
    translation = built(commitments=Commitments(firm=(on_its_way,)))
    assert translation.problem.demand[0].quantity == 70
    assert translation.demand_units == 100


def test_a_declined_offer_is_left_out() -> None:
    problem = built(commitments=Commitments(declined=frozenset({(1, 1)}))).problem
    assert [one.supplier for one in problem.offers] == ["S2", "S3"]


def test_a_declined_offer_with_a_confirmed_line_keeps_the_line_and_takes_nothing_new() -> None:
    commitments = Commitments(firm=(firm(),), declined=frozenset({(1, 1)}))
    plan = planned(commitments=commitments)
    from_first = [line for line in plan.lines if line.supplier == "S1"]
    assert [(line.quantity, line.locked_quantity) for line in from_first] == [(30, 30)]


def test_demand_nobody_offers_to_make_is_unmet_and_says_so() -> None:
    plan = planned(forecast={(1, 1): {week(4): 100}, (2, 1): {week(4): 7}})
    assert [(one.sku_id, one.quantity, one.reason) for one in plan.unmet] == [(2, 7, UnmetReason.NO_OFFER)]


def test_demand_whose_only_supplier_is_too_slow_is_unmet_for_its_lead_time() -> None:
    slow = network(offer(1, 1, 1, 900), offer(2, 1, 2, 900, lead_days=100))
    plan = planned(network=slow, forecast={(1, 1): {week(4): 9}, (2, 1): {week(4): 7}})
    assert [one.reason for one in plan.unmet] == [UnmetReason.LEAD_TIME]


def test_an_offer_whose_moq_no_week_can_hold_is_left_out() -> None:
    odd = network(offer(1, 1, 1, 900), offer(2, 2, 1, 100, moq=500, weekly_capacity=100))
    assert [one.supplier for one in built(network=odd).problem.offers] == ["S1"]


def test_nothing_wanted_is_nothing_to_plan() -> None:
    assert build(inputs(forecast={})) is None


def test_demand_after_the_horizon_waits_for_a_later_plan() -> None:
    assert build(inputs(forecast={(1, 1): {week(9): 5}})) is None


def test_a_default_limit_is_priced_at_a_part_of_the_landed_cost_and_a_single_source_is_not() -> None:
    (cap,) = built().problem.share_caps
    assert (cap.scope, cap.key, cap.max_share, cap.penalty) == ("sku", "MUG", 0.4, 1.37)
    assert built(network=network(offer(1, 1, 1, 900))).problem.share_caps == ()


def test_a_limit_on_spend_is_no_cap_of_the_optimizer() -> None:
    assert built(limits=(Limit(Scope.SKU, ShareBase.SPEND, 40, False, None),)).problem.share_caps == ()


def test_lines_add_up_to_the_checked_cost_and_arrive_after_their_leads() -> None:
    plan = planned()
    assert sum(line.quantity for line in plan.lines) == 100
    assert sum(line.quantity * line.unit_price_minor for line in plan.lines) == plan.cost_parts["purchase"]
    assert sum(plan.cost_parts.values()) == plan.cost_minor >= plan.bound_minor
    assert all((line.arrival_week - line.order_week).days == 14 for line in plan.lines if line.warehouse_id)


def test_the_soft_limit_spreads_a_sku_over_three_suppliers() -> None:
    top = max(
        share.amount / share.scope_amount
        for share in planned().shares
        if share.scope is Scope.SKU and share.base is ShareBase.UNITS
    )
    assert top <= 0.4


def test_units_bought_only_for_the_moq_are_a_surplus_kept_in_a_warehouse() -> None:
    plan = planned(network=network(offer(1, 1, 1, 900, moq=130, lot_multiple=10)), limits=())
    assert sum(line.quantity for line in plan.lines) == 130
    spare = [line for line in plan.lines if line.surplus_quantity]
    assert sum(line.surplus_quantity for line in spare) == 30
    assert all(line.warehouse_id == 1 for line in spare)


def test_the_same_inputs_give_the_same_digest_and_the_same_plan() -> None:
    assert digest(built().problem.to_json()) == digest(built().problem.to_json())
    assert planned().digest == planned().digest


def test_a_plan_that_was_tampered_with_is_refused() -> None:
    translation = built()
    solution = optimizer.solve(translation.problem, optimizer.Settings())
    assert isinstance(solution, optimizer.Solution)
    order, *rest = solution.orders
    wrong = replace(solution, orders=(replace(order, quantity=order.quantity - 1), *rest))
    with pytest.raises(optimizer.BrokenRule):
        read_plan(translation, wrong, first=MONDAY, minor_per_unit=100)
