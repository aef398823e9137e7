"""What every method keeps, on the same hostile panel."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import forecasting
from forecasting import combination, dense, forecast_demand, points, shape
from forecasting.panel import read_panel
from forecasting.ragged import Ragged
from forecasting.theta import Ahead

_spec = importlib.util.spec_from_file_location(
    "forecast_panels", Path(__file__).with_name("forecast_panels.py")
)
assert _spec and _spec.loader
panels = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(panels)
weekly = panels.weekly

BOUNDS = ["lo-95", "lo-80", "mean", "hi-80", "hi-95"]


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return panels.hostile()


@pytest.fixture(scope="module")
def answer(panel: pd.DataFrame) -> pd.DataFrame:
    return forecast_demand(panel, horizon=8, freq="W")


def test_the_columns_are_those_of_the_public_door(answer: pd.DataFrame) -> None:
    assert list(answer.columns) == [
        "unique_id", "ds", "mean", "lo-80", "hi-80", "lo-95", "hi-95", "method"
    ]  # fmt: skip


def test_every_series_is_answered_for_every_period_after_its_end(
    panel: pd.DataFrame, answer: pd.DataFrame
) -> None:
    assert list(dict.fromkeys(answer["unique_id"])) == list(dict.fromkeys(panel["unique_id"]))
    last = panel.groupby("unique_id")["ds"].max()
    for name, rows in answer.groupby("unique_id"):
        assert list(rows["ds"]) == list(pd.date_range(last[name], periods=9, freq="7D")[1:])


def test_nothing_is_missing_infinite_or_negative(answer: pd.DataFrame) -> None:
    assert np.isfinite(answer[BOUNDS].to_numpy()).all()
    assert (answer[BOUNDS].to_numpy() >= 0).all()


def test_bounds_are_nested_and_hold_the_mean(answer: pd.DataFrame) -> None:
    assert (np.diff(answer[BOUNDS].to_numpy(), axis=1) >= 0).all()


def test_each_shape_gets_a_method_of_its_kind(answer: pd.DataFrame) -> None:
    method = answer.groupby("unique_id")["method"].first()
    assert method["all zero"] == method["one zero"] == "zero"
    assert method["one point"] == method["two points"] == "mean-short"
    assert method["one sale long ago"] == "mean-sparse"
    assert method["intermittent"] == method["alternating"] == "imapa+tsb"
    assert method["trend"] == method["constant"] == "theta+ets"
    assert method["erratic"] == "ses"
    assert method["season"] == "theta+ets-s52"


def test_a_constant_series_stays_what_it_is(answer: pd.DataFrame) -> None:
    rows = answer[answer["unique_id"] == "constant"]
    assert rows["mean"].to_numpy() == pytest.approx(7.0)


def test_a_season_is_carried_on(answer: pd.DataFrame) -> None:
    rows = answer[answer["unique_id"] == "season"]
    truth = 50 + 30 * np.sin(2 * np.pi * np.arange(120, 128) / 52)
    assert np.abs(rows["mean"].to_numpy() - truth).mean() < 8


def test_a_series_that_never_sold_may_sell_one_if_it_was_watched_briefly(answer: pd.DataFrame) -> None:
    high = answer.groupby("unique_id")["hi-95"].max()
    assert high["one zero"] > 0
    assert high["all zero"] == 0


@pytest.mark.parametrize("freq", ["D", "W", "M", "Q", "Y", "H"])
def test_every_frequency_names_the_next_periods(freq: str) -> None:
    step = {"D": "D", "W": "W-MON", "M": "MS", "Q": "QS", "Y": "YS", "H": "h"}[freq]
    ds = pd.date_range("2001-01-01", periods=31, freq=step)
    history = pd.DataFrame({"unique_id": "a", "ds": ds[:28], "y": 5.0 + np.arange(28) % 3})
    answer = forecast_demand(history, horizon=3, freq=freq)
    assert list(answer["ds"]) == list(ds[28:])


def test_months_named_by_their_last_day_stay_so() -> None:
    ds = pd.date_range("2023-01-31", periods=15, freq="ME")
    history = pd.DataFrame({"unique_id": "a", "ds": ds[:12], "y": 4.0})
    assert list(forecast_demand(history, horizon=3, freq="M")["ds"]) == list(ds[12:])


def test_missing_periods_count_as_nothing_sold() -> None:
    full = weekly("a", [3, 0, 0, 5, 0, 2, 0, 0, 0, 4, 0, 6])
    assert _equal(
        forecast_demand(full, horizon=4, freq="W"), forecast_demand(full[full["y"] > 0], horizon=4, freq="W")
    )


def test_an_end_fills_with_zeros_and_hides_what_came_after() -> None:
    values = [3, 0, 4, 5, 0, 2, 0, 0, 7, 4, 9, 6]
    known = pd.concat([weekly("a", values[:8]), weekly("b", [5, 6, 5])])
    full = pd.concat([weekly("a", values), weekly("b", [5, 6, 5, 0, 0, 0, 0, 0])])
    end = panels.START + pd.Timedelta(weeks=7)
    left, right = (forecast_demand(frame, horizon=4, freq="W", end=end) for frame in (known, full))
    assert _equal(left, right)
    assert left["ds"].min() == end + pd.Timedelta(weeks=1)


def test_the_future_moves_nothing(panel: pd.DataFrame) -> None:
    end = panels.START + pd.Timedelta(weeks=25)
    other = panel.copy()
    other.loc[other["ds"] > end, "y"] = 12345.0
    names = ["trend", "smooth", "intermittent", "erratic", "constant"]
    left, right = (
        forecast_demand(frame[frame["unique_id"].isin(names)], horizon=8, freq="W", end=end)
        for frame in (panel, other)
    )
    assert _equal(left, right)


def test_the_order_of_rows_changes_no_number(panel: pd.DataFrame, answer: pd.DataFrame) -> None:
    shuffled = panel.sample(frac=1.0, random_state=3)
    found = forecast_demand(shuffled, horizon=8, freq="W")
    keys = ["unique_id", "ds"]
    assert _equal(
        found.sort_values(keys).reset_index(drop=True), answer.sort_values(keys).reset_index(drop=True)
    )


def test_the_same_call_gives_the_same_bits(panel: pd.DataFrame, answer: pd.DataFrame) -> None:
    assert _equal(forecast_demand(panel, horizon=8, freq="W"), answer)


def test_polars_and_pandas_frames_give_the_same_answer(panel: pd.DataFrame, answer: pd.DataFrame) -> None:
    frame = pl.DataFrame(
        {name: panel[name].to_numpy() for name in ("ds", "y")} | {"unique_id": list(panel["unique_id"])}
    )
    assert _equal(forecast_demand(frame, horizon=8, freq="W"), answer)


def test_a_time_zone_is_kept() -> None:
    history = weekly("a", np.arange(1.0, 21))
    history["ds"] = history["ds"].dt.tz_localize("Europe/Paris")
    found = forecast_demand(history, horizon=2, freq="W")
    assert str(found["ds"].dt.tz) == "Europe/Paris"
    assert found["ds"].iloc[0] == pd.Timestamp("2023-05-22", tz="Europe/Paris")


def test_aware_polars_times_are_read_as_wall_clock() -> None:
    days = pl.datetime_range(pl.datetime(2024, 3, 1), pl.datetime(2024, 4, 9), "1d", eager=True)
    history = pl.DataFrame({"unique_id": "a", "ds": days.dt.replace_time_zone("Europe/Paris"), "y": 3.0})
    found = forecast_demand(history, horizon=1, freq="D")
    assert found["ds"].iloc[0] == pd.Timestamp("2024-04-10", tz="Europe/Paris")


def test_one_bad_fit_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch, panel: pd.DataFrame) -> None:
    real = combination.ets

    def fails_on_constants(data: Ragged, horizon: int) -> Ahead:
        made = real(data, horizon)
        return Ahead(np.where(np.ptp(data.values[:40], axis=0) == 0, np.nan, made.mean), made.sigma)

    monkeypatch.setattr(combination, "ets", fails_on_constants)
    panel = panel[panel["unique_id"].isin(["constant", "trend"])]
    answer = forecast_demand(panel, horizon=4, freq="W", tier="bulk")
    method = answer.groupby("unique_id")["method"].first()
    assert method["constant"] == "mean-fallback"
    assert answer["mean"][answer["unique_id"] == "constant"].to_numpy() == pytest.approx(7.0)
    assert method["trend"] == "theta+ets"


def test_two_processes_give_the_bits_of_one(monkeypatch: pytest.MonkeyPatch, panel: pd.DataFrame) -> None:
    one = forecast_demand(panel, horizon=4, freq="W")
    monkeypatch.setattr(points, "BLOCK_SERIES", 2)
    assert _equal(forecast_demand(panel, horizon=4, freq="W", processes=2), one)


def test_a_series_is_forecast_alone_as_in_company(panel: pd.DataFrame) -> None:
    company = forecast_demand(panel, horizon=8, freq="W", tier="bulk")
    for name in ("constant", "trend", "explosion", "huge", "season", "smooth"):
        alone = forecast_demand(panel[panel["unique_id"] == name], horizon=8, freq="W", tier="bulk")
        among = company[company["unique_id"] == name]
        assert list(alone["mean"]) == list(among["mean"])


def test_what_lies_very_far_back_moves_nothing() -> None:
    days = pd.date_range("2000-01-01", periods=1600, freq="D")
    y = 50 + 5 * np.sin(np.arange(1600) / 9) + np.random.default_rng(0).normal(0, 2, 1600)
    long = pd.DataFrame({"unique_id": "a", "ds": days, "y": y})
    left, right = (
        forecast_demand(rows, horizon=3, freq="D")["mean"]
        for rows in (long, long.iloc[-dense.MOST_PERIODS :])
    )
    assert list(left) == pytest.approx(list(right), rel=1e-12)


def test_progress_reaches_its_total(panel: pd.DataFrame) -> None:
    told: list[tuple[int, int]] = []
    panel = panel[panel["unique_id"].isin(["erratic", "intermittent", "all zero", "two points"])]
    forecast_demand(panel, horizon=4, freq="W", progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_a_progress_that_raises_ends_the_call() -> None:
    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forecast_demand(weekly("a", [1, 2, 3]), horizon=2, freq="W", progress=cancel)


def test_no_warning_gets_out(panel: pd.DataFrame) -> None:
    names = ["constant", "trend", "collapse", "explosion", "tiny"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        forecast_demand(panel[panel["unique_id"].isin(names)], horizon=4, freq="W")
    assert not caught


def test_series_with_one_sale_each_are_not_taken_for_regular_ones() -> None:
    """Each sold 10 once, 20 weeks ago: together they sold nothing since, and none is forecast to go on."""
    history = pd.concat([weekly(number, [10.0]) for number in range(50)])
    end = panels.START + pd.Timedelta(weeks=20)
    assert forecast_demand(history, horizon=4, freq="W", end=end)["mean"].max() < 0.5


def test_shapes_follow_the_interval_between_sales() -> None:
    history = pd.concat(
        [weekly("dense", [1] * 12), weekly("thin", [1, 0] * 10), weekly("once", [1] + [0] * 19)]
    )
    kinds = shape.classify(read_panel(history, freq="W").panel)
    assert list(kinds) == [shape.DENSE, shape.INTERMITTENT, shape.SPARSE]


def test_a_backtest_tells_error_bias_and_coverage_by_method() -> None:
    draw = np.random.default_rng(2)
    history = pd.concat([weekly(number, draw.gamma(1, 20, 60)) for number in range(40)])
    found = forecasting.backtest(history, horizon=4, freq="W", origins=2).set_index("method")
    assert found.loc["all", "series"] == 80
    assert found.loc["all", "wape"] < 1.0
    assert abs(found.loc["all", "bias"]) < 0.1
    assert 0.7 < found.loc["all", "coverage-80"] < 0.92


def _equal(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    return True
