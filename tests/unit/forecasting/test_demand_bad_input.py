"""Bad input is refused with the series, the row, the field and a sentence."""

from __future__ import annotations

import pickle
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from forecasting import ForecastInputError, forecast_demand


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


@pytest.mark.parametrize("frame", [None, "history.csv", [1, 2], {"y": [1]}])
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


@pytest.mark.parametrize("bad", ["2010-02-30", None, "soon", 5, float("nan")])
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


@pytest.mark.parametrize("freq", ["X", "", None, 7, "W-SUN"])
def test_an_unknown_frequency_is_refused(freq: Any) -> None:
    assert refused(history(), freq=freq).field == "freq"


@pytest.mark.parametrize("levels", [(0,), (100,), (80, 80), ("wide",), None])
def test_levels_that_are_none_are_refused(levels: Any) -> None:
    assert refused(history(), levels=levels).field == "levels"


def test_known_ahead_columns_without_the_other_half_are_refused() -> None:
    assert refused(history(price=1.0)).field == "future"
    assert refused(history(), future=history(price=1.0)).field == "price"


def test_an_unknown_tier_is_refused() -> None:
    assert refused(history(), tier="best").field == "tier"


def test_the_error_reads_as_one_line_and_survives_a_process_border() -> None:
    error = refused(history(y=[1.0, np.nan, 3.0]))
    assert (
        str(error) == "y of series a has no value; give 0 where nothing was sold (field y, series a, row 2)."
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
