"""A turn of the cycle and the jobs that do long work."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.entrypoints.wire.basics import Day, Incoming


class CycleOrder(Incoming):
    as_of = Day(load_default=None, metadata={"description": "The planning day; today when left out."})


class Job(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    phase = fields.String(required=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True)
    figures = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "While a plan is made: bound_minor, incumbent_minor and gap so far."},
    )
    result = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "What it came to; of a failed job, code and status of the refusal."},
    )
    error = fields.String(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
