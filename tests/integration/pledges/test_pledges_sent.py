"""Pledges online on both databases: stored once, every bad field named, in batches, by whom."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from integration.pledges.conftest import Door
from sqlalchemy import text

from app.core.access import Role
from app.core.db import Database
from app.stages.demand import queries as demands
from support.rows import files
from support.shop import PLEDGE, bearer


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
