"""Inbound, ATP and receipts."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Filter, Incoming, Line, quantity


class Weeks(Filter):
    weeks = fields.Integer(load_default=12, validate=validate.Range(1, 52))


class InboundCell(Schema):
    warehouse_id = fields.Integer(required=True)
    week = fields.Date(required=True)
    asked_units = fields.Integer(required=True)
    confirmed_units = fields.Integer(required=True)
    capacity = fields.Integer(required=True, allow_none=True)


class AtpFilter(Weeks):
    search = Line(load_default=None, validate=validate.Length(1, 100))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))
    after = Line(load_default=None, validate=validate.Length(1, 80))


class AtpCell(Schema):
    week = fields.Date(required=True)
    supply = fields.Integer(required=True)
    committed = fields.Integer(required=True)
    atp = fields.Integer(required=True)


class AtpRow(Schema):
    sku_id = fields.Integer(required=True)
    on_hand = fields.Integer(required=True)
    cells = fields.List(fields.Nested(AtpCell), required=True)


class ReceiptForm(Incoming):
    line_id = fields.Integer(strict=True, required=True)
    reference = Line(required=True, validate=validate.Length(1, 80))
    quantity = quantity(required=True)


class Receipt(Schema):
    id = fields.Integer(required=True)
    reference = fields.String(required=True)
    quantity = fields.Integer(required=True)
