"""Tables of the forecast stage: runs and their lines, overrides, accuracy, and landings of campaigns."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime

ORDERED = "0 <= lo_95 AND lo_95 <= lo_80 AND lo_80 <= hi_80 AND hi_80 <= hi_95"


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
        CheckConstraint(ORDERED, name="ordered"),
        CheckConstraint("mean >= 0", name="mean_positive"),
    )


class ForecastTotal(Base):
    """The same of a SKU in all regions, of a region with all its SKUs, or of everything: then both are null.

    Means are sums of the lines' means. Bounds are the total's own: its parts don't err independently.
    """

    __tablename__ = "forecast_total"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("forecast_run.id"))
    sku_id: Mapped[int | None] = mapped_column(ForeignKey("sku.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    week: Mapped[dt.date]
    mean: Mapped[float]
    lo_80: Mapped[float]
    hi_80: Mapped[float]
    lo_95: Mapped[float]
    hi_95: Mapped[float]
    __table_args__ = (
        CheckConstraint(ORDERED, name="ordered"),
        CheckConstraint("sku_id IS NULL OR region_id IS NULL", name="of_more_than_one_series"),
        Index("ix_forecast_total_run", "run_id", "sku_id", "region_id"),
    )


class ForecastOverride(Base):
    """A planner's word against the forecast: `units` of a SKU in a week, in one region or (null) in all.

    The latest that is not withdrawn counts. Once the week is over it is scored: what was sold, and what had
    been forecast without it.
    """

    __tablename__ = "forecast_override"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"))
    week: Mapped[dt.date]
    units: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500))
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[str | None] = mapped_column(String(254))
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    forecast_units: Mapped[float | None]
    sold_units: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("units >= 0", name="units_positive"),
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name="withdrawal_whole"),
        CheckConstraint("(forecast_units IS NULL) = (sold_units IS NULL)", name="score_whole"),
        Index("ix_forecast_override_cell", "week", "sku_id"),
    )


class ForecastAccuracy(Base):
    """What a run's forecast of one week was worth, summed over the series of a class in a region.

    `sku_class` is A, B or C by the volume of the year before the run. `forecast_error` sums |sold − mean|,
    `planned_error` the same with the overrides that counted, `scaled_error` the errors over what the naive
    forecast erred before (of `scaled_series` series that have such), `pinball` the mean pinball loss over the
    stored quantiles.
    """

    __tablename__ = "forecast_accuracy"
    run_id: Mapped[int] = mapped_column(ForeignKey("forecast_run.id"), primary_key=True)
    week: Mapped[dt.date] = mapped_column(primary_key=True)
    sku_class: Mapped[str] = mapped_column(String(1), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True)
    step: Mapped[int]
    series: Mapped[int]
    sold_units: Mapped[int] = mapped_column(BigInteger)
    forecast_units: Mapped[float]
    forecast_error: Mapped[float]
    planned_error: Mapped[float]
    scaled_error: Mapped[float]
    scaled_series: Mapped[int]
    pinball: Mapped[float]
    covered_80: Mapped[int]
    covered_95: Mapped[int]
    __table_args__ = (
        CheckConstraint("sku_class = 'A' OR sku_class = 'B' OR sku_class = 'C'", name="sku_class_known"),
        CheckConstraint("step >= 1", name="step_positive"),
        CheckConstraint("covered_80 <= covered_95 AND covered_95 <= series", name="covered_in_range"),
    )


class Landing(Base):
    """Where a running campaign lands, as seen on one day: its final valid units as mean and quantiles.

    `units` are those of complete days before `as_of`, `elapsed_day` of `window_days`. `finished` counts the
    finished campaigns it was learnt from; the fingerprint is a digest of all curves used.
    """

    __tablename__ = "landing"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    elapsed_day: Mapped[int]
    window_days: Mapped[int]
    units: Mapped[int] = mapped_column(BigInteger)
    mean: Mapped[float]
    median: Mapped[float]
    lo_80: Mapped[float]
    hi_80: Mapped[float]
    lo_95: Mapped[float]
    hi_95: Mapped[float]
    method: Mapped[str] = mapped_column(String(60))
    finished: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        CheckConstraint(ORDERED, name="ordered"),
        CheckConstraint("0 <= elapsed_day AND elapsed_day <= window_days", name="day_in_window"),
    )


class LandingLine(Base):
    """The part of a landing that is one SKU in one region; the means of the parts add up to the whole."""

    __tablename__ = "landing_line"
    campaign_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), primary_key=True)
    units: Mapped[int] = mapped_column(BigInteger)
    mean: Mapped[float]
    median: Mapped[float]
    lo_80: Mapped[float]
    hi_80: Mapped[float]
    lo_95: Mapped[float]
    hi_95: Mapped[float]
    __table_args__ = (
        ForeignKeyConstraint(["campaign_id", "as_of"], ["landing.campaign_id", "landing.as_of"]),
        CheckConstraint(ORDERED, name="ordered"),
    )


class LandingExtension(Base):
    """Where the campaign of a landing would land if it closed so many days later."""

    __tablename__ = "landing_extension"
    campaign_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    mean: Mapped[float]
    median: Mapped[float]
    lo_80: Mapped[float]
    hi_80: Mapped[float]
    lo_95: Mapped[float]
    hi_95: Mapped[float]
    __table_args__ = (
        ForeignKeyConstraint(["campaign_id", "as_of"], ["landing.campaign_id", "landing.as_of"]),
        CheckConstraint(ORDERED, name="ordered"),
        CheckConstraint("days >= 1", name="days_positive"),
    )
