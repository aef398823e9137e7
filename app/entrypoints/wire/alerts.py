"""Alerts."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.entrypoints.wire.basics import Line, Page


class AlertFilter(Page):
    owner = Line(load_default=None)


class Alert(Schema):
    id = fields.Integer(required=True)
    cause = fields.String(required=True)
    kind = fields.String(required=True)
    owner = fields.String(required=True)
    data = fields.Dict(required=True)
    opened_at = fields.AwareDateTime(required=True)
    seen_at = fields.AwareDateTime(required=True)
