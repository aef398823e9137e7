"""Real panels with what came after, and the measures of the M competitions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HEADWATER_SHARED", str(ROOT.parent / "shared"))) / "data"
STEP = {"M": "MS", "Q": "QS", "Y": "YS", "H": "h", "D": "D", "W": "W-MON"}


@dataclass(frozen=True)
class Contest:
    """Histories of unlike lengths, what came after them (n, h), their frequency and season."""

    known: list[np.ndarray]
    actual: np.ndarray
    freq: str
    season: int

    @property
    def horizon(self) -> int:
        return self.actual.shape[1]

    def history(self) -> pd.DataFrame:
        """The frame that forecast_demand takes; dates are made up, all series start together."""
        longest = pd.date_range("1900-01-01", periods=max(map(len, self.known)), freq=STEP[self.freq])
        lengths = [len(y) for y in self.known]
        ids = np.repeat([f"s{row:05d}" for row in range(len(lengths))], lengths)
        steps = np.concatenate([np.arange(length) for length in lengths])
        return pd.DataFrame({"unique_id": ids, "ds": longest[steps], "y": np.concatenate(self.known)})

    def cells(self, answer: pd.DataFrame, column: str) -> np.ndarray:
        return answer[column].to_numpy(dtype=float).reshape(self.actual.shape)

    def smape(self, mean: np.ndarray) -> float:
        return float(200 * np.mean(np.abs(mean - self.actual) / (np.abs(mean) + np.abs(self.actual))))

    def mase(self, mean: np.ndarray) -> float:
        lag = self.season
        scale = np.array([np.abs(y[lag:] - y[:-lag]).mean() for y in self.known])[:, None]
        return float(np.mean(np.abs(mean - self.actual) / scale))

    def owa(self, mean: np.ndarray) -> float:
        """The mean of sMAPE and MASE, each over that of the seasonally adjusted naive forecast."""
        naive = np.array([naive2(y, self.season, self.horizon) for y in self.known])
        return (self.smape(mean) / self.smape(naive) + self.mase(mean) / self.mase(naive)) / 2

    def coverage(self, answer: pd.DataFrame, level: int) -> float:
        low, high = (self.cells(answer, f"{side}-{level}") for side in ("lo", "hi"))
        return float(np.mean((self.actual >= low) & (self.actual <= high)))

    def interval_score(
        self, low: dict[int, np.ndarray], high: dict[int, np.ndarray], mid: np.ndarray
    ) -> float:
        """Weighted interval score (Bracher, Ray, Gneiting & Reich 2021), each series over its mean step."""
        found = np.abs(self.actual - mid) / 2
        for level in low:
            share = 1 - level / 100
            below, above = low[level] - self.actual, self.actual - high[level]
            width = high[level] - low[level]
            found += share / 2 * width + np.maximum(below, 0) + np.maximum(above, 0)
        scale = np.array([np.abs(np.diff(y)).mean() for y in self.known])[:, None]
        return float(np.mean(found / scale) / (len(low) + 0.5))


def need(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; set HEADWATER_SHARED to the folder with the real data")
    return path


def m3(period: str, freq: str, season: int) -> Contest:
    return _split(pl.read_parquet(need("m3.parquet")).filter(pl.col("period") == period), freq, season)


def m4_hourly() -> Contest:
    return _split(pl.read_parquet(need("m4_hourly.parquet")), "H", 24)


def wide(name: str, horizon: int) -> Contest:
    """Monthly counts, one column a series; columns with a gap are left out."""
    frame = pl.read_parquet(need(name)).to_numpy().T.astype(float)
    frame = frame[~np.isnan(frame).any(axis=1)]
    return Contest(list(frame[:, :-horizon]), frame[:, -horizon:], "M", 12)


def _split(frame: pl.DataFrame, freq: str, season: int) -> Contest:
    frame = frame.sort("unique_id", "i")
    known, actual = (
        [part["y"].to_numpy() for part in half.partition_by("unique_id", maintain_order=True)]
        for half in (frame.filter(pl.col("set") == "train"), frame.filter(pl.col("set") == "test"))
    )
    return Contest(known, np.array(actual), freq, season)


def naive2(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The last value, of the series freed of its season where the M4 competition's test finds one."""
    if season == 1 or not _has_season(y, season):
        return np.full(horizon, y[-1])
    weights = np.ones(season + 1) / season
    weights[[0, -1]] /= 2
    trend = np.full(len(y), np.nan)
    trend[season // 2 : len(y) - season // 2] = np.convolve(y, weights, mode="valid")
    phase = np.arange(len(y)) % season
    indices = np.array([np.nanmean((y / trend)[phase == step]) for step in range(season)])
    indices /= indices.mean()
    return y[-1] / indices[phase[-1]] * indices[(len(y) + np.arange(horizon)) % season]


def _has_season(y: np.ndarray, season: int) -> bool:
    if len(y) < 3 * season:
        return False
    apart = y - y.mean()
    lags = np.array([apart[:-lag] @ apart[lag:] for lag in range(1, season + 1)]) / (apart @ apart)
    return bool(abs(lags[-1]) > 1.645 * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / len(y)))
