"""Pledges that come one by one or in batches, and their corrections."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.limits import LARGEST_QUANTITY
from app.entrypoints.wire.basics import EXAMPLE_INSTANT, NO_INSTANT, Incoming, Text

SHARED = (
    "What accounts of a farm share. Like the buyer it becomes a keyed pseudonym before it is stored; it is "
    "no content of the pledge: what was sent first stands."
)


class PledgeForm(Incoming):
    """One signal of demand. What is described here is the form; the rules are those of files."""

    channel = Text(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z"),
        metadata={"example": "tmall"},
    )
    external_id = Text(
        allow_none=True,
        metadata={"example": "A-1", "description": "With the channel, the identity; or `Idempotency-Key`."},
    )
    commitment = Text(
        required=True,
        metadata={
            "example": "pledge",
            "description": "paid, deposit, pledge; or interest: waitlist, vote, wish_list, enquiry.",
        },
    )
    sku = Text(required=True, metadata={"example": "MUG"})
    region = Text(required=True, metadata={"example": "CN-GD"})
    quantity = fields.Integer(strict=True, required=True, metadata={"example": 2, "minimum": 1})
    unit_price = Text(
        required=True,
        metadata={
            "example": "19.90",
            "description": "Text with the decimals of the currency at most; no number.",
        },
    )
    currency = Text(required=True, metadata={"example": "CNY", "description": "The channel's."})
    ordered_at = fields.AwareDateTime(
        required=True, metadata={"example": EXAMPLE_INSTANT}, error_messages=NO_INSTANT
    )
    buyer = Text(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Whatever names the buyer; it becomes a keyed pseudonym before it is stored."
        },
    )
    campaign = Text(allow_none=True, load_default=None, metadata={"description": "A campaign's code."})
    device = Text(allow_none=True, load_default=None, metadata={"description": SHARED})
    address = Text(allow_none=True, load_default=None, metadata={"description": SHARED})
    payment = Text(allow_none=True, load_default=None, metadata={"description": SHARED})
    account_created_at = fields.AwareDateTime(
        allow_none=True,
        load_default=None,
        error_messages=NO_INSTANT,
        metadata={"description": "When the buyer's account was made."},
    )
    min_quantity = fields.Integer(
        strict=True,
        allow_none=True,
        load_default=None,
        metadata={"description": "The fewest units the buyer would take; at most `quantity`."},
    )
    max_quantity = fields.Integer(
        strict=True,
        allow_none=True,
        load_default=None,
        metadata={"description": "The most units the buyer would take; at least `quantity`."},
    )
    flexible_skus = fields.List(
        Text(validate=validate.Regexp(r"[^|\x00-\x1f\x7f]{1,80}\Z")),
        allow_none=True,
        load_default=None,
        validate=validate.Length(max=50),
        metadata={"description": "SKUs of the campaign that the buyer would take instead."},
    )
    status = Text(
        allow_none=True,
        load_default=None,
        metadata={"description": "placed (or nothing), cancelled, returned or test."},
    )


class Pledge(Schema):
    channel = fields.String(required=True)
    external_id = fields.String(required=True)
    commitment = fields.String(required=True)
    sku = fields.String(required=True)
    region = fields.String(required=True)
    campaign = fields.String(required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    ordered_at = fields.AwareDateTime(required=True)
    day = fields.Date(
        required=True, metadata={"description": "The business day it belongs to, at the region's clock."}
    )
    buyer = fields.String(required=True, allow_none=True, metadata={"description": "A keyed pseudonym."})
    status = fields.String(required=True)
    reason = fields.String(
        required=True, metadata={"description": "`valid`, or why its units are no valid demand."}
    )


class PledgeResult(Schema):
    row = fields.Integer(required=True, metadata={"description": "Its place in what was sent, from 0."})
    result = fields.String(required=True, metadata={"enum": ["accepted", "duplicate", "rejected"]})
    channel = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    field = fields.String(required=True, allow_none=True)
    code = fields.String(
        required=True, allow_none=True, metadata={"description": "Listed in docs/errors.md."}
    )
    sentence = fields.String(required=True, allow_none=True)


class CancelFilter(Incoming):
    changed_at = fields.AwareDateTime(
        load_default=None,
        error_messages=NO_INSTANT,
        metadata={
            "description": "When the channel made the change; now, when left out. The latest word counts."
        },
    )


class CorrectionForm(CancelFilter):
    quantity = fields.Integer(
        strict=True, load_default=None, validate=validate.Range(1, LARGEST_QUANTITY), metadata={"example": 1}
    )
    status = Text(load_default=None, metadata={"description": "placed, cancelled, returned or test."})


class Correction(Schema):
    channel = fields.String(required=True)
    external_id = fields.String(required=True)
    quantity = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The latest correction of it; null: none."}
    )
    status = fields.String(
        required=True, allow_none=True, metadata={"description": "The latest correction of it; null: none."}
    )
    pledge = fields.Nested(
        Pledge, required=True, allow_none=True, metadata={"description": "Null while it is waited for."}
    )
