"""What forecasts were worth, from the ledger of scored weeks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.forecasts.models import ForecastAccuracy

AccuracyBy = Literal["class", "region", "step", "week"]


@dataclass(frozen=True, slots=True)
class AccuracyFact:
    """Accuracy of all forecasts scored for one class, region (its id), step ahead, or week (its Monday).

    `forecasts` counts series × weeks. `wape` is the sum of absolute errors, `bias` forecast minus sold, and
    `pinball` the mean pinball loss over the quantiles at 2.5, 10, 90 and 97.5 %, each over units sold. `mase`
    is the mean of errors over those of last week's sales before the run. `coverage_80` is the part of
    weeks inside the interval. `value_added` is how much the planners' overrides took off the WAPE: negative
    when they made it worse. None where nothing was sold, or nothing to scale by.
    """

    key: str | int | dt.date
    forecasts: int
    sold_units: int
    forecast_units: float
    wape: float | None
    bias: float | None
    mase: float | None
    pinball: float | None
    coverage_80: float | None
    coverage_95: float | None
    planned_wape: float | None
    value_added: float | None


def accuracy(session: Session, *, by: AccuracyBy) -> list[AccuracyFact]:
    """The whole ledger by SKU class, region, step ahead or week; none while no week is scored."""
    key = _KEYS[by]
    sums = [func.sum(getattr(ForecastAccuracy, name)) for name in _SUMS]
    rows = session.execute(select(key, *sums).group_by(key).order_by(key))
    return [_fact(row[0], dict(zip(_SUMS, row[1:], strict=True))) for row in rows]


_KEYS: dict[AccuracyBy, Any] = {
    "class": ForecastAccuracy.sku_class,
    "region": ForecastAccuracy.region_id,
    "step": ForecastAccuracy.step,
    "week": ForecastAccuracy.week,
}
_SUMS = (
    "series",
    "sold_units",
    "forecast_units",
    "forecast_error",
    "planned_error",
    "scaled_error",
    "scaled_series",
    "pinball",
    "covered_80",
    "covered_95",
)


def _fact(key: Any, sums: dict[str, Any]) -> AccuracyFact:
    series, sold = int(sums["series"]), int(sums["sold_units"])
    forecast, error, planned = (
        float(sums[name]) for name in ("forecast_units", "forecast_error", "planned_error")
    )
    return AccuracyFact(
        key=key,
        forecasts=series,
        sold_units=sold,
        forecast_units=forecast,
        wape=_part(error, sold),
        bias=_part(forecast - sold, sold),
        mase=_part(sums["scaled_error"], sums["scaled_series"]),
        pinball=_part(sums["pinball"], sold),
        coverage_80=_part(sums["covered_80"], series),
        coverage_95=_part(sums["covered_95"], series),
        planned_wape=_part(planned, sold),
        value_added=_part(error - planned, sold),
    )


def _part(amount: Any, whole: Any) -> float | None:
    return float(amount) / float(whole) if whole else None
