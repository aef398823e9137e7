"""Landing on real bookings, with bounds that only a regression would break."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from forecasting import forecast_landing

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("HEADWATER_SHARED", str(ROOT.parent / "shared"))) / "data"
pytestmark = pytest.mark.real_data


def need(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    return path


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
