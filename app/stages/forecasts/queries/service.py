"""What SKUs may want by week, and what their class is: what a service level needs to know of a forecast."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.stages.forecasts.models import ForecastTotal
from app.stages.forecasts.rules import abc_classes
from app.stages.forecasts.rules.service import Band

Bands = dict[tuple[int, dt.date], Band]


def sku_bands(session: Session, *, run_id: int) -> Bands:
    """The mean and the bounds of every SKU over all its regions, by SKU id and week."""
    total = ForecastTotal
    columns = [total.sku_id, total.week, *(getattr(total, name) for name in Band._fields)]
    rows = session.execute(
        select(*columns).where(total.run_id == run_id, total.sku_id.is_not(None), total.region_id.is_(None))
    )
    return {(row[0], row[1]): Band(*row[2:]) for row in rows}


def sku_classes(bands: Bands) -> dict[int, str]:
    """A, B or C by SKU id, by the units that are forecast."""
    units: dict[int, float] = defaultdict(float)
    for (sku, _), band in bands.items():
        units[sku] += band.mean
    return abc_classes({sku: round(1000 * mean) for sku, mean in units.items()})
