"""Planning to a quantile of demand: read between the bounds, spread over regions, never below the mean."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.forecasts.rules.service import LEVELS, Band, with_service

MONDAY = dt.date(2026, 11, 23)
BAND = Band(mean=100.0, lo_95=40.0, lo_80=60.0, hi_80=150.0, hi_95=190.0)


@st.composite
def bands(draw: st.DrawFn) -> Band:
    bounds = sorted(draw(st.lists(st.floats(0, 1e6), min_size=4, max_size=4)))
    return Band(draw(st.floats(0, 1e6)), *bounds)


@pytest.mark.parametrize(
    ("level", "units"), list(zip(LEVELS, (40.0, 60.0, 100.0, 150.0, 190.0), strict=True))
)
def test_the_bounds_are_the_quantiles_they_stand_for(level: float, units: float) -> None:
    assert BAND.quantile(level) == pytest.approx(units)


def test_beyond_the_outer_bounds_nothing_is_invented() -> None:
    assert (BAND.quantile(0.001), BAND.quantile(0.999)) == (40.0, 190.0)


def test_a_mean_above_the_inner_bounds_asks_for_no_safety_there() -> None:
    rare = Band(mean=3.0, lo_95=0.0, lo_80=0.0, hi_80=0.0, hi_95=20.0)
    assert rare.safety(0.9) == 0.0
    assert rare.safety(0.975) == pytest.approx(17.0)


@given(bands(), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_higher_level_never_asks_for_less(band: Band, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert band.quantile(low) <= band.quantile(high) + 1e-6
    assert 0 <= band.safety(low) <= band.safety(high) + 1e-6


def test_what_a_sku_needs_on_top_is_spread_like_its_means_and_only_where_nobody_said_otherwise() -> None:
    means = {(1, 1): {MONDAY: 75.0}, (1, 2): {MONDAY: 25.0}, (2, 1): {MONDAY: 10.0}}
    found = with_service(means, {(1, MONDAY): BAND, (2, MONDAY): BAND}, levels={1: 0.9})
    assert found == {
        (1, 1): {MONDAY: pytest.approx(112.5)},
        (1, 2): {MONDAY: pytest.approx(37.5)},
        (2, 1): {MONDAY: 10.0},
    }
    held = with_service(means, {(1, MONDAY): BAND}, levels={1: 0.9}, fixed=[((1, 1), MONDAY)])
    assert held[1, 1] == {MONDAY: 75.0}
    assert held[1, 2] == {MONDAY: pytest.approx(37.5)}
