"""Campaigns, their pledge curves and landings."""

from __future__ import annotations

from marshmallow import Schema, fields


class Campaign(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_zh = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    expected_units = fields.Integer(required=True)
    go_units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)
    raw_units = fields.Integer(required=True)
    due_week = fields.Date(required=True)
    per_buyer_limit = fields.Integer(required=True, allow_none=True)


class CurvePoint(Schema):
    day = fields.Date(required=True)
    units = fields.Integer(required=True)
    cum_units = fields.Integer(required=True)


class LandingLine(Schema):
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    units = fields.Integer(required=True)
    mean = fields.Float(required=True)
    median = fields.Float(required=True)
    lo_80 = fields.Float(required=True)
    hi_80 = fields.Float(required=True)
    lo_95 = fields.Float(required=True)
    hi_95 = fields.Float(required=True)


class Landing(LandingLine):
    class Meta:
        exclude = ("sku_id", "region_id")

    as_of = fields.Date(required=True)
    elapsed_day = fields.Integer(required=True)
    window_days = fields.Integer(required=True)
    method = fields.String(required=True)
    finished = fields.Integer(required=True, metadata={"description": "Finished campaigns learnt from."})
    chance_of_going = fields.Float(
        required=True, metadata={"description": "Of landing at the go line or above; 0–1."}
    )
    lines = fields.List(fields.Nested(LandingLine), required=True)
