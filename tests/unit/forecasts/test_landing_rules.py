"""Parts of a landing add up to the whole, and a chance lies where the quantiles say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.forecasts.rules import Outlook, chance_of, fit_parts

QUANTILES = st.lists(st.floats(0, 500), min_size=5, max_size=5).map(sorted)


@st.composite
def outlooks(draw: st.DrawFn) -> Outlook:
    """Units that are there, and what may come on top of them."""
    units = draw(st.integers(0, 1000))
    lo_95, lo_80, median, hi_80, hi_95 = (units + quantile for quantile in draw(QUANTILES))
    mean = draw(st.floats(lo_95, hi_95))
    return Outlook(units, mean, median, lo_80, hi_80, lo_95, hi_95)


@given(whole=outlooks(), parts=st.lists(outlooks(), min_size=1, max_size=6))
def test_the_means_of_the_parts_add_up_to_the_whole(whole: Outlook, parts: list[Outlook]) -> None:
    fitted = fit_parts(whole, parts)
    if sum(part.mean for part in parts) > 0:
        assert math.isclose(sum(part.mean for part in fitted), whole.mean, rel_tol=1e-6, abs_tol=1e-6)
    for part in fitted:
        assert 0 <= part.lo_95 <= part.lo_80 <= part.median <= part.hi_80 <= part.hi_95
    assert [part.units for part in fitted] == [part.units for part in parts]


@given(parts=st.lists(outlooks(), min_size=1, max_size=6))
def test_parts_that_add_up_already_stay_as_they_are(parts: list[Outlook]) -> None:
    total = sum(part.mean for part in parts)
    whole = Outlook(sum(part.units for part in parts), total, total, total, total, total, total)
    for fitted, part in zip(fit_parts(whole, parts), parts, strict=True):
        assert math.isclose(fitted.mean, part.mean, rel_tol=1e-6, abs_tol=1e-6)
        assert math.isclose(fitted.hi_95, part.hi_95, rel_tol=1e-6, abs_tol=1e-6)


@given(outlook=outlooks(), lines=st.lists(st.integers(0, 2000), min_size=2, max_size=2).map(sorted))
def test_a_higher_line_is_never_likelier(outlook: Outlook, lines: list[int]) -> None:
    assert 0 <= chance_of(lines[1], outlook) <= chance_of(lines[0], outlook) <= 1


def test_the_chance_is_read_off_the_quantiles() -> None:
    seen = Outlook(100, 300, 300, 200, 420, 150, 500)
    assert chance_of(100, seen) == 1.0
    assert chance_of(150, seen) == pytest.approx(0.975)
    assert chance_of(200, seen) == pytest.approx(0.9)
    assert chance_of(300, seen) == pytest.approx(0.5)
    assert chance_of(420, seen) == pytest.approx(0.1)
    assert chance_of(9000, seen) == pytest.approx(0.025)
