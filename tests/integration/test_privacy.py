"""Buyers: nothing of them is written anywhere, and what stands for them can be exported and forgotten."""

from __future__ import annotations

import datetime as dt
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.core import access, audit, jobs
from app.core.access import Role
from app.core.config import Config
from app.core.db import Database
from app.core.jobs import JobCancelled
from app.entrypoints import forgetting, worker
from app.entrypoints.door import Services
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.models import Ballot, Design, VoteChoice, VoteRound
from app.stages.demand.operations import privacy
from support import brand
from support.rows import files
from support.shop import bearer

NAME, PHONE, ADDRESS, EMAIL = "Quxi Kanariya", "13900137777", "Kanarienweg 77", "quxi.kanariya@example.org"
CANARIES = (NAME, "Kanari", PHONE, "Kanarienweg", EMAIL, "quxi")
HEADINGS = ["external_id", "commitment", "sku", "region", "quantity", "unit_price", "currency", "ordered_at"]
HEADINGS += ["buyer", "campaign", "status", "Receiver", "Telephone", "Ship to"]
GOOD = ["A1", "paid", "MUG", "CN-GD", "2", "19.90", "CNY", "2026-11-02T10:00:00+08:00", EMAIL, "", ""]
PERSON = [NAME, PHONE, ADDRESS]


def rows() -> list[list[str]]:
    """Accepted, the same again, and a person's data in every mapped cell, one row for each."""
    spoilt = []
    for place in range(1, len(GOOD)):
        for number, value in enumerate((NAME, PHONE, ADDRESS, EMAIL, "Kanari")):
            row = [*GOOD, *PERSON]
            row[0], row[place] = f"S{place}-{number}", value
            spoilt.append(row)
    return [[*GOOD, *PERSON], [*GOOD, *PERSON], *spoilt]


def as_csv(lines: list[list[str]]) -> bytes:
    """With a short line, a long one, a stray quote, and bytes that are no text."""
    text_lines = [",".join(line) for line in [HEADINGS, *lines]]
    broken = [f"B1,{NAME}", ",".join([*GOOD, *PERSON, NAME]), f'B3,"{NAME}" {PHONE},x', f"B4,{EMAIL}\ufffd"]
    return "\n".join([*text_lines, *broken, ""]).encode()


def as_json(lines: list[list[str]]) -> bytes:
    objects = [json.dumps(dict(zip(HEADINGS, line, strict=True))) for line in lines]
    return "\n".join([*objects, f'{{"external_id": "{NAME}', ""]).encode()


def as_parquet(lines: list[list[str]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(lines, schema=HEADINGS, orient="row").write_parquet(out)
    return out.getvalue()


def as_sheet(lines: list[list[str]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, line in enumerate([HEADINGS, *lines]):
        sheet.write_row(number, 0, line)
    book.close()
    return out.getvalue()


@pytest.fixture
def keys(db: Database, tmp_path: Path, now: dt.datetime) -> dict[Role, dict[str, str]]:
    brand.load_network(db, tmp_path)
    return {role: bearer(db, role, now=now) for role in (Role.MERCHANDISER, Role.ADMINISTRATOR)}


def upload(client: FlaskClient, keys: dict[Role, dict[str, str]], content: bytes, channel: str) -> Any:
    data = {"channel": channel, "mapping": "headwater", "file": (io.BytesIO(content), "orders")}
    return client.post("/api/v1/imports", headers=keys[Role.MERCHANDISER], data=data)


def written(db: Database, folder: Path) -> Iterator[tuple[str, str]]:
    """Every row of every table as text, and every file of the data folder: of SQLite the bytes themselves."""
    with db.reading() as session:
        for table in inspect(db.engine).get_table_names():
            for row in session.execute(text(f'SELECT * FROM "{table}"')):
                yield table, repr(tuple(row))
    for path in [*folder.rglob("*"), *files(db)]:
        if path.is_file():
            yield str(path), path.read_bytes().decode("utf-8", "replace")


def assert_no_canary(places: Iterator[tuple[str, str]]) -> None:
    for place, content in places:
        for canary in CANARIES:
            at = content.find(canary)
            assert at < 0, f"{place}: …{content[max(0, at - 60) : at + 60]}…"


def test_no_name_phone_address_or_email_is_written_anywhere(
    client: FlaskClient,
    keys: dict[Role, dict[str, str]],
    db: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logged:
        _send_all(client, keys)
    assert len(logged) > 10
    assert_no_canary(iter([("events", repr(logged)), ("log", caplog.text)]))
    assert_no_canary(written(db, tmp_path))


def _send_all(client: FlaskClient, keys: dict[Role, dict[str, str]]) -> None:
    """Files of every format, pledges, and the request to be forgotten, each with a person's data all over."""
    for name, make in (("c", as_csv), ("j", as_json), ("p", as_parquet), ("x", as_sheet)):
        answer = upload(client, keys, make(rows()), f"channel-{name}")
        told = answer.get_json()
        assert answer.status_code == 201, told
        assert told["duplicate"] >= 1 and told["rejected"] > 20, told
        place = f"/imports/{told['batch_id']}/rejects.csv"
        rejects = client.get(place, headers=keys[Role.MERCHANDISER]).get_data(as_text=True)
        assert_no_canary(iter([(place, rejects)]))
    headless = upload(client, keys, as_csv(rows()).split(b"\n", 1)[1], "headless")
    assert headless.status_code == 422
    assert_no_canary(iter([("refusal", headless.get_data(as_text=True))]))
    pledge = dict(zip(HEADINGS[:9], GOOD[:9], strict=True)) | {"channel": "online", "quantity": 2}
    for members in ({}, {"status": NAME}, {"sku": NAME}, {"quantity": PHONE}, {"Receiver": NAME}):
        client.post("/api/v1/pledges", headers=keys[Role.MERCHANDISER], json=pledge | members)
        client.post("/api/v1/pledges:batch", headers=keys[Role.MERCHANDISER], json=[pledge | members])
    client.post("/api/v1/buyers/export", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL})
    client.post("/api/v1/buyers/erase", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL})


def buyers(db: Database) -> list[Any]:
    with db.reading() as session:
        return list(session.execute(text("SELECT external_id, buyer FROM signal ORDER BY id")))


def totals(db: Database) -> Any:
    with db.reading() as session:
        assert demands.recount(session) == []
        return demands.waterfall(session)


def test_a_buyer_is_exported_and_forgotten_by_what_names_them_and_no_total_changes(
    client: FlaskClient, keys: dict[Role, dict[str, str]], db: Database
) -> None:
    other = ["A2", *GOOD[1:8], "somebody@else.example", "", ""]
    content = as_csv([[*GOOD, *PERSON], [*other, *PERSON]])
    upload(client, keys, content, "shop")
    upload(client, keys, content, "mall")
    before = totals(db)
    export = client.post("/api/v1/buyers/export", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL})
    assert [(one["channel"], one["external_id"]) for one in export.get_json()["signals"]] == [
        ("shop", "A1"),
        ("mall", "A1"),
    ]
    assert export.get_json()["next_after"] is None
    asked = {"pseudonym": export.get_json()["signals"][0]["buyer"]}
    one = client.post("/api/v1/buyers/erase", headers=keys[Role.ADMINISTRATOR], json=asked)
    assert one.get_json() == {"signals": 1, "ballots": 0, "job": None}
    rest = client.post("/api/v1/buyers/erase", headers=keys[Role.ADMINISTRATOR], json={"who": f" {EMAIL} "})
    again = client.post("/api/v1/buyers/erase", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL})
    assert [one.get_json()["signals"] for one in (rest, again)] == [1, 0]
    assert [bool(buyer) for _, buyer in buyers(db)] == [False, True, False, True]
    assert totals(db) == before
    with db.reading() as session:
        entries = [one for one in audit.entries(session) if one.action.startswith("buyer.")]
    assert [(one.action, one.subject, one.data) for one in entries] == [
        ("buyer.erased", "buyers", {"signals": 0, "ballots": 0}),
        ("buyer.erased", "buyers", {"signals": 1, "ballots": 0}),
        ("buyer.erased", "buyers", {"signals": 1, "ballots": 0}),
        ("buyer.exported", "buyers", {"signals": 2, "ballots": 0}),
    ]


@pytest.fixture
def seven(
    client: FlaskClient, keys: dict[Role, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """A buyer of seven signals where two are many; an administrator's key."""
    upload(client, keys, as_csv([[f"A{number}", *GOOD[1:], *PERSON] for number in range(7)]), "shop")
    monkeypatch.setattr(privacy, "AT_ONCE", 2)
    return keys[Role.ADMINISTRATOR]


def erase(client: FlaskClient, key: dict[str, str]) -> tuple[int, Any]:
    answer = client.post("/api/v1/buyers/erase", headers=key, json={"who": EMAIL})
    return answer.status_code, answer.get_json()


def named(db: Database) -> int:
    return sum(bool(buyer) for _, buyer in buyers(db))


def test_a_buyer_of_very_many_signals_is_forgotten_by_a_job_that_says_of_nobody(
    client: FlaskClient,
    keys: dict[Role, dict[str, str]],
    seven: dict[str, str],
    db: Database,
    config: Config,
    now: dt.datetime,
) -> None:
    before = totals(db)
    status, told = erase(client, seven)
    assert (status, told["signals"], told["job"]["state"], named(db)) == (202, 2, "queued", 5)
    for path in (f"/api/v1/jobs/{told['job']['id']}/cancel", f"/replan/{told['job']['id']}/cancel"):
        assert client.post(path, headers=keys[Role.MERCHANDISER]).status_code == 403
    assert worker.work_off(Services(config, db, lambda: now)) == 1
    with db.reading() as session:
        job = jobs.get_job(session, job_id=told["job"]["id"])
    assert (job.state, job.result) == ("done", {"signals": 7, "ballots": 0})
    assert job.arguments.keys() == {"after", "signals", "ballots"}
    assert (named(db), erase(client, seven)) == (0, (200, {"signals": 0, "ballots": 0, "job": None}))
    assert totals(db) == before


@pytest.mark.parametrize("ends", [JobCancelled("stop"), KeyboardInterrupt()], ids=["stopped", "killed"])
def test_what_is_forgotten_stays_so_wherever_the_job_ends(
    client: FlaskClient,
    seven: dict[str, str],
    db: Database,
    config: Config,
    now: dt.datetime,
    ends: BaseException,
) -> None:
    here, reports = Services(config, db, lambda: now), []

    def progress(*report: Any) -> None:
        reports.append(report)
        if len(reports) == 2:
            raise ends

    erase(client, seven)
    with db.transaction() as session:
        job = jobs.claim(session, now=now)
    assert job is not None
    with pytest.raises(type(ends)):
        forgetting.erase(here, job, progress)
    assert reports == [("erasing", 2, 7), ("erasing", 4, 7)] and named(db) == 3
    if isinstance(ends, JobCancelled):
        assert erase(client, seven)[0] == 202
    later = now + jobs.LEASE + dt.timedelta(seconds=1)
    assert worker.work_off(Services(config, db, lambda: later)) >= 1
    assert named(db) == 0


def test_an_export_comes_in_parts(client: FlaskClient, seven: dict[str, str]) -> None:
    after, found = 0, []
    for signals in (3, 3, 1):
        body = {"who": EMAIL, "after": after, "limit": 3}
        part = client.post("/api/v1/buyers/export", headers=seven, json=body).get_json()
        assert len(part["signals"]) == signals
        found += [one["external_id"] for one in part["signals"]]
        after = part["next_after"]
    assert (sorted(found), after) == ([f"A{number}" for number in range(7)], None)


def test_the_same_row_after_a_buyer_was_forgotten_is_a_duplicate_and_brings_nobody_back(
    client: FlaskClient, keys: dict[Role, dict[str, str]], db: Database
) -> None:
    upload(client, keys, as_csv([[*GOOD, *PERSON]]), "shop")
    client.post("/api/v1/buyers/erase", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL})
    again = upload(client, keys, as_csv([[*GOOD, *PERSON]]) + b"\n", "shop").get_json()
    assert (again["accepted"], again["duplicate"]) == (0, 1)
    assert buyers(db) == [("A1", None)]


def test_only_administrators_may_ask_and_one_of_two_ways(
    client: FlaskClient, keys: dict[Role, dict[str, str]]
) -> None:
    for path in ("/api/v1/buyers/export", "/api/v1/buyers/erase"):
        assert client.post(path, headers=keys[Role.MERCHANDISER], json={"who": "a"}).status_code == 403
        for body in ({}, {"who": " "}, {"who": "a", "pseudonym": "0" * 32}, {"pseudonym": "x"}):
            answer = client.post(path, headers=keys[Role.ADMINISTRATOR], json=body)
            assert (answer.status_code, answer.get_json()["code"]) == (422, "buyer_unclear")


def test_old_signals_forget_their_buyers_and_young_ones_do_not(
    client: FlaskClient, keys: dict[Role, dict[str, str]], db: Database, now: dt.datetime
) -> None:
    young = ["A2", *GOOD[1:7], "2026-11-22T10:00:00+08:00", EMAIL, "", ""]
    upload(client, keys, as_csv([[*GOOD, *PERSON], [*young, *PERSON]]), "shop")
    before = totals(db)
    for forgotten in (1, 0):
        with db.transaction() as session:
            day = dt.date(2026, 11, 3)
            found = demand.forget_old_buyers(session, before=day, actor=access.SYSTEM, now=now)
        assert found == forgotten
    assert [(one, bool(buyer)) for one, buyer in buyers(db)] == [("A1", False), ("A2", True)]
    assert totals(db) == before


def test_the_command_says_how_to_switch_forgetting_on(app: Flask) -> None:
    ran = app.test_cli_runner().invoke(args=["forget-buyers"])
    assert ran.exit_code == 1
    assert "RETENTION_DAYS" in ran.output


def _round(session: Session, when: dt.datetime) -> tuple[int, int]:
    """A design that can be chosen, and the round in which."""
    design = Design(code="D1", name="D", category="home")
    asked = VoteRound(code="R1", name="R", state="open", opens_at=when, closes_at=when + dt.timedelta(days=9))
    session.add_all([design, asked])
    session.flush()
    session.add(VoteChoice(round_id=asked.id, design_id=design.id))
    session.flush()
    return design.id, asked.id


def test_a_forgotten_buyers_ballot_keeps_its_choice_under_nobodys_name(
    client: FlaskClient, keys: dict[Role, dict[str, str]], db: Database, now: dt.datetime
) -> None:
    upload(client, keys, as_csv([[*GOOD, *PERSON]]), "shop")
    buyer = buyers(db)[0][1]
    when = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    with db.transaction() as session:
        design, round_id = _round(session, when)
        session.execute(
            insert(Ballot),
            [{"round_id": round_id, "buyer": buyer, "design_id": design, "cast_at": when, "verified": True}],
        )
    asked = client.post(
        "/api/v1/buyers/export", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL}
    ).get_json()
    assert [one["design_id"] for one in asked["ballots"]] == [design]
    for ballots in (1, 0):
        erased = client.post("/api/v1/buyers/erase", headers=keys[Role.ADMINISTRATOR], json={"who": EMAIL})
        assert erased.get_json()["ballots"] == ballots
    with db.reading() as session:
        kept = session.execute(select(Ballot.buyer, Ballot.design_id)).all()
    assert [(one[0] == buyer, one[1]) for one in kept] == [(False, design)]
