"""Webhooks that come in: connecting a channel, and what became of an event."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Incoming, Line


class ConnectForm(Incoming):
    channel = Line(required=True, metadata={"example": "shop"})
    scheme = fields.String(required=True, validate=validate.OneOf(["standard", "shopify"]))
    mapping = Line(required=True, metadata={"example": "headwater-events"})
    secret = Line(
        load_default=None,
        allow_none=True,
        metadata={"description": "Of the other side's making; left out, one is made and told this once."},
    )


class Connected(Schema):
    channel = fields.String(required=True)
    secret = fields.String(required=True, metadata={"description": "Never told again."})


class Source(Schema):
    channel = fields.String(required=True)
    scheme = fields.String(required=True)
    mapping = fields.String(required=True)
    active = fields.Boolean(required=True)
    last_at = fields.AwareDateTime(required=True, allow_none=True)
    accepted = fields.Integer(required=True, metadata={"description": "Rows of the last 24 hours."})
    known = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    failed_at = fields.AwareDateTime(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)


class Event(Schema):
    accepted = fields.Integer(required=True)
    known = fields.Integer(required=True, metadata={"description": "Known before, and corrected if later."})
    rejected = fields.Integer(required=True)
    again = fields.Boolean(required=True, metadata={"description": "This message was taken before."})
    ignored = fields.Boolean(required=True, metadata={"description": "The mapping does not read its type."})
