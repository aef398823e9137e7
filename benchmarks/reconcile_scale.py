"""Seconds to make a million forecasts add up, over one sort of as many numbers in the same run.

    python benchmarks/reconcile_scale.py [--bottom 1000000] [--steps 8]

Seeded: bottom series are SKU × region; SKUs, regions, categories and everything are their totals, each with a
base forecast of its own that is some per cent off.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from forecasting.reconcile import Hierarchy, Level, coherent

REGIONS, CATEGORIES = 20, 50


def tree(bottom: int) -> Hierarchy:
    series = np.arange(bottom)
    sku = series // REGIONS
    levels, first = [], bottom
    for of in (sku, sku % CATEGORIES, series % REGIONS, np.zeros(bottom, dtype=np.int64)):
        count = int(of.max()) + 1
        levels.append(Level(first + np.arange(count), series, of))
        first += count
    return Hierarchy(series, tuple(levels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bottom", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=8)
    chosen = parser.parse_args()
    draw, shape = np.random.default_rng(0), tree(chosen.bottom)
    units = draw.lognormal(2.0, 1.0, chosen.bottom)
    level = np.concatenate([units, *(one.sums(units) for one in shape.levels)])
    deviation = 0.3 * level**0.75
    base = np.maximum(level[:, None] + deviation[:, None] * draw.normal(size=(len(level), chosen.steps)), 0)
    start = time.perf_counter()
    found = coherent(base, deviation**2, shape)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    np.sort(base, axis=0)
    floor = time.perf_counter() - start
    gap = max(np.abs(found[one.totals] - one.sums(found[shape.bottom])).max() for one in shape.levels)
    error = [float(np.sqrt(((part - level[:, None])[: chosen.bottom] ** 2).mean())) for part in (base, found)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{chosen.bottom} bottom series, {len(level) - chosen.bottom} totals, {chosen.steps} steps")
    print(f"largest gap {gap:.1e}, bottom RMSE {error[1]:.3f} after {error[0]:.3f}, peak {peak:.0f} MB")
    print(f"seconds {seconds:.2f}, floor (a sort) {floor:.2f}, ratio {seconds / floor:.1f}")


if __name__ == "__main__":
    main()
