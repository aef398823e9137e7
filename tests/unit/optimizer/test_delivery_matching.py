"""Which arrival serves which demand: the least cost, and never before it is due unless it was locked."""

from __future__ import annotations

import pytest

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


def test_what_must_come_soon_is_not_given_to_what_can_wait() -> None:
    needs = [need(0, 4, late=0.0), need(2, 4, last=2)]
    found = match([Arrival(week=2, units=4), Arrival(week=4, units=4)], needs)
    assert (found.left, found.lateness) == (0, ((0, 4, 4),))


def test_late_weeks_that_cost_next_to_nothing_are_weighed_beside_dear_ones() -> None:
    needs = [
        need(0, 2, late=2706.4543),
        need(1, 5, late=0.0026),
        need(2, 1, late=2.861, last=3),
        need(3, 1, late=0.0029),
        need(4, 4, late=2486.7792),
    ]
    arrivals = [Arrival(week=week, units=units) for week, units in ((3, 2), (3, 1), (4, 4), (4, 5))]
    found = match([*arrivals, Arrival(week=3, units=1, locked=True)], needs)
    assert found.left == 0
    assert found.late == pytest.approx(2 * 3 * 2706.4543 + 5 * 3 * 0.0026 + 2.861 + 0.0029)
