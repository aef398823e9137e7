"""Pledges that are corrected, cancelled, or come in a file as well: in any order, with the same end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from integration.pledges.conftest import Door
from sqlalchemy import text

from app.core import audit
from app.core.access import SYSTEM
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from support.shop import PLEDGE, send

SENT = tuple(PLEDGE)


def test_a_correction_moves_the_day_the_pledge_belongs_to(door: Door) -> None:
    door.post()
    answer = door.patch(quantity=4)
    assert (answer.status_code, answer.get_json()["pledge"]["quantity"]) == (200, 4)
    assert door.units() == (4, 4)
    with door.db.reading() as session:
        assert [(one.day.isoformat(), one.valid_units) for one in demands.daily_units(session)] == [
            ("2026-11-03", 4)
        ]
    assert door.patch(quantity=4).get_json() == answer.get_json()
    assert len(door.corrections()) == 1
    cancelled = door.delete()
    assert (cancelled.get_json()["pledge"]["status"], cancelled.get_json()["pledge"]["reason"]) == (
        "cancelled",
        "cancelled",
    )
    assert door.units() == (4, 0)
    assert door.delete().get_json() == cancelled.get_json() and len(door.corrections()) == 2
    assert door.patch(status="placed", quantity=1).get_json()["pledge"]["reason"] == "valid"
    assert door.units() == (1, 1)
    assert door.patch(status="test").get_json()["pledge"]["reason"] == "test"
    assert door.patch(status="returned").get_json()["pledge"]["reason"] == "cancelled"
    newest, *_, oldest = door.corrections()
    assert newest["status"] == ["test", "cancelled"] and "quantity" not in newest
    assert oldest["quantity"] == [None, 4]
    with door.db.reading() as session:
        assert [one.reason for one in demands.list_exclusions(session)] == ["cancelled"]
        assert audit.first_broken(session) is None


def test_a_pledge_sent_again_after_its_correction_is_known(door: Door) -> None:
    door.post()
    door.patch(quantity=4, status="cancelled")
    assert door.post().status_code == door.post(quantity=4, status="cancelled").status_code == 200
    assert door.post(quantity=3).status_code == 409
    assert door.units() == (4, 0)


def test_a_cancellation_waits_for_its_pledge(door: Door) -> None:
    early = door.delete()
    assert (early.status_code, early.get_json()["pledge"]) == (202, None)
    assert door.units() == (0, 0)
    pledge = door.post()
    assert (pledge.status_code, pledge.get_json()["reason"]) == (201, "cancelled")
    assert door.units() == (2, 0)
    assert door.post().status_code == 200


def test_corrections_hold_for_pledges_that_come_in_a_file(
    door: Door, tmp_path: Path, now: dt.datetime
) -> None:
    def absorbed(*rows: dict[str, Any]) -> tuple[int, int, int]:
        lines = [",".join(str(row[name]) for name in SENT) for row in rows]
        path = tmp_path / f"pledges-{len(rows)}.csv"
        fact = send(door.db, path, "\n".join([",".join(SENT), *lines]), now=now)
        return fact.accepted, fact.duplicate, fact.rejected

    assert door.delete().status_code == 202
    other = {**PLEDGE, "external_id": "A-2"}
    assert absorbed(PLEDGE, other) == (2, 0, 0)
    assert door.units() == (4, 2)  # A-1 was cancelled before it came
    assert door.patch("shop/A-2", quantity=4).status_code == 200
    assert absorbed(PLEDGE, other, other) == (0, 3, 0)  # as they were received, not as they are now
    assert door.units()[1] == 4


def test_of_two_corrections_the_later_made_stands(door: Door) -> None:
    door.post()
    door.patch(quantity=4, changed_at="2026-11-05T10:00:00Z")
    door.patch(quantity=3, changed_at="2026-11-05T10:00:00+08:00")
    door.delete(query="?changed_at=2026-11-05T10:00:00Z")
    door.patch(status="placed", changed_at="2026-11-04T10:00:00Z")
    assert door.patch(quantity=4, changed_at="2026-11-05T10:00:00Z").get_json()["pledge"]["quantity"] == 4
    assert door.units() == (4, 0)


@pytest.mark.parametrize(
    ("identity", "said", "code"),
    [
        ("shop/A-1", {}, "correction_empty"),
        ("shop/A-1", {"quantity": 0}, "correction_invalid"),
        ("shop/A-1", {"quantity": "3"}, "correction_invalid"),
        ("shop/A-1", {"sku": "CUP"}, "correction_invalid"),
        ("shop/A-1", {"status": "gone"}, "status_unknown"),
        ("shop/A-1", {"quantity": 1, "changed_at": "2026-11-02T10:00:00"}, "correction_invalid"),
        ("shop/A-1", {"quantity": 1, "changed_at": "2027-01-01T00:00:00Z"}, "change_time_invalid"),
        ("two words/A-1", {"quantity": 1}, "channel_invalid"),
        ("shop/a%01b", {"quantity": 1}, "external_id_invalid"),
    ],
)
def test_a_correction_that_cannot_be_used_changes_nothing(
    door: Door, identity: str, said: dict[str, Any], code: str
) -> None:
    door.post()
    answer = door.patch(identity, **said)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    assert door.units() == (2, 2) and door.corrections() == []


def test_an_id_with_strokes_and_signs_can_be_corrected(door: Door) -> None:
    for external_id, path in (("2026/11/A 1", "2026/11/A%201"), ("A//1", "A//1"), ("吉|1", "%E5%90%89%7C1")):
        door.post(external_id=external_id, buyer=external_id)
        assert door.delete(f"shop/{path}").status_code == 200, external_id


def test_a_file_and_the_api_make_the_same_of_the_same_rows(
    door: Door, tmp_path: Path, now: dt.datetime
) -> None:
    rows = [
        {**PLEDGE, "external_id": f"F-{number}", **members}
        for number, members in enumerate(
            [
                {},
                {"quantity": 9},
                {"status": "test"},
                {"status": "returned"},
                {"unit_price": "0"},
                {"sku": "SHIP-FEE"},
                {"buyer": " Wang Xiaoming 13800138000 ", "campaign": None},
                {"sku": "NOBODY"},
                {"commitment": "PAID", "buyer": None},
                {"unit_price": "1.999"},
            ]
        )
    ]
    results = door.batch(rows).get_json()
    fact = absorb(door, tmp_path, rows, now)
    accepted = sum(one["result"] == "accepted" for one in results)
    assert (fact.accepted, fact.duplicate, fact.rejected) == (0, accepted, len(rows) - accepted) == (0, 8, 2)


def absorb(door: Door, folder: Path, rows: list[dict[str, Any]], now: dt.datetime) -> demand.ImportFact:
    """The rows as a file of the same channel."""
    heads = [*SENT, "status"]
    lines = [",".join(str(row.get(head) or "") for head in heads) for row in rows]
    return send(door.db, folder / "rows.csv", "\n".join([",".join(heads), *lines]), now=now)


def test_what_came_in_a_file_can_be_corrected_but_for_the_quantity_of_a_return(
    door: Door, tmp_path: Path, now: dt.datetime
) -> None:
    absorb(door, tmp_path, [PLEDGE, {**PLEDGE, "external_id": "R-1", "quantity": -1}], now)
    assert door.units() == (2, 1)
    assert door.patch(quantity=3).get_json()["pledge"]["quantity"] == 3
    answer = door.patch("shop/R-1", quantity=3)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "correction_of_return")
    assert door.patch("shop/R-1", status="test").get_json()["pledge"]["reason"] == "test"
    assert door.units() == (3, 3)
    assert door.post().status_code == 200


def test_a_cancellation_that_waited_holds_for_a_pledge_from_a_file(
    door: Door, tmp_path: Path, now: dt.datetime
) -> None:
    door.delete()
    absorb(door, tmp_path, [PLEDGE], now)
    pledge = door.patch(quantity=3).get_json()["pledge"]
    assert (pledge["quantity"], pledge["reason"]) == (3, "cancelled")
    assert door.units() == (3, 0)


def test_what_somebody_excluded_by_hand_stays_excluded(door: Door, now: dt.datetime) -> None:
    door.post()
    with door.db.transaction() as session:
        signal_id = session.execute(text("SELECT id FROM signal")).scalar_one()
        demand.exclude_signal(session, actor=SYSTEM, signal_id=signal_id, reason="test", evidence={}, now=now)
    door.delete()
    assert door.patch(status="placed", quantity=1).get_json()["pledge"]["reason"] == "test"
    assert door.units() == (1, 0)
