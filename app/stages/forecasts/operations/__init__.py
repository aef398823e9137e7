"""Changing forecasts: runs, overrides, scores and backtests."""

from app.stages.forecasts.operations.accuracy import ScoreFact, score_forecasts
from app.stages.forecasts.operations.backtests import BacktestFact, MethodScore, backtest
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
    "MethodScore",
    "ScoreFact",
    "backtest",
    "compute",
    "freeze",
    "override_forecast",
    "score_forecasts",
    "store",
    "withdraw_override",
]
