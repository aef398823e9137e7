"""Pledges that come at once: stored once, within limits, and nobody waits who need not."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from flask import Flask
from integration.pledges.conftest import Door
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.core.access import SYSTEM
from app.stages.demand import operations as demand
from app.stages.demand.operations import SentPledge, rollups
from support.shop import PLEDGE


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
