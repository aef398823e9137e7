"""Webhooks that come in: what became of an event."""

from __future__ import annotations

from marshmallow import Schema, fields


class Event(Schema):
    accepted = fields.Integer(required=True)
    known = fields.Integer(required=True, metadata={"description": "Known before, and corrected if later."})
    rejected = fields.Integer(required=True)
    again = fields.Boolean(required=True, metadata={"description": "This message was taken before."})
    ignored = fields.Boolean(required=True, metadata={"description": "The mapping does not read its type."})
