"""What no door may do: look ahead, mind the order things are given in, or the unit they are counted in."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import landing_accuracy as accuracy
from forecasting import backtest, forecast_demand, reconcile

_spec = importlib.util.spec_from_file_location(
    "forecast_panels", Path(__file__).with_name("forecast_panels.py")
)
assert _spec and _spec.loader
panels = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(panels)

BOUNDS = ["lo-95", "lo-80", "mean", "hi-80", "hi-95"]
AHEAD, WEEKS = 4, 36
TODAY = panels.START + pd.Timedelta(weeks=WEEKS - AHEAD - 1)

every_tier = pytest.mark.parametrize(
    "tier", ["auto", "bulk", "accurate", pytest.param("explain", marks=pytest.mark.slow)]
)


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    """Shapes of demand, with promotions that are known ahead; its last weeks are the future of TODAY."""
    names = ["trend", "erratic", "intermittent"]
    panel = panels.hostile()
    panel = panel[panel["unique_id"].isin(names)].groupby("unique_id", sort=False).head(WEEKS)
    promo = np.random.default_rng(8).random(len(panel)) < 0.2
    return panel.assign(promo=promo.astype(float)).reset_index(drop=True)


def forecast(history: pd.DataFrame, tier: str, **rest: Any) -> pd.DataFrame:
    """The forecast at TODAY, whatever else `history` holds."""
    promo = history.loc[history["ds"] > TODAY, ["unique_id", "ds", "promo"]]
    return forecast_demand(
        history, horizon=AHEAD, freq="W", tier=tier, end=TODAY, future=promo, **rest
    )  # fmt: skip


@every_tier
def test_no_tier_sees_what_is_sold_later(history: pd.DataFrame, tier: str) -> None:
    later = history["ds"] > TODAY
    other = history.assign(y=history["y"].where(~later, 7 * history["y"] + 1234))
    pd.testing.assert_frame_equal(forecast(history, tier), forecast(other, tier), check_exact=True)


@every_tier
def test_no_tier_minds_the_order_of_rows_or_series(history: pd.DataFrame, tier: str) -> None:
    keys = ["unique_id", "ds"]
    plain, shuffled = (
        forecast(rows, tier).sort_values(keys).reset_index(drop=True)
        for rows in (history, history.sample(frac=1, random_state=4))
    )
    pd.testing.assert_frame_equal(plain, shuffled, check_exact=True)


@every_tier
def test_every_tier_scales_with_the_sales(history: pd.DataFrame, tier: str) -> None:
    plain, scaled = (forecast(history.assign(y=history["y"] * by), tier) for by in (1.0, 4096.0))
    assert list(plain["method"]) == list(scaled["method"])
    assert scaled[BOUNDS].to_numpy() == pytest.approx(plain[BOUNDS].to_numpy() * 4096, rel=1e-6)


def test_a_backtest_makes_its_forecasts_without_what_they_are_held_against(history: pd.DataFrame) -> None:
    later = history["ds"] > TODAY
    other = history.assign(y=history["y"].where(~later, 7 * history["y"] + 1234))
    made = []
    for frame in (history, other):
        found = backtest(frame, horizon=AHEAD, freq="W").set_index("method")
        sold = frame.groupby("unique_id")["y"].apply(lambda y: y.iloc[-AHEAD:].sum()).sum()
        made.append((1 + found.loc["all", "bias"]) * sold)
    assert made[0] == pytest.approx(made[1], rel=1e-9)


def test_a_landing_is_made_of_what_had_been_pledged_by_then() -> None:
    """All curves go otherwise from the day on which the last four are seen at a quarter of their window."""
    curves = accuracy.u_shaped(52)
    left = curves["window_days"] - curves["elapsed_day"]
    last = curves["end"].max()
    later = curves["end"] - pd.to_timedelta(left, "D") > last - pd.Timedelta(days=90 - 22)
    other = curves.assign(cum_units=curves["cum_units"].where(~later, 3 * curves["cum_units"] + 50))
    columns = [*BOUNDS, "median", "elapsed_day"]
    first, second = (accuracy.measure(frame, 0.25, campaigns=4) for frame in (curves, other))
    pd.testing.assert_frame_equal(first[columns], second[columns], check_exact=True)
    assert (first["actual"] < second["actual"]).all()


def coherent(means: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forecasts of two SKUs in two regions, of both kinds of totals and of everything; and what adds up."""
    names = ["a-N", "a-S", "b-N", "b-S", "a", "b", "N", "S", "all"]
    days = pd.date_range("2024-01-01", periods=2, freq="W-MON")
    frame = pd.DataFrame({"unique_id": np.repeat(names, 2), "ds": np.tile(days, len(names))})
    frame["mean"] = np.asarray(means, dtype=float)
    frame["lo-80"], frame["hi-80"] = 0.6 * frame["mean"], 1.5 * frame["mean"] + 1e-3
    parts = names[:4]
    groups = {"unique_id": parts, "sku": ["a", "a", "b", "b"], "region": ["N", "S"] * 2, "all": "all"}
    return frame, pd.DataFrame(groups)


def test_reconciling_minds_neither_order_nor_unit_nor_the_other_weeks() -> None:
    means = np.random.default_rng(6).gamma(2, 20, 18)
    frame, groups = coherent(means)
    plain = reconcile(frame, groups).set_index(["unique_id", "ds"])
    shuffled = reconcile(frame.sample(frac=1, random_state=2), groups.sample(frac=1, random_state=3))
    columns = ["mean", "lo-80", "hi-80"]
    again = shuffled.set_index(["unique_id", "ds"]).loc[plain.index, columns]
    pd.testing.assert_frame_equal(again, plain[columns], rtol=1e-12)
    scaled = frame.assign(**{name: 4096 * frame[name] for name in columns})
    again = reconcile(scaled, groups).set_index(["unique_id", "ds"])[columns]
    pd.testing.assert_frame_equal(again / 4096, plain[columns], rtol=1e-12)
    first = frame["ds"] == frame["ds"].min()
    other = frame.assign(mean=frame["mean"].where(first, 0.9 * frame["mean"]))
    again = reconcile(other, groups).set_index(["unique_id", "ds"])["mean"]
    week = frame["ds"].min()
    pd.testing.assert_series_equal(
        again.xs(week, level="ds"), plain["mean"].xs(week, level="ds"), check_exact=True
    )
