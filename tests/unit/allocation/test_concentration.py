"""Shares, HHI and the 40 % line."""

from __future__ import annotations

import pytest

from app.stages.allocation.rules import (
    Base,
    Made,
    Scope,
    cap_can_hold,
    effective_suppliers,
    hhi,
    is_concentrated,
    lowest_reachable_share,
    shares,
)


@pytest.mark.parametrize(
    ("amount", "total", "expected"),
    [(40, 100, False), (41, 100, True), (2, 5, False), (400_000_001, 1_000_000_000, True), (0, 0, False)],
)
def test_exactly_forty_percent_is_not_concentrated(amount: int, total: int, expected: bool) -> None:
    assert is_concentrated(amount, total, threshold_percent=40) is expected


def test_two_equal_suppliers_have_an_hhi_of_one_half_and_count_as_two() -> None:
    assert hhi([30, 30]) == 0.5
    assert effective_suppliers(hhi([30, 30])) == 2.0


def test_nothing_allocated_has_no_hhi_and_no_suppliers() -> None:
    assert hhi([]) == 0.0
    assert effective_suppliers(0.0) == 0.0


def test_shares_are_counted_by_sku_category_and_plan_in_units_and_spend() -> None:
    made = [Made(1, "A", "bags", 60, 600), Made(2, "A", "bags", 40, 800), Made(1, "B", None, 100, 100)]
    found = {(one.scope, one.key, one.base, one.supplier_id): one for one in shares(made)}
    assert found[Scope.SKU, "A", Base.UNITS, 1].amount == 60
    assert found[Scope.SKU, "A", Base.UNITS, 1].scope_amount == 100
    assert found[Scope.SKU, "A", Base.SPEND, 2].amount == 800
    assert found[Scope.CATEGORY, "bags", Base.SPEND, 1].scope_amount == 1400
    assert found[Scope.PLAN, "", Base.UNITS, 1].amount == 160
    assert {one.key for one in shares(made) if one.scope is Scope.CATEGORY} == {"bags"}


def test_a_scope_that_costs_nothing_has_no_share_of_spend() -> None:
    assert all(one.base is Base.UNITS for one in shares([Made(1, "A", None, 5, 0)]))


@pytest.mark.parametrize(("eligible", "holds"), [(0, False), (1, False), (2, False), (3, True)])
def test_forty_percent_needs_three_suppliers(eligible: int, holds: bool) -> None:
    assert cap_can_hold(eligible, threshold_percent=40) is holds


def test_the_lowest_reachable_share_is_one_in_n() -> None:
    assert lowest_reachable_share(2) == 0.5
    assert lowest_reachable_share(0) == 1.0
