"""Which arrival serves which demand: the least cost, and never before it is due unless it was locked."""

from __future__ import annotations

from optimizer.rules.matching import Arrival, Need, match


def need(week: int, units: int, *, late: float = 1.0, last: int = 9) -> Need:
    return Need(week=week, units=units, late_cost=late, last_week=last)


def test_on_time_costs_nothing() -> None:
    found = match([Arrival(week=1, units=5)], [need(1, 5)])
    assert (found.late, found.waiting, found.left) == (0.0, 0.0, 0)


def test_nothing_planned_serves_a_demand_before_it_is_due() -> None:
    assert match([Arrival(week=0, units=5)], [need(1, 5)]).left == 10


def test_a_locked_arrival_waits_and_may_stay_unused() -> None:
    found = match([Arrival(week=0, units=7, locked=True, wait_cost=0.5)], [need(2, 5)])
    assert (found.waiting, found.left) == (5.0, 0)


def test_the_dearest_demand_is_served_first() -> None:
    needs = [need(0, 5, late=1.0), need(1, 5, late=10.0)]
    found = match([Arrival(week=1, units=5), Arrival(week=3, units=5)], needs)
    assert found.late == 5 * 3 * 1.0
    assert found.lateness == ((0, 3, 5),)


def test_a_demand_with_a_last_week_goes_before_a_dearer_one_that_can_wait() -> None:
    needs = [need(0, 5, late=1.0, last=1), need(0, 5, late=10.0)]
    found = match([Arrival(week=1, units=5), Arrival(week=2, units=5)], needs)
    assert found.left == 0
    assert found.late == 5 * 1.0 + 5 * 2 * 10.0


def test_what_comes_too_late_for_its_last_week_is_left() -> None:
    assert match([Arrival(week=4, units=3)], [need(0, 3, last=2)]).left == 6


def test_planned_arrivals_are_used_before_locked_ones() -> None:
    arrivals = [Arrival(week=0, units=5, locked=True), Arrival(week=2, units=5)]
    found = match(arrivals, [need(0, 5, late=1.0)])
    assert found.left == 0
    assert found.late == 10.0
