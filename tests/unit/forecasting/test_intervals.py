"""Bounds of few series, as totals are: their own errors count."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasting import forecast_demand, intervals
from forecasting.methods import shape
from forecasting.methods.points import Points

STEPS = 4


def points(count: int) -> Points:
    kind = np.full(count, shape.DENSE, dtype=object)
    return Points(np.full((count, STEPS), 100.0), np.ones(count), kind, kind)


def errors(scales: list[float], *, origins: int = 12, apart: float = 4.0) -> intervals.Errors:
    draw = np.random.default_rng(4)
    series = np.tile(np.arange(len(scales)), origins)
    scaled = draw.normal(0, 1, (len(series), STEPS)) * np.array(scales)[series, None]
    kind = np.full(len(series), shape.DENSE, dtype=object)
    return intervals.Errors(scaled, kind, kind, series, apart)


def width(found: dict[float, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    low, high = found[80]
    return np.asarray((high - low).mean(axis=1))


def test_a_series_whose_errors_grow_faster_than_others_has_wider_bounds_and_none_has_narrower_ones() -> None:
    known = errors([1.0] * 7 + [5.0])
    with_own = width(intervals.bounds(points(8), errors=known, levels=(80,)))
    pooled = width(intervals.bounds(points(8), errors=errors([1.0] * 7 + [5.0], apart=0.0), levels=(80,)))
    assert with_own[7] > 1.8 * pooled[7]
    assert np.allclose(with_own[:7], pooled[:7])


def test_errors_beyond_all_measure_widen_bounds_and_leave_them_finite() -> None:
    low, high = intervals.bounds(points(3), errors=errors([1.0, 1e300, 0.0]), levels=(80,))[80]
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    assert (low <= 100).all()
    assert (high >= 100).all()


def test_a_total_whose_parts_move_together_is_covered() -> None:
    """Eight noisy parts share one level, a random walk: their total has little noise, and all of the walk."""
    inside = []
    for seed in range(8):
        draw = np.random.default_rng(seed)
        level = 200 * np.exp(np.cumsum(draw.normal(0, 0.06, 88)))
        parts = draw.gamma(1.5, level / 1.5, (8, 88))
        rows = np.vstack([parts, parts.sum(axis=0) / 8 + 7 * level])
        days = pd.date_range("2024-01-01", periods=88, freq="7D")
        history = pd.DataFrame(
            {"unique_id": np.repeat([*"abcdefgh", "total"], 88), "ds": np.tile(days, 9), "y": rows.ravel()}
        )
        known = history[history["ds"] < days[80]]
        found = forecast_demand(known, horizon=8, freq="W", levels=(80,), tier="bulk")
        total, came = found[found["unique_id"] == "total"], rows[-1, 80:]
        inside.append((came >= total["lo-80"]) & (came <= total["hi-80"]))
    assert 0.65 < np.mean(inside) < 0.95


def test_a_width_learnt_from_few_errors_is_wider_the_surer_it_must_be_and_the_fewer_they_are() -> None:
    few, more = (intervals._for_few(apart, 95) for apart in (2.0, 12.0))
    assert few > more > 1
    assert few > intervals._for_few(2.0, 80) > 1
    assert intervals._for_few(0.0, 95) == 1
