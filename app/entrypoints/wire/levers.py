"""The gap of a campaign as a lever: what its lines are short of, and what tolerant buyers allow."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.limits import LARGEST_QUANTITY
from app.entrypoints.wire.basics import Filter, Incoming, identifier, quantity


class ToleranceFilter(Filter):
    sku_id = identifier(
        load_default=None, metadata={"description": "The SKU whose line it is; none: the go line."}
    )
    units = fields.Integer(
        load_default=None,
        validate=validate.Range(0, LARGEST_QUANTITY),
        metadata={"description": "What the line is short of; none: valid units to the go line."},
    )


class ToleranceStep(Schema):
    signal_id = fields.Integer(required=True)
    from_sku_id = fields.Integer(required=True)
    to_sku_id = fields.Integer(required=True)
    from_quantity = fields.Integer(required=True)
    to_quantity = fields.Integer(required=True)


class ToleranceProposal(Schema):
    campaign_id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True, allow_none=True)
    wanted = fields.Integer(required=True)
    gained = fields.Integer(required=True, metadata={"description": "Units that the line would get."})
    buyers = fields.Integer(required=True, metadata={"description": "How many are asked: the fewest."})
    steps = fields.List(fields.Nested(ToleranceStep), required=True)
    fingerprint = fields.String(
        required=True, metadata={"description": "Names exactly these steps; sent to apply them."}
    )


class ToleranceForm(Incoming):
    sku_id = identifier(load_default=None, allow_none=True)
    units = quantity(required=True)
    fingerprint = fields.String(required=True, validate=validate.Length(equal=64))


class ToleranceFill(Schema):
    id = fields.Integer(required=True)
    campaign_id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True, allow_none=True)
    wanted_units = fields.Integer(required=True)
    gained_units = fields.Integer(required=True)
    buyers = fields.Integer(required=True)
    applied_by = fields.String(required=True)
    applied_at = fields.AwareDateTime(required=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
