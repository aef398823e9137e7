"""The engines for many series at once do what their models say of one: against statsmodels and formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.seasonal import seasonal_decompose

from forecasting.methods import autoregression, combination, ets, seasons, simple, theta
from forecasting.methods.ragged import Ragged

DRAW = np.random.default_rng(11)
WALK = 1 + np.cumsum(DRAW.normal(0.005, 0.03, 60))
WALKS = [1 + np.cumsum(np.random.default_rng(seed).normal(0.01, 0.05, 40 + 5 * seed)) for seed in range(6)]


def beside(series: list[np.ndarray]) -> Ragged:
    """Series side by side, longest first."""
    ordered = sorted(series, key=len, reverse=True)
    values = np.zeros((len(ordered[0]), len(ordered)))
    for column, y in enumerate(ordered):
        values[: len(y), column] = y
    lengths = np.array([len(y) for y in ordered])
    return Ragged(values, lengths, np.array([(lengths > t).sum() for t in range(len(values))]))


def dynamic_theta(y: np.ndarray, alpha: float, start: float, weight: float) -> np.ndarray:
    """Errors of the model as its authors write it, one value after the other."""
    level, errors = start, []
    for t in range(1, len(y) + 1):
        slope, intercept = (
            np.polyfit(np.arange(1, t), y[: t - 1], 1) if t > 2 else (0.0, y[0] if t > 1 else 0.0)
        )
        fade = (1 - alpha) ** (t - 1)
        ahead = level + weight * (fade * intercept + (1 - fade * (1 - alpha)) / alpha * slope)
        errors.append(y[t - 1] - ahead)
        level += alpha * (y[t - 1] - level)
    return np.array(errors[theta.FIRST - 1 :])


def test_theta_finds_the_optimum_of_the_model_as_its_authors_write_it() -> None:
    data = beside(WALKS[:3])
    found = theta.fit(data, theta.lines_through(data))
    for column, y in enumerate(sorted(WALKS[:3], key=len, reverse=True)):
        best = minimize(
            lambda at, y=y: (dynamic_theta(y, *at) ** 2).sum(),
            [found.alpha[column], y[0], found.weight[column]],
            bounds=[(0.1, 0.99), (-10, 10), (0, 1)],
        )
        assert found.squares[column] <= best.fun * 1.001


def test_theta_of_a_long_steady_trend_is_statsmodels_theta() -> None:
    """The static model that statsmodels has and the dynamic one agree where the line no longer moves."""
    y = 1 + 0.01 * np.arange(300) + np.random.default_rng(0).normal(0, 0.02, 300)
    direct = np.asarray(ThetaModel(y, period=1, deseasonalize=False).fit().forecast(12))
    made = theta.theta(beside([y, y[:3]]), 12, weight=theta.STANDARD).mean[:, 0]
    assert made == pytest.approx(direct, rel=0.01)


FORMS = [(ets.LEVEL, None, False), (ets.LINEAR, "add", False), (ets.DAMPED, "add", True)]


@pytest.mark.parametrize(("form", "trend", "damped"), FORMS)
def test_smoothing_with_its_parameters_is_statsmodels_ets(form: ets.Form, trend: str, damped: bool) -> None:
    data = beside([WALK, WALK[:30]])
    found = ets.fit(data, form)
    model = ETSModel(WALK, trend=trend, damped_trend=damped)
    values = {
        "smoothing_level": found.alpha[0], "smoothing_trend": found.alpha[0] * found.share[0],
        "damping_trend": found.damping[0], "initial_level": found.level[0], "initial_trend": found.trend[0],
    }  # fmt: skip
    result = model.smooth([values[name] for name in model.param_names])
    assert found.squares[0] == pytest.approx(result.sse, rel=1e-6)
    assert ets._ahead(data, found, 9)[:, 0] == pytest.approx(np.asarray(result.forecast(9)), rel=1e-6)


@pytest.mark.parametrize(("form", "trend", "damped"), FORMS)
def test_the_grid_comes_as_near_as_statsmodels_search(form: ets.Form, trend: str, damped: bool) -> None:
    ordered = sorted(WALKS[:3], key=len, reverse=True)
    found = ets.fit(beside(WALKS[:3]), form)
    for column, y in enumerate(ordered):
        result = ETSModel(y, trend=trend, damped_trend=damped).fit(disp=False, maxiter=300)
        assert found.squares[column] <= result.sse * 1.03


def test_the_slow_mean_is_simple_smoothing_from_the_early_mean() -> None:
    made = combination.slow_mean(beside([WALK]), 3)
    model = ETSModel(WALK)
    result = model.smooth([combination.SLOW, WALK[:10].mean()])
    assert made.mean[:, 0] == pytest.approx(np.asarray(result.forecast(3)))
    assert made.sigma[0] == pytest.approx(np.sqrt(result.sse / len(WALK)))


def test_autoregression_finds_what_made_the_series() -> None:
    draw, y = np.random.default_rng(4), [0.0, 0.0]
    for _ in range(900):
        y.append(1.2 * y[-1] - 0.5 * y[-2] + draw.normal())
    made = autoregression.autoregression(beside([10 + np.array(y)]), 2, cycle=1)
    assert made.sigma[0] == pytest.approx(1.0, rel=0.1)
    centre = np.mean(y)
    truth = centre + 1.2 * (y[-1] - centre) - 0.5 * (y[-2] - centre)
    assert made.mean[0, 0] == pytest.approx(10 + truth, abs=0.2)


@pytest.mark.parametrize("length", [4, 7, 12])
@pytest.mark.parametrize("model", ["additive", "multiplicative"])
def test_plain_indices_are_those_of_classical_decomposition(length: int, model: str) -> None:
    time = np.arange(length * 6)
    cycle = np.cos(2 * np.pi * time / length) + DRAW.normal(0, 0.1, len(time))
    y = 10 + 0.1 * time + cycle if model == "additive" else (10 + 0.5 * time) * (1 + 0.3 * cycle)
    data = beside([y])
    season = seasons.decompose(data, length, np.array([True]))
    assert season.additive[0] == (model == "additive")
    direct = seasonal_decompose(y, model=model, period=length).seasonal[:length]
    assert season.indices[:, 0] == pytest.approx(direct, abs=0.03)


@pytest.mark.parametrize("length", [4, 7, 12])
def test_a_season_is_found_removed_and_put_back(length: int) -> None:
    cycle = 10 * np.cos(2 * np.pi * np.arange(length * 6 + 3) / length)
    data = beside([100 + cycle, 100 + cycle[: length * 4]])
    plain, found = seasons.remove_seasons(data, (length,))
    assert found[0].found.all()
    assert plain.values[plain.inside] == pytest.approx(100, abs=0.6)
    back = found[0].put_back(np.full((length, 2), 100.0), plain)
    assert back[:, 1] == pytest.approx(100 + cycle[:length], abs=0.6)
    assert back[:, 0] == pytest.approx(100 + cycle[3 : length + 3], abs=0.6)


def test_a_day_and_a_week_are_both_found_in_hours() -> None:
    time = np.arange(24 * 7 * 4)
    y = 100 + 20 * np.sin(2 * np.pi * time / 24) + 10 * (time // 24 % 7 >= 5) + DRAW.normal(0, 1, len(time))
    panel, found = seasons.remove_seasons(beside([y]), (24, 168))
    assert [len(season.indices) for season in found] == [24, 168]
    assert panel.values.std() < 1.5


def test_noise_has_no_season_and_a_season_needs_two_years() -> None:
    noise = [100 + np.random.default_rng(seed).normal(0, 1, 60) for seed in range(50)]
    assert seasons.has_season(beside(noise), 12).mean() < 0.2
    short = np.tile(np.arange(1.0, 13), 2)
    assert list(seasons.has_season(beside([short, short[:23]]), 12)) == [True, False]


def test_an_uncertain_season_is_drawn_in() -> None:
    draw = np.random.default_rng(3)
    noise = beside([100 + draw.normal(0, 1, 48) for _ in range(40)])
    sure = beside([100 + 10 * np.tile(np.arange(12.0), 4)])
    season = seasons.decompose(noise, 12, np.ones(40, dtype=bool))
    units = np.where(season.additive, season.indices, 100 * (season.indices - 1))
    # Plain means of three values of noise would be scattered by 1 / √3.
    assert units.std() < 0.6 / np.sqrt(3)
    assert np.ptp(seasons.decompose(sure, 12, np.array([True])).indices) > 100


def test_buckets_of_a_steady_pattern_hold_its_mean() -> None:
    sold = np.tile([0.0, 0.0, 6.0], 60)
    matrix = np.vstack([sold, np.concatenate([np.zeros(120), sold[:60]]), np.zeros(180)])
    adida, imapa = simple.by_buckets(matrix, np.array([180, 60, 0]), smoothings=np.array([0.1, 0.2, 0.3]))
    assert adida == pytest.approx([2.0, 2.0, 0.0], rel=0.01)
    assert imapa == pytest.approx([2.0, 2.0, 0.0], rel=0.25)


def test_a_bucket_is_smoothed_with_the_constant_that_erred_least() -> None:
    matrix = np.array([[5.0, 1, 4, 2, 8, 3]])
    levels, squares = [], []
    for constant in (0.1, 0.3):
        level, total = 0.0, 0.0
        for y in matrix[0]:
            total += (y - level) ** 2
            level += constant * (y - level)
        levels.append(level)
        squares.append(total)
    adida, imapa = simple.by_buckets(matrix, np.array([6]), smoothings=np.array([0.1, 0.3]))
    assert adida[0] == imapa[0] == pytest.approx(levels[int(np.argmin(squares))])


def test_tsb_of_a_steady_pattern_is_its_mean_and_falls_while_nothing_is_sold() -> None:
    sold = np.tile([0.0, 6.0], 100)
    idle = np.concatenate([sold, np.zeros(20)])
    matrix = np.vstack([np.concatenate([np.zeros(20), sold]), idle])
    level, _ = simple.running_tsb(matrix, np.array([200, 220]), occurrence=0.05, size=0.05)
    assert level[0] == pytest.approx(3.0, rel=0.06)
    assert level[1] < level[0] / 2
