"""Files that come in parts."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Incoming, Line


class UploadForm(Incoming):
    file_name = Line(required=True, validate=validate.Length(1, 255), metadata={"example": "orders.parquet"})
    channel = Line(required=True, validate=validate.Length(1, 40), metadata={"example": "tmall"})
    mapping = Line(required=True, metadata={"example": "headwater"})
    size = fields.Integer(strict=True, required=True, metadata={"description": "Bytes of the whole file."})
    digest = Line(
        load_default=None,
        allow_none=True,
        metadata={"description": "SHA-256 of the whole file in hex; compared before the import."},
    )


class Upload(Schema):
    id = fields.String(required=True)
    file_name = fields.String(required=True)
    channel = fields.String(required=True)
    mapping = fields.String(required=True)
    size = fields.Integer(required=True)
    received = fields.Integer(required=True, metadata={"description": "Bytes that have come, without a gap."})
    state = fields.String(
        required=True, metadata={"description": "open, complete (its job waits or runs), imported, failed."}
    )
    job_id = fields.Integer(required=True, allow_none=True)
    batch_id = fields.Integer(required=True, allow_none=True, metadata={"description": "The import."})
    failure = fields.String(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True)
