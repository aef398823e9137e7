"""Plans, their lines, shares and unmet demand."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.entrypoints.wire.basics import Filter, Incoming, Line


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
    settings = fields.Dict(required=True)
    seconds = fields.Float(required=True)
    created_at = fields.AwareDateTime(required=True)
    asked_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When suppliers were last asked for it; null: never, as of a preview."},
    )


class Explanation(Schema):
    """Rows of codes and numbers with English words; money in minor units of the plan's currency."""

    run_id = fields.Integer(required=True)
    relief = fields.List(fields.Dict(), required=True)
    caps = fields.List(fields.Dict(), required=True)
    why = fields.List(fields.Dict(), required=True)
    created_at = fields.AwareDateTime(required=True)


class Refusal(Schema):
    """Why there is no plan: groups of clashing rules, and the ways out with the cost of a plan each."""

    id = fields.Integer(required=True)
    as_of = fields.Date(required=True)
    currency = fields.String(required=True)
    problem_digest = fields.String(required=True)
    clashes = fields.List(fields.List(fields.Dict()), required=True)
    relaxations = fields.List(fields.Dict(), required=True)
    lowest_share = fields.Float(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    decision = fields.Dict(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class Change(Incoming):
    """supplier_out (supplier), capacity (factor, supplier), price (factor, supplier, sku), demand (factor,
    sku, region), material (factor, material), lane_closed (source, target) or demand_drawn (draws, seed);
    places and SKUs by their codes."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(
            ["supplier_out", "capacity", "price", "demand", "material", "lane_closed", "demand_drawn"]
        ),
    )
    draws = fields.Integer(strict=True, validate=validate.Range(2, 50))
    seed = fields.Integer(strict=True, validate=validate.Range(0, 2**31 - 1))
    factor = fields.Float(validate=validate.Range(0, 100))
    supplier = Line(validate=validate.Length(1, 120))
    sku = Line(validate=validate.Length(1, 120))
    region = Line(validate=validate.Length(1, 120))
    material = Line(validate=validate.Length(1, 120))
    source = Line(validate=validate.Length(1, 120))
    target = Line(validate=validate.Length(1, 120))


class ScenarioOrder(Incoming):
    changes = fields.List(fields.Nested(Change), required=True, validate=validate.Length(1, 10))


class Scenario(Schema):
    """What is otherwise, and what planning it came to; result is null until then."""

    id = fields.Integer(required=True)
    run_id = fields.Integer(required=True)
    changes = fields.List(fields.Dict(), required=True)
    result = fields.Dict(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class PlanSettings(Schema):
    """service: percent by SKU class (A, B, C); a class without one is planned to its mean. churn_minor: what
    a
    unit of the last plan that is not ordered again counts as, or null."""

    service = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    churn_minor = fields.Integer(required=True, allow_none=True)


class PlanSettingsForm(Incoming):
    service = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["A", "B", "C"])),
        values=fields.Integer(strict=True),
        load_default=dict,
    )
    churn_minor = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 10**12)
    )


class WayOut(Incoming):
    code = fields.String(required=True, validate=validate.OneOf(["raise_cap", "soften_cap"]))


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
