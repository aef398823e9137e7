"""Bad input is refused with the series, the row, the field and a sentence."""

from __future__ import annotations

import pickle
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import ForecastInputError, backtest, forecast_demand


def history(**columns: Any) -> pd.DataFrame:
    given = {"unique_id": ["a", "a", "b"], "ds": pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-01"])}
    return pd.DataFrame(given | {"y": [1.0, 2.0, 3.0]} | columns)


def refused(frame: Any, **rest: Any) -> ForecastInputError:
    with pytest.raises(ForecastInputError) as caught:
        forecast_demand(frame, **({"horizon": 2, "freq": "W"} | rest))
    return caught.value


@pytest.mark.parametrize(
    ("value", "words"),
    [(np.nan, "no value"), (np.inf, "infinite"), (-np.inf, "infinite"), (-1.0, "negative"), (1e16, "beyond")],
)
def test_a_quantity_that_is_none_is_named_by_series_and_row(value: float, words: str) -> None:
    error = refused(history(y=[1.0, value, 3.0]))
    assert (error.series, error.row, error.field) == ("a", 2, "y")
    assert words in error.sentence


def test_text_in_y_is_named() -> None:
    error = refused(history(y=["1", "two", "3"]))
    assert (error.row, error.field) == (2, "y")


@pytest.mark.parametrize("missing", ["unique_id", "ds", "y"])
def test_a_missing_column_is_named(missing: str) -> None:
    assert refused(history().drop(columns=missing)).field == missing


def test_an_empty_frame_is_refused() -> None:
    assert "no rows" in refused(history().iloc[:0]).sentence


@pytest.mark.parametrize(
    "frame", [None, "history.csv", [1, 2], {"y": [1]}, pl.LazyFrame({"unique_id": [], "ds": [], "y": []})]
)
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    assert refused(frame).field == "history"


def test_two_rows_for_one_period_are_refused() -> None:
    error = refused(pd.concat([history(), history().iloc[1:2]]))
    assert (error.series, error.row) == ("a", 4)
    assert error.ds == pd.Timestamp("2024-01-08")


def test_a_date_between_periods_is_refused() -> None:
    error = refused(history(ds=pd.to_datetime(["2024-01-01", "2024-01-09", "2024-01-01"])))
    assert (error.series, error.row, error.field) == ("a", 2, "ds")
    assert "Monday" in error.sentence


def test_mixed_ends_and_starts_of_months_are_refused() -> None:
    frame = history(ds=pd.to_datetime(["2024-01-01", "2024-02-29", "2024-01-01"]))
    assert refused(frame, freq="M").row == 2


@pytest.mark.parametrize(
    "bad", ["2010-02-30", None, "soon", "now", "08/01/2024", "2024-W02", 5, np.int64(5), float("nan"), [1]]
)
def test_what_is_no_date_is_refused(bad: Any) -> None:
    error = refused(history(ds=pd.Series(["2024-01-01", bad, "2024-01-01"], dtype=object)))
    assert (error.row, error.field) == (2, "ds")


def test_numbers_as_dates_are_refused() -> None:
    assert refused(history(ds=[1, 2, 3])).field == "ds"


def test_mixed_time_zones_are_refused() -> None:
    zones = ["Europe/Paris", "Asia/Shanghai", "Europe/Paris"]
    cells = [datetime(2024, 1, 1 + 7 * (row == 1), tzinfo=ZoneInfo(zone)) for row, zone in enumerate(zones)]
    error = refused(history(ds=pd.Series(cells, dtype=object)))
    assert error.row == 2
    assert "time zone" in error.sentence


def test_a_missing_id_is_refused() -> None:
    assert refused(history(unique_id=["a", None, "b"])).row == 2


def test_a_wrong_century_is_refused_before_it_is_filled() -> None:
    dates = pd.to_datetime(["1801-01-01", "2024-01-08", "2024-01-01"])
    assert "spans" in refused(history(ds=dates), freq="H").sentence


@pytest.mark.parametrize("horizon", [0, -1, 1.5, "8", None, True, 10**6])
def test_a_horizon_that_is_none_is_refused(horizon: Any) -> None:
    assert refused(history(), horizon=horizon).field == "horizon"


@pytest.mark.parametrize("freq", ["X", "", None, 7, "W-ANY", "2W", "w"])
def test_an_unknown_frequency_is_refused(freq: Any) -> None:
    assert refused(history(), freq=freq).field == "freq"


@pytest.mark.parametrize("levels", [(0,), (100,), (80, 80), ("wide",), None])
def test_levels_that_are_none_are_refused(levels: Any) -> None:
    assert refused(history(), levels=levels).field == "levels"


def test_known_ahead_columns_without_the_other_half_are_refused() -> None:
    assert refused(history(price=1.0)).field == "future"
    assert refused(history(), future=history(price=1.0)).field == "price"


@pytest.mark.parametrize("column", ["unique_id", "ds", "y", "promo"])
def test_two_columns_of_one_name_are_refused(column: str) -> None:
    twice = history(promo=1.0)
    error = refused(pd.concat([twice, twice[[column]]], axis=1), future=history(promo=1.0).drop(columns="y"))
    assert (error.field, "two columns" in error.sentence) == (column, True)


@pytest.mark.parametrize("bad", [("a", 1), ["a"], {"a": 1}])
def test_an_id_that_is_no_name_is_refused(bad: Any) -> None:
    assert refused(history(unique_id=pd.Series(["a", bad, "b"]))).row == 2


@pytest.mark.parametrize("end", ["soon", "", 5, pd.NaT, float("nan"), "3000-01-01", "2023-12-25"])
def test_an_end_that_is_none_or_before_all_rows_is_refused(end: Any) -> None:
    assert refused(history(), end=end).field == "end"


@pytest.mark.parametrize("season_length", [0, 1.0, "12", [7, 0], True])
def test_a_season_that_is_none_is_refused(season_length: Any) -> None:
    assert refused(history(), season_length=season_length).field == "season_length"


def test_dates_are_no_quantities() -> None:
    assert "no number" in refused(history(y=pd.to_datetime(["2024-01-01"] * 3))).sentence


@pytest.mark.parametrize(
    ("spoil", "field", "row", "words"),
    [
        (lambda f: pd.concat([f, f.iloc[1:2]]), "future", 4, "two rows of series a"),
        (lambda f: f.assign(ds=f["ds"] + pd.Timedelta(days=1)), "ds", 1, "must be a Monday"),
        (lambda f: f.assign(ds=f["ds"].dt.tz_localize("UTC")), "ds", 1, "in UTC"),
        (lambda f: f.iloc[:2], "future", None, "no row of series b for 2024-01-08"),
        (lambda f: f.iloc[:0], "future", None, "no row of series a for 2024-01-15"),
        (lambda f: f.assign(promo=[0, np.inf, 0]), "promo", 2, "infinite"),
        (lambda f: 5, "future", None, "must be a pandas or polars frame"),
    ],
)
def test_a_future_that_is_none_is_named(spoil: Any, field: str, row: int | None, words: str) -> None:
    dates = pd.to_datetime(["2024-01-15", "2024-01-22", "2024-01-08"])
    ahead = history(ds=dates, promo=0).drop(columns="y").iloc[[0, 1, 2]]
    error = refused(history(promo=0), future=spoil(ahead))
    assert (error.field, error.row) == (field, row)
    assert words in error.sentence


def spoilt() -> pd.DataFrame:
    """Series c to f are bad, a and b are not."""
    rows = [("c", "2024-01-01", -1.0), ("d", "2024-01-02", 1.0), ("a", "2024-01-15", 4.0),
            ("e", "2024-01-01", 1.0), ("e", "2024-01-01", 1.0), ("f", "2024-01-01", -2.0)]  # fmt: skip
    more = pd.DataFrame(rows, columns=["unique_id", "ds", "y"])
    return pd.concat([history(), more.assign(ds=pd.to_datetime(more["ds"]))], ignore_index=True)


@pytest.mark.parametrize("library", [pd, pl])
def test_bad_series_are_left_out_and_told_where_that_is_asked_for(library: Any) -> None:
    frame = spoilt()
    kept = frame[frame["unique_id"].isin(["a", "b"])]
    if library is pl:
        frame = pl.DataFrame({name: frame[name].to_list() for name in frame.columns})
    told: list[ForecastInputError] = []
    found = forecast_demand(frame, horizon=2, freq="W", on_bad=told.append)
    pd.testing.assert_frame_equal(found, forecast_demand(kept, horizon=2, freq="W"))
    assert [(error.row, sorted(set(error.affected))) for error in told] == [
        (5, ["d"]), (4, ["c", "f"]), (8, ["e"])
    ]  # fmt: skip


def test_a_backtest_leaves_bad_series_out_and_tells_as_well() -> None:
    frame = spoilt()
    kept = frame[frame["unique_id"].isin(["a", "b"])]
    told: list[ForecastInputError] = []
    found = backtest(frame, horizon=1, freq="W", on_bad=told.append)
    pd.testing.assert_frame_equal(found, backtest(kept, horizon=1, freq="W"))
    assert [(error.row, sorted(set(error.affected))) for error in told] == [
        (5, ["d"]), (4, ["c", "f"]), (8, ["e"])
    ]  # fmt: skip
    with pytest.raises(ForecastInputError, match="series c"):
        backtest(frame[frame["unique_id"] != "d"], horizon=1, freq="W")


def test_bad_futures_leave_series_out_as_well() -> None:
    ahead = pd.DataFrame(
        {"unique_id": ["b", "a", "a", "z"], "ds": "2024-01-15", "promo": [0.0, 1.0, 1.0, np.nan]}
    ).assign(ds=pd.to_datetime(["2024-01-08", "2024-01-15", "2024-01-15", "2024-01-15"]))
    told: list[ForecastInputError] = []
    found = forecast_demand(history(promo=0), horizon=1, freq="W", future=ahead, on_bad=told.append)
    assert list(found["unique_id"]) == ["b"]
    assert [(error.frame, error.row, list(set(error.affected))) for error in told] == [
        ("future", 4, ["z"]), ("future", 3, ["a"])
    ]  # fmt: skip


def test_a_fault_of_no_series_and_one_of_all_are_raised_all_the_same() -> None:
    told: list[ForecastInputError] = []
    assert refused(history(), on_bad=told.append, tier="best").field == "tier"
    assert refused(history(y=-1.0), on_bad=told.append).field == "y"
    assert not told


def test_an_unknown_tier_is_refused() -> None:
    assert refused(history(), tier="best").field == "tier"


def test_the_error_reads_as_one_line_and_survives_a_process_border() -> None:
    error = refused(history(y=[1.0, np.nan, 3.0]))
    assert (
        str(error) == "y of series a has no value; give 0 where nothing was sold (field y, series a, row 2)."
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
