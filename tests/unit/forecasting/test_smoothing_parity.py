"""The dense methods are statsmodels' own, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import Holt, SimpleExpSmoothing

from forecasting import simple, smoothing

DRAW = np.random.default_rng(11)
LEVEL = 100 + np.cumsum(DRAW.normal(0.5, 3, 60))


@pytest.mark.parametrize("seed", range(5))
def test_theta_is_statsmodels_theta(seed: int) -> None:
    series = 1 + np.cumsum(np.random.default_rng(seed).normal(0.01, 0.05, 60))
    direct = ThetaModel(series, period=1, deseasonalize=False).fit().forecast(12)
    assert smoothing.theta_forecast(series, 12) == pytest.approx(np.asarray(direct), rel=1e-3)


def test_the_damped_trend_is_statsmodels_holt() -> None:
    model = Holt(LEVEL, damped_trend=True, initialization_method="legacy-heuristic")
    direct = model.fit(use_brute=False).forecast(12)
    assert smoothing.damped_forecast(LEVEL, 12)[0] == pytest.approx(np.asarray(direct), rel=1e-9)


def test_the_slow_mean_is_statsmodels_simple_smoothing() -> None:
    model = SimpleExpSmoothing(LEVEL, initialization_method="known", initial_level=LEVEL[:10].mean())
    direct = model.fit(smoothing_level=0.15, optimized=False).forecast(3)
    assert smoothing.slow_forecast(LEVEL, 3).mean == pytest.approx(np.asarray(direct))


def test_a_smooth_series_gets_the_mean_of_theta_and_damped_trend() -> None:
    scaled = LEVEL / LEVEL.mean()
    parts = smoothing.theta_forecast(scaled, 6) + smoothing.damped_forecast(scaled, 6)[0]
    fit = smoothing.fit_dense(LEVEL, horizon=6, season_length=1)
    assert fit.mean == pytest.approx(parts / 2 * LEVEL.mean())


@pytest.mark.parametrize("length", [4, 7, 12])
def test_a_season_is_found_removed_and_put_back(length: int) -> None:
    cycle = 10 * np.cos(2 * np.pi * np.arange(length * 6) / length)
    plain, season = smoothing.deseasonalise(100 + cycle, length)
    assert season is not None
    assert plain == pytest.approx(100, abs=0.6)
    assert season.apply(np.full(length, 100.0)) == pytest.approx(100 + cycle[:length], abs=0.6)


def test_noise_has_no_season_and_a_season_needs_two_years() -> None:
    assert smoothing.deseasonalise(100 + np.random.default_rng(0).normal(0, 1, 60), 12)[1] is None
    assert smoothing.deseasonalise(np.tile(np.arange(1.0, 13), 2)[:23], 12)[1] is None


def test_sba_is_crostons_size_over_interval_less_its_bias() -> None:
    matrix = np.array([[2.0, 0, 0, 2, 0, 0, 2, 0, 0, 2]])
    level, _ = simple.running_sba(matrix, np.array([10]), smoothing=0.1)
    interval = 1.0
    for number in range(2, 5):
        interval += max(0.1, 1 / number) * (3 - interval)
    assert level[0] == pytest.approx(0.95 * 2 / interval)


def test_tsb_of_a_steady_pattern_is_its_mean_and_falls_while_nothing_is_sold() -> None:
    sold = np.tile([0.0, 6.0], 100)
    idle = np.concatenate([sold, np.zeros(20)])
    matrix = np.vstack([np.concatenate([np.zeros(20), sold]), idle])
    level, _ = simple.running_tsb(matrix, np.array([200, 220]), occurrence=0.05, size=0.05)
    assert level[0] == pytest.approx(3.0, rel=0.06)
    assert level[1] < level[0] / 2
