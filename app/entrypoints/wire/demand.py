"""SKUs, the waterfall, days and exclusions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.entrypoints.wire.basics import Day, Filter, Incoming, Line, Page, PageBefore, identifier

THOUSANDTHS = {"description": "In thousandths of a unit, so that sums are exact."}


class SkuFilter(Page):
    search = Line(load_default=None, validate=validate.Length(1, 100))
    after = Line(load_default=None, validate=validate.Length(1, 80))


class Sku(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_zh = fields.String(required=True, allow_none=True)
    category = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)


class DemandFilter(Filter):
    campaign_id = identifier(load_default=None)
    sku_id = identifier(load_default=None)
    since = Day(load_default=None)
    until = Day(load_default=None)

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["since"] and data["until"] and data["since"] > data["until"]:
            raise ValidationError("`since` must not be after `until`.", "since")


class WaterfallFilter(DemandFilter):
    region_id = identifier(load_default=None)
    channel_id = identifier(load_default=None)


class WaterfallStep(Schema):
    reason = fields.String(required=True)
    units = fields.Integer(required=True)
    signals = fields.Integer(required=True)


class Waterfall(Schema):
    raw_units = fields.Integer(required=True)
    steps = fields.List(fields.Nested(WaterfallStep), required=True)
    valid_units = fields.Integer(required=True)


class ExpectedFilter(WaterfallFilter):
    by = Line(
        load_default=None,
        validate=validate.OneOf(["campaign", "sku", "region", "channel", "day"]),
        metadata={"description": "One cell for each; without it, one cell of all."},
    )


class CommitmentUnits(Schema):
    commitment = fields.String(required=True)
    units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)
    expected_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)


class Expected(Schema):
    """raw − excluded = valid, − unpaid + interest = expected, − spot − failed − made = to plan."""

    key = fields.Raw(
        required=True,
        allow_none=True,
        metadata={"description": "Id or day it was asked by; null for all, or for what is in no campaign."},
    )
    raw_units = fields.Integer(required=True)
    excluded_units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)
    interest_units = fields.Integer(required=True)
    unpaid_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    interest_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    expected_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    spot_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    failed_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    made_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    to_plan_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)
    commitments = fields.List(fields.Nested(CommitmentUnits), required=True)


class SignalFilter(WaterfallFilter, PageBefore):
    reason = Line(load_default=None)
    commitment = Line(load_default=None)


class SignalLine(Schema):
    id = fields.Integer(required=True)
    channel_id = fields.Integer(required=True)
    external_id = fields.String(required=True)
    campaign_id = fields.Integer(required=True, allow_none=True)
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    day = fields.Date(required=True)
    ordered_at = fields.AwareDateTime(required=True)
    commitment = fields.String(required=True)
    quantity = fields.Integer(required=True)
    reason = fields.String(required=True)
    expected_thousandths = fields.Integer(required=True, metadata=THOUSANDTHS)


class Weight(Schema):
    category = fields.String(required=True, metadata={"description": "Empty: all others."})
    commitment = fields.String(required=True)
    prior_mean = fields.Float(required=True)
    prior_signals = fields.Float(
        required=True, metadata={"description": "How many signals the prior is worth."}
    )
    campaigns = fields.Integer(required=True)
    signals = fields.Integer(required=True)
    converted = fields.Integer(required=True)
    permille = fields.Integer(
        required=True, metadata={"description": "The weight, in thousandths of a unit."}
    )
    lo_permille = fields.Integer(required=True)
    hi_permille = fields.Integer(required=True)


class WeightRun(Schema):
    learnt_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "Null: the stated priors; nothing was learnt."},
    )
    fingerprint = fields.String(required=True, allow_none=True)
    weights = fields.List(fields.Nested(Weight), required=True)


class Cluster(Schema):
    key = fields.String(required=True)
    campaign_id = fields.Integer(required=True)
    campaign = fields.String(required=True)
    score = fields.Float(required=True)
    signals = fields.Integer(required=True)
    units = fields.Integer(required=True)
    regions = fields.Integer(required=True)
    evidence = fields.Dict(required=True)


class DecidedCluster(Schema):
    key = fields.String(required=True)
    rule = fields.String(required=True)
    excluded = fields.Boolean(required=True)
    signals = fields.Integer(required=True)
    decided_by = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True)


class ReviewList(Schema):
    clusters = fields.List(fields.Nested(Cluster), required=True)
    waiting = fields.Integer(required=True)
    decided_today = fields.Integer(required=True)
    a_day = fields.Integer(required=True)
    decided = fields.List(fields.Nested(DecidedCluster), required=True)


class ReviewWord(Incoming):
    word = Line(required=True, validate=validate.OneOf(["exclude", "count", "undo"]))


class ReviewDecided(Schema):
    signals = fields.Integer(required=True)


class DayUnits(Schema):
    day = fields.Date(required=True)
    raw_units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)


class ExclusionFilter(WaterfallFilter, PageBefore):
    reason = Line(load_default=None)
    undone = fields.Boolean(load_default=False)


class Exclusion(Schema):
    id = fields.Integer(required=True)
    signal_id = fields.Integer(required=True)
    reason = fields.String(required=True)
    evidence = fields.Dict(required=True)
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    day = fields.Date(required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    undone_by = fields.String(required=True, allow_none=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)
