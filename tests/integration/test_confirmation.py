"""Asking suppliers, their answers, and what the next turn keeps."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app.core.access import SYSTEM, Actor, Role
from app.core.audit import entries
from app.core.db import Database
from app.core.errors import Conflict, NotAllowed, NotFound, RuleBroken
from app.stages.allocation import queries as plans
from app.stages.allocation.queries import PlanFact
from app.stages.catalog import queries as catalog
from app.stages.confirmation import operations, queries
from app.stages.confirmation.queries import LineFact
from app.stages.demand.queries import buyers
from app.stages.demand.queries.buyers import few_buyers
from support import shop
from support.brand import (
    MERCHANDISER,
    MONDAY,
    NOW,
    PLANNER,
    ask,
    load,
    load_orders,
    make_plan,
    store_forecast,
    supplier,
)


@pytest.fixture
def plan(db: Database, tmp_path: Path) -> PlanFact:
    """A plan whose suppliers have been asked."""
    load(db, tmp_path)
    plan = make_plan(db, store_forecast(db))
    ask(db, plan)
    return plan


def lines_of(db: Database, actor: Actor, *, states: list[str] | None = None) -> list[LineFact]:
    with db.reading() as session:
        return queries.supplier_lines(session, actor=actor, states=states)


def answer(
    db: Database, actor: Actor, line: LineFact, kind: str, *, now: dt.datetime = NOW, **terms: object
) -> LineFact:
    with db.transaction() as session:
        return operations.record_answer(
            session,
            actor=actor,
            line_id=line.id,
            version=line.version,
            kind=kind,
            now=now,
            **terms,  # type: ignore[arg-type]
        )


def any_supplier(db: Database) -> tuple[Actor, list[LineFact]]:
    """A supplier that was asked for mugs, and its lines."""
    for code in ("JDZ", "YW"):
        actor = supplier(db, code)
        lines = lines_of(db, actor, states=["asked"])
        if lines:
            return actor, lines
    raise AssertionError("nobody was asked")


def test_everything_planned_is_asked_once(db: Database, plan: PlanFact) -> None:
    asked = lines_of(db, MERCHANDISER)
    assert sum(line.quantity for line in asked) == plan.planned_units
    assert {line.state for line in asked} == {"asked"}
    assert {line.deadline for line in asked} == {NOW + dt.timedelta(days=5)}
    assert ask(db, plan).lines == 0
    assert lines_of(db, MERCHANDISER) == asked


def test_a_supplier_is_not_told_which_region_fewer_than_five_buyers_are_in(
    app: Flask, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(db, tmp_path)
    row = "{0},paid,BAG,CN-FJ,1,199.00,CNY,2026-11-10T10:00:00+08:00,{1},,".format
    rows = [row(f"F{n}", buyer) for n, buyer in enumerate(["a", "b", "c", "d", "d"])]
    load_orders(db, tmp_path, rows=rows, name="few.csv")
    plan = make_plan(db, store_forecast(db))
    with db.transaction() as session:
        bag, region = catalog.sku_ids(session)["BAG"], catalog.region_ids(session)
        told, kept = region["CN-GD"][0], region["CN-FJ"][0]
        line = next(one for one in plans.plan_lines(session, run_id=plan.run_id) if one.sku_id == bag)
        lines = [replace(line, warehouse_id=None, region_id=one, locked_quantity=0) for one in (told, kept)]
        operations.issue_plans(session, run=plan, lines=lines, actor=SYSTEM, now=NOW)
        codes = {one.id: one.code for one in catalog.list_suppliers(session)}
    seen = {
        actor.role: lines_of(db, actor) for actor in (MERCHANDISER, supplier(db, codes[line.supplier_id]))
    }
    assert [one.region_id for one in seen[Role.MERCHANDISER]] == [told, kept]
    assert [one.region_id for one in seen[Role.SUPPLIER]] == [told, None]
    assert {one.quantity for one in seen[Role.SUPPLIER]} == {line.quantity}
    key = shop.bearer(db, Role.SUPPLIER, supplier_id=line.supplier_id, now=NOW)
    page = app.test_client().get("/supplier", headers=key).get_data(as_text=True)
    assert page.count("Guangdong") == 1 and "Fujian" not in page and page.count("shipping papers") == 1
    api = app.test_client().get("/api/v1/plan-lines", headers=key).get_json()
    assert [(one["region_id"], one["region_withheld"]) for one in api] == [(told, False), (None, True)]
    with db.reading() as session:
        assert few_buyers(session, cells={(bag, told), (bag, kept)}) == {(bag, kept)}
    monkeypatch.setattr(buyers, "ENOUGH_SIGNALS", 6)
    load_orders(db, tmp_path, rows=rows[::-1], name="again.csv")
    with db.reading() as session:  # ten rows came, and five of them were known
        assert few_buyers(session, cells={(bag, kept)}) == {(bag, kept)}
    load_orders(db, tmp_path, rows=[row("F9", "")], name="nobody.csv")
    with db.reading() as session:
        assert few_buyers(session, cells={(bag, kept)}) == set()


def test_a_supplier_sees_its_own_lines_and_nothing_of_anybody_else(db: Database, plan: PlanFact) -> None:
    actor, mine = any_supplier(db)
    assert {line.supplier_id for line in mine} == {actor.supplier_id}
    foreign = next(line for line in lines_of(db, MERCHANDISER) if line.supplier_id != actor.supplier_id)
    for read in (queries.supplier_line, queries.answers):
        with pytest.raises(NotFound) as hidden, db.reading() as session:
            read(session, actor=actor, line_id=foreign.id)
        assert hidden.value.code == "line_unknown"
    with pytest.raises(NotFound):
        answer(db, actor, foreign, "confirm")
    with db.reading() as session:
        assert sum(queries.count_lines(session, actor=actor).values()) == len(mine)
        narrowed = queries.supplier_lines(session, actor=actor, supplier_id=foreign.supplier_id)
    assert narrowed == []


def test_only_suppliers_answer_and_only_the_buyer_settles(db: Database, plan: PlanFact) -> None:
    actor, (line, *_) = any_supplier(db)
    for other in (MERCHANDISER, PLANNER):
        with pytest.raises(NotAllowed):
            answer(db, other, line, "confirm")
    with pytest.raises(NotAllowed), db.transaction() as session:
        operations.settle_counter(session, actor=actor, line_id=line.id, version=1, accept=True, now=NOW)
    with pytest.raises(NotAllowed), db.reading() as session:
        queries.counters(session, actor=actor)
    with pytest.raises(NotAllowed), db.reading() as session:
        queries.supplier_lines(session, actor=Actor("x", Role.SUPPLIER))


def test_an_answer_is_kept_and_audited(db: Database, plan: PlanFact) -> None:
    actor, (line, *_) = any_supplier(db)
    done = answer(db, actor, line, "counter", quantity=line.quantity - 1, note="  one machine is down ")
    assert (done.state, done.promised_quantity, done.shortfall) == ("countered", line.quantity - 1, 1)
    with db.reading() as session:
        (said,) = queries.answers(session, actor=actor, line_id=line.id)
        audit = [one for one in entries(session) if one.subject == f"line:{line.id}"]
    assert (said.kind, said.quantity, said.note) == ("counter", line.quantity - 1, "one machine is down")
    assert [one.action for one in audit] == ["line.countered"]


def test_a_stale_a_late_and_an_unknown_answer_are_refused_and_change_nothing(
    db: Database, plan: PlanFact
) -> None:
    actor, (line, *_) = any_supplier(db)
    with pytest.raises(RuleBroken) as late:
        answer(db, actor, line, "confirm", now=NOW + dt.timedelta(days=6))
    assert late.value.code == "answer_late"
    with pytest.raises(RuleBroken) as unknown:
        answer(db, actor, line, "perhaps")
    assert unknown.value.code == "answer_kind"
    answer(db, actor, line, "decline")
    with pytest.raises(Conflict) as stale:
        answer(db, actor, line, "confirm")
    assert stale.value.code == "stale_answer"
    assert len(lines_of(db, actor, states=["declined"])) == 1


def test_the_next_turn_keeps_confirmed_lines_and_plans_the_rest_again(db: Database, plan: PlanFact) -> None:
    actor, (line, *_) = any_supplier(db)
    answer(db, actor, line, "confirm")
    again = make_plan(db, plan.forecast_run_id)
    fact = ask(db, again)
    assert again.run_id != plan.run_id
    with db.reading() as session:
        kept = [one for one in plans.plan_lines(session, run_id=again.run_id) if one.locked_quantity]
    assert [(one.supplier_id, one.sku_id, one.order_week, one.locked_quantity) for one in kept] == [
        (line.supplier_id, line.sku_id, line.order_week, line.quantity)
    ]
    assert fact.kept_units == line.quantity
    live = lines_of(db, MERCHANDISER, states=["asked", "confirmed"])
    assert sum(one.quantity for one in live) == again.planned_units
    assert {one.run_id for one in live if one.state == "asked"} == {again.run_id}


def test_a_declined_offer_is_set_aside_until_its_week_has_passed(db: Database, plan: PlanFact) -> None:
    actor, lines = any_supplier(db)
    answer(db, actor, lines[0], "decline")
    again = make_plan(db, plan.forecast_run_id)
    with db.reading() as session:
        assert queries.declined(session, first_week=MONDAY) == [(lines[0].supplier_id, lines[0].sku_id)]
        later = lines[0].order_week + dt.timedelta(weeks=1)
        assert queries.declined(session, first_week=later) == []
        assert not plans.plan_lines(
            session, run_id=again.run_id, supplier_id=lines[0].supplier_id, sku_id=lines[0].sku_id
        )


def test_an_accepted_counter_offer_is_kept_at_the_supplier_s_terms(db: Database, plan: PlanFact) -> None:
    actor, (line, *_) = any_supplier(db)
    countered = answer(db, actor, line, "counter", quantity=7, week=line.due_week + dt.timedelta(weeks=1))
    with db.reading() as session:
        assert [one.id for one in queries.counters(session, actor=MERCHANDISER)] == [line.id]
    with db.transaction() as session:
        operations.settle_counter(
            session,
            actor=MERCHANDISER,
            line_id=line.id,
            version=countered.version,
            accept=True,
            now=NOW,
        )
    again = make_plan(db, plan.forecast_run_id)
    with db.reading() as session:
        (kept,) = [one for one in plans.plan_lines(session, run_id=again.run_id) if one.locked_quantity]
        (committed,) = queries.committed(session)
    assert kept.locked_quantity == committed.quantity == 7
    assert kept.arrival_week == committed.arrival_week == line.due_week + dt.timedelta(weeks=1)


def test_a_refused_counter_offer_is_planned_elsewhere(db: Database, plan: PlanFact) -> None:
    actor, (line, *_) = any_supplier(db)
    countered = answer(db, actor, line, "counter", quantity=1)
    with db.transaction() as session:
        refused = operations.settle_counter(
            session, actor=MERCHANDISER, line_id=line.id, version=countered.version, accept=False, now=NOW
        )
    assert (refused.state, refused.counter_refused, refused.first_promised_quantity) == ("withdrawn", True, 1)
    with db.reading() as session:
        assert queries.declined(session, first_week=MONDAY) == [(line.supplier_id, line.sku_id)]


def test_undecided_counter_offers_are_withdrawn_by_the_next_plan_and_blame_nobody(
    db: Database, plan: PlanFact
) -> None:
    actor, lines = any_supplier(db)
    answer(db, actor, lines[0], "counter", quantity=1)
    other = next(line for line in lines_of(db, MERCHANDISER, states=["asked"]) if line.id != lines[0].id)
    answer(db, SYSTEM, other, "confirm")
    ask(db, make_plan(db, plan.forecast_run_id))
    with db.reading() as session:
        assert queries.supplier_line(session, actor=actor, line_id=lines[0].id).state == "withdrawn"
        assert queries.declined(session, first_week=MONDAY) == []


def test_a_line_without_an_answer_expires_at_its_deadline(db: Database, plan: PlanFact) -> None:
    asked = lines_of(db, MERCHANDISER)
    with db.transaction() as session:
        assert operations.expire_overdue(session, now=NOW + dt.timedelta(days=5)) == 0
        assert operations.expire_overdue(session, now=NOW + dt.timedelta(days=5, seconds=1)) == len(asked)
    assert {line.state for line in lines_of(db, MERCHANDISER)} == {"expired"}


def test_the_confirmation_rate_is_confirmed_of_asked_units(db: Database, plan: PlanFact) -> None:
    actor, (line, *_) = any_supplier(db)
    answer(db, actor, line, "confirm")
    with db.reading() as session:
        rate = queries.confirmation_rate(session, run_id=plan.run_id)
    assert (rate.asked_units, rate.confirmed_units) == (plan.planned_units, line.quantity)
    assert rate.rate == pytest.approx(line.quantity / plan.planned_units)
