"""Channels by API and command: connected, disconnected, pulled, silent, and their events forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.access import SYSTEM, Role
from app.core.config import Config
from app.core.db import Database
from app.stages.alerts import operations as alerts
from app.stages.alerts import queries as open_alerts
from app.stages.demand import operations
from app.stages.demand.models import Channel, ChannelEvent
from app.stages.demand.queries import sources
from support import brand
from support.shop import bearer
from support.source import Source, sourced

PATH = "/api/v1/channels"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, pull_hosts=("127.0.0.1",), event_days=30)


@pytest.fixture
def source() -> Iterator[Source]:
    with sourced() as one:
        yield one


@pytest.fixture
def keys(db: Database, now: dt.datetime, tmp_path: Path) -> dict[Role, dict[str, str]]:
    brand.load_network(db, tmp_path)
    return {role: bearer(db, role, now=now) for role in (Role.ADMINISTRATOR, Role.MERCHANDISER)}


def test_a_channel_is_connected_pulled_and_asked_no_more(
    app: Flask, client: FlaskClient, keys: dict[Role, dict[str, str]], source: Source
) -> None:
    boss, buyer = {"headers": keys[Role.ADMINISTRATOR]}, {"headers": keys[Role.MERCHANDISER]}
    form = {"mapping": "headwater-events", "url": source.address, "secret": source.token}
    assert client.put(f"{PATH}/shop/source", json=form, **buyer).status_code == 403
    assert client.put(f"{PATH}/shop/source", json={**form, "mapping": "headwater"}, **boss).get_json()[
        "code"
    ] == ("mapping_no_pull")
    connected = client.put(f"{PATH}/shop/source", json=form, **boss).get_json()
    assert connected["connected"] and source.token not in str(connected)
    source.add("P-1", "2026-11-02T01:00:00Z")
    source.add("P-2", "2026-11-02T02:00:00Z", quantity=0)
    job = client.post(f"{PATH}/shop/pulls", **buyer)
    assert (job.status_code, job.get_json()["name"]) == (202, "pull-channel")
    assert client.post(f"{PATH}/shop/pulls", **buyer).get_json()["id"] == job.get_json()["id"]
    assert app.test_cli_runner().invoke(args=["worker", "--once"]).exit_code == 0
    told = client.get(f"{PATH}/shop", **buyer).get_json()
    assert (told["accepted"], told["rejected"], told["pull"]["failure"]) == (1, 1, None)
    assert [one["kind"] for one in client.get(f"{PATH}/shop/events", **buyer).get_json()] == ["pull"]
    assert [one["code"] for one in client.get(f"{PATH}/shop/rejects", **buyer).get_json()] == [
        "quantity_zero"
    ]
    assert client.delete(f"{PATH}/shop/source", **boss).status_code == 204
    for answer in (
        client.delete(f"{PATH}/shop/source", **boss),
        client.post(f"{PATH}/shop/pulls", **buyer),
        client.put(f"{PATH}/a%20b/source", json=form, **boss),
        client.get(f"{PATH}/nobody/events", **buyer),
    ):
        assert answer.status_code in (404, 422), answer.get_json()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_webhooks_of_a_channel_that_is_disconnected_are_refused(
    client: FlaskClient, keys: dict[Role, dict[str, str]]
) -> None:
    boss = {"headers": keys[Role.ADMINISTRATOR]}
    form = {"channel": "shop", "scheme": "standard", "mapping": "headwater-events"}
    assert client.post(PATH, json=form, **boss).status_code == 201
    assert client.post("/api/v1/webhooks/shop", json={}).status_code == 401
    assert client.delete(f"{PATH}/shop/webhooks", **boss).status_code == 204
    assert client.post("/api/v1/webhooks/shop", json={}).status_code == 404
    assert client.get(f"{PATH}/shop", **boss).get_json()["connected"] is False


def sent(db: Database, times: list[dt.datetime]) -> None:
    """Events of the channel shop at these times."""
    with db.transaction() as session:
        channel = session.scalar(select(Channel.id).where(Channel.code == "shop"))
        for number, at in enumerate(times):
            session.add(
                ChannelEvent(
                    channel_id=channel,
                    message_id=f"m-{number}",
                    kind="pledge.created",
                    received_at=at,
                    accepted=1,
                    known=0,
                    rejected=0,
                )
            )


def silent(db: Database, now: dt.datetime) -> list[dict[str, Any]]:
    with db.transaction() as session:
        alerts.refresh_channels(session, now=now)
    with db.reading() as session:
        return [one.data for one in open_alerts.open_alerts(session, kind="channel_silent")]


def test_a_channel_that_usually_sends_is_silent_until_it_sends_again(
    app: Flask, db: Database, now: dt.datetime
) -> None:
    key = app.config["SECRET_KEY"]
    shared = {"key": key, "currency": "CNY", "actor": SYSTEM, "now": now}
    with db.transaction() as session:
        operations.connect_channel(
            session, channel="shop", scheme="standard", mapping="headwater-events", secret=None, **shared
        )
    morning = now.replace(hour=0)
    days = [morning - dt.timedelta(days=number) for number in range(10, 0, -1)]
    times = [day + dt.timedelta(hours=hour) for day in days for hour in range(0, 16, 2)]
    sent(db, times)
    last = times[-1]
    with db.reading() as session:
        rhythm = sources.rhythms(session, now=now)[0]
    assert (rhythm.last_at, max(rhythm.pauses), len(rhythm.pauses)) == (last, 10 * 3600, 10)
    assert silent(db, last + dt.timedelta(hours=14)) == []
    found = silent(db, last + dt.timedelta(hours=16))
    assert [(one["channel"], one["usual_seconds"], one["silent_after_seconds"]) for one in found] == [
        ("shop", 36_000, 54_000)
    ]
    with db.transaction() as session:
        operations.disconnect_channel(session, channel="shop", actor=SYSTEM, now=now)
    assert silent(db, last + dt.timedelta(hours=16)) == []


def test_tending_asks_for_pulls_and_forgets_old_events_but_the_last(
    app: Flask, db: Database, now: dt.datetime, source: Source
) -> None:
    with db.transaction() as session:
        operations.connect_pull(
            session,
            channel="shop",
            mapping="headwater-events",
            url=source.address,
            secret=source.token,
            key=app.config["SECRET_KEY"],
            currency="CNY",
            trusted=["127.0.0.1"],
            actor=SYSTEM,
            now=now,
        )
    sent(db, [now - dt.timedelta(days=days) for days in (90, 60, 31)])
    runner = app.test_cli_runner()
    first = runner.invoke(args=["tend-channels", "--json"])
    assert '"pulls": 1, "silent": 0, "forgotten_events": 2, "forgotten_uploads": 0' in first.output
    with db.reading() as session:
        assert len(sources.received(session, channel="shop")) == 1
    pulled = runner.invoke(args=["pull-channel", "shop"])
    assert "1 pages of shop: 0 rows accepted" in pulled.output
