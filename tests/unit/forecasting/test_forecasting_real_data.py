"""Accuracy and coverage on real series, with bounds that only a regression would break."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import forecast_demand, forecast_landing

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("HEADWATER_SHARED", str(ROOT.parent / "shared"))) / "data"
HORIZON, SEASON = 18, 12
pytestmark = pytest.mark.real_data


def need(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    return path


@pytest.fixture(scope="module")
def monthly() -> pl.DataFrame:
    """Every seventh monthly series of the M3 competition, dates made up from 1970-01 on."""
    frame = pl.read_parquet(need("m3.parquet")).filter(pl.col("period") == "monthly")
    chosen = frame["unique_id"].unique().sort().gather_every(7)[:200]
    frame = frame.filter(pl.col("unique_id").is_in(chosen.to_list())).sort(
        "unique_id", pl.col("set") == "test", "i"
    )
    month = pl.int_range(pl.len()).over("unique_id").cast(pl.String) + "mo"
    return frame.with_columns(ds=pl.lit("1970-01-01").str.to_date().dt.offset_by(month))


def test_m3_monthly_beats_the_seasonal_naive_and_covers(monthly: pl.DataFrame) -> None:
    train = monthly.filter(pl.col("set") == "train").select("unique_id", "ds", "y")
    actual = monthly.filter(pl.col("set") == "test")["y"].to_numpy().reshape(-1, HORIZON)
    found = forecast_demand(train, horizon=HORIZON, freq="M")
    mean = found["mean"].to_numpy().reshape(-1, HORIZON)
    series = [part["y"].to_numpy() for part in train.partition_by("unique_id", maintain_order=True)]
    naive = np.array([np.resize(y[-SEASON:], HORIZON) for y in series])
    scale = np.array([np.abs(y[SEASON:] - y[:-SEASON]).mean() for y in series])[:, None]
    smape, mase = _smape(mean, actual), float((np.abs(mean - actual) / scale).mean())
    owa = (smape / _smape(naive, actual) + mase / float((np.abs(naive - actual) / scale).mean())) / 2
    within = {
        level: float(
            np.mean((actual.ravel() >= found[f"lo-{level}"]) & (actual.ravel() <= found[f"hi-{level}"]))
        )
        for level in (80, 95)
    }
    print(f"\nM3, {len(series)}: sMAPE {smape:.2f}, MASE {mase:.3f}, OWA {owa:.3f} to the seasonal naive")
    print(f"coverage {within[80]:.3f} of 0.80, {within[95]:.3f} of 0.95")
    assert smape < 16.0
    assert owa < 0.95
    assert 0.72 < within[80] < 0.90
    assert 0.89 < within[95] < 0.995


def test_advance_bookings_land_near_where_they_ended() -> None:
    """Causal: only what had ended by a running campaign's today is known of the others."""
    frame = pl.read_parquet(need("advance_bookings_to_2016_09.parquet"))
    curves = pd.DataFrame({name: frame[name].to_list() for name in frame.columns}).assign(window_days=90)
    ends = curves.groupby("campaign_id")["end"].first().sort_values(kind="stable")
    final = curves.groupby("campaign_id")["cum_units"].last()
    erred, within = [], []
    for end, group in ends.iloc[-120:].groupby(ends.iloc[-120:]):
        done = ends[ends <= end - pd.Timedelta(days=45)].index
        running = curves[curves["campaign_id"].isin(group.index) & (curves["elapsed_day"] <= 45)]
        found = forecast_landing(curves[curves["campaign_id"].isin(done)], running)
        actual = final[found["campaign_id"]].to_numpy()
        erred.append((np.abs(found["mean"].to_numpy(dtype=float) - actual).sum(), actual.sum()))
        within.extend((actual >= found["lo-80"]) & (actual <= found["hi-80"]))
    wape = sum(error for error, _ in erred) / sum(total for _, total in erred)
    print(f"\nadvance bookings at half time: WAPE {wape:.3f}, coverage {np.mean(within):.3f} of 0.80")
    assert wape < 0.36
    assert 0.7 < np.mean(within) < 0.97


def _smape(mean: np.ndarray, actual: np.ndarray) -> float:
    return float(200 * np.mean(np.abs(mean - actual) / (np.abs(mean) + np.abs(actual))))
