"""Overrides keep what planners said, to the unit; and who is an A."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from app.stages.forecasts.rules import (
    Cell,
    Override,
    abc_classes,
    horizon,
    override_means,
    share_out,
    whole_units,
)

WEEKS = horizon(dt.date(2026, 11, 23), 3)
WEEK = WEEKS[0]
REGIONS = (1, 2, 3, 4)
MEANS = st.floats(0, 500, allow_nan=False) | st.floats(0, 1)
PANEL = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from(REGIONS)),
    st.fixed_dictionaries(dict.fromkeys(WEEKS, MEANS)),
    max_size=8,
)
SAID = st.lists(
    st.builds(
        Override,
        st.integers(1, 3),
        st.none() | st.sampled_from(REGIONS),
        st.sampled_from(WEEKS),
        st.integers(0, 1000),
    ),
    max_size=10,
    unique_by=lambda one: one[:3],
)
Panel = dict[Cell, dict[dt.date, float]]


def overridden(means: Panel, *said: Override) -> dict[int, float]:
    """SKU 1's units of the week by region."""
    planned = override_means(means, said, regions=REGIONS)
    return {region: weeks[WEEK] for (_, region), weeks in sorted(planned.items())}


def test_all_regions_share_in_proportion_to_their_means() -> None:
    means: Panel = {(1, 1): {WEEK: 30.0}, (1, 2): {WEEK: 10.0}}
    assert overridden(means, Override(1, None, WEEK, 80)) == {1: 60, 2: 20}


def test_a_regions_own_word_stands_and_the_others_share_the_rest() -> None:
    means: Panel = {(1, 1): {WEEK: 30.0}, (1, 2): {WEEK: 10.0}, (1, 3): {WEEK: 10.0}}
    said = Override(1, None, WEEK, 80), Override(1, 1, WEEK, 50)
    assert overridden(means, *said) == {1: 50, 2: 15, 3: 15}


def test_regions_that_say_more_than_all_together_leave_the_others_nothing() -> None:
    means: Panel = {(1, 1): {WEEK: 30.0}, (1, 2): {WEEK: 10.0}}
    assert overridden(means, Override(1, None, WEEK, 80), Override(1, 1, WEEK, 90)) == {1: 90, 2: 0}


def test_where_nothing_is_forecast_all_share_evenly() -> None:
    idle: Panel = {(1, 2): {WEEK: 0.0}, (1, 3): {WEEK: 0.0}}
    assert overridden(idle, Override(1, None, WEEK, 5)) == {2: 3, 3: 2}
    assert overridden({}, Override(1, None, WEEK, 6)) == {1: 2, 2: 2, 3: 1, 4: 1}


def test_a_word_about_a_region_without_a_series_makes_a_cell() -> None:
    assert overridden({(1, 1): {WEEK: 30.0}}, Override(1, 4, WEEK, 8)) == {1: 30, 4: 8}


@given(PANEL)
def test_without_overrides_nothing_changes(means: Panel) -> None:
    assert override_means(means, [], regions=REGIONS) == means


@given(PANEL, SAID)
def test_overrides_are_kept_to_the_unit_and_nothing_else_moves(means: Panel, said: list[Override]) -> None:
    planned = override_means(means, said, regions=REGIONS)
    words = {one[:3]: one.units for one in said}
    assert all(units >= 0 for weeks in planned.values() for units in weeks.values())
    for sku_id, week in {(one.sku_id, one.week) for one in said}:
        units = {region: planned.get((sku_id, region), {}).get(week, 0.0) for region in REGIONS}
        own = {region: words[sku_id, region, week] for region in REGIONS if (sku_id, region, week) in words}
        assert {region: units[region] for region in own} == own
        others = {region for sku, region in means if sku == sku_id} - own.keys()
        if (sku_id, None, week) in words and others:
            assert sum(units.values()) == max(words[sku_id, None, week], sum(own.values()))
        elif (sku_id, None, week) not in words:
            left = {region: means.get((sku_id, region), {}).get(week, 0.0) for region in REGIONS}
            assert units == {**left, **own}
    said_of = {(one.sku_id, one.week) for one in said}
    for (sku_id, region_id), weeks in means.items():
        for week in weeks.keys() - {week for sku, week in said_of if sku == sku_id}:
            assert planned[sku_id, region_id][week] == weeks[week]


@given(PANEL, SAID)
def test_rounding_leaves_overridden_cells_as_they_are(means: Panel, said: list[Override]) -> None:
    planned = override_means(means, said, regions=REGIONS)
    whole = whole_units(planned)
    for one in said:
        if one.region_id is not None:
            assert whole.get((one.sku_id, one.region_id), {}).get(one.week, 0) == one.units
    total = sum(sum(weeks.values()) for weeks in planned.values())
    assert abs(sum(sum(weeks.values()) for weeks in whole.values()) - total) <= 0.5 * 3 + 1e-3


@given(st.integers(0, 10**9), st.lists(MEANS, min_size=1, max_size=8))
def test_units_are_shared_out_whole_and_close_to_their_part(units: int, weights: list[float]) -> None:
    shares = share_out(units, weights)
    assert sum(shares) == units
    assert all(share >= 0 for share in shares)
    parts = [round(weight * 1_000_000) for weight in weights]
    for share, part in zip(shares, parts, strict=True):
        exact = units * part / sum(parts) if any(parts) else units / len(parts)
        assert abs(share - exact) < 1 + 1e-3


def test_the_largest_skus_that_make_four_fifths_are_a() -> None:
    classes = abc_classes({1: 10, 2: 700, 3: 150, 4: 100, 5: 40, 6: 0})
    assert classes == {2: "A", 3: "A", 4: "B", 5: "C", 1: "C", 6: "C"}
    assert abc_classes({1: 80, 2: 15, 3: 5}) == {1: "A", 2: "B", 3: "C"}
    assert abc_classes({1: 0, 2: 0}) == {1: "C", 2: "C"}
    assert abc_classes({}) == {}
