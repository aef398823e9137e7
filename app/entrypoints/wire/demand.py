"""SKUs, the waterfall, days and exclusions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.entrypoints.wire.basics import Day, Filter, Line, Page, PageBefore, identifier


class SkuFilter(Page):
    search = Line(load_default=None, validate=validate.Length(1, 100))
    after = Line(load_default=None, validate=validate.Length(1, 80))


class Sku(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_zh = fields.String(required=True, allow_none=True)
    category = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)


class DemandFilter(Filter):
    campaign_id = identifier(load_default=None)
    sku_id = identifier(load_default=None)
    since = Day(load_default=None)
    until = Day(load_default=None)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["since"] and data["until"] and data["since"] > data["until"]:
            raise ValidationError("`since` must not be after `until`.", "since")


class WaterfallFilter(DemandFilter):
    region_id = identifier(load_default=None)
    channel_id = identifier(load_default=None)


class WaterfallStep(Schema):
    reason = fields.String(required=True)
    units = fields.Integer(required=True)
    signals = fields.Integer(required=True)


class Waterfall(Schema):
    raw_units = fields.Integer(required=True)
    steps = fields.List(fields.Nested(WaterfallStep), required=True)
    valid_units = fields.Integer(required=True)


class DayUnits(Schema):
    day = fields.Date(required=True)
    raw_units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)


class ExclusionFilter(PageBefore):
    reason = Line(load_default=None)
    undone = fields.Boolean(load_default=False)


class Exclusion(Schema):
    id = fields.Integer(required=True)
    signal_id = fields.Integer(required=True)
    reason = fields.String(required=True)
    evidence = fields.Dict(required=True)
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    day = fields.Date(required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
