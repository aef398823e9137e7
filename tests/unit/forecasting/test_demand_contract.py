"""What every method keeps, on the same hostile panel."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import forecasting
from forecasting import demand, forecast_demand
from forecasting.input.panel import read_panel
from forecasting.methods import combination, dense, points, shape
from forecasting.methods.ragged import Ragged
from forecasting.methods.theta import Ahead

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


@pytest.mark.parametrize(
    ("freq", "first"),
    [("W", "2023-01-01"), ("W-SUN", "2023-01-01"), ("W-SAT", "2023-01-07"), ("Q", "2023-02-01"),
     ("QS-FEB", "2023-02-01"), ("Q", "2022-02-28"), ("Y", "2001-04-01"), ("YE-JUN", "2001-06-30")],
)  # fmt: skip
def test_weeks_are_named_by_any_day_and_quarters_and_years_begin_with_any_month(
    freq: str, first: str
) -> None:
    last_day = pd.Timestamp(first).is_month_end
    months = {"W": 0, "Q": 3, "Y": 12}[freq[0]]
    step = pd.offsets.DateOffset(months=months, days=0 if months else 7)
    ds = [pd.Timestamp(first) + number * step for number in range(9)]
    ds = [day + pd.offsets.MonthEnd(0) if last_day else day for day in ds]
    history = pd.DataFrame({"unique_id": "a", "ds": ds[:6], "y": 4.0})
    assert list(forecast_demand(history.iloc[::-1], horizon=3, freq=freq)["ds"]) == ds[6:]


def test_pandas_periods_and_text_are_dates_too(panel: pd.DataFrame) -> None:
    some = panel[panel["unique_id"].isin(["smooth", "one point"])]
    plain = forecast_demand(some, horizon=2, freq="W")
    for ds in (some["ds"].dt.to_period("W-SUN"), some["ds"].dt.strftime("%Y-%m-%d").astype("category")):
        assert _equal(forecast_demand(some.assign(ds=ds), horizon=2, freq="W"), plain)


@pytest.mark.parametrize("convert", [hash, str, float, lambda number: pd.Categorical([number])[0]])
def test_ids_may_be_numbers_or_text(convert: Any) -> None:
    history = pd.concat([weekly(convert(number), [1.0, 2.0]) for number in (7, 3)])
    assert list(forecast_demand(history, horizon=1, freq="W")["unique_id"]) == [convert(7), convert(3)]


@pytest.mark.parametrize("levels", [(50,), (99.9,), (), (95, 80, 50), (1e-9,)])
def test_any_levels_are_nested(panel: pd.DataFrame, levels: tuple[float, ...]) -> None:
    some = panel[panel["unique_id"].isin(["smooth", "intermittent", "one point", "all zero"])]
    found = forecast_demand(some, horizon=2, freq="W", levels=levels)
    ordered = sorted(levels)
    names = [*(f"lo-{one:g}" for one in reversed(ordered)), "mean", *(f"hi-{one:g}" for one in ordered)]
    assert (np.diff(found[names].to_numpy(), axis=1) >= 0).all()
    assert set(found.columns) == {"unique_id", "ds", "method", *names}


def test_several_seasons_can_be_asked_for() -> None:
    time = np.arange(24 * 7 * 3)
    y = 100 + 20 * np.sin(2 * np.pi * time / 24) + 10 * (time // 24 % 7 >= 5)
    days = pd.date_range("2024-01-01", periods=len(time), freq="h")
    history = pd.DataFrame({"unique_id": "a", "ds": days, "y": y})
    named, both = (
        points.point_forecasts(read_panel(history, freq="h").panel, plan=points.Plan(3, cycles))
        for cycles in ((24,), demand._cycles([168, 24], "h"))
    )
    assert named.method[0].endswith("-s24")
    assert both.method[0].endswith("-s24-s168")


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


def test_polars_and_pandas_frames_give_the_same_answer_to_the_bit(
    panel: pd.DataFrame, answer: pd.DataFrame
) -> None:
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
    panel = panel[panel["unique_id"].isin(["constant", "trend", "season", "smooth", "erratic"])]
    one = forecast_demand(panel, horizon=4, freq="W")
    monkeypatch.setattr(points, "BLOCK_SERIES", 20)
    assert _equal(forecast_demand(panel, horizon=4, freq="W", processes=2), one)


def test_a_series_is_forecast_alone_as_in_company(panel: pd.DataFrame) -> None:
    named = read_panel(panel, freq="W")
    company = points.point_forecasts(named.panel, plan=points.Plan(8, (52,)))
    for name in ("constant", "trend", "explosion", "huge", "season", "smooth"):
        row = np.flatnonzero(named.ids == name)
        alone = points.point_forecasts(named.panel.take(row), plan=points.Plan(8, (52,)))
        assert list(alone.mean[0]) == list(company.mean[row[0]])


def test_what_lies_very_far_back_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "MOST_PERIODS", 90)
    days = pd.date_range("2000-01-01", periods=120, freq="D")
    y = 50 + 5 * np.sin(np.arange(120) / 9) + np.random.default_rng(0).normal(0, 2, 120)
    long = pd.DataFrame({"unique_id": "a", "ds": days, "y": y})
    left, right, shorter = (
        forecast_demand(rows, horizon=3, freq="D", tier="bulk")["mean"]
        for rows in (long, long.iloc[-90:], long.iloc[-80:])
    )
    assert list(left) == pytest.approx(list(right), rel=1e-12)
    assert list(left) != pytest.approx(list(shorter), rel=1e-6)


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
