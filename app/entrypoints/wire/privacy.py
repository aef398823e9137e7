"""What is kept of one buyer, and forgetting it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.core.limits import LARGEST_KEY
from app.entrypoints.wire.basics import Incoming, Text
from app.entrypoints.wire.cycle import Job


class BuyerForm(Incoming):
    """One of the two. It stands in a body, because addresses are logged on their way."""

    who = Text(
        load_default=None,
        allow_none=True,
        metadata={"description": "What names the buyer in a channel, such as an e-mail."},
    )
    pseudonym = Text(load_default=None, allow_none=True)


class ExportForm(BuyerForm):
    after = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, LARGEST_KEY),
        metadata={"description": "The next_after of the part before."},
    )
    limit = fields.Integer(load_default=5000, strict=True, validate=validate.Range(1, 5000))


class Kept(Schema):
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
    buyer = fields.String(required=True, allow_none=True, metadata={"description": "A keyed pseudonym."})
    device = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    payment = fields.String(required=True, allow_none=True)
    account_created_at = fields.AwareDateTime(required=True, allow_none=True)


class KeptBallot(Schema):
    round_id = fields.Integer(required=True)
    design_id = fields.Integer(required=True)
    cast_at = fields.AwareDateTime(required=True)
    buyer = fields.String(required=True)


class Buyer(Schema):
    signals = fields.List(fields.Nested(Kept), required=True)
    ballots = fields.List(
        fields.Nested(KeptBallot), required=True, metadata={"description": "With the first part only."}
    )
    next_after = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Where to go on; null: these are the last."}
    )


class Erased(Schema):
    signals = fields.Integer(required=True, metadata={"description": "Signals that named the buyer."})
    ballots = fields.Integer(required=True, metadata={"description": "Ballots that did."})
    job = fields.Nested(
        Job, required=True, allow_none=True, metadata={"description": "Which forgets the rest."}
    )
