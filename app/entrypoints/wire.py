"""The wire: hand-written marshmallow schemas for what comes in and what goes out of the API.

Quantities are whole numbers (never "1.5", "1_000" or full-width digits), money is whole minor units beside an
ISO 4217 currency, times are ISO 8601 with an offset, weeks are the ISO date of their Monday.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from app.core.limits import LARGEST_QUANTITY

EXAMPLE_INSTANT = "2026-11-11T10:00:00+08:00"
NO_INSTANT: dict[str, Any] = dict.fromkeys(
    ("invalid", "invalid_awareness"),
    f"This is no instant; write it like {EXAMPLE_INSTANT}, with its offset from UTC.",
)


class Week(fields.Date):
    """A planning week, named by its Monday."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        day: dt.date = super()._deserialize(value, attr, data, **kwargs)
        if day.weekday() != 0:
            raise ValidationError(f"A planning week is named by its Monday; {day} is none.")
        return day


class Text(fields.String):
    """Text that can be stored: half of a surrogate pair is no character."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValidationError("This is no text: it has half of a character.")
        return text


def quantity(**kwargs: Any) -> fields.Integer:
    """Whole units, at least one."""
    return fields.Integer(strict=True, validate=validate.Range(1, LARGEST_QUANTITY), **kwargs)


def identifier(**kwargs: Any) -> fields.Integer:
    return fields.Integer(validate=validate.Range(1, 2**63 - 1), **kwargs)


class Incoming(Schema):
    """What comes in; a field nobody knows is refused, not dropped."""

    class Meta:
        unknown = RAISE


class Filter(Schema):
    """A query string."""

    class Meta:
        unknown = EXCLUDE


class Problem(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; listed in docs/errors.md."})
    detail = fields.String(required=True, metadata={"description": "A sentence for people."})
    request_id = fields.String(required=True)


# --- imports -----------------------------------------------------------------------------------------------


class ImportForm(Incoming):
    channel = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z"),
        metadata={"example": "tmall"},
    )
    mapping = fields.String(required=True, metadata={"example": "headwater"})


class Imported(Schema):
    batch_id = fields.Integer(required=True)
    read = fields.Integer(required=True)
    accepted = fields.Integer(required=True)
    duplicate = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    seconds = fields.Float(required=True)
    unchanged = fields.Boolean(required=True, metadata={"description": "The same file was imported before."})


class Batch(Schema):
    id = fields.Integer(required=True)
    channel = fields.String(required=True)
    mapping = fields.String(required=True)
    file_name = fields.String(required=True)
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


# --- paging ------------------------------------------------------------------------------------------------


class Page(Filter):
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class PageBefore(Page):
    before_id = identifier(load_default=None)


class PageAfterRow(Page):
    after_row = fields.Integer(load_default=-1, validate=validate.Range(-1, 2**63 - 1))


class PageAt(Page):
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 2**31))


# --- catalog and demand ------------------------------------------------------------------------------------


class SkuFilter(Page):
    search = fields.String(load_default=None, validate=validate.Length(1, 100))
    after = fields.String(load_default=None, validate=validate.Length(1, 80))


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
    since = fields.Date(load_default=None)
    until = fields.Date(load_default=None)

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


class DayUnits(Schema):
    day = fields.Date(required=True)
    raw_units = fields.Integer(required=True)
    valid_units = fields.Integer(required=True)


class ExclusionFilter(PageBefore):
    reason = fields.String(load_default=None)
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


# --- pledges -----------------------------------------------------------------------------------------------


class PledgeForm(Incoming):
    """One signal of demand. What is described here is the form; the rules are those of files."""

    channel = Text(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z"),
        metadata={"example": "tmall"},
    )
    external_id = Text(
        allow_none=True,
        metadata={"example": "A-1", "description": "With the channel, the identity; or `Idempotency-Key`."},
    )
    commitment = Text(
        required=True,
        metadata={"example": "pledge", "description": "paid, deposit, pledge, waitlist or vote."},
    )
    sku = Text(required=True, metadata={"example": "MUG"})
    region = Text(required=True, metadata={"example": "CN-GD"})
    quantity = fields.Integer(strict=True, required=True, metadata={"example": 2, "minimum": 1})
    unit_price = Text(
        required=True,
        metadata={
            "example": "19.90",
            "description": "Text with the decimals of the currency at most; no number.",
        },
    )
    currency = Text(required=True, metadata={"example": "CNY", "description": "The channel's."})
    ordered_at = fields.AwareDateTime(
        required=True, metadata={"example": EXAMPLE_INSTANT}, error_messages=NO_INSTANT
    )
    buyer = Text(
        allow_none=True,
        load_default=None,
        metadata={
            "description": "Whatever names the buyer; it becomes a keyed pseudonym before it is stored."
        },
    )
    campaign = Text(allow_none=True, load_default=None, metadata={"description": "A campaign's code."})
    status = Text(
        allow_none=True,
        load_default=None,
        metadata={"description": "placed (or nothing), cancelled, returned or test."},
    )


class Pledge(Schema):
    channel = fields.String(required=True)
    external_id = fields.String(required=True)
    commitment = fields.String(required=True)
    sku = fields.String(required=True)
    region = fields.String(required=True)
    campaign = fields.String(required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    ordered_at = fields.AwareDateTime(required=True)
    day = fields.Date(
        required=True, metadata={"description": "The business day it belongs to, at the region's clock."}
    )
    buyer = fields.String(required=True, allow_none=True, metadata={"description": "A keyed pseudonym."})
    status = fields.String(required=True)
    reason = fields.String(
        required=True, metadata={"description": "`valid`, or why its units are no valid demand."}
    )


class PledgeResult(Schema):
    row = fields.Integer(required=True, metadata={"description": "Its place in what was sent, from 0."})
    result = fields.String(required=True, metadata={"enum": ["accepted", "duplicate", "rejected"]})
    channel = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    field = fields.String(required=True, allow_none=True)
    code = fields.String(
        required=True, allow_none=True, metadata={"description": "Listed in docs/errors.md."}
    )
    sentence = fields.String(required=True, allow_none=True)


class CancelFilter(Incoming):
    changed_at = fields.AwareDateTime(
        load_default=None,
        error_messages=NO_INSTANT,
        metadata={
            "description": "When the channel made the change; now, when left out. The latest word counts."
        },
    )


class CorrectionForm(CancelFilter):
    quantity = fields.Integer(
        strict=True, load_default=None, validate=validate.Range(1, LARGEST_QUANTITY), metadata={"example": 1}
    )
    status = Text(load_default=None, metadata={"description": "placed, cancelled, returned or test."})


class Correction(Schema):
    channel = fields.String(required=True)
    external_id = fields.String(required=True)
    quantity = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The latest correction of it; null: none."}
    )
    status = fields.String(
        required=True, allow_none=True, metadata={"description": "The latest correction of it; null: none."}
    )
    pledge = fields.Nested(
        Pledge, required=True, allow_none=True, metadata={"description": "Null while it is waited for."}
    )


# --- cycle -------------------------------------------------------------------------------------------------


class CycleOrder(Incoming):
    as_of = fields.Date(load_default=None, metadata={"description": "The planning day; today when left out."})


class Job(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    phase = fields.String(required=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True)
    result = fields.Dict(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)


class ForecastRun(Schema):
    id = fields.Integer(required=True)
    as_of = fields.Date(required=True)
    horizon_weeks = fields.Integer(required=True)
    fingerprint = fields.String(required=True)
    series = fields.Integer(required=True)
    mean_units = fields.Float(required=True)
    created_at = fields.AwareDateTime(required=True)


class ForecastFilter(Filter):
    sku_id = identifier(required=True)
    region_id = identifier(load_default=None)


class ForecastLine(Schema):
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    week = fields.Date(required=True)
    mean = fields.Float(required=True)
    lo_80 = fields.Float(required=True)
    hi_80 = fields.Float(required=True)
    lo_95 = fields.Float(required=True)
    hi_95 = fields.Float(required=True)
    method = fields.String(required=True)


class Plan(Schema):
    run_id = fields.Integer(required=True)
    forecast_run_id = fields.Integer(required=True)
    as_of = fields.Date(required=True)
    weeks = fields.Integer(required=True)
    status = fields.String(required=True)
    currency = fields.String(required=True)
    problem_digest = fields.String(required=True)
    plan_digest = fields.String(required=True)
    demand_units = fields.Integer(required=True)
    planned_units = fields.Integer(required=True)
    unmet_units = fields.Integer(required=True)
    cost_minor = fields.Integer(required=True)
    bound_minor = fields.Integer(required=True)
    gap = fields.Float(required=True)
    cost_parts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    binding = fields.List(fields.Dict(), required=True)
    seconds = fields.Float(required=True)
    created_at = fields.AwareDateTime(required=True)


class PlanLine(Schema):
    id = fields.Integer(required=True)
    supplier_id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True)
    warehouse_id = fields.Integer(required=True, allow_none=True)
    region_id = fields.Integer(required=True, allow_none=True)
    order_week = fields.Date(required=True)
    arrival_week = fields.Date(required=True)
    quantity = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)
    locked_quantity = fields.Integer(required=True)


class Share(Schema):
    scope = fields.String(required=True)
    scope_key = fields.String(required=True)
    base = fields.String(required=True)
    supplier_id = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    scope_amount = fields.Integer(required=True)
    share = fields.Float(required=True)
    demand_share = fields.Float(required=True, allow_none=True)
    hhi = fields.Float(required=True)
    effective_suppliers = fields.Float(required=True)


class ShareFilter(Filter):
    scope = fields.String(load_default=None, validate=validate.OneOf(["sku", "category", "plan"]))
    above = fields.Float(load_default=None, validate=validate.Range(0, 1))


class Unmet(Schema):
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True)
    week = fields.Date(required=True)
    quantity = fields.Integer(required=True)
    reason = fields.String(required=True)


# --- confirmation ------------------------------------------------------------------------------------------


class Line(Schema):
    id = fields.Integer(required=True)
    plan_id = fields.Integer(required=True)
    supplier_id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True)
    warehouse_id = fields.Integer(required=True, allow_none=True)
    region_id = fields.Integer(required=True, allow_none=True)
    order_week = fields.Date(required=True)
    due_week = fields.Date(required=True)
    quantity = fields.Integer(required=True)
    unit_price_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)
    promised_quantity = fields.Integer(required=True, allow_none=True)
    promised_week = fields.Date(required=True, allow_none=True)
    shortfall = fields.Integer(required=True)
    deadline = fields.AwareDateTime(required=True)


class LineFilter(PageAt):
    state = fields.String(
        load_default=None,
        validate=validate.OneOf(["asked", "confirmed", "countered", "declined", "expired", "withdrawn"]),
    )


class AnswerForm(Incoming):
    """confirm and decline need no terms; counter names a quantity, a week, or both."""

    version = fields.Integer(strict=True, required=True, metadata={"description": "The version answered."})
    kind = fields.String(required=True, validate=validate.OneOf(["confirm", "counter", "decline"]))
    quantity = quantity(load_default=None, allow_none=True)
    week = Week(load_default=None, allow_none=True)
    note = fields.String(load_default="", validate=validate.Length(max=2000))


class SettlementForm(Incoming):
    version = fields.Integer(strict=True, required=True)
    accept = fields.Boolean(required=True, truthy={True}, falsy={False})


# --- warehouse and alerts ----------------------------------------------------------------------------------


class Weeks(Filter):
    weeks = fields.Integer(load_default=12, validate=validate.Range(1, 52))


class InboundCell(Schema):
    warehouse_id = fields.Integer(required=True)
    week = fields.Date(required=True)
    asked_units = fields.Integer(required=True)
    confirmed_units = fields.Integer(required=True)
    capacity = fields.Integer(required=True, allow_none=True)


class AtpFilter(Weeks):
    search = fields.String(load_default=None, validate=validate.Length(1, 100))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))
    after = fields.String(load_default=None, validate=validate.Length(1, 80))


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
    reference = fields.String(required=True, validate=validate.Length(1, 80))
    quantity = quantity(required=True)


class Receipt(Schema):
    id = fields.Integer(required=True)
    reference = fields.String(required=True)
    quantity = fields.Integer(required=True)


class AlertFilter(Page):
    owner = fields.String(load_default=None)


class Alert(Schema):
    id = fields.Integer(required=True)
    cause = fields.String(required=True)
    kind = fields.String(required=True)
    owner = fields.String(required=True)
    data = fields.Dict(required=True)
    opened_at = fields.AwareDateTime(required=True)
    seen_at = fields.AwareDateTime(required=True)


# --- overrides and accuracy of the forecast ----------------------------------------------------------------


class OverrideFilter(PageBefore):
    sku_id = identifier(load_default=None)
    region_id = identifier(load_default=None)


class OverrideForm(Incoming):
    sku_id = fields.Integer(strict=True, required=True, validate=validate.Range(1, 2**63 - 1))
    region_id = fields.Integer(
        strict=True,
        allow_none=True,
        load_default=None,
        validate=validate.Range(1, 2**63 - 1),
        metadata={"description": "Null: all regions together."},
    )
    week = Week(required=True)
    units = fields.Integer(strict=True, required=True, validate=validate.Range(0, LARGEST_QUANTITY))
    reason = Text(required=True, validate=validate.Length(1, 500))


class Override(Schema):
    id = fields.Integer(required=True)
    sku_id = fields.Integer(required=True)
    region_id = fields.Integer(required=True, allow_none=True)
    week = fields.Date(required=True)
    units = fields.Integer(required=True)
    reason = fields.String(required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    withdrawn_by = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    counts = fields.Boolean(required=True, metadata={"description": "The latest that is not withdrawn."})
    forecast_units = fields.Float(
        required=True, allow_none=True, metadata={"description": "Forecast without it; null till scored."}
    )
    sold_units = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Null until its week is scored."}
    )


class AccuracyFilter(Filter):
    by = fields.String(load_default="class", validate=validate.OneOf(["class", "region", "step", "week"]))


class Accuracy(Schema):
    """Shares are of units sold, 0.1 for 10 %; null where nothing was sold."""

    key = fields.String(
        required=True, metadata={"description": "A, B or C; a region's id; weeks ahead from 1; or a Monday."}
    )
    forecasts = fields.Integer(required=True, metadata={"description": "Series × weeks."})
    sold_units = fields.Integer(required=True)
    forecast_units = fields.Float(required=True)
    wape = fields.Float(required=True, allow_none=True)
    bias = fields.Float(required=True, allow_none=True, metadata={"description": "Above 0: too much."})
    mase = fields.Float(required=True, allow_none=True)
    pinball = fields.Float(required=True, allow_none=True)
    coverage_80 = fields.Float(required=True, allow_none=True)
    coverage_95 = fields.Float(required=True, allow_none=True)
    planned_wape = fields.Float(required=True, allow_none=True)
    value_added = fields.Float(
        required=True, allow_none=True, metadata={"description": "WAPE that the overrides took off."}
    )
