"""Plan lines and suppliers' answers to them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Incoming, Note, PageAt, Week, quantity


class Line(Schema):
    id = fields.Integer(required=True)
    plan_id = fields.Integer(required=True)
    supplier_id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True)
    warehouse_id = fields.Integer(required=True, allow_none=True)
    region_id = fields.Integer(required=True, allow_none=True)
    region_withheld = fields.Boolean(
        required=True,
        metadata={"description": "To a region of fewer than five buyers; suppliers see no region_id."},
    )
    order_week = fields.Date(required=True)
    due_week = fields.Date(required=True)
    quantity = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)
    promised_quantity = fields.Integer(required=True, allow_none=True)
    promised_week = fields.Date(required=True, allow_none=True)
    shortfall = fields.Integer(required=True)
    deadline = fields.AwareDateTime(required=True)


class LineFilter(PageAt):
    state = fields.String(
        load_default=None,
        validate=validate.OneOf(["asked", "confirmed", "countered", "declined", "expired", "withdrawn"]),
    )


class AnswerForm(Incoming):
    """confirm and decline need no terms; counter names a quantity, a week, or both."""

    version = fields.Integer(strict=True, required=True, metadata={"description": "The version answered."})
    kind = fields.String(required=True, validate=validate.OneOf(["confirm", "counter", "decline"]))
    quantity = quantity(load_default=None, allow_none=True)
    week = Week(load_default=None, allow_none=True)
    note = Note(load_default="", validate=validate.Length(max=2000))


class Preview(Schema):
    """result: asked, accept and refuse (cost_minor, parts_minor, unmet, late, weeks_late, suppliers), and
    moves."""

    line_id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    result = fields.Dict(required=True)
    created_at = fields.AwareDateTime(required=True)


class SettlementForm(Incoming):
    version = fields.Integer(strict=True, required=True)
    accept = fields.Boolean(required=True, truthy={True}, falsy={False})
