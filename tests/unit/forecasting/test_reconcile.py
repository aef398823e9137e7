"""Forecasts that add up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import ForecastInputError, forecast_demand, reconcile

DATA = Path(os.environ.get("HEADWATER_SHARED", str(Path(__file__).resolve().parents[4] / "shared"))) / "data"
GROUPS = pd.DataFrame({
    "unique_id": ["a-N", "a-S", "b-N", "b-S"], "sku": ["a", "a", "b", "b"],
    "region": ["N", "S", "N", "S"], "all": ["all"] * 4,
})  # fmt: skip
NAMES = ["a-N", "a-S", "b-N", "b-S", "a", "b", "N", "S", "all"]


def base(means: Any, *, steps: int = 2, width: float | None = 4.0) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=steps, freq="W-MON")
    frame = pd.DataFrame({"unique_id": np.repeat(NAMES, steps), "ds": np.tile(days, len(NAMES))})
    frame["mean"] = np.repeat(np.asarray(means, dtype=float), steps)
    if width is not None:
        frame["lo-80"] = (frame["mean"] - width).clip(lower=0)
        frame["hi-80"] = frame["mean"] + width
    return frame.assign(method="base")


def sums_gap(found: pd.DataFrame, groups: pd.DataFrame = GROUPS) -> float:
    """The largest difference between a total and the sum of its bottom series."""
    bottom = groups.merge(found[["unique_id", "ds", "mean"]], on="unique_id")
    gaps = [
        bottom.groupby([column, "ds"])["mean"].sum().rename_axis(["unique_id", "ds"])
        - found.set_index(["unique_id", "ds"])["mean"]
        for column in groups.columns[1:]
    ]
    return float(pd.concat(gaps).dropna().abs().max())


UNEQUAL = [3, 5, 2, 0, 9, 4, 7, 6, 20]


def test_totals_are_sums_and_rows_stay_where_they_were() -> None:
    shuffled = base(UNEQUAL).sample(frac=1, random_state=1)
    found = reconcile(shuffled, GROUPS)
    assert list(found["unique_id"]) == list(shuffled["unique_id"])
    assert sums_gap(found) < 1e-6
    assert (found[["mean", "lo-80", "hi-80"]] >= 0).all(axis=None)
    assert (found["lo-80"] <= found["mean"]).all()
    assert (found["mean"] <= found["hi-80"]).all()
    assert set(found["method"]) == {"base+wls"}


def test_forecasts_that_add_up_are_left_alone() -> None:
    right = base([3, 5, 2, 1, 8, 3, 5, 6, 11])
    assert reconcile(right, GROUPS)["mean"].to_numpy() == pytest.approx(right["mean"].to_numpy(), abs=1e-6)


def test_the_least_sure_gives_way() -> None:
    unsure = base([3, 3, 3, 3, 6, 6, 6, 6, 12], width=0.01)
    total = unsure["unique_id"] == "all"
    unsure.loc[total, ["mean", "lo-80", "hi-80"]] = [100.0, 0.0, 200.0]
    found = reconcile(unsure, GROUPS)
    assert found.loc[total, "mean"].to_numpy() == pytest.approx([12, 12], abs=0.1)
    sure = base([3, 3, 3, 3, 6, 6, 6, 6, 12], width=3.0)
    sure.loc[total, ["mean", "lo-80", "hi-80"]] = [24.0, 23.999, 24.001]
    found = reconcile(sure, GROUPS)
    assert found.loc[total, "mean"].to_numpy() == pytest.approx([24, 24], abs=0.1)


def test_it_is_the_dense_least_squares_solution() -> None:
    frame = base([10, 12, 11, 13, 25, 20, 24, 26, 44], width=None)
    found = reconcile(frame, GROUPS)["mean"].to_numpy()[::2]
    rows = [[name in list(GROUPS.loc[i]) for i in range(4)] for name in NAMES]
    add = np.array(rows, dtype=float)
    weight = np.diag(1 / add.sum(axis=1))
    bottom = np.linalg.solve(add.T @ weight @ add, add.T @ weight @ frame["mean"].to_numpy()[::2])
    assert found == pytest.approx(add @ bottom, rel=1e-6)


def test_nothing_becomes_negative() -> None:
    found = reconcile(base([5, 5, 1, 0, 1, 0, 2, 0, 1], width=None), GROUPS)
    assert (found["mean"] >= 0).all()
    assert sums_gap(found) < 1e-6


def test_polars_frames_are_taken() -> None:
    frame = base(UNEQUAL)
    frames = [pl.DataFrame({c: part[c].to_list() for c in part.columns}) for part in (frame, GROUPS)]
    found, plain = reconcile(*frames), reconcile(frame, GROUPS)
    assert found["mean"].to_numpy() == pytest.approx(plain["mean"].to_numpy())


@pytest.mark.parametrize(
    ("spoil", "series", "sentence"),
    [
        (lambda f, g: (f[f["unique_id"] != "a"], g), "a", "column sku of groups has no forecasts"),
        (lambda f, g: (f[f["unique_id"] != "b-S"], g), "b-S", "of groups has no forecasts"),
        (lambda f, g: (f, g.iloc[:3]), "b-S", "no place in groups"),
        (lambda f, g: (f, pd.concat([g, g.head(1)])), "a-N", "twice"),
        (lambda f, g: (f, g.assign(other="a-N")), "a-N", "bottom series and total at once"),
        (lambda f, g: (f.iloc[1:], g), "a-N", "lacks a forecast"),
        (lambda f, g: (pd.concat([f, f.tail(1)]), g), "all", "two forecasts"),
        (lambda f, g: (f.assign(mean=f["mean"].where(f["unique_id"] != "b")), g), "b", "no value"),
    ],
)
def test_what_does_not_fit_is_named(spoil: Any, series: str, sentence: str) -> None:
    with pytest.raises(ForecastInputError, match=sentence) as caught:
        reconcile(*spoil(base(UNEQUAL), GROUPS))
    assert caught.value.series == series


@pytest.mark.real_data
def test_regions_of_tourism_are_not_forecast_worse_for_adding_up() -> None:
    path = DATA / "australia_tourism.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    history, groups = _tourism(path)
    days = np.sort(history["ds"].unique())
    known, came = history[history["ds"] < days[-8]], history[history["ds"] >= days[-8]]
    plain = forecast_demand(known, horizon=8, freq="Q")
    found = reconcile(plain, groups)
    erred = []
    for frame in (plain, found):
        cells = frame.merge(came, on=["unique_id", "ds"])
        cells = cells[cells["unique_id"].isin(groups["unique_id"])]
        erred.append(float((cells["mean"] - cells["y"]).abs().sum() / cells["y"].sum()))
    print(f"\ntourism, 304 bottom series: WAPE {erred[0]:.4f} as forecast, {erred[1]:.4f} made to add up")
    assert sums_gap(found, groups) < 1e-6
    assert (found["mean"] >= 0).all()
    assert erred[1] <= 1.01 * erred[0]


def _tourism(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = pl.read_parquet(path)
    trips = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})
    trips["unique_id"] = trips["State"] + "/" + trips["Region"] + "/" + trips["Purpose"]
    trips["region"] = trips["State"] + "/" + trips["Region"]
    trips = trips.assign(ds=pd.to_datetime(trips["date_time"]), all="all")
    columns = ["region", "State", "Purpose", "all"]
    parts = [
        trips.groupby([column, "ds"])["Trips"].sum().rename_axis(["unique_id", "ds"]).reset_index(name="y")
        for column in ["unique_id", *columns]
    ]
    return pd.concat(parts), trips[["unique_id", *columns]].drop_duplicates("unique_id")
