"""Small pictures stay inside their box whatever the values are."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.entrypoints.web.drawings import HEIGHT, WIDTH, meter, sparkline

AMOUNTS = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(AMOUNTS, min_size=2, max_size=60))
def test_a_sparkline_stays_inside_its_box(values: list[float]) -> None:
    line = re.findall(r'spark-line" d="([^"]*)"', sparkline(values))[0]
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", line)]
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])


def test_a_sparkline_of_one_value_is_no_line() -> None:
    assert sparkline([3]) == ""


@given(st.floats(-10, 1e9), st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_a_meter_is_never_fuller_than_full(value: float, full: float, mark: float | None) -> None:
    width = float(re.findall(r'meter-fill"[^>]* width="([\d.]+)"', meter(value, full=full, mark=mark))[0])
    assert 0 <= width <= 100
