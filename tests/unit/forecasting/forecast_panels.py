"""Panels that tests of forecasting share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

START = pd.Timestamp("2023-01-02")


def weekly(name: Any, values: Any, *, start: pd.Timestamp = START) -> pd.DataFrame:
    """One series on Mondays."""
    ds = start + pd.to_timedelta(7 * np.arange(len(values)), unit="D")
    return pd.DataFrame({"unique_id": name, "ds": ds, "y": np.asarray(values, dtype=float)})


def hostile() -> pd.DataFrame:
    """Every shape a history can have, one series each."""
    draw = np.random.default_rng(5)
    sparse = np.where(draw.random(60) < 0.2, draw.integers(1, 9, 60), 0)
    season = 50 + 30 * np.sin(2 * np.pi * np.arange(120) / 52)
    shapes = {
        "constant": np.full(40, 7.0),
        "all zero": np.zeros(30),
        "one point": [12.0],
        "one zero": [0.0],
        "two points": [3.0, 9.0],
        "one sale long ago": [50.0, *np.zeros(50)],
        "one sale last": [*np.zeros(50), 50.0],
        "intermittent": sparse,
        "trend": np.arange(1.0, 61),
        "collapse": [*np.full(40, 100.0), *np.zeros(5)],
        "explosion": 1.3 ** np.arange(60),
        "huge": draw.gamma(4, 2e13, 60).clip(max=9e14),
        "tiny": draw.gamma(4, 1e-9, 60),
        "season": season + draw.normal(0, 2, 120),
        "erratic": draw.gamma(0.5, 40, 60),
        "smooth": 100 + draw.normal(0, 5, 60),
        "alternating": np.tile([0.0, 9.0], 25),
    }
    return pd.concat([weekly(name, values) for name, values in shapes.items()], ignore_index=True)
