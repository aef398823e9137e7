"""Finished and running campaigns whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

DAYS = 40
BOUNDS = ["lo-95", "lo-80", "mean", "hi-80", "hi-95"]


def curve(
    name: str, units: Any, *, sku: str = "S", region: str = "R", window: int = DAYS, end: str = "2024-03-01"
) -> pd.DataFrame:
    return pd.DataFrame({
        "campaign_id": name, "sku": sku, "region": region, "end": pd.Timestamp(end), "window_days": window,
        "elapsed_day": np.arange(len(units)), "cum_units": np.asarray(units, dtype=float),
    })  # fmt: skip


def drawn(count: int, *, seed: int = 0, regions: tuple[str, ...] = ("N", "S")) -> pd.DataFrame:
    """Back-loaded curves of some hundred units."""
    draw = np.random.default_rng(seed)
    share = (np.arange(DAYS + 1) / DAYS) ** 2
    rise = np.diff(share, prepend=0)
    return pd.concat(
        curve(f"c{number}", np.cumsum(draw.poisson(rise * draw.gamma(8, 40))), region=region)
        for number in range(count)
        for region in regions
    )


def cut(frame: pd.DataFrame, day: int) -> pd.DataFrame:
    return frame[frame["elapsed_day"] <= day]
