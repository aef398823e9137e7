"""How the cost of landings grows: seconds and seconds a curve, as ratio to reading the same frames.

    python benchmarks/landing_scale.py [--most 18000]

Worlds of U-shaped campaigns of 40 days, a sixth of them running at any day of their window, each in 6 SKUs
and 5 regions. The floor is `read_curves`, which every method needs.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from forecasting import forecast_landing
from forecasting.curves.scaled import read_curves

DAYS, SKUS, REGIONS = 40, 6, 5


def world(campaigns: int, *, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Finished and running campaigns, the latter a sixth."""
    draw = np.random.default_rng(seed)
    elapsed = np.arange(1, DAYS + 1) / DAYS
    rate = np.exp(-elapsed / 0.06) + 0.2 + np.exp((elapsed - 1) / 0.09)
    volume = draw.gamma(3, 60, (campaigns, 1, 1)) * draw.gamma(4, 0.25, (1, SKUS, REGIONS))
    rises = draw.poisson(volume[..., None] * rate / rate.sum())
    units = np.concatenate([np.zeros((campaigns, SKUS, REGIONS, 1)), rises.cumsum(axis=-1)], axis=-1)
    number, sku, region, day = (axis.ravel() for axis in np.indices(units.shape))
    numbers, open_from = np.arange(campaigns), campaigns - campaigns // 6
    today = draw.integers(1, DAYS, campaigns)
    days = np.where(numbers >= open_from, DAYS - today, numbers - campaigns)
    end = pd.Timestamp("2026-01-01") + pd.to_timedelta(days, "D")
    cells = {"campaign_id": number, "sku": sku, "region": region, "end": end[number], "window_days": DAYS}
    frame = pd.DataFrame(cells | {"elapsed_day": day, "cum_units": units.ravel()})
    running = number >= open_from
    return frame[~running], frame[running & (day <= today[number])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=18_000, help="curves, finished and running")
    most = parser.parse_args().most
    print(f"{'curves':>8}{'running':>9}{'seconds':>9}{'ms/curve':>10}{'x reading':>11}")
    for campaigns in (12, 40, 120, 360, 600):
        if campaigns * SKUS * REGIONS > most:
            break
        finished, running = world(campaigns)
        begun = time.perf_counter()
        read_curves(finished, what="finished"), read_curves(running, what="running")
        read = time.perf_counter() - begun
        begun = time.perf_counter()
        landed = len(forecast_landing(finished, running))
        took = time.perf_counter() - begun
        curves = campaigns * SKUS * REGIONS
        print(f"{curves:8,}{landed:9,}{took:9.1f}{1000 * took / curves:10.2f}{took / read:11.1f}", flush=True)


if __name__ == "__main__":
    main()
