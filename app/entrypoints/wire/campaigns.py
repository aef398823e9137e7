"""Campaigns, their pledge curves and landings."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from app.core.limits import LARGEST_QUANTITY
from app.entrypoints.wire.basics import (
    EXAMPLE_INSTANT,
    NO_INSTANT,
    Incoming,
    Line,
    Note,
    PageAt,
    Week,
    quantity,
)
from app.stages.demand.operations import CampaignTerms, Limited, Step, Variant
from app.stages.demand.queries import Refund as Why

LARGEST_PRICE = 10**13
REASON = "Kept with the decision and shown beside it."


def _instant(**more: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(
        error_messages=NO_INSTANT, metadata={"example": EXAMPLE_INSTANT, **more.pop("metadata", {})}, **more
    )


def _price() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(0, LARGEST_PRICE))


def _buyers() -> fields.Integer:
    told = "About how many ordered, cancelled or not; standard error 2.3 %."
    return fields.Integer(required=True, metadata={"description": told})


class VariantForm(Incoming):
    sku = Line(required=True, validate=validate.Length(1, 80), metadata={"example": "COAT-BLK-M"})
    option = Line(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=80),
        metadata={"example": "black, M", "description": "How buyers choose it."},
    )


class TierForm(Incoming):
    """From `min_units` on, every unit costs `unit_price_minor`."""

    min_units = fields.Integer(required=True, strict=True, validate=validate.Range(0, LARGEST_QUANTITY))
    unit_price_minor = _price()


class LimitedForm(Incoming):
    """The next `units` cost `unit_price_minor`, in the order they are pledged."""

    units = quantity(required=True)
    unit_price_minor = _price()


class CampaignForm(Incoming):
    """All terms of a draft. Money is in minor units of the service's currency."""

    code = Line(required=True, validate=validate.Length(1, 80), metadata={"example": "PS2611-COAT"})
    name = Line(required=True, validate=validate.Length(1, 200))
    name_zh = Line(load_default=None, allow_none=True, validate=validate.Length(max=200))
    variants = fields.List(fields.Nested(VariantForm), required=True, validate=validate.Length(max=500))
    opens_at = _instant(required=True)
    closes_at = _instant(required=True)
    expected_units = quantity(required=True, metadata={"description": "Frozen at launch."})
    go_factor_percent = fields.Integer(
        load_default=120,
        strict=True,
        validate=validate.Range(1, 9_999),
        metadata={"description": "It goes at so many percent of the expected units."},
    )
    due_week = Week(required=True)
    tiers = fields.List(fields.Nested(TierForm), required=True, validate=validate.Length(max=50))
    limited = fields.List(fields.Nested(LimitedForm), load_default=[], validate=validate.Length(max=50))
    per_buyer_limit = quantity(load_default=None, allow_none=True)
    cap_units = quantity(
        load_default=None, allow_none=True, metadata={"description": "Units above it are over the cap."}
    )
    deposit_minor = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, LARGEST_PRICE)
    )
    deposit_due_at = _instant(load_default=None, allow_none=True)
    balance_due_at = _instant(load_default=None, allow_none=True)
    fill_starts_at = _instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "From here to the close pledges can only grow."},
    )
    late_until = _instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "Pledges after the close are taken until then, up to the cap."},
    )

    @post_load
    def _terms(self, said: dict[str, Any], **_: Any) -> dict[str, Any]:
        version = said.pop("version", None)
        said["variants"] = tuple(Variant(**one) for one in said["variants"])
        said["tiers"] = tuple(Step(**one) for one in said["tiers"])
        said["limited"] = tuple(Limited(**one) for one in said["limited"])
        terms = {"terms": CampaignTerms(**said)}
        return terms if version is None else {**terms, "version": version}


def _version() -> fields.Integer:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "The version you saw; another one is a conflict."},
    )


class CampaignEdit(CampaignForm):
    version = _version()


class CopyForm(Incoming):
    code = Line(required=True, validate=validate.Length(1, 80))


class VersionForm(Incoming):
    version = _version()


class ReasonForm(VersionForm):
    reason = Note(required=True, validate=validate.Length(1, 500), metadata={"description": REASON})


class ExtensionForm(ReasonForm):
    days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 90))
    due_week = Week(load_default=None, allow_none=True)


class CloseForm(VersionForm):
    decision = Line(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(["go", "no_go"]),
        metadata={"description": "Without it the go rule decides."},
    )
    reason = Note(
        load_default="",
        validate=validate.Length(max=500),
        metadata={"description": f"{REASON} Needed to close early, and against the go rule."},
    )


class StepForm(VersionForm):
    step = Line(required=True, validate=validate.OneOf(["produce", "ship", "finish"]))
    reason = Note(load_default="", validate=validate.Length(max=500), metadata={"description": REASON})


class Campaign(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    name_zh = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    expected_units = fields.Integer(required=True)
    go_units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)
    raw_units = fields.Integer(required=True)
    due_week = fields.Date(required=True)
    per_buyer_limit = fields.Integer(required=True, allow_none=True)
    go_factor_percent = fields.Integer(required=True)
    cap_units = fields.Integer(required=True, allow_none=True)
    deposit_minor = fields.Integer(required=True, allow_none=True)
    deposit_due_at = fields.AwareDateTime(required=True, allow_none=True)
    balance_due_at = fields.AwareDateTime(required=True, allow_none=True)
    fill_starts_at = fields.AwareDateTime(required=True, allow_none=True)
    late_until = fields.AwareDateTime(required=True, allow_none=True)
    launched_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Integer(required=True)
    steps = fields.List(fields.String(), required=True, metadata={"description": "What may be decided next."})


class CampaignVariant(Schema):
    sku = fields.String(required=True)
    option = fields.String(required=True, allow_none=True)


class Tier(Schema):
    min_units = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)


class LimitedTier(Schema):
    units = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)


class CampaignWhole(Campaign):
    """A campaign with its variants and prices."""

    variants = fields.List(fields.Nested(CampaignVariant), required=True)
    tiers = fields.List(fields.Nested(Tier), required=True)
    limited = fields.List(fields.Nested(LimitedTier), required=True)
    buyers = _buyers()


class Check(Schema):
    field = fields.String(required=True)
    code = fields.String(required=True)
    sentence = fields.String(required=True)
    data = fields.Dict(required=True)


class LaunchOutlook(Schema):
    failures = fields.List(fields.Nested(Check), required=True)
    expected_units = fields.Integer(required=True)
    go_units = fields.Integer(required=True)
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    due_week = fields.Date(required=True)
    earliest_week = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The first week in which goods can be there."},
    )


class Sum(Schema):
    pledges = fields.Integer(required=True)
    buyers = fields.Integer(required=True)
    units = fields.Integer(required=True)
    amount_minor = fields.Integer(required=True)


class RegionSum(Sum):
    region_id = fields.Integer(required=True)


class _Why(Schema):
    why = fields.Enum(
        Why,
        by_value=True,
        required=True,
        metadata={
            "description": "The units are not made; more was paid than the price reached; or a paid order "
            "replaced the pledge, whose deposit is part of its price only if the channel says so."
        },
    )


class RefundSum(_Why, Sum):
    """What is to be returned for one reason."""


class CloseOutlook(Schema):
    goes = fields.Boolean(required=True)
    valid_units = fields.Integer(required=True, metadata={"description": "Pledged before the close."})
    late_units = fields.Integer(required=True)
    expected_units = fields.Integer(required=True)
    go_factor_percent = fields.Integer(required=True)
    go_units = fields.Integer(required=True)
    buyers = _buyers()
    price_minor = fields.Integer(required=True, allow_none=True)
    next_price_minor = fields.Integer(required=True, allow_none=True)
    next_tier_short = fields.Integer(required=True, allow_none=True)
    limited_units = fields.Integer(required=True)
    released_units = fields.Integer(
        required=True, metadata={"description": "Units that would require nothing any more."}
    )
    balance = fields.Nested(Sum, required=True)
    refunds = fields.List(fields.Nested(RefundSum), required=True)


class Decision(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    from_state = fields.String(required=True)
    to_state = fields.String(required=True)
    valid_units = fields.Integer(required=True)
    expected_units = fields.Integer(required=True)
    go_factor_percent = fields.Integer(required=True)
    rule_goes = fields.Boolean(required=True, allow_none=True)
    inputs = fields.Dict(required=True)
    reason = fields.String(required=True, allow_none=True)
    decided_by = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True)


class Balance(Schema):
    campaign_id = fields.Integer(required=True)
    campaign = fields.String(required=True)
    balance_due_at = fields.AwareDateTime(required=True, allow_none=True)
    total = fields.Nested(Sum, required=True)
    regions = fields.List(fields.Nested(RegionSum), required=True)


class PledgeSum(Schema):
    channel = fields.String(required=True)
    external_id = fields.String(required=True)
    buyer = fields.String(required=True, allow_none=True, metadata={"description": "A keyed pseudonym."})
    region_id = fields.Integer(required=True)
    units = fields.Integer(required=True)
    amount_minor = fields.Integer(required=True)


class Refund(_Why, PledgeSum):
    """One pledge with something to return."""


class Award(Schema):
    channel = fields.String(required=True)
    external_id = fields.String(required=True)
    ordered_at = fields.AwareDateTime(required=True)
    units = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)


class PledgePage(PageAt):
    """A page of pledges."""


class CurvePoint(Schema):
    day = fields.Date(required=True)
    units = fields.Integer(required=True)
    cum_units = fields.Integer(required=True)


class LandingLine(Schema):
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    units = fields.Integer(required=True)
    mean = fields.Float(required=True)
    median = fields.Float(required=True)
    lo_80 = fields.Float(required=True)
    hi_80 = fields.Float(required=True)
    lo_95 = fields.Float(required=True)
    hi_95 = fields.Float(required=True)


class Landing(LandingLine):
    class Meta:
        exclude = ("sku_id", "region_id")

    as_of = fields.Date(required=True)
    elapsed_day = fields.Integer(required=True)
    window_days = fields.Integer(required=True)
    method = fields.String(required=True)
    finished = fields.Integer(required=True, metadata={"description": "Finished campaigns learnt from."})
    chance_of_going = fields.Float(
        required=True, metadata={"description": "Of landing at the go line or above; 0–1."}
    )
    lines = fields.List(fields.Nested(LandingLine), required=True)
