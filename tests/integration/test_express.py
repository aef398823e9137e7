"""The short way of a plain pledge and the usual way answer the same, and leave the same behind."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.access import Role
from app.core.db import Database
from app.core.direct import Prepared
from app.stages.demand import operations
from app.stages.demand import queries as demands
from app.stages.demand.operations import rollups
from support.shop import PLEDGE, bearer, sell

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
USUAL = {"Content-Type": "application/json; charset=utf-8"}
"""Whoever says so is answered in the usual way."""


class Door:
    """Sends pledges, and counts those that went the short way."""

    def __init__(self, app: Flask, client: FlaskClient, db: Database, headers: dict[str, str]) -> None:
        self.app, self.client, self.db, self.headers = app, client, db, headers
        self.short = 0

    def post(self, body: Any = None, more: dict[str, str] | None = None, **members: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps({**PLEDGE, **(body or {}), **members})
        headers = {"Content-Type": "application/json", **self.headers, **(more or {})}
        return self.client.post("/api/v1/pledges", data=content, headers=headers)


@pytest.fixture
def door(
    app: Flask,
    client: FlaskClient,
    db: Database,
    now: dt.datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Door:
    sell(db, tmp_path, now=now)
    one = Door(app, client, db, bearer(db, now=now))
    take = operations.take_express

    def counting(*args: Any, **kwargs: Any) -> Any:
        taken = take(*args, **kwargs)
        one.short += taken is not None
        return taken

    monkeypatch.setattr(operations, "take_express", counting)
    for channel in ("shop", "mall"):  # made by their first pledge
        assert one.post(more=USUAL, channel=channel, external_id="A-0", buyer="first").status_code == 201
    assert one.post(external_id="A-00", buyer="second").status_code == 201  # its headers are learned
    one.short = 0
    return one


PLAIN: list[dict[str, Any]] = [
    {},
    {"buyer": None},
    {"campaign": None, "commitment": "paid"},
    {"campaign": "", "buyer": None, "commitment": "paid"},
    {"status": "placed"},
    {"unit_price": "20", "quantity": 5},
    {"sku": "CUP", "campaign": None, "commitment": "paid"},
    {"ordered_at": "2026-11-02T23:30:00.123+08:00"},
]
ODD: list[Any] = [
    {"quantity": 6},
    {"quantity": 0},
    {"quantity": True},
    {"quantity": 1.5},
    {"quantity": "2"},
    {"quantity": None},
    {"quantity": 10**30},
    {"sku": "nobody's"},
    {"campaign": None, "commitment": "waitlist"},
    {"sku": "\ud800"},
    {"buyer": "a\u0000b"},
    {"buyer": ["x"]},
    {"buyer": " x "},
    {"currency": "EUR"},
    {"currency": None},
    {"campaign": "nobody's"},
    {"ordered_at": "2026-11-02T23:30:00"},
    {"ordered_at": "2025-11-02T23:30:00+00:00"},
    {"status": "cancelled"},
    {"unit_price": "0"},
    {"unit_price": 19.9},
    {"stranger": 1},
    {"device": "d-1"},
    {"channel": "a b"},
    {"min_quantity": 1, "max_quantity": 3},
    b"[]",
    b"{",
    b"\xff",
    b"",
]


def same(one: Any, other: Any) -> None:
    """Both answers are the same but for the channel and the number of the request."""
    assert one.status_code == other.status_code
    told, other_told = one.get_json(), other.get_json()
    for answer in (told, other_told):
        answer.pop("request_id", None)
        answer.pop("buyer", None)  # a pseudonym of its channel
    assert json.dumps(told).replace('"mall"', '"shop"') == json.dumps(other_told).replace('"mall"', '"shop"')
    own = {"Content-Length", "X-Request-Id", "Vary"}
    assert {k: v for k, v in one.headers.items() if k not in own} == {
        k: v for k, v in other.headers.items() if k not in own
    }


def test_plain_pledges_go_the_short_way_and_are_answered_the_same(door: Door) -> None:
    for number, changed in enumerate(PLAIN):
        members = {"external_id": f"P-{number}", "buyer": f"buyer {number}", **changed}
        short = door.post(members)
        same(short, door.post(members, USUAL, channel="mall"))
        assert short.status_code == 201
    assert door.short == len(PLAIN)
    with door.db.reading() as session:
        assert demands.recount(session) == []
        rows = session.execute(
            text(
                "SELECT channel.code, external_id, commitment, sku_id, region_id, campaign_id, quantity, "
                "unit_price_minor, ordered_at, day, signal.status, reason, buyer IS NULL FROM signal "
                "JOIN channel ON channel.id = channel_id WHERE external_id LIKE 'P-%' ORDER BY 2, 1"
            )
        ).all()
    for mall, shop in zip(rows[::2], rows[1::2], strict=True):
        assert tuple(mall[1:]) == tuple(shop[1:])


def test_every_other_body_is_answered_by_the_usual_way(door: Door) -> None:
    for number, changed in enumerate(ODD):
        if isinstance(changed, bytes):
            same(door.post(changed), door.post(changed, USUAL))
        else:
            members = {"external_id": f"O-{number}", "buyer": f"buyer {number}", **changed}
            here, there = door.post(members), door.post({"channel": "mall", **members}, USUAL)
            same(here, there)
    assert door.short == 0
    with door.db.reading() as session:
        assert demands.recount(session) == []


def test_what_is_known_is_answered_again_and_never_overwritten(door: Door) -> None:
    first, again, other = door.post(), door.post(), door.post(quantity=3)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.get_json() == again.get_json()
    assert door.short == 1
    named = {key: value for key, value in PLEDGE.items() if key != "external_id"}
    for status in (201, 200):
        sent = json.dumps(named | {"buyer": "z"}).encode()
        keyed = door.post(sent, {"Idempotency-Key": "K-1", "X-Request-Id": "from-the-client-1"})
        assert (keyed.status_code, keyed.headers["X-Request-Id"]) == (status, "from-the-client-1")
        assert keyed.get_json()["external_id"] == "K-1"
    assert door.short == 2


@pytest.mark.parametrize("who", ["nobody", "a revoked token", "a closed account", "a planner", "basic"])
def test_who_may_not_send_is_refused(door: Door, now: dt.datetime, who: str) -> None:
    headers = dict(door.headers)
    with door.db.transaction() as session:
        if who == "a revoked token":
            session.execute(text("UPDATE access_token SET revoked_at = now()"))
        if who == "a closed account":
            session.execute(text("UPDATE account SET active = false"))
    if who == "a planner":
        headers = bearer(door.db, Role.WAREHOUSE_PLANNER, now=now)
    if who in ("nobody", "basic"):
        headers = {"Authorization": "Bearer hw_nobody" if who == "nobody" else "Basic eDp5"}
    refused = door.post(more=headers)
    assert refused.status_code == (403 if who == "a planner" else 401)
    assert door.short == 0


def test_a_broken_connection_costs_a_client_nothing(door: Door) -> None:
    door.post()
    with door.db.reading() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert door.post(external_id="A-2", buyer="y").status_code == 201
    assert door.post(external_id="A-3", buyer="z").status_code == 201
    assert door.short == 2


def test_a_statement_that_fails_stores_nothing_and_the_next_goes_on(db: Database) -> None:
    wrong, right = Prepared(b"wrong", b"SELECT 1 / $1::int"), Prepared(b"right", b"SELECT $1::int + 1")
    with pytest.raises(psycopg.errors.DivisionByZero):
        db.direct.transact([(right, (b"1",)), (wrong, (b"0",))], lambda found: [])
    with pytest.raises(psycopg.errors.DivisionByZero):
        db.direct.transact([(right, (b"1",))], lambda found: [(wrong, (b"0",))])
    assert db.direct.transact([(right, (b"1",))], lambda found: None) is None
    found: list[Any] = []
    assert db.direct.transact([(right, (b"1",))], lambda rows: found.extend(rows) or [(right, (b"5",))]) == [
        (b"6",)
    ]
    assert found == [(b"2",)]


def test_pledges_at_once_fold_what_waits_and_keep_the_limit_of_a_buyer(
    app: Flask, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "FOLD_EVERY", 3)
    statuses: list[int] = []

    def send(turn: int) -> None:
        client = app.test_client()
        for number in range(6):
            body = {**PLEDGE, "external_id": f"T-{turn}-{number}", "buyer": f"b {number}", "quantity": 2}
            statuses.append(client.post("/api/v1/pledges", json=body, headers=door.headers).status_code)

    threads = [threading.Thread(target=send, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 24
    assert door.short >= 6
    with door.db.reading() as session:
        assert demands.recount(session) == []
        over = session.execute(
            text("SELECT sum(quantity) FROM signal WHERE external_id LIKE 'T-%' AND reason = 'valid'")
        ).scalar_one()
    assert over == 6 * 4  # of each buyer two pledges of two; a third would be over the limit of five
