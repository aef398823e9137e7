"""Forecast runs and lines, overrides and accuracy."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.limits import LARGEST_KEY, LARGEST_QUANTITY
from app.entrypoints.wire.basics import Filter, Incoming, Line, PageBefore, Week, identifier


class ForecastRun(Schema):
    id = fields.Integer(required=True)
    as_of = fields.Date(required=True)
    horizon_weeks = fields.Integer(required=True)
    fingerprint = fields.String(required=True)
    series = fields.Integer(required=True)
    mean_units = fields.Float(required=True)
    created_at = fields.AwareDateTime(required=True)


class ForecastFilter(Filter):
    sku_id = identifier(required=True)
    region_id = identifier(load_default=None)


class ForecastLine(Schema):
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    week = fields.Date(required=True)
    mean = fields.Float(required=True)
    lo_80 = fields.Float(required=True)
    hi_80 = fields.Float(required=True)
    lo_95 = fields.Float(required=True)
    hi_95 = fields.Float(required=True)
    method = fields.String(required=True)


class OverrideFilter(PageBefore):
    sku_id = identifier(load_default=None)
    region_id = identifier(load_default=None)


class OverrideForm(Incoming):
    sku_id = fields.Integer(strict=True, required=True, validate=validate.Range(1, LARGEST_KEY))
    region_id = fields.Integer(
        strict=True,
        allow_none=True,
        load_default=None,
        validate=validate.Range(1, LARGEST_KEY),
        metadata={"description": "Null: all regions together."},
    )
    week = Week(required=True)
    units = fields.Integer(strict=True, required=True, validate=validate.Range(0, LARGEST_QUANTITY))
    reason = Line(required=True, validate=validate.Length(1, 500))


class Override(Schema):
    id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True, allow_none=True)
    week = fields.Date(required=True)
    units = fields.Integer(required=True)
    reason = fields.String(required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    withdrawn_by = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    counts = fields.Boolean(required=True, metadata={"description": "The latest that is not withdrawn."})
    forecast_units = fields.Float(
        required=True, allow_none=True, metadata={"description": "Forecast without it; null till scored."}
    )
    sold_units = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null until its week is scored."}
    )


class AccuracyFilter(Filter):
    by = fields.String(load_default="class", validate=validate.OneOf(["class", "region", "step", "week"]))


class Accuracy(Schema):
    """Shares are of units sold, 0.1 for 10 %; null where nothing was sold."""

    key = fields.String(
        required=True, metadata={"description": "A, B or C; a region's id; weeks ahead from 1; or a Monday."}
    )
    forecasts = fields.Integer(required=True, metadata={"description": "Series × weeks."})
    sold_units = fields.Integer(required=True)
    forecast_units = fields.Float(required=True)
    wape = fields.Float(required=True, allow_none=True)
    bias = fields.Float(required=True, allow_none=True, metadata={"description": "Above 0: too much."})
    mase = fields.Float(required=True, allow_none=True)
    pinball = fields.Float(required=True, allow_none=True)
    coverage_80 = fields.Float(required=True, allow_none=True)
    coverage_95 = fields.Float(required=True, allow_none=True)
    planned_wape = fields.Float(required=True, allow_none=True)
    value_added = fields.Float(
        required=True, allow_none=True, metadata={"description": "WAPE that the overrides took off."}
    )
