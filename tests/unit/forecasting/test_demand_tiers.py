"""The tiers: what each promises, on the same hostile panel."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting import backtest, forecast_demand
from forecasting.input.panel import read_panel
from forecasting.methods import aggregation
from forecasting.methods.points import Plan, point_forecasts
from forecasting.methods.ragged import Ragged
from forecasting.methods.theta import Ahead

_spec = importlib.util.spec_from_file_location(
    "forecast_panels", Path(__file__).with_name("forecast_panels.py")
)
assert _spec and _spec.loader
panels = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(panels)

BOUNDS = ["lo-95", "lo-80", "mean", "hi-80", "hi-95"]


@pytest.fixture(scope="module", params=["bulk", "accurate", pytest.param("explain", marks=pytest.mark.slow)])
def tier(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def answer(tier: str) -> pd.DataFrame:
    return forecast_demand(panels.hostile(), horizon=8, freq="W", tier=tier)


def test_every_tier_answers_with_ordered_numbers(answer: pd.DataFrame) -> None:
    bounds = answer[BOUNDS].to_numpy()
    assert np.isfinite(bounds).all()
    assert (bounds >= 0).all()
    assert (np.diff(bounds, axis=1) >= 0).all()


def test_every_tier_names_its_models(tier: str, answer: pd.DataFrame) -> None:
    method = answer.groupby("unique_id")["method"].first()
    season = {"bulk": "theta+ets-s52", "accurate": "theta+ets+mapa-s52", "explain": "damped-trend-s52"}
    assert method["season"] == season[tier]
    assert method["trend"] == season[tier].removesuffix("-s52")
    assert method["intermittent"] == "imapa+tsb"


def test_every_tier_can_be_tested_back(tier: str) -> None:
    draw = np.random.default_rng(2)
    history = pd.concat([panels.weekly(number, 50 + draw.normal(0, 5, 60)) for number in range(5)])
    found = backtest(history, horizon=4, freq="W", tier=tier).set_index("method")
    assert found.loc["all", "series"] == 5
    assert found.loc["all", "wape"] < 0.2


def test_auto_is_accurate_where_most_is_sold() -> None:
    draw = np.random.default_rng(3)
    history = pd.concat([panels.weekly(f"s{n}", (1 + n) * (50 + draw.normal(0, 5, 40))) for n in range(40)])
    found = {
        tier: forecast_demand(history, horizon=3, freq="W", tier=tier).set_index("unique_id")
        for tier in ("auto", "bulk", "accurate")
    }
    most = ["s39", "s38"]
    rest = [name for name in found["auto"].index.unique() if name not in most]
    for names, tier in ((most, "accurate"), (rest, "bulk")):
        columns = ["mean", "method"]
        pd.testing.assert_frame_equal(found["auto"].loc[names, columns], found[tier].loc[names, columns])


def test_what_is_explained_is_statsmodels_own() -> None:
    y = 100 + np.cumsum(np.random.default_rng(7).normal(0.3, 2, 24))
    panel = read_panel(panels.weekly("a", y), freq="W").panel
    found = point_forecasts(panel, plan=Plan(6, (52,), tier="explain"))
    model = ETSModel(y / y.mean(), trend="add", damped_trend=True).fit(disp=False)
    assert found.mean[0] == pytest.approx(np.asarray(model.forecast(6)) * y.mean(), rel=1e-6)


@pytest.mark.parametrize("size", [2, 3])
def test_coarser_periods_of_a_line_are_the_line(size: int) -> None:
    lines = np.column_stack([10 + 2.0 * np.arange(100), np.append(5 + np.arange(80.0), np.zeros(20))])
    lengths = np.array([100, 80])
    data = Ragged(lines, lengths, np.array([(lengths > t).sum() for t in range(100)]))

    def prolonged(means: Ragged, steps: int) -> Ahead:
        series = np.arange(2)
        last, before = (means.values[means.lengths - back, series] for back in (1, 2))
        return Ahead(last + (last - before) * np.arange(1, steps + 1)[:, None], np.ones(2))

    ahead, count = aggregation.coarser(data, 7, size, prolonged)
    assert count == 2
    assert ahead[:, 0] == pytest.approx(10 + 2.0 * np.arange(100, 107))
    assert ahead[:, 1] == pytest.approx(5 + np.arange(80.0, 87))
