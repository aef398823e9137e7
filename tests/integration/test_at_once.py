"""Two who write the same at one moment: one does, the others are told; and text that no database can hold."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.core import access
from app.core.access import Role
from app.core.db import Database
from app.core.errors import Conflict
from support import brand
from support.corpus.door import Seen
from support.corpus.races import at_once

DESIGNS = [{"code": code, "name": code, "category": "home"} for code in ("D-1", "D-2")]
ROUND = {
    "code": "R-1",
    "name": "Round",
    "opens_at": "2026-11-20T10:00:00+08:00",
    "closes_at": "2026-12-09T10:00:00+08:00",
    "designs": DESIGNS,
}
SAME = {
    "a vote round": ("POST", "/api/v1/vote-rounds", ROUND),
    "a copied campaign": ("POST", "/api/v1/campaigns/1/copy", {"code": "C-2"}),
    "the settings of plans": ("PUT", "/api/v1/plan-settings", {"service": {"A": 95}}),
    "an account": (
        "POST",
        "/admin/accounts",
        {
            "email": "x@y.example",
            "name": "X",
            "role": "merchandiser",
            "locale": "en",
            "password": "long enough!",
        },
    ),
}


@pytest.fixture
def key(db: Database, tmp_path: Path) -> dict[str, str]:
    brand.load(db, tmp_path, orders=False)
    with db.transaction() as session:
        boss = access.create_account(
            session,
            email="b@x.example",
            name="B",
            password="long enough!",
            role=Role.ADMINISTRATOR,
            now=brand.NOW,
        )
        token = access.create_token(session, account_id=boss.id, label="test", now=brand.NOW)
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("what", SAME)
def test_of_those_who_write_the_same_at_once_nobody_is_failed(
    app: Flask, key: dict[str, str], what: str
) -> None:
    method, path, body = SAME[what]
    sent: dict[str, Any] = {"json" if path.startswith("/api/") else "data": body}

    def send() -> Seen:
        response = app.test_client().open(path, method=method, headers=key, **sent)
        return Seen(response.status_code, response)

    told = sorted(one.status for one in at_once(send, send, send))
    assert told[0] in (200, 201, 303) and set(told[1:]) <= {409, 200}, told


def test_a_key_that_was_taken_meanwhile_is_a_conflict(db: Database) -> None:
    make = partial(
        access.Account,
        email="a@b.example",
        name="A",
        password_hash="-",
        role="merchandiser",
        created_at=brand.NOW,
    )
    with pytest.raises(Conflict) as refused, db.transaction() as session:
        session.add_all([make(), make()])
    assert refused.value.code == "written_meanwhile"


def test_no_database_is_asked_for_text_that_it_cannot_hold(app: Flask, key: dict[str, str]) -> None:
    client = app.test_client()
    for path in ("/api/v1/webhooks/a%00", "/api/v1/channels/a%00/pulls", "/channels/a%00/pull"):
        assert client.post(path, headers=key).status_code == 400
    bad = {"reason": "a\x00", "version": 1}
    assert client.post("/api/v1/campaigns/1/overrule", headers=key, json=bad).status_code == 422
    form = {"reference": "a\x00", "quantity": "1"}
    assert client.post("/warehouse/lines/1/receive", headers=key, data=form).status_code == 422
