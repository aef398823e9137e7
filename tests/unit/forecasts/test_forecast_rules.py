"""Demand is counted once, and rounding loses none of it."""

from __future__ import annotations

import datetime as dt
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.forecasts.rules import consume, gross_units, horizon, monday, whole_units

WEEKS = horizon(dt.date(2026, 11, 25), 8)
UNITS = st.integers(0, 50)
PAIRS = st.lists(st.tuples(UNITS, UNITS), max_size=10)
MEANS = st.floats(0, 500, allow_nan=False) | st.floats(0, 1)
PANEL = st.dictionaries(
    st.tuples(st.integers(1, 2), st.integers(1, 5)),
    st.dictionaries(st.sampled_from(WEEKS), MEANS, min_size=1),
    max_size=8,
)


def split(pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


def test_the_horizon_begins_with_the_monday_of_the_running_week() -> None:
    assert WEEKS[0] == dt.date(2026, 11, 23) == monday(dt.date(2026, 11, 29))
    assert {week.weekday() for week in WEEKS} == {0}
    assert len(set(WEEKS)) == 8


def test_pledges_take_their_own_week_first_then_earlier_then_later_ones() -> None:
    assert consume([10, 10, 10, 10], [0, 0, 25, 0], backward=1, forward=1) == (10, 0, 0, 5)
    assert consume([10, 10, 10, 10], [0, 0, 15, 0], backward=2, forward=2) == (10, 5, 0, 10)


def test_pledges_leave_forecast_outside_their_window_alone() -> None:
    assert consume([7, 0, 0, 0, 7], [0, 0, 99, 0, 0], backward=1, forward=1) == (7, 0, 0, 0, 7)


def test_a_large_week_does_not_eat_what_the_next_weeks_own_pledges_stand_for() -> None:
    assert consume([5, 10], [30, 10]) == (0, 0)
    assert consume([0, 10], [30, 10]) == (0, 0)


@given(PAIRS, st.integers(0, 3), st.integers(0, 3))
def test_gross_demand_is_at_least_each_and_at_most_the_sum(
    pairs: list[tuple[int, int]], backward: int, forward: int
) -> None:
    forecast, pledged = split(pairs)
    left = consume(forecast, pledged, backward=backward, forward=forward)
    assert all(0 <= rest <= units for rest, units in zip(left, forecast, strict=True))
    gross = sum(left) + sum(pledged)
    assert max(sum(forecast), sum(pledged)) <= gross <= sum(forecast) + sum(pledged)


@given(PAIRS)
def test_with_a_window_over_all_weeks_gross_demand_is_the_larger_of_the_two(
    pairs: list[tuple[int, int]],
) -> None:
    forecast, pledged = split(pairs)
    left = consume(forecast, pledged, backward=10, forward=10)
    assert sum(left) + sum(pledged) == max(sum(forecast), sum(pledged))


@given(PAIRS)
def test_with_no_window_each_week_is_the_larger_of_the_two(pairs: list[tuple[int, int]]) -> None:
    forecast, pledged = split(pairs)
    left = consume(forecast, pledged, backward=0, forward=0)
    gross = [rest + firm for rest, firm in zip(left, pledged, strict=True)]
    assert gross == [max(pair) for pair in pairs]


@given(PAIRS, st.integers(0, 3), st.integers(0, 3))
def test_each_unit_is_counted_once(pairs: list[tuple[int, int]], backward: int, forward: int) -> None:
    """Own weeks first; what a week's pledges take beyond it lies in its window; nothing is taken twice."""
    forecast, pledged = split(pairs)
    left = consume(forecast, pledged, backward=backward, forward=forward)
    taken = [units - rest for units, rest in zip(forecast, left, strict=True)]
    assert all(used >= min(pair) for used, pair in zip(taken, pairs, strict=True))
    for start in range(len(pairs)):
        for stop in range(start + 1, len(pairs) + 1):
            within = pledged[max(start - forward, 0) : stop + backward]
            assert sum(taken[start:stop]) <= sum(within)
    for week, (rest, firm) in enumerate(zip(left, pledged, strict=True)):
        if rest:  # forecast is only left where no pledge in reach is still without
            reach = slice(max(week - forward, 0), week + backward + 1)
            assert firm <= forecast[week]
            assert sum(pledged[reach]) <= sum(taken)


@given(st.dictionaries(st.tuples(st.integers(1, 3), st.integers(1, 2)), PAIRS, max_size=5), st.randoms())
def test_the_order_of_cells_and_of_pledges_changes_nothing(
    cells: dict[tuple[int, int], list[tuple[int, int]]], draw: random.Random
) -> None:
    given_ = {
        cell: [dict(zip(WEEKS, units, strict=False)) for units in split(pairs[: len(WEEKS)])]
        for cell, pairs in cells.items()
    }
    shuffled = list(given_)
    draw.shuffle(shuffled)
    found = [
        gross_units(
            {cell: given_[cell][0] for cell in order}, {cell: given_[cell][1] for cell in order}, weeks=WEEKS
        )
        for order in (list(given_), shuffled)
    ]
    assert found[0] == found[1]
    for cell, (spot, firm) in given_.items():
        gross = sum(found[0].get(cell, {}).values())
        assert max(sum(spot.values()), sum(firm.values())) <= gross <= sum(spot.values()) + sum(firm.values())


@pytest.mark.parametrize(("forecast", "pledged"), [([1, 2], [1]), ([-1], [0]), ([0], [-1])])
def test_other_lengths_and_negative_quantities_are_refused(forecast: list[int], pledged: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weeks of forecast|negative"):
        consume(forecast, pledged)


def test_cells_are_consumed_each_on_its_own_and_empty_weeks_are_left_out() -> None:
    first, second = WEEKS[:2]
    forecast = {(1, 1): {first: 5}, (1, 2): {second: 4}}
    pledged = {(1, 1): {first: 3}, (2, 1): {second: 9, dt.date(2030, 1, 7): 7}}
    assert gross_units(forecast, pledged, weeks=WEEKS) == {
        (1, 1): {first: 5},
        (1, 2): {second: 4},
        (2, 1): {second: 9},
    }


@given(PANEL)
def test_rounding_keeps_each_skus_total_within_half_a_unit(
    means: dict[tuple[int, int], dict[dt.date, float]],
) -> None:
    whole = whole_units(means)
    for sku_id in {sku_id for sku_id, _ in means}:
        wanted = sum(sum(weeks.values()) for cell, weeks in means.items() if cell[0] == sku_id)
        given_ = sum(sum(weeks.values()) for cell, weeks in whole.items() if cell[0] == sku_id)
        assert abs(wanted - given_) <= 0.5 + 1e-4


@given(PANEL)
def test_rounding_makes_each_cell_its_mean_rounded_down_or_up(
    means: dict[tuple[int, int], dict[dt.date, float]],
) -> None:
    whole = whole_units(means)
    assert whole.keys() <= means.keys()
    for cell, weeks in means.items():
        for week, mean in weeks.items():
            units = whole.get(cell, {}).get(week, 0)
            near = round(mean, 6)
            assert math.floor(near) <= units <= math.ceil(near)
            assert isinstance(units, int)


def test_many_small_regions_together_get_what_they_are_owed() -> None:
    means = {(1, region): dict.fromkeys(WEEKS, 0.1) for region in range(1, 21)}
    whole = whole_units(means)
    assert sum(sum(weeks.values()) for weeks in whole.values()) == 16  # 20 regions × 8 weeks × 0.1
    assert {sum(weeks.values()) for weeks in whole.values()} == {1}
    assert {region for _, region in whole} == set(range(1, 17))
