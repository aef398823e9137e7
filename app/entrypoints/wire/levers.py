"""What moves a campaign to its lines: what its lines are short of, and what tolerant buyers allow."""

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


class LeverOption(Schema):
    kind = fields.String(required=True, metadata={"enum": ["extend", "ask", "move"]})
    units = fields.Integer(required=True, metadata={"description": "What it brings to the line."})
    reaches = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Does it fill the line? Null for an extension: see `chance`."},
    )
    chance = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of landing at the line if extended, 0–1."}
    )
    days = fields.Integer(required=True, allow_none=True)
    buyers = fields.Integer(
        required=True, allow_none=True, metadata={"description": "How many are asked, the fewest."}
    )
    fingerprint = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the proposal, to apply it."}
    )
    supplier_ids = fields.List(
        fields.Integer(), required=True, metadata={"description": "Who gives units of the newest plan."}
    )
    cost_minor = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Purchase after less purchase before; below 0 it saves."},
    )
    below_moq = fields.Boolean(
        required=True, metadata={"description": "It leaves a giving supplier with fewer than its MOQ."}
    )


class LeverLine(Schema):
    kind = fields.String(required=True, metadata={"enum": ["go", "moq", "price_break"]})
    sku_id = fields.Integer(required=True, allow_none=True)
    supplier_id = fields.Integer(required=True, allow_none=True)
    line_units = fields.Integer(required=True)
    units = fields.Integer(required=True, metadata={"description": "Valid units when the landing was drawn."})
    lands_at = fields.Float(required=True)
    short_units = fields.Integer(required=True, metadata={"description": "What it lands short of the line."})
    chance = fields.Float(required=True, metadata={"description": "Of landing at the line as it is, 0–1."})
    worth_minor = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Go line: earnings at it, units × (price − cheapest purchase). MOQ: what units "
            "that nobody ordered would cost. Price break: the saving on all units at it."
        },
    )
    saving_minor = fields.Integer(required=True, allow_none=True, metadata={"description": "On each unit."})
    options = fields.List(fields.Nested(LeverOption), required=True)


class CampaignLevers(Schema):
    campaign_id = fields.Integer(required=True)
    as_of = fields.Date(required=True, metadata={"description": "The day of the landing."})
    currency = fields.String(required=True)
    lines = fields.List(fields.Nested(LeverLine), required=True)
