"""Imports: a form, what became of the file, and its rows that were rejected."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Incoming, Line


class ImportForm(Incoming):
    channel = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z"),
        metadata={"example": "tmall"},
    )
    mapping = Line(required=True, metadata={"example": "headwater"})


class Imported(Schema):
    batch_id = fields.Integer(required=True)
    read = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    duplicate = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    seconds = fields.Float(required=True)
    unchanged = fields.Boolean(required=True, metadata={"description": "The same file was imported before."})
    stopped = fields.Boolean(
        required=True, metadata={"description": "Somebody stopped it; the same file again goes on."}
    )


class Batch(Schema):
    id = fields.Integer(required=True)
    channel = fields.String(required=True)
    mapping = fields.String(required=True)
    file_name = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["importing", "stopping", "stopped", "absorbed"])
    )
    last_row = fields.Integer(
        required=True, metadata={"description": "What became of the rows up to this one is stored."}
    )
    read = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    duplicate = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    seconds = fields.Float(required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class RejectedRow(Schema):
    row = fields.Integer(required=True)
    column = fields.String(required=True)
    code = fields.String(required=True)
    sentence = fields.String(required=True)


class Mapping(Schema):
    name = fields.String(required=True)
    title = fields.String(required=True)
    create_unknown = fields.Boolean(required=True)
