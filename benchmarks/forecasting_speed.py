"""Seconds for a weekly forecast of ever more series, and Theta against the same model fitted one by one.

    python benchmarks/forecasting_speed.py [--series 1000 10000 25000] [--weeks 104] [--processes 2]
                                           [--regular 1.0] [--tier bulk]

The panels are seeded and hold a row for every week. Regular series (the dearest) sell every week, with a
year's season; the others now and then. The floor of the Theta models is statsforecast, if installed, or
statsmodels, timed on a sample, on one core as ours is.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from statsmodels.tsa.forecasting.theta import ThetaModel

from forecasting import forecast_demand
from forecasting.methods.ragged import Ragged
from forecasting.methods.theta import theta

MONDAY = pd.Timestamp("2023-01-02")
HORIZON = 8
OURS, FLOOR = 20_000, 200


def units(series: int, weeks: int, regular: float, *, seed: int = 0) -> np.ndarray:
    """Units (series, weeks) sold, of which a share `regular` sells every week."""
    draw = np.random.default_rng(seed)
    size = draw.lognormal(3.0, 1.0, series)
    year = 1 + 0.3 * np.sin(2 * np.pi * np.arange(weeks) / 52)
    sold = np.empty((series, weeks))
    for start in range(0, series, 50_000):
        part = size[start : start + 50_000, None]
        sold[start : start + 50_000] = np.ceil(draw.gamma(8.0, part / 8, (len(part), weeks)) * year)
    thin = np.flatnonzero(draw.random(series) >= regular)
    sold[thin] *= draw.random((len(thin), weeks)) < draw.uniform(0.02, 0.6, len(thin))[:, None]
    return sold


def history(sold: np.ndarray) -> pd.DataFrame:
    series, weeks = sold.shape
    names = np.array([f"SKU-{number:07d}" for number in range(series)], dtype=object)
    ds = (MONDAY + pd.to_timedelta(7 * np.arange(weeks), unit="D")).to_numpy()
    return pd.DataFrame({"unique_id": np.repeat(names, weeks), "ds": np.tile(ds, series), "y": sold.ravel()})


def seconds_of(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def cpu_seconds() -> float:
    """Of this process and those it has waited for: unlike the clock's they don't grow with others' load."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def compare_theta(weeks: int) -> None:
    """Microseconds a series on one core, of the dynamic optimised model where the floor has it."""
    sold = units(OURS, weeks, 1.0, seed=1)
    data = Ragged(
        (sold / sold.mean(axis=1, keepdims=True)).T.copy(), np.full(OURS, weeks), np.full(weeks, OURS)
    )
    blocks = [
        Ragged(data.values[:, start : start + 2000].copy(), np.full(2000, weeks), np.full(weeks, 2000))
        for start in range(0, OURS, 2000)
    ]
    ours = seconds_of(lambda: [theta(block, HORIZON) for block in blocks]) / OURS
    name, one = _floor_model()
    one(sold[0])  # what compiles on first use does so here
    floor = seconds_of(lambda: [one(y) for y in sold[:FLOOR]]) / FLOOR
    print(f"theta: {ours * 1e6:.0f} µs a series; {name}: {floor * 1e6:.0f} µs; ratio {floor / ours:.0f}")


def _floor_model() -> tuple[str, Callable[[np.ndarray], object]]:
    if importlib.util.find_spec("statsforecast"):
        from statsforecast.models import DynamicOptimizedTheta

        model = DynamicOptimizedTheta(season_length=1)
        return "statsforecast", lambda y: model.forecast(y=y, h=HORIZON)

    def fit(y: np.ndarray) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ThetaModel(y, period=1, deseasonalize=False).fit().forecast(HORIZON)

    return "statsmodels", fit


def time_panel(series: int, chosen: argparse.Namespace) -> None:
    frame = history(units(series, chosen.weeks, chosen.regular))
    start, before = time.perf_counter(), cpu_seconds()
    found = forecast_demand(frame, horizon=HORIZON, freq="W", processes=chosen.processes, tier=chosen.tier)
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{series:>9,} series × {chosen.weeks} weeks, {HORIZON} ahead: {seconds:6.1f} s, "
        f"{seconds / series * 1e6:4.0f} µs a series; "
        f"{cpu:6.1f} s of CPU, {cpu / series * 1e6:4.0f} µs a series; peak {peak:.1f} GB"
    )
    print(f"          methods {(found['method'].value_counts() // HORIZON).to_dict()}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[1_000, 10_000, 25_000])
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--regular", type=float, default=1.0, help="share of series that sell every week")
    parser.add_argument("--tier", default="bulk")
    chosen = parser.parse_args()
    compare_theta(chosen.weeks)
    for series in chosen.series:
        time_panel(series, chosen)


if __name__ == "__main__":
    main()
