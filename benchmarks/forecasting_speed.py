"""Seconds for a weekly forecast of a wholesaler's whole range, over a floor measured in the same run.

    python benchmarks/forecasting_speed.py [--series 25000] [--weeks 53] [--processes 2]

The panel is seeded: most series sell a few times a year, some every second week, one in nine every week. The
floor is one plain statsmodels SimpleExpSmoothing fit per series, timed on a sample and scaled up.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from forecasting import forecast_demand

MONDAY = pd.Timestamp("2023-01-02")
FLOOR_SAMPLE = 300


def matrix(series: int, weeks: int, *, seed: int = 0) -> np.ndarray:
    """Units (series, weeks): chance and size of a sale differ by series, half the dense are smooth."""
    draw = np.random.default_rng(seed)
    kind = draw.choice(3, size=series, p=[0.70, 0.19, 0.11])
    chance = np.choose(
        kind, [draw.uniform(0.01, 0.08, series), draw.uniform(0.2, 0.6, series), np.ones(series)]
    )
    size = draw.lognormal(2.5, 1.0, series)
    spread = np.where((kind == 2) & (draw.random(series) < 0.5), 20.0, 1.0)
    units = np.ceil(draw.gamma(spread[:, None], (size / spread)[:, None], (series, weeks)))
    return units * (draw.random((series, weeks)) < chance[:, None])


def history(units: np.ndarray) -> pd.DataFrame:
    """Rows of periods with a sale only, as a roll-up of orders gives them."""
    row, week = np.nonzero(units)
    names = np.array([f"SKU-{number:05d}" for number in range(len(units))], dtype=object)
    ds = MONDAY + pd.to_timedelta(7 * week, unit="D")
    return pd.DataFrame({"unique_id": names[row], "ds": ds, "y": units[row, week]})


def floor_seconds(units: np.ndarray) -> float:
    """One statsmodels fit per series, scaled up from a sample."""
    sample = units[units.any(axis=1)][:FLOOR_SAMPLE]
    start = time.perf_counter()
    for y in sample:
        SimpleExpSmoothing(y, initialization_method="legacy-heuristic").fit(use_brute=False)
    return (time.perf_counter() - start) / len(sample) * len(units)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=25_000)
    parser.add_argument("--weeks", type=int, default=53)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    units = matrix(chosen.series, chosen.weeks)
    frame = history(units)
    end = MONDAY + pd.Timedelta(weeks=chosen.weeks - 1)
    start = time.perf_counter()
    found = forecast_demand(frame, horizon=8, freq="W", end=end, processes=chosen.processes)
    seconds = time.perf_counter() - start
    floor = floor_seconds(units)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{frame['unique_id'].nunique()} series, {len(frame)} sales, {chosen.weeks} weeks, 8 ahead")
    print(f"methods: {(found['method'].value_counts() // 8).to_dict()}")
    print(f"seconds {seconds:.1f} with {chosen.processes} processes, peak {peak:.0f} MB in the parent")
    print(f"floor {floor:.1f} s on one core, ratio {seconds / floor:.2f}")


if __name__ == "__main__":
    main()
