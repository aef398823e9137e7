"""What an open campaign takes: in its window, in the fill phase, up to its cap, extended."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration.campaigns.conftest import DRAFT, NOW, Ask, correct, launched, pledge, steps

from app.core import audit
from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.imports import queries as batches
from support import brand


def test_pledges_are_taken_from_the_opening_to_the_close_by_the_channels_time(
    ask: Ask, db: Database, tmp_path: Path
) -> None:
    draft = ask("POST", "", 201, DRAFT)
    assert pledge(db, "early").flaws[0].code == "campaign_not_open"
    ask("POST", f"/{draft['id']}/launch", 200, {"version": 1})
    assert pledge(db, "before", at="2026-11-19T23:59:59+00:00").flaws[0].code == "campaign_not_open"
    assert pledge(db, "after", at="2026-12-04T00:00:00+00:00").flaws[0].code == "campaign_closed"
    assert pledge(db, "last", at="2026-12-03T23:59:59+00:00").outcome == "accepted"
    rows = [
        f"F{day},pledge,BAG,CN-GD,1,200.00,CNY,2026-{day}T10:00:00+00:00,u{day},PS-1,"
        for day in ("11-19", "11-20", "12-03", "12-04")
    ]
    brand.load_orders(db, tmp_path, rows=rows)
    assert steps(db, draft["id"]) == (3, {})
    with db.reading() as session:
        batch = batches.list_batches(session)[0]
        codes = [one.code for one in batches.rejected_rows(session, batch_id=batch.id)]
    assert codes == ["campaign_not_open", "campaign_closed"]


def test_in_the_fill_phase_pledges_only_grow(ask: Ask, db: Database) -> None:
    one = launched(ask, fill_starts_at="2026-12-01T00:00:00+00:00")
    for id_ in ("A", "B", "C"):
        pledge(db, id_, quantity=3)
    refusals = [{"quantity": 2}, {"status": "cancelled"}, {"status": "test"}]
    for said in refusals:
        with pytest.raises(Exception, match="can only grow") as refused:
            correct(db, "A", at="2026-12-02T00:00:00+00:00", **said)
        assert refused.value.code == "fill_phase"  # type: ignore[attr-defined]
    assert correct(db, "A", at="2026-12-02T00:00:00+00:00", quantity=5).quantity == 5
    correct(db, "B", at="2026-11-30T23:59:59+00:00", quantity=1)  # made before the phase, told afterwards
    correct(db, "A", at="2026-11-30T23:59:59+00:00", quantity=4)
    assert steps(db, one["id"]) == (5 + 1 + 3, {})
    correct(db, "A", at="2026-12-05T00:00:00+00:00", quantity=2)  # after the close units come back
    correct(db, "C", at="2026-12-05T00:00:00+00:00", status="cancelled")
    assert steps(db, one["id"]) == (2 + 1, {"cancelled": 3})


def test_what_waited_for_its_pledge_is_heard_in_order_and_what_is_refused_stays_on_record(
    ask: Ask, db: Database
) -> None:
    one = launched(ask, fill_starts_at="2026-12-01T00:00:00+00:00")
    correct(db, "A", at="2026-12-02T00:00:00+00:00", quantity=3)
    correct(db, "A", at="2026-11-30T00:00:00+00:00", quantity=5)
    correct(db, "A", at="2026-12-02T00:00:00+00:00", status="cancelled")
    pledge(db, "A", quantity=2)
    assert steps(db, one["id"]) == (5, {})
    with db.reading() as session:
        refused = [e.data for e in audit.entries(session) if e.action == "pledge.correction_refused"]
    assert [one.get("quantity", one.get("status")) for one in refused] == ["cancelled", 3]


def test_units_above_the_cap_are_over_it_by_the_order_they_were_made(ask: Ask, db: Database) -> None:
    one = launched(ask, cap_units=12, late_until="2026-12-08T00:00:00+00:00")
    pledge(db, "late", at="2026-12-05T00:00:00+00:00", quantity=4)
    assert steps(db, one["id"]) == (4, {})
    pledge(db, "first", at="2026-11-21T00:00:00+00:00", quantity=6)
    pledge(db, "second", at="2026-11-22T00:00:00+00:00", quantity=5)
    assert steps(db, one["id"]) == (11, {"over_cap": 4})
    pledge(db, "small", at="2026-12-06T00:00:00+00:00", quantity=1)
    assert steps(db, one["id"]) == (12, {"over_cap": 4})
    correct(db, "first", at="2026-11-23T00:00:00+00:00", status="cancelled")
    assert steps(db, one["id"]) == (10, {"cancelled": 6})
    assert pledge(db, "gone", at="2026-12-08T00:00:00+00:00").flaws[0].code == "campaign_closed"
    dry = ask("GET", f"/{one['id']}/close-outlook", 200)
    assert (dry["valid_units"], dry["late_units"], dry["goes"]) == (5, 5, False)


def test_somebody_may_count_what_is_over_the_cap(ask: Ask, db: Database) -> None:
    one = launched(ask, cap_units=12)
    pledge(db, "A", quantity=12)
    pledge(db, "B", at="2026-11-22T11:00:00+00:00", quantity=2)
    with db.transaction() as session:
        excluded = demands.list_exclusions(session, reason="over_cap")
        assert excluded[0].evidence == {"cap_units": 12}
        demand.undo_exclusion(session, actor=SYSTEM, exclusion_id=excluded[0].id, now=NOW)
    pledge(db, "C", at="2026-11-22T12:00:00+00:00")
    assert steps(db, one["id"]) == (14, {"over_cap": 1})


def test_an_extension_keeps_the_orders_and_moves_the_dates(ask: Ask, db: Database) -> None:
    one = launched(ask, fill_starts_at="2026-12-01T00:00:00+00:00")
    pledge(db, "A", quantity=3)
    said = {"version": one["version"], "days": 3, "reason": "The live stream moved"}
    later = ask("POST", f"/{one['id']}/extend", 200, said)
    assert later["closes_at"].startswith("2026-12-07") and later["fill_starts_at"].startswith("2026-12-04")
    assert later["balance_due_at"].startswith("2026-12-13") and later["valid_units"] == 3
    again = {"version": later["version"], "days": 30, "reason": "More"}
    refused = ask("POST", f"/{one['id']}/extend", 422, again)
    assert "due_week_unreachable" in [error["code"] for error in refused["errors"]]
    moved = ask("POST", f"/{one['id']}/extend", 200, {**again, "due_week": "2027-02-01"})
    assert (moved["due_week"], moved["state"]) == ("2027-02-01", "open")
    kinds = [(d["kind"], d["reason"]) for d in ask("GET", f"/{one['id']}/decisions", 200)]
    assert kinds == [("extend", "More"), ("extend", "The live stream moved"), ("launch", None)]
