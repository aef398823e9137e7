"""Closing an account, opening it again, another password: at once, by whom, and never the last one."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.core import access, accounts, audit
from app.core.access import AccountFact, Role
from app.core.db import Database
from app.core.errors import NotAllowed, RuleBroken

PASSWORD = "a long enough password"
EMAIL = "mei@brand.example"


@dataclass
class House:
    app: Flask
    db: Database
    boss: AccountFact
    mei: AccountFact
    boss_key: dict[str, str]
    mei_key: dict[str, str]
    now: dt.datetime

    def client(self, password: str = PASSWORD) -> tuple[FlaskClient, int]:
        """Mei's browser, and how its sign-in was answered."""
        client = self.app.test_client()
        form = {"email": EMAIL, "password": password, "csrf_token": token_of(client, "/sign-in")}
        return client, client.post("/sign-in", data=form).status_code

    def ask(self, method: str, path: str, **body: object) -> tuple[int, dict[str, object]]:
        path = f"/api/v1/accounts/{path}"
        answer = self.app.test_client().open(path, method=method, headers=self.boss_key, json=body or None)
        return answer.status_code, answer.get_json()

    def mei_may(self, client: FlaskClient) -> tuple[int, int]:
        """Status of Mei's page, and of the API by her key."""
        by_key = self.app.test_client().get("/api/v1/imports", headers=self.mei_key)
        return client.get("/imports").status_code, by_key.status_code


def token_of(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]


@pytest.fixture
def house(app: Flask, db: Database, now: dt.datetime) -> House:
    made, keys = [], []
    with db.transaction() as session:
        for email, role in (("boss@brand.example", Role.ADMINISTRATOR), (EMAIL, Role.MERCHANDISER)):
            made.append(
                access.create_account(session, email=email, name="N", password=PASSWORD, role=role, now=now)
            )
            key = access.create_token(session, account_id=made[-1].id, label="erp", now=now)
            keys.append({"Authorization": f"Bearer {key}"})
    return House(app, db, *made, *keys, now)


def test_a_closed_account_is_out_at_once_and_comes_back_without_its_keys(house: House) -> None:
    client, entered = house.client()
    assert (entered, house.mei_may(client)) == (303, (200, 200))
    assert house.ask("POST", f"{house.mei.id}/close")[0] == 200
    assert house.mei_may(client) == (303, 401)
    assert house.client()[1] == 401
    assert house.ask("POST", f"{house.mei.id}/close")[1]["code"] == "account_closed"
    assert house.ask("POST", f"{house.mei.id}/open")[0] == 200
    assert house.ask("POST", f"{house.mei.id}/open")[1]["code"] == "account_open"
    assert house.mei_may(client) == (303, 401)
    assert house.client()[1] == 303
    with house.db.reading() as session:
        told = [(one.actor, one.action) for one in audit.entries(session) if one.action.startswith("account")]
        assert audit.first_broken(session) is None
    assert told == [(house.boss.email, "account.opened"), (house.boss.email, "account.closed")]


def test_another_password_signs_out_and_leaves_the_keys_which_are_revoked_one_by_one(house: House) -> None:
    client, _ = house.client()
    assert house.ask("PUT", f"{house.mei.id}/password", password="short")[1]["code"] == "password_short"
    assert house.ask("PUT", f"{house.mei.id}/password", password="another, long enough")[0] == 200
    assert house.mei_may(client) == (303, 200)
    assert (house.client()[1], house.client("another, long enough")[1]) == (401, 303)
    (token,) = (
        house.app.test_client()
        .get(f"/api/v1/accounts/{house.mei.id}/tokens", headers=house.boss_key)
        .get_json()
    )
    assert house.ask("DELETE", f"{house.boss.id}/tokens/{token['id']}")[1]["code"] == "token_absent"
    for _ in range(2):
        assert house.ask("DELETE", f"{house.mei.id}/tokens/{token['id']}")[0] == 200
    assert house.mei_may(client)[1] == 401


def test_ones_own_password_signs_out_every_other_browser_and_leaves_the_keys(house: House) -> None:
    (mine, _), (other, _) = house.client(), house.client()
    new = "one that I chose myself"

    def change(**typed: str) -> tuple[int, str]:
        form = {"old": PASSWORD, "password": new, "again": new, "csrf_token": token_of(mine, "/account")}
        answer = mine.post("/account/password", data=form | typed)
        return answer.status_code, answer.get_data(as_text=True)

    for wrong, told in (
        ({"old": "somebody else's guess"}, "not the password that you sign in with"),
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": PASSWORD, "again": PASSWORD}, "the password that you have already"),
        ({"again": "one that I chose mysefl"}, "differs from the new password"),
        ({"old": ""}, "This is needed"),
    ):
        status, page = change(**wrong)
        assert status == 422 and told in page and new not in page
    assert house.mei_may(other) == (200, 200)
    assert change()[0] == 303
    assert "Every other browser is signed out" in mine.get("/account").get_data(as_text=True)
    assert (house.mei_may(mine), house.mei_may(other)) == ((200, 200), (303, 200))
    assert (house.client()[1], house.client(new)[1]) == (401, 303)
    with house.db.reading() as session:
        told_of = [one for one in audit.entries(session) if one.action == "account.password_changed"]
    assert [(one.actor, one.subject) for one in told_of] == [(EMAIL, f"account:{house.mei.id}")]


def test_a_request_that_was_under_way_brings_no_ended_session_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = house.client()
    token = token_of(client, "/imports")

    def meanwhile(session: Session, **_: object) -> None:
        accounts.close_account(session, account_id=house.mei.id, actor=house.boss.actor, now=house.now)

    monkeypatch.setattr(access, "set_locale", meanwhile)
    client.post("/language", data={"locale": "zh_Hans_CN", "csrf_token": token})
    with house.db.transaction() as session:
        accounts.open_account(session, account_id=house.mei.id, actor=house.boss.actor, now=house.now)
    assert client.get("/imports").status_code == 303


def test_the_last_administrator_stays(house: House, app: Flask) -> None:
    assert house.ask("POST", f"{house.boss.id}/close")[1]["code"] == "last_administrator"
    ran = app.test_cli_runner().invoke(args=["close-account", "--email", house.boss.email])
    assert ran.exit_code == 1 and "last administrator" in ran.stderr
    for command in ("close-account", "open-account"):
        assert app.test_cli_runner().invoke(args=[command, "--email", EMAIL]).exit_code == 0
    given = ["reset-password", "--email", EMAIL, "--password", "the operator's choice"]
    assert app.test_cli_runner().invoke(args=given).exit_code == 0
    assert house.client("the operator's choice")[1] == 303


def test_of_two_administrators_who_close_each_other_one_is_refused(house: House) -> None:
    with house.db.transaction() as session:
        other = access.create_account(
            session,
            email="b@brand.example",
            name="B",
            password=PASSWORD,
            role=Role.ADMINISTRATOR,
            now=house.now,
        )
    barrier = Barrier(2)

    def close(one: AccountFact, by: AccountFact) -> str:
        barrier.wait()
        try:
            with house.db.transaction() as session:
                accounts.close_account(session, account_id=one.id, actor=by.actor, now=house.now)
        except RuleBroken as refused:
            return refused.code
        return "closed"

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(close, (house.boss, other), (other, house.boss)))
    assert sorted(told) == ["closed", "last_administrator"]


def test_only_administrators_look_after_accounts(house: House) -> None:
    me = house.mei.actor
    with house.db.transaction() as session:
        for act in (accounts.close_account, accounts.open_account):
            with pytest.raises(NotAllowed):
                act(session, account_id=house.boss.id, actor=me, now=house.now)
        with pytest.raises(NotAllowed):
            accounts.reset_password(
                session, account_id=house.boss.id, password=PASSWORD, actor=me, now=house.now
            )
    for method, path in (("GET", ""), ("GET", "/1"), ("POST", "/1/close"), ("PUT", "/1/password")):
        answer = house.app.test_client().open(f"/api/v1/accounts{path}", method=method, headers=house.mei_key)
        assert answer.status_code == 403
