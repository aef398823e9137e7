"""Plans in the database: what is stored, when it is the same, and when it is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.access import SYSTEM, Actor, Role
from app.core.audit import entries
from app.core.db import Database
from app.core.errors import Conflict, NotAllowed, NotFound, RuleBroken
from app.cycle import commitments
from app.stages.allocation import operations, queries
from app.stages.allocation.rules import Base, Limit, PlanSettings, Scope
from app.stages.stock import operations as stock
from app.stages.stock.rules import MovementKind
from support.brand import (
    MONDAY,
    NOW,
    SETTINGS,
    load,
    load_campaign,
    load_network,
    load_orders,
    make_plan,
    store_forecast,
)

EXPECTED = 15
"""Units of twenty pledges that are expected to be paid."""


@pytest.fixture
def brand(db: Database, tmp_path: Path) -> int:
    """A network, history, one campaign and a forecast; returns the forecast's run."""
    load(db, tmp_path)
    return store_forecast(db)


def freeze(db: Database, run_id: int, *, settings: PlanSettings = SETTINGS) -> operations.FrozenProblem:
    with db.reading() as session:
        return operations.freeze(
            session,
            forecast_run_id=run_id,
            as_of=MONDAY,
            commitments=commitments(session, as_of=MONDAY),
            currency="CNY",
            settings=settings,
        )


def test_a_plan_covers_forecast_and_pledges_from_stock_and_suppliers(db: Database, brand: int) -> None:
    plan = make_plan(db, brand)
    with db.reading() as session:
        lines = queries.plan_lines(session, run_id=plan.run_id)
        unmet = queries.unmet(session, run_id=plan.run_id)
        flows = queries.warehouse_region_flows(session, run_id=plan.run_id)
    assert plan.demand_units == 2 * 8 * 20 + EXPECTED
    assert plan.planned_units == sum(line.quantity for line in lines)
    assert plan.unmet_units == sum(cell.quantity for cell in unmet)
    surplus = sum(line.surplus_quantity for line in lines)
    assert sum(flow.quantity for flow in flows) == plan.demand_units - plan.unmet_units
    assert plan.planned_units - surplus + 40 >= plan.demand_units - plan.unmet_units
    assert plan.bound_minor <= plan.cost_minor == sum(plan.cost_parts.values())


def test_the_same_inputs_keep_the_plan_they_have(db: Database, brand: int) -> None:
    first, second = make_plan(db, brand), make_plan(db, brand, now=NOW + dt.timedelta(hours=1))
    assert first == second
    with db.reading() as session:
        assert len(queries.list_plans(session)) == 1


def test_other_settings_make_another_plan(db: Database, brand: int) -> None:
    assert freeze(db, brand).digest != freeze(db, brand, settings=replace(SETTINGS, late_percent=3)).digest


def test_a_plan_is_not_stored_when_stock_moved_meanwhile(db: Database, brand: int) -> None:
    frozen = freeze(db, brand)
    solution = operations.compute(frozen)
    with db.transaction() as session:
        stock.move(
            session, sku_id=1, warehouse_id=1, quantity=5, kind=MovementKind.ADJUSTMENT, source="x", now=NOW
        )
    with pytest.raises(Conflict, match="Plan again"), db.transaction() as session:
        now_firm = commitments(session, as_of=MONDAY)
        operations.store(
            session,
            frozen=frozen,
            solution=solution,
            commitments=now_firm,
            today=MONDAY,
            actor=SYSTEM,
            now=NOW,
        )
    with db.reading() as session:
        assert queries.latest_plan(session, today=MONDAY) is None


def test_a_stored_plan_is_on_the_audit_log(db: Database, brand: int) -> None:
    plan = make_plan(db, brand)
    with db.reading() as session:
        assert any(
            one.action == "plan.stored" and one.data["plan_digest"] == plan.plan_digest
            for one in entries(session)
        )


def test_shares_are_of_what_is_allocated_and_of_what_is_wanted(db: Database, brand: int) -> None:
    plan = make_plan(db, brand)
    with db.reading() as session:
        mugs = queries.shares(session, run_id=plan.run_id, scope="sku", scope_key="MUG", base="units")
        above = queries.shares(session, run_id=plan.run_id, base="units", above=40)
    assert sum(share.amount for share in mugs) == mugs[0].scope_amount
    assert sum(share.share for share in mugs) == pytest.approx(1.0)
    assert all(share.demand_share == pytest.approx(share.amount / 320) for share in mugs)
    assert all(share.amount * 100 > 40 * share.scope_amount for share in above)
    assert ("sku", "BAG") in {(share.scope, share.scope_key) for share in above}


def test_a_sku_nobody_offers_is_unmet_and_the_rest_is_planned(db: Database, tmp_path: Path) -> None:
    offers = (
        "supplier,sku,moq,lot_multiple,lead_days,weekly_capacity,order_cost,currency\n"
        "JDZ,MUG,10,10,7,,50.00,CNY\n"
    )
    prices = "supplier,sku,min_quantity,unit_price\nJDZ,MUG,0,9.00\n"
    load_network(db, tmp_path, changed={"supply_offers": offers, "price_breaks": prices})
    load_orders(db, tmp_path)
    load_campaign(db, tmp_path)
    plan = make_plan(db, store_forecast(db))
    with db.reading() as session:
        found = {sku.sku_id: sku for sku in queries.unmet_by_sku(session, run_id=plan.run_id)}
    assert {"no_offer": EXPECTED} in [sku.reasons for sku in found.values()]


def test_nothing_wanted_is_refused_with_what_to_do(db: Database, tmp_path: Path) -> None:
    load_network(db, tmp_path)
    run_id = store_forecast(db, mugs=0)
    with pytest.raises(RuleBroken, match="Import orders") as refused:
        freeze(db, run_id)
    assert refused.value.code == "nothing_to_plan"


def test_weekly_flows_list_every_week_of_the_horizon(db: Database, brand: int) -> None:
    plan = make_plan(db, brand)
    with db.reading() as session:
        weeks = queries.weekly_flows(session, run_id=plan.run_id)
        lines = queries.plan_lines(session, run_id=plan.run_id)
        left = queries.supplier_warehouse_flows(session, run_id=plan.run_id)
    assert [one.week for one in weeks] == [
        MONDAY + dt.timedelta(weeks=index) for index in range(SETTINGS.weeks)
    ]
    assert sum(one.ordered for one in weeks) == sum(line.quantity for line in lines)
    assert sum(link.quantity for link in left) == plan.planned_units
    with db.reading() as session:
        assert queries.count_plan_lines(session, run_id=plan.run_id) == len(lines)
        one = lines[0].supplier_id
        assert {
            line.supplier_id for line in queries.plan_lines(session, run_id=plan.run_id, supplier_id=one)
        } == {one}


def test_a_limit_is_set_by_the_merchandiser_and_holds_from_then_on(db: Database) -> None:
    limit = Limit(Scope.PLAN, Base.UNITS, 55, False, 250)
    with db.transaction() as session:
        operations.set_limit(session, limit=limit, actor=Actor("mei", Role.MERCHANDISER), now=NOW)
        operations.set_limit(session, limit=replace(limit, threshold_percent=60), actor=SYSTEM, now=NOW)
    with db.reading() as session:
        assert queries.limits(session) == (replace(limit, threshold_percent=60),)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"threshold_percent": 0}, "limit_threshold"), ({"penalty_minor": -1}, "limit_penalty")],
)
def test_a_limit_out_of_range_is_refused(db: Database, change: dict[str, int], code: str) -> None:
    limit = replace(Limit(Scope.SKU, Base.UNITS, 40, False, None), **change)  # type: ignore[arg-type]
    with pytest.raises(RuleBroken) as refused, db.transaction() as session:
        operations.set_limit(session, limit=limit, actor=SYSTEM, now=NOW)
    assert refused.value.code == code


def test_a_supplier_sets_no_limit_and_an_unknown_plan_is_not_found(db: Database) -> None:
    limit = Limit(Scope.SKU, Base.UNITS, 90, False, None)
    with pytest.raises(NotAllowed), db.transaction() as session:
        operations.set_limit(session, limit=limit, actor=Actor("s", Role.SUPPLIER, supplier_id=1), now=NOW)
    with pytest.raises(NotFound), db.reading() as session:
        queries.get_plan(session, run_id=7)


def test_money_is_written_as_its_currency_does() -> None:
    assert queries.money_text(123450, currency="CNY") == "1,234.50"
    assert queries.money_text(1235, currency="JPY") == "1,235"
