from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.core import access
from app.core.access import Actor, Role
from app.core.db import Database
from app.core.errors import Conflict, HeadwaterError, NotAllowed, RuleBroken

PASSWORD = "a long enough password"


@pytest.fixture
def account(db: Database, now: dt.datetime) -> access.AccountFact:
    with db.transaction() as session:
        return access.create_account(
            session, email="Mei@Example.com", name="Mei", password=PASSWORD, role=Role.MERCHANDISER, now=now
        )


def test_the_right_password_opens_the_account(db: Database, account: access.AccountFact) -> None:
    with db.reading() as session:
        assert access.sign_in(session, email=" mei@example.COM ", password=PASSWORD) == account


@pytest.mark.parametrize(
    ("email", "password"), [("mei@example.com", "wrong password"), ("who@example.com", PASSWORD)]
)
def test_a_wrong_password_and_an_unknown_email_are_refused_alike(
    db: Database, account: access.AccountFact, email: str, password: str
) -> None:
    with db.reading() as session, pytest.raises(NotAllowed) as refusal:
        access.sign_in(session, email=email, password=password)
    assert refusal.value.code == "sign_in_failed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "short"}, "password_short"),
        ({"email": "nobody"}, "email_invalid"),
        ({"email": "two words@example.com"}, "email_invalid"),
        ({"locale": "tlh"}, "locale_unknown"),
        ({"role": Role.SUPPLIER}, "supplier_account"),
        ({"supplier_id": 1}, "supplier_account"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    db: Database, now: dt.datetime, change: dict[str, Any], code: str
) -> None:
    wanted: dict[str, Any] = {"email": "a@b.c", "name": "A", "password": PASSWORD, "role": Role.MERCHANDISER}
    with db.transaction() as session, pytest.raises(RuleBroken) as refusal:
        access.create_account(session, **{**wanted, **change}, now=now)
    assert refusal.value.code == code


def test_an_email_has_one_account(db: Database, account: access.AccountFact, now: dt.datetime) -> None:
    with db.transaction() as session, pytest.raises(Conflict):
        access.create_account(
            session, email="MEI@example.com", name="M", password=PASSWORD, role=Role.MERCHANDISER, now=now
        )


def test_a_token_acts_for_its_account_and_only_its_hash_is_kept(
    db: Database, account: access.AccountFact, now: dt.datetime
) -> None:
    with db.transaction() as session:
        token = access.create_token(session, account_id=account.id, label="erp", now=now)
    with db.reading() as session:
        assert access.token_account(session, token=token) == account
        assert token not in str(session.connection().exec_driver_sql("SELECT * FROM access_token").all())
        with pytest.raises(NotAllowed):
            access.token_account(session, token=token + "x")


def test_a_session_ends_at_its_time(db: Database, account: access.AccountFact, now: dt.datetime) -> None:
    with db.transaction() as session:
        access.save_web_session(
            session, key="k", data={"a": 1}, account_id=account.id, expires_at=now + dt.timedelta(hours=1)
        )
    with db.reading() as session:
        assert access.load_web_session(session, key="k", now=now) == {"a": 1}
        assert access.load_web_session(session, key="k", now=now + dt.timedelta(hours=1)) is None
        assert access.load_web_session(session, key="other", now=now) is None
    with db.transaction() as session:
        access.drop_expired_sessions(session, now=now + dt.timedelta(hours=2))
        assert access.load_web_session(session, key="k", now=now) is None


def test_roles_are_kept_apart_and_an_administrator_has_them_all() -> None:
    Actor("a", Role.ADMINISTRATOR).must_be(Role.SUPPLIER)
    Actor("m", Role.MERCHANDISER).must_be(Role.SUPPLIER, Role.MERCHANDISER)
    with pytest.raises(HeadwaterError) as refusal:
        Actor("s", Role.SUPPLIER).must_be(Role.MERCHANDISER)
    assert refusal.value.code == "role_required"
