"""Forecasts for planning: numbers in, numbers out. No database, no clock, no state.

`forecast_demand` forecasts spot demand per series and period. Input that can't be forecast raises
ForecastInputError.
"""

from forecasting.demand import forecast_demand
from forecasting.errors import ForecastInputError, NotSupportedError

__all__ = ["ForecastInputError", "NotSupportedError", "forecast_demand"]
