"""Forecasts that add up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    assert set(found["method"]) == {"base+levels"}


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


def test_two_unsure_parts_take_up_two_thirds_of_the_gap_by_their_variance() -> None:
    """Parts of deviation 1, a total of variance 2: (1 + 1)² / ((1 + 1)² + 2) of a gap of 6 is 4."""
    width = 1.2815515655446004
    days = pd.to_datetime(["2024-01-01"])
    frame = pd.DataFrame(
        {"unique_id": ["a", "b", "both"], "ds": np.tile(days, 3), "mean": [10.0, 20.0, 36.0]}
    )
    spread = np.array([width, width, width * np.sqrt(2)])
    frame = frame.assign(**{"lo-80": frame["mean"] - spread, "hi-80": frame["mean"] + spread})
    found = reconcile(frame, pd.DataFrame({"unique_id": ["a", "b"], "total": ["both", "both"]}))
    assert found["mean"].to_numpy() == pytest.approx([12, 22, 34])


def test_a_total_of_everything_is_believed_more_than_many_parts_that_err_together() -> None:
    """40 parts are forecast a quarter too low, their total rightly: the sum must come near it."""
    days = pd.to_datetime(["2024-01-01"])
    names = [f"s{number}" for number in range(40)]
    frame = pd.DataFrame(
        {"unique_id": [*names, "all"], "ds": np.tile(days, 41), "mean": [7.5] * 40 + [400.0]}
    )
    spread = np.array([5.0] * 40 + [60.0])
    frame = frame.assign(**{"lo-80": frame["mean"] - spread, "hi-80": frame["mean"] + spread})
    found = reconcile(frame, pd.DataFrame({"unique_id": names, "total": "all"}))
    assert found["mean"].iloc[-1] == pytest.approx(391, abs=5)


def test_a_bound_at_zero_stays_there_when_the_mean_rises() -> None:
    frame = base([1, 1, 1, 1, 4, 4, 4, 4, 8], width=2.0)
    found = reconcile(frame, GROUPS).head(8)
    assert (found["mean"] > 1.2).all()
    assert (found["lo-80"] == 0).all()
    assert (found["hi-80"] >= 3 * found["mean"] - 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=9, max_size=9), st.floats(1e-3, 1e4))
def test_whatever_is_forecast_adds_up_and_is_not_negative(means: list[float], width: float) -> None:
    found = reconcile(base(means, width=width), GROUPS)
    assert sums_gap(found) <= 1e-9 * max(1.0, *means)
    bounds = found[["lo-80", "mean", "hi-80"]].to_numpy()
    assert (bounds >= 0).all()
    assert (np.diff(bounds, axis=1) >= -1e-9).all()


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
        (lambda f, g: (f, g.assign(other=["a", "b", "a", "b"])), "a", "a total of other parts"),
        (lambda f, g: (f.iloc[1:], g), "a-N", "lacks a forecast"),
        (lambda f, g: (pd.concat([f, f.tail(1)]), g), "all", "two forecasts"),
        (lambda f, g: (f.assign(mean=f["mean"].where(f["unique_id"] != "b")), g), "b", "no value"),
    ],
)
def test_what_does_not_fit_is_named(spoil: Any, series: str, sentence: str) -> None:
    with pytest.raises(ForecastInputError, match=sentence) as caught:
        reconcile(*spoil(base(UNEQUAL), GROUPS))
    assert caught.value.series == series


@pytest.mark.parametrize("level", ["", "xx", "0", "200", "nan", "-80"])
def test_a_bound_of_no_level_is_named(level: str) -> None:
    wrong = base(UNEQUAL).rename(columns={f"{side}-80": f"{side}-{level}" for side in ("lo", "hi")})
    with pytest.raises(ForecastInputError, match=r"name its level in percent, as in lo-80") as caught:
        reconcile(wrong, GROUPS)
    assert caught.value.field == f"lo-{level}"


def test_a_level_may_be_written_with_its_decimals_and_no_bound_is_negative() -> None:
    usual = base(UNEQUAL)
    named = usual.rename(columns={f"{side}-80": f"{side}-80.0" for side in ("lo", "hi")})
    found = reconcile(named, GROUPS).rename(columns=lambda name: name.removesuffix(".0"))
    pd.testing.assert_frame_equal(found, reconcile(usual, GROUPS))
    below = usual.assign(**{"mean": -usual["mean"], "lo-80": -usual["mean"] - 4})
    assert (reconcile(below, GROUPS)[["mean", "lo-80", "hi-80"]] >= 0).all(axis=None)


@pytest.mark.real_data
def test_tourism_is_forecast_better_at_every_level_for_adding_up() -> None:
    path = DATA / "australia_tourism.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    history, groups = _tourism(path)
    days = np.sort(history["ds"].unique())
    erred: dict[str, list[float]] = {}
    for back in (8, 12, 16, 20, 24):
        known, came = history[history["ds"] < days[-back]], history[history["ds"] >= days[-back]]
        plain = forecast_demand(known, horizon=8, freq="Q")
        found = reconcile(plain, groups)
        assert sums_gap(found, groups) < 1e-6
        assert (found["mean"] >= 0).all()
        for level in groups.columns:
            for frame, when in ((plain, "before"), (found, "after")):
                cells = frame[frame["unique_id"].isin(groups[level])].merge(came, on=["unique_id", "ds"])
                wape = float((cells["mean"] - cells["y"]).abs().sum() / cells["y"].sum())
                erred.setdefault(f"{level} {when}", []).append(wape)
    for level in groups.columns:
        before, after = (float(np.mean(erred[f"{level} {when}"])) for when in ("before", "after"))
        print(f"\ntourism, {level}: WAPE {before:.4f} as forecast, {after:.4f} made to add up", end="")
        assert after <= 1.01 * before
    assert all(
        after <= 1.01 * before
        for before, after in zip(erred["unique_id before"], erred["unique_id after"], strict=True)
    )


@pytest.mark.real_data
def test_totals_of_tourism_hold_what_their_bounds_say() -> None:
    path = DATA / "australia_tourism.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    history, groups = _tourism(path)
    totals = history[history["unique_id"].isin([*groups["State"], *groups["Purpose"], "all"])]
    days = np.sort(totals["ds"].unique())
    made = []
    for origin in range(36, 73, 4):
        known = totals[totals["ds"] < days[origin]]
        made.append(forecast_demand(known, horizon=8, freq="Q").merge(totals, on=["unique_id", "ds"]))
    cells = pd.concat(made)
    inside = {
        level: cells["y"].between(cells[f"lo-{level}"], cells[f"hi-{level}"]).mean() for level in (80, 95)
    }
    print(f"\ntotals of tourism, {len(made)} origins: {inside[80]:.3f} in 80 %, {inside[95]:.3f} in 95 %")
    assert inside[80] == pytest.approx(0.80, abs=0.05)
    assert inside[95] == pytest.approx(0.95, abs=0.03)


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
