"""The calendar by planning week, as forecasts know it ahead."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.catalog.queries import CalendarFact
from app.stages.forecasts.translate import MOST_NAMES, festival_weeks

MONDAY = dt.date(2026, 11, 2)
WEEK, DAY = dt.timedelta(weeks=1), dt.timedelta(days=1)


def days(kind: str, name: str, first: dt.date, count: int) -> list[CalendarFact]:
    return [CalendarFact(first + DAY * number, kind, name) for number in range(count)]


def test_a_promotion_counts_its_days_and_the_weeks_in_which_it_opens_and_ends() -> None:
    sale = days("promotion", "11.11", MONDAY - DAY, 11)
    found = festival_weeks(sale, first=MONDAY - 4 * WEEK, start=MONDAY + 3 * WEEK, until=MONDAY + 8 * WEEK)
    assert found is not None
    assert found["ds"].to_list() == [MONDAY - WEEK, MONDAY, MONDAY + WEEK]
    for label in ("promotion", "promotion: 11.11"):
        assert found[label].to_list() == pytest.approx([1 / 7, 1, 3 / 7])
        assert found[f"{label} opens"].to_list() == [1, 0, 0]
        assert found[f"{label} ends"].to_list() == [0, 0, 1]


def test_a_promotion_that_goes_on_beyond_the_weeks_does_not_end_there() -> None:
    sale = days("promotion", "Sale", MONDAY - WEEK, 21)
    found = festival_weeks(sale, first=MONDAY, start=MONDAY, until=MONDAY + WEEK)
    assert found is not None
    assert found.columns == ["ds", "promotion"]
    assert found["promotion"].to_list() == pytest.approx([1])


def test_a_name_not_seen_before_counts_as_its_kind_only() -> None:
    known = days("holiday", "Spring Festival", MONDAY - 10 * WEEK, 7)
    new = days("holiday", "Jubilee", MONDAY + WEEK, 2)
    found = festival_weeks([*known, *new], first=MONDAY - 20 * WEEK, start=MONDAY, until=MONDAY + 8 * WEEK)
    assert found is not None
    assert found.columns == ["ds", "holiday", "holiday: Spring Festival"]
    assert found["holiday"].to_list() == pytest.approx([1, 2 / 7])


def test_festivals_that_come_again_get_their_columns_first() -> None:
    old = days("promotion", "Old", MONDAY - 50 * WEEK, 1)
    others = [day for n in range(MOST_NAMES) for day in days("holiday", f"H{n}", MONDAY - WEEK * (n + 1), 1)]
    again = days("promotion", "Old", MONDAY + WEEK, 1)
    found = festival_weeks(
        [*old, *others, *again], first=MONDAY - 52 * WEEK, start=MONDAY, until=MONDAY + 8 * WEEK
    )
    assert found is not None
    assert "promotion: Old" in found.columns
    assert f"holiday: H{MOST_NAMES - 1}" not in found.columns


def test_weeks_without_festivals_have_no_calendar() -> None:
    far = days("holiday", "Far", MONDAY + 30 * WEEK, 3)
    assert festival_weeks(far, first=MONDAY - WEEK, start=MONDAY, until=MONDAY + 8 * WEEK) is None
    assert festival_weeks([], first=MONDAY, start=MONDAY, until=MONDAY + WEEK) is None


@given(
    st.dictionaries(
        st.tuples(st.integers(-200, 80), st.sampled_from(["promotion", "holiday"])), st.sampled_from("abc")
    )
)
def test_any_calendar_counts_each_day_once(given_days: dict[tuple[int, str], str]) -> None:
    facts = [CalendarFact(MONDAY + DAY * at, kind, name) for (at, kind), name in given_days.items()]
    first, until = MONDAY - 20 * WEEK, MONDAY + 8 * WEEK
    found = festival_weeks(facts, first=first, start=MONDAY, until=until)
    inside = [fact for fact in facts if first <= fact.day < until]
    if found is None:
        assert not inside
        return
    for kind in ("promotion", "holiday"):
        of_kind = sum(fact.kind == kind for fact in inside)
        assert (float(found[kind].sum()) if kind in found.columns else 0.0) == pytest.approx(of_kind / 7)
    assert all(0 <= value <= 1 for row in found.drop("ds").rows() for value in row)
