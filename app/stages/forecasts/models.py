"""Tables of the forecast stage: runs and their quantile lines."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime


class ForecastRun(Base):
    """A stored execution; the fingerprint is a digest of history, horizon and method."""

    __tablename__ = "forecast_run"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    as_of: Mapped[dt.date]
    horizon_weeks: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    series: Mapped[int]
    mean_units: Mapped[float]
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (CheckConstraint("horizon_weeks >= 1", name="horizon_positive"),)


class ForecastLine(Base):
    """Units of one SKU in one region in one planning week (named by its Monday), as mean and quantiles."""

    __tablename__ = "forecast_line"
    run_id: Mapped[int] = mapped_column(ForeignKey("forecast_run.id"), primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True)
    week: Mapped[dt.date] = mapped_column(primary_key=True)
    mean: Mapped[float]
    lo_80: Mapped[float]
    hi_80: Mapped[float]
    lo_95: Mapped[float]
    hi_95: Mapped[float]
    method: Mapped[str] = mapped_column(String(60))
    __table_args__ = (
        CheckConstraint(
            "0 <= lo_95 AND lo_95 <= lo_80 AND lo_80 <= hi_80 AND hi_80 <= hi_95", name="ordered"
        ),
        CheckConstraint("mean >= 0", name="mean_positive"),
    )
