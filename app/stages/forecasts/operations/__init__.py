"""Changing forecasts: runs, overrides, scores, backtests, and landings of campaigns."""

from app.stages.forecasts.operations.accuracy import ScoreFact, score_forecasts
from app.stages.forecasts.operations.backtests import BacktestFact, MethodScore, backtest
from app.stages.forecasts.operations.landings import (
    LandingInputs,
    LandingResult,
    compute_landings,
    freeze_landings,
    store_landings,
)
from app.stages.forecasts.operations.overrides import override_forecast, withdraw_override
from app.stages.forecasts.operations.runs import (
    METHOD,
    ForecastInputs,
    ForecastResult,
    compute,
    freeze,
    store,
)

__all__ = [
    "METHOD",
    "BacktestFact",
    "ForecastInputs",
    "ForecastResult",
    "LandingInputs",
    "LandingResult",
    "MethodScore",
    "ScoreFact",
    "backtest",
    "compute",
    "compute_landings",
    "freeze",
    "freeze_landings",
    "override_forecast",
    "score_forecasts",
    "store",
    "store_landings",
    "withdraw_override",
]
