"""Accounts and access tokens; no password and no key ever goes out."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Incoming, Note, Text


class Account(Schema):
    id = fields.Integer(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    supplier_id = fields.Integer(required=True, allow_none=True)
    locale = fields.String(required=True)
    active = fields.Boolean(required=True, metadata={"description": "Not closed."})


class PasswordForm(Incoming):
    password = Text(required=True, validate=validate.Length(max=200))


class ClosingForm(Incoming):
    reason = Note(load_default="", validate=validate.Length(max=500))


class Token(Schema):
    id = fields.Integer(required=True)
    label = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
