"""Forecasts for planning: numbers in, numbers out. No database, no clock, no state.

`forecast_demand` forecasts spot demand per series and period, `forecast_landing` the final volume of
running campaigns, `backtest` says what the former would have been worth, `reconcile` makes forecasts of
parts and totals add up. Input that can't be forecast raises ForecastInputError.
"""

import os

# Matrices here have some hundred rows. On busy cores the threads of linear algebra wait for one another,
# forty times as long as one alone takes. What is set in the environment, or loaded before, stays.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from forecasting.backtest import backtest
from forecasting.demand import forecast_demand
from forecasting.input.errors import ForecastInputError
from forecasting.landing import forecast_landing
from forecasting.reconcile import reconcile

__all__ = [
    "ForecastInputError",
    "backtest",
    "forecast_demand",
    "forecast_landing",
    "reconcile",
]
