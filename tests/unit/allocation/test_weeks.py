"""Planning weeks, lead times, and what is on its way to a region."""

from __future__ import annotations

import datetime as dt

import pytest

from app.stages.allocation.rules import cover_oldest, lead_weeks, monday, week_index, week_of

MONDAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize(("days", "weeks"), [(0, 0), (1, 1), (7, 1), (8, 2), (30, 5)])
def test_a_week_begun_is_a_week_needed(days: int, weeks: int) -> None:
    assert lead_weeks(days) == weeks


def test_a_week_is_named_by_its_monday_and_numbered_from_the_first() -> None:
    assert monday(dt.date(2026, 11, 29)) == MONDAY
    assert week_index(dt.date(2026, 12, 7), first=MONDAY) == 2
    assert week_index(dt.date(2026, 11, 16), first=MONDAY) == -1
    assert week_of(2, first=MONDAY) == dt.date(2026, 12, 7)


def test_what_is_on_its_way_covers_the_oldest_demand_first() -> None:
    assert cover_oldest({2: 10, 0: 5, 1: 5}, arriving=12) == {2: 8}


def test_more_than_is_wanted_covers_everything_and_no_more() -> None:
    assert cover_oldest({0: 5}, arriving=50) == {}
