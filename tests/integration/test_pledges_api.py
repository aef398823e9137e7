"""Pledges online on both databases: one flow with files, once in effect, and corrected in any order."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.core import audit
from app.core.access import SYSTEM, Role
from app.core.db import Database
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import SentPledge, rollups
from support.rows import files
from support.shop import PLEDGE, bearer, sell, send

SENT = tuple(PLEDGE)


@pytest.fixture(autouse=True)
def catalogue(db: Database, tmp_path: Path, now: dt.datetime) -> None:
    sell(db, tmp_path, now=now)


@pytest.fixture
def headers(db: Database, now: dt.datetime) -> dict[str, str]:
    return bearer(db, now=now)


class Door:
    """The API as one merchandiser's machine calls it."""

    def __init__(self, client: FlaskClient, headers: dict[str, str], db: Database) -> None:
        self.client, self.headers, self.db = client, headers, db

    def post(self, *, headers: dict[str, str] | None = None, **members: Any) -> Any:
        body = {name: value for name, value in {**PLEDGE, **members}.items() if value is not ...}
        return self.client.post("/api/v1/pledges", headers={**self.headers, **(headers or {})}, json=body)

    def batch(self, rows: Any) -> Any:
        return self.client.post("/api/v1/pledges:batch", headers=self.headers, json=rows)

    def patch(self, identity: str = "shop/A-1", **said: Any) -> Any:
        return self.client.patch(f"/api/v1/pledges/{identity}", headers=self.headers, json=said)

    def delete(self, identity: str = "shop/A-1", query: str = "") -> Any:
        return self.client.delete(f"/api/v1/pledges/{identity}{query}", headers=self.headers)

    def units(self) -> tuple[int, int]:
        """Raw and valid units, after the roll-ups were found equal to a recount."""
        with self.db.reading() as session:
            assert demands.recount(session) == []
            water = demands.waterfall(session)
            return water.raw_units, water.valid_units

    def corrections(self) -> list[dict[str, Any]]:
        with self.db.reading() as session:
            return [one.data for one in audit.entries(session) if one.action == "pledge.corrected"]


@pytest.fixture
def door(client: FlaskClient, headers: dict[str, str], db: Database) -> Door:
    return Door(client, headers, db)


def test_a_new_pledge_is_stored_and_the_same_one_again_changes_nothing(door: Door) -> None:
    first, again = door.post(), door.post(ordered_at="2026-11-03T07:30:00+08:00", quantity=2)
    assert (first.status_code, again.status_code) == (201, 200), first.text
    told = first.get_json()
    assert told == again.get_json()
    assert told["day"] == "2026-11-03"  # half past seven in the region
    assert (told["quantity"], told["unit_price_minor"], told["reason"]) == (2, 1990, "valid")
    assert door.units() == (2, 2)


def test_a_known_identity_with_other_content_is_a_conflict(door: Door) -> None:
    door.post()
    for other in (
        {"quantity": 3},
        {"buyer": "another"},
        {"sku": "CUP"},
        {"status": "test"},
        {"campaign": None},
    ):
        answer = door.post(**other)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "identity_conflict"), other
        assert answer.mimetype == "application/problem+json"
    assert door.units() == (2, 2)


def test_an_idempotency_key_is_the_identity_of_a_pledge_that_names_none(door: Door) -> None:
    key = {"Idempotency-Key": "K-1"}
    first = door.post(external_id=..., headers=key)
    assert (first.status_code, first.get_json()["external_id"]) == (201, "K-1")
    assert door.post(external_id=None, headers=key).status_code == 200
    assert door.post(external_id="K-1").status_code == 200
    assert door.post(external_id=...).status_code == 422


BAD = [
    ({"channel": ...}, "channel", "value_missing"),
    ({"channel": "two words"}, "channel", "field_invalid"),
    ({"external_id": ...}, "external_id", "value_missing"),
    ({"external_id": "  \u3000 "}, "external_id", "value_missing"),
    ({"external_id": "a\u0000b"}, "external_id", "text_unusable"),
    ({"external_id": "x" * 121}, "external_id", "text_unusable"),
    ({"external_id": "1.5E+10"}, "external_id", "id_damaged"),
    ({"external_id": "\ud800"}, "external_id", "field_invalid"),
    ({"external_id": 7}, "external_id", "field_invalid"),
    ({"commitment": "maybe"}, "commitment", "commitment_unknown"),
    ({"sku": "NOBODY"}, "sku", "sku_unknown"),
    ({"sku": {"$ne": None}}, "sku", "field_invalid"),
    ({"sku": "x" * 10_000}, "sku", "text_unusable"),
    ({"region": "CN-XX"}, "region", "region_unknown"),
    ({"campaign": "C9"}, "campaign", "campaign_unknown"),
    ({"campaign": "C1\u001b[2J"}, "campaign", "text_unusable"),
    ({"quantity": 0}, "quantity", "quantity_zero"),
    ({"quantity": -1}, "quantity", "quantity_negative"),
    ({"quantity": 1.5}, "quantity", "field_invalid"),
    ({"quantity": "2"}, "quantity", "field_invalid"),
    ({"quantity": True}, "quantity", "field_invalid"),
    ({"quantity": None}, "quantity", "field_invalid"),
    ({"quantity": 2**31}, "quantity", "quantity_out_of_range"),
    ({"quantity": 2**63}, "quantity", "quantity_out_of_range"),
    ({"quantity": 10**4000}, "quantity", "quantity_out_of_range"),
    ({"unit_price": 19.9}, "unit_price", "field_invalid"),
    ({"unit_price": "0.00004"}, "unit_price", "price_invalid"),
    ({"unit_price": "NaN"}, "unit_price", "price_invalid"),
    ({"unit_price": "1,234.50"}, "unit_price", "price_invalid"),
    ({"unit_price": "\uff19.\uff19\uff19"}, "unit_price", "price_invalid"),
    ({"unit_price": "99999999999.99"}, "unit_price", "price_out_of_range"),
    ({"currency": "EUR"}, "currency", "currency_mismatch"),
    ({"currency": "cny"}, "currency", "currency_mismatch"),
    ({"ordered_at": "2026-11-02T10:00:00"}, "ordered_at", "field_invalid"),
    ({"ordered_at": "2026-11-02"}, "ordered_at", "field_invalid"),
    ({"ordered_at": "2026-02-30T10:00:00Z"}, "ordered_at", "field_invalid"),
    ({"ordered_at": 1790000000}, "ordered_at", "field_invalid"),
    ({"ordered_at": "0001-01-01T00:00:00+14:00"}, "ordered_at", "date_out_of_range"),
    ({"ordered_at": "9999-12-31T23:59:59-14:00"}, "ordered_at", "date_out_of_range"),
    ({"status": "gone"}, "status", "status_unknown"),
    ({"buyer": "x" * 201}, "buyer", "text_unusable"),
    ({"__proto__": {"admin": True}}, "__proto__", "field_unknown"),
]


def test_a_bad_field_is_named_and_nothing_is_stored(door: Door) -> None:
    for members, field, code in BAD:
        answer = door.post(**members)
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), members
        problem = answer.get_json()
        assert problem["code"] == "pledge_invalid" and len(answer.data) < 4_000
        assert [(one["field"], one["code"]) for one in problem["errors"]] == [(field, code)], members
        assert all(one["sentence"] for one in problem["errors"])
    rows = [{k: v for k, v in {**PLEDGE, **members}.items() if v is not ...} for members, _, _ in BAD]
    told = door.batch(rows).get_json()
    assert [(one["result"], one["field"], one["code"]) for one in told] == [
        ("rejected", field, code) for _, field, code in BAD
    ]
    with door.db.reading() as session:
        assert demands.list_channels(session) == []


def test_each_bad_field_has_an_entry(door: Door) -> None:
    wrong = {"sku": "NOBODY", "quantity": 0, "unit_price": "x", "currency": "EUR", "status": 5, "more": 1}
    problem = door.post(**wrong, buyer="x" * 300, external_id=...).get_json()
    assert {one["field"] for one in problem["errors"]} == {*wrong, "buyer", "external_id"}
    many = door.post(**{f"m{number}": 1 for number in range(1_000)}).get_json()
    assert len(many["errors"]) == 10


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}{}", 400),
        (b'{"quantity": NaN}', 400),
        ('{"sku": "MUG"}'.encode("utf-16"), 400),
        (bytes.fromhex("7b22736b75223a22c0af227d"), 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b"null", 422),
        (b'"x"', 422),
        (b" " * (4 * 1024 * 1024 + 1), 413),
    ],
    ids=["nothing", "two", "NaN", "UTF-16", "overlong", "nested", "null", "string", "too much"],
)
def test_a_body_that_is_no_json_is_a_problem(door: Door, body: bytes, status: int) -> None:
    calls = [("POST", "pledges"), ("POST", "pledges:batch"), ("PATCH", "pledges/shop/A-1")]
    for method, path in calls:
        answer = door.client.open(
            f"/api/v1/{path}",
            method=method,
            headers=door.headers,
            data=body,
            content_type="application/json",
        )
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), method + path
    plain = door.client.post("/api/v1/pledges", headers=door.headers, data="{}", content_type="text/plain")
    assert plain.status_code == 415
    assert (
        door.batch({}).status_code
        == door.client.post("/api/v1/pledges", headers=door.headers, json=[]).status_code
        == 422
    )


def test_a_body_that_breaks_off_is_refused_though_what_came_of_it_is_json(door: Door) -> None:
    """As servers hand it through that end a stream where the sender closed it."""
    content = json.dumps(PLEDGE)
    for more in (0, 5):
        answer = door.client.post(
            "/api/v1/pledges",
            headers=door.headers | {"Content-Type": "application/json"},
            input_stream=io.BytesIO(content.encode()),
            environ_overrides={
                "wsgi.input_terminated": True,
                "CONTENT_LENGTH": str(len(content) + more),
            },
        )
        assert answer.status_code == (400 if more else 201)
    assert door.units() == (2, 2)


def test_a_batch_answers_every_row_in_order_and_keeps_the_good_ones(door: Door) -> None:
    rows = [
        PLEDGE,
        {**PLEDGE, "external_id": "A-2", "quantity": 0},
        PLEDGE,
        {**PLEDGE, "quantity": 3},
        7,
        {**PLEDGE, "external_id": "A-1", "channel": "other", "buyer": None, "campaign": None},
        {**PLEDGE, "external_id": "P-1", "sku": "SHIP-FEE", "campaign": None},
    ]
    told = door.batch(rows).get_json()
    assert [(one["row"], one["result"], one["code"]) for one in told] == [
        (0, "accepted", None),
        (1, "rejected", "quantity_zero"),
        (2, "duplicate", None),
        (3, "rejected", "identity_conflict"),
        (4, "rejected", "row_not_object"),
        (5, "accepted", None),
        (6, "accepted", None),
    ]
    assert door.units() == (6, 4)
    assert door.batch([]).get_json() == []


def test_a_batch_of_a_thousand_is_taken_and_a_longer_one_is_not(door: Door) -> None:
    rows = [{**PLEDGE, "external_id": f"B-{n}", "buyer": f"b{n}", "quantity": 1} for n in range(1_001)]
    answer = door.batch(rows)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "batch_too_long")
    assert door.units() == (0, 0)
    assert {one["result"] for one in door.batch(rows[:1_000]).get_json()} == {"accepted"}
    assert {one["result"] for one in door.batch(rows[:1_000]).get_json()} == {"duplicate"}
    assert door.units() == (1_000, 1_000)


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


def signals_of(door: Door, reason: str) -> list[str]:
    query = text("SELECT external_id FROM signal WHERE reason = :reason ORDER BY external_id")
    with door.db.reading() as session:
        return list(session.scalars(query, {"reason": reason}))


def test_a_batch_decides_of_whoever_comes_again_or_wants_too_much(door: Door) -> None:
    """Of all others it need not: the last row is of a buyer without anything, within the limit."""
    sent = [("early", 3), ("twice", 3), ("twice", 3), ("greedy", 6), ("alone", 5), (..., 6)]
    door.post(external_id="B", buyer="early", quantity=3, ordered_at="2026-11-02T23:00:00Z")
    rows = [
        {**PLEDGE, "external_id": f"B-{number}", "quantity": quantity, "buyer": buyer}
        for number, (buyer, quantity) in enumerate(sent)
    ]
    del rows[-1]["buyer"]
    assert door.batch(rows).status_code == 200
    assert signals_of(door, "over_limit") == ["B-0", "B-2", "B-3"]
    assert door.units() == (29, 17)
    paid = {"commitment": "paid", "external_id": "B-9", "quantity": 5, "buyer": "alone"}
    door.batch([{**PLEDGE, **paid, "ordered_at": "2026-11-05T10:00:00Z"}])
    assert signals_of(door, "superseded") == ["B-4"]


def test_the_limit_per_buyer_holds_online_and_makes_room_again(door: Door) -> None:
    door.post(quantity=3)
    late = door.post(external_id="A-2", quantity=3, ordered_at="2026-11-04T10:00:00Z")
    assert late.get_json()["reason"] == "over_limit"
    early = door.post(external_id="A-0", quantity=3, ordered_at="2026-11-01T10:00:00Z")
    assert early.get_json()["reason"] == "valid"
    assert door.units() == (9, 3)
    assert door.delete("shop/A-0").status_code == 200
    assert door.units() == (9, 3)
    door.patch(quantity=2)
    assert door.units() == (8, 5)
    door.patch("shop/A-0", status="placed")
    assert door.units() == (8, 5)
    door.patch("shop/A-0", quantity=1)
    assert door.units() == (6, 3)


def test_a_buyer_is_a_pseudonym_from_the_first_moment(
    door: Door, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = [
        door.post(),
        door.post(),
        door.post(quantity=9),
        door.post(sku="NOBODY"),
        door.batch([PLEDGE, PLEDGE]),
    ]
    door.patch(quantity=1)
    assert len(told[0].get_json()["buyer"]) == 32
    seen = "".join(capfd.readouterr()) + "".join(one.text for one in told)
    with door.db.reading() as session:
        for table in ("signal", "exclusion", "audit_entry", "import_batch", "rejected_row", "correction"):
            seen += json.dumps(
                [list(map(str, row)) for row in session.execute(text(f"SELECT * FROM {table}"))]
            )
    seen += "".join(
        path.read_bytes().decode("latin1")
        for path in [*tmp_path.rglob("*"), *files(door.db)]
        if path.is_file()
    )
    assert "Xiaoming" not in seen and "13800138000" not in seen


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


def test_a_transaction_that_the_database_ended_for_another_one_is_done_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, times = demand.take_pledge, []

    class Deadlock(Exception):
        sqlstate = "40P01"

    def ended(session: Any, **rest: Any) -> Any:
        times.append(1)
        told = take(session, **rest)
        if len(times) < 3:
            raise OperationalError("INSERT", {}, Deadlock())
        return told

    monkeypatch.setattr(demand, "take_pledge", ended)
    assert door.post().status_code == 201 and len(times) == 3
    assert door.units() == (2, 2)


def test_only_a_merchandiser_may_send_pledges(client: FlaskClient, db: Database, now: dt.datetime) -> None:
    calls = [
        ("POST", "pledges"),
        ("POST", "pledges:batch"),
        ("PATCH", "pledges/shop/A-1"),
        ("DELETE", "pledges/shop/A-1"),
    ]
    planner = bearer(db, Role.WAREHOUSE_PLANNER, now=now)
    for method, path in calls:
        for headers, status in (({}, 401), (planner, 403)):
            answer = client.open(f"/api/v1/{path}", method=method, headers=headers, json=[])
            assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), path


def test_two_at_once_with_the_same_pledge_store_it_once(app: Flask, door: Door) -> None:
    """Both begin at one moment; so do a correction and the pledge it is about."""
    for number in range(5):
        body = {**PLEDGE, "external_id": f"T-{number}", "quantity": 1, "buyer": f"b{number}"}
        calls: list[tuple[str, str, Any]] = [
            ("POST", "pledges", body),
            ("POST", "pledges", body),
            ("DELETE", f"pledges/shop/T-{number}", None),
        ]
        told = at_once(app, door.headers, calls)
        assert sorted(told[:2]) == [200, 201] and told[2] in (200, 202)
    assert door.units() == (5, 0)


def test_a_pledge_waits_for_the_cancellation_that_is_being_stored(
    app: Flask, door: Door, now: dt.datetime
) -> None:
    """Without turns neither would see the other: the pledge would count, the cancellation wait for ever."""
    door.post(external_id="A-0", quantity=1, buyer="another")
    sending = threading.Thread(target=at_once, args=(app, door.headers, [("POST", "pledges", PLEDGE)]))
    with door.db.transaction() as session:
        demand.correct_pledge(
            session,
            channel="shop",
            external_id="A-1",
            status="cancelled",
            actor=SYSTEM,
            now=now,
            currency="CNY",
        )
        sending.start()
        sending.join(timeout=0.5)
        assert sending.is_alive()
    sending.join(timeout=60)
    assert door.units() == (3, 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_plain_pledges_of_one_channel_do_not_wait_for_each_other(door: Door) -> None:
    door.post(external_id="A-0", buyer="another")  # the channel is there
    cells = {name: str(value) for name, value in PLEDGE.items() if name != "channel"}
    with door.db.transaction() as session:
        mine = SentPledge("shop", {**cells, "external_id": "A-2", "buyer": "a third"})
        taken = demand.take_plain_pledge(session, sent=mine, actor=SYSTEM, pseudonym_key=b"k")
        assert taken is not None
        assert door.post().status_code == 201  # while the other is not committed
    assert door.units() == (6, 6)


def test_two_pledges_of_one_buyer_at_once_stay_within_the_limit(app: Flask, door: Door) -> None:
    bodies = [{**PLEDGE, "external_id": f"T-{number}", "quantity": 3} for number in range(3)]
    assert at_once(app, door.headers, [("POST", "pledges", body) for body in bodies]) == [201, 201, 201]
    assert door.units() == (9, 3)


def test_changes_that_are_folded_while_others_come_count_once(
    app: Flask, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "FOLD_EVERY", 2)
    for turn in range(4):
        bodies = [
            {**PLEDGE, "external_id": f"T-{turn}-{n}", "buyer": f"b{turn}-{n}", "quantity": 1}
            for n in range(6)
        ]
        calls: list[tuple[str, str, Any]] = [("POST", "pledges", body) for body in bodies]
        if turn:
            calls.append(("DELETE", f"pledges/shop/T-{turn - 1}-0", None))
        assert set(at_once(app, door.headers, calls)) <= {200, 201}
        assert door.units() == (6 * (turn + 1), 6 * (turn + 1) - turn)
    with door.db.reading() as session:
        assert session.execute(text("SELECT count(*) FROM demand_change")).scalar_one() < 20
        assert session.execute(text("SELECT sum(valid_units) FROM campaign_total_day")).scalar_one() > 0


def at_once(app: Flask, headers: dict[str, str], calls: list[tuple[str, str, Any]]) -> list[int]:
    """The statuses of calls that begin together, each in a thread of its own."""
    barrier, statuses = threading.Barrier(len(calls)), [0] * len(calls)

    def run(place: int, method: str, path: str, body: Any) -> None:
        client = app.test_client()
        barrier.wait(timeout=10)
        answer = client.open(f"/api/v1/{path}", method=method, headers=headers, json=body)
        statuses[place] = answer.status_code

    threads = [threading.Thread(target=run, args=(place, *call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return statuses
