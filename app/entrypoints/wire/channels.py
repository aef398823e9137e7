"""Channels: how they are connected, and how they are doing."""

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


class SourceForm(Incoming):
    mapping = Line(required=True, metadata={"example": "shopify-webhook"})
    url = Line(required=True, metadata={"example": "https://shop.example/admin/api/2026-10/orders.json"})
    secret = Line(
        load_default=None,
        allow_none=True,
        metadata={"description": "What the source wants to see; left out, the one before is kept."},
    )


class Webhook(Schema):
    scheme = fields.String(required=True)
    mapping = fields.String(required=True)
    active = fields.Boolean(required=True)
    failed_at = fields.AwareDateTime(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)


class Pull(Schema):
    mapping = fields.String(required=True)
    url = fields.String(required=True)
    active = fields.Boolean(required=True)
    under_way = fields.Boolean(required=True, metadata={"description": "A round has begun and not ended."})
    since = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "Changes are seen until then."}
    )
    succeeded_at = fields.AwareDateTime(required=True, allow_none=True)
    failed_at = fields.AwareDateTime(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)


class Source(Schema):
    channel = fields.String(required=True)
    currency = fields.String(required=True)
    connected = fields.Boolean(required=True)
    failing = fields.Boolean(required=True)
    last_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "The last event, page with news, or file."}
    )
    lag_seconds = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How long after the channel's latest change its latest event came."},
    )
    accepted = fields.Integer(required=True, metadata={"description": "Rows of the last 24 hours."})
    known = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    file_at = fields.AwareDateTime(required=True, allow_none=True)
    webhook = fields.Nested(Webhook, required=True, allow_none=True)
    pull = fields.Nested(Pull, required=True, allow_none=True)


class Received(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True, allow_none=True)
    accepted = fields.Integer(required=True)
    known = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    sentence = fields.String(required=True, allow_none=True)


class Reject(Schema):
    event_id = fields.Integer(required=True)
    received_at = fields.AwareDateTime(required=True)
    row = fields.Integer(required=True, metadata={"description": "Its place in the event, from 0."})
    field = fields.String(required=True)
    code = fields.String(required=True)
    sentence = fields.String(required=True)
