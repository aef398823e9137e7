"""What holds for every history, whatever its numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting import forecast_demand, forecast_landing
from forecasting.input.periods import Calendar

BOUNDS = ["lo-95", "lo-80", "mean", "hi-80", "hi-95"]
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
sales = st.lists(st.one_of(st.just(0), st.integers(0, 500)), min_size=1, max_size=30)
panels = st.lists(sales, min_size=1, max_size=4)


def frame(panel: list[list[int]]) -> pd.DataFrame:
    rows = [
        (f"s{number}", pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=week), float(y))
        for number, series in enumerate(panel)
        for week, y in enumerate(series)
    ]
    return pd.DataFrame(rows, columns=["unique_id", "ds", "y"])


@few
@given(panel=panels, horizon=st.integers(1, 12))
def test_a_forecast_is_whole_finite_nested_and_never_negative(panel: list[list[int]], horizon: int) -> None:
    found = forecast_demand(frame(panel), horizon=horizon, freq="W")
    bounds = found[BOUNDS].to_numpy()
    assert len(found) == horizon * len(panel)
    assert np.isfinite(bounds).all()
    assert (bounds >= 0).all()
    assert (np.diff(bounds, axis=1) >= 0).all()


@few
@given(panel=panels, factor=st.sampled_from([0.001, 0.5, 3.0, 4096.0]))
def test_scaling_sales_scales_the_forecast(panel: list[list[int]], factor: float) -> None:
    history = frame(panel)
    if not (history["y"] > 0).any():
        return
    plain = forecast_demand(history, horizon=4, freq="W")
    scaled = forecast_demand(history.assign(y=history["y"] * factor), horizon=4, freq="W")
    assert list(plain["method"]) == list(scaled["method"])
    assert scaled[BOUNDS].to_numpy() == pytest.approx(
        plain[BOUNDS].to_numpy() * factor, rel=1e-3, abs=1e-3 * factor
    )


@few
@given(panel=panels, seed=st.integers(0, 99))
def test_shuffling_rows_changes_nothing(panel: list[list[int]], seed: int) -> None:
    history = frame(panel)
    keys = ["unique_id", "ds"]
    left, right = (
        forecast_demand(rows, horizon=3, freq="W").sort_values(keys).reset_index(drop=True)
        for rows in (history, history.sample(frac=1, random_state=seed))
    )
    pd.testing.assert_frame_equal(left, right, check_exact=True)


@few
@given(
    rises=st.lists(st.lists(st.integers(0, 40), min_size=11, max_size=11), max_size=6),
    now=st.lists(st.integers(0, 40), min_size=1, max_size=11),
)
def test_a_gross_landing_is_never_below_the_units_there(rises: list[list[int]], now: list[int]) -> None:
    known = pd.concat(
        [_curve("none", [0]).iloc[:0], *(_curve(f"c{n}", rise) for n, rise in enumerate(rises))]
    )
    found = forecast_landing(known, _curve("now", now))
    bounds = found[BOUNDS].to_numpy(dtype=float)
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds, axis=1) >= 0).all()
    assert (bounds >= sum(now)).all()


@few
@given(
    moves=st.lists(st.lists(st.integers(-30, 40), min_size=11, max_size=11), max_size=14),
    now=st.lists(st.integers(-30, 40), min_size=1, max_size=11),
)
def test_a_net_landing_may_fall_but_not_below_nothing(moves: list[list[int]], now: list[int]) -> None:
    known = pd.concat(
        [_curve("none", [0]).iloc[:0], *(_curve(f"c{n}", move) for n, move in enumerate(moves))]
    )
    curves = (
        frame.assign(cum_units=frame["cum_units"].clip(lower=0)) for frame in (known, _curve("now", now))
    )
    found = forecast_landing(*curves)
    bounds = found[BOUNDS].to_numpy(dtype=float)
    assert np.isfinite(bounds).all()
    assert (np.diff(bounds, axis=1) >= 0).all()
    assert (bounds >= 0).all()
    assert found["median"].between(found["lo-80"], found["hi-80"]).all()


def _curve(name: str, rises: list[int]) -> pd.DataFrame:
    return pd.DataFrame({
        "campaign_id": name, "sku": "S", "region": "R", "end": pd.Timestamp("2024-03-01"), "window_days": 10,
        "elapsed_day": np.arange(len(rises)), "cum_units": np.cumsum(rises).astype(float),
    })  # fmt: skip


@given(
    code=st.sampled_from(["H", "D", "W", "M", "Q", "Y"]), number=st.integers(-300, 3000), last=st.booleans()
)
def test_naming_a_period_and_numbering_it_are_inverse(code: str, number: int, last: bool) -> None:
    if code == "Y":
        number = number % 200
    if code == "Q":
        number = number % 800
    calendar = Calendar(code, last_day=last and code in "MQY")
    assert calendar.number(calendar.stamp(np.array([number % 2400])))[0] == number % 2400
