"""Changing forecasts: runs."""

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
    "ForecastInputs",
    "ForecastResult",
    "compute",
    "freeze",
    "store",
]
