"""Channels that are asked page by page: idempotent, patient, and nowhere but where they may."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.core import jobs
from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict, HeadwaterError, NotFound, RuleBroken
from app.core.jobs import JobCancelled, JobState
from app.entrypoints import pulling, worker
from app.entrypoints.door import Services
from app.entrypoints.pulling import Puller
from app.stages.demand import operations
from app.stages.demand import queries as demands
from app.stages.demand.queries import sources
from app.stages.imports.readers import remote
from support import brand
from support.source import Source, sourced

ROOT = Path(__file__).parents[2]


@dataclass
class Shop:
    """A channel that is pulled from a source."""

    db: Database
    here: Services
    source: Source
    now: dt.datetime
    slept: list[float] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)

    def connect(self, **how: Any) -> None:
        with self.db.transaction() as session:
            operations.connect_pull(
                session,
                **{
                    "channel": "shop",
                    "mapping": "headwater-events",
                    "url": self.source.address,
                    "secret": self.source.token,
                    "key": self.here.config.secret_key,
                    "currency": "CNY",
                    "trusted": self.here.config.pull_hosts,
                    "actor": SYSTEM,
                    "now": self.now,
                    **how,
                },
            )

    def pull(self, **how: Any) -> dict[str, Any]:
        puller = Puller(
            self.here, how.pop("progress", lambda *told: self.told.append(told)), self.slept.append
        )
        return puller.pull("shop")

    def units(self) -> tuple[int, int]:
        with self.db.reading() as session:
            assert demands.recount(session) == []
            water = demands.waterfall(session)
            return water.raw_units, water.valid_units

    def fact(self) -> sources.SourceFact:
        with self.db.reading() as session:
            return sources.get_source(session, channel="shop", now=self.now)


@pytest.fixture
def shop(db: Database, config: Config, tmp_path: Path, now: dt.datetime) -> Iterator[Shop]:
    brand.load_network(db, tmp_path)
    config = replace(config, pull_hosts=("127.0.0.1",))
    with sourced() as source:
        one = Shop(db, Services(config, db, lambda: now), source, now)
        one.connect()
        yield one


def five(source: Source) -> None:
    for number in range(5):
        source.add(f"P-{number}", f"2026-11-02T0{number}:00:00Z", quantity=number + 1)


def test_a_pull_takes_every_page_and_a_further_one_only_what_changed_since(shop: Shop) -> None:
    five(shop.source)
    assert shop.pull() == {"channel": "shop", "pages": 3, "accepted": 5, "known": 0, "rejected": 0}
    assert shop.units() == (15, 15)
    shop.source.add("P-0", "2026-11-02T06:00:00Z", kind="pledge.cancelled", quantity=1)
    shop.source.add("P-9", "2026-11-02T07:00:00Z", quantity=9)
    again = shop.pull()
    assert (again["pages"], again["accepted"], again["known"]) == (2, 1, 2)
    assert "since=2026-11-02T04%3A00%3A00Z" in shop.source.asked[3]
    assert shop.units() == (24, 23)
    fact = shop.fact()
    assert fact.pull and (fact.pull.succeeded_at, fact.pull.under_way, fact.failing) == (
        shop.now,
        False,
        False,
    )
    assert fact.lag_seconds == (shop.now - dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)).total_seconds()


def test_bad_rows_are_kept_out_with_their_reasons_once(shop: Shop) -> None:
    shop.source.add("P-1", "2026-11-02T01:00:00Z")
    shop.source.add("P-2", "2026-11-02T02:00:00Z", sku="nobody's")
    shop.source.add("P-3", "2026-11-02T03:00:00Z", quantity="two")
    shop.source.events.append({"type": "customer.created", "data": {"changed_at": "2026-11-02T03:00:00Z"}})
    assert (shop.pull()["rejected"], shop.pull()["rejected"]) == (2, 0)
    assert shop.units() == (1, 1)
    with shop.db.reading() as session:
        kept = sources.rejects(session, channel="shop")
        stored = [repr(tuple(row)) for row in session.execute(text("SELECT * FROM channel_reject"))]
    assert [(one.field, one.code) for one in kept] == [
        ("quantity", "quantity_not_whole"),
        ("sku", "sku_unknown"),
    ]
    assert not [one for one in stored if "quxi" in one or "nobody" in one]
    assert shop.fact().rejected == 2


class Killed(BaseException):
    pass


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("stored", [False, True], ids=["before", "after"])
def test_a_pull_that_ends_at_any_page_goes_on_there(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, page: int, stored: bool
) -> None:
    five(shop.source)
    take, taken = operations.take_page, []

    def dying(*args: Any, **kwargs: Any) -> Any:
        fact = take(*args, **kwargs)
        taken.append(fact)
        if len(taken) == page and not stored:
            raise Killed  # the transaction is rolled back
        return fact

    def progress(*_: Any) -> None:
        if stored and len(taken) == page:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(operations, "take_page", dying)
        if page == 3 and stored:
            shop.pull(progress=progress)
        else:
            with pytest.raises(Killed):
                shop.pull(progress=progress)
    shop.pull()
    assert shop.units() == (15, 15)
    assert shop.pull()["accepted"] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_pull_that_is_killed_converges(shop: Shop) -> None:
    five(shop.source)
    here = shop.here.config
    env = os.environ | {
        "DATABASE_URL": shop.db.url,
        "HEADWATER_DATA": str(here.data_dir),
        "SECRET_KEY": here.secret_key,
        "PSEUDONYM_KEY": here.pseudonym_key.decode(),
        "PULL_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "pull-channel", "shop"]
    child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shop.source.before = lambda number: os.kill(child.pid, signal.SIGKILL) if number == 2 else None
    assert child.wait(timeout=60) == -signal.SIGKILL
    shop.source.before = lambda number: None
    assert shop.units() == (3, 3)
    assert shop.pull()["accepted"] == 3
    assert shop.units() == (15, 15)


def test_a_busy_source_is_waited_for_as_long_as_it_asks(shop: Shop) -> None:
    five(shop.source)
    shop.source.instead = [(429, {"Retry-After": "7"}, b""), (503, {}, b""), None]
    assert shop.pull()["accepted"] == 5
    assert len(shop.slept) == 7 + 2


def test_a_source_that_stays_busy_ends_the_pull_and_the_next_goes_on(shop: Shop) -> None:
    five(shop.source)
    shop.source.instead = [None, *[(500, {}, b"")] * 7]
    with pytest.raises(Conflict, match="answers 500") as refused:
        shop.pull()
    assert refused.value.code == "source_busy"
    assert len(shop.slept) == sum(pulling.WAITS)
    assert shop.fact().failing
    assert shop.units() == (3, 3)
    assert shop.pull()["accepted"] == 3
    assert not shop.fact().failing


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "source_redirects"),
        ((403, {}, b""), "source_refused"),
        ((200, {}, b"<html>"), "source_unreadable"),
        ((200, {}, b'{"events": 1}'), "source_unreadable"),
        ((200, {}, b"[" * 1500), "source_unreadable"),
        ((200, {"Content-Encoding": "gzip"}, b"{}"), "source_unreadable"),
        ((200, {}, b'{"events": [], "pad": "' + b" " * 3000 + b'"}'), "source_too_large"),
        ((200, {"Content-Length": "9"}, b"{}"), "source_busy"),
        ((429, {"Retry-After": "99999"}, b""), "source_busy"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_answer_that_is_no_page_ends_the_pull_and_changes_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: Any, code: str
) -> None:
    monkeypatch.setattr(remote, "LARGEST_PAGE", 2000)
    monkeypatch.setattr(remote, "SILENCE", 0.2)
    shop.source.instead = [answer] * (len(pulling.WAITS) + 1)
    with pytest.raises(HeadwaterError) as refused:
        shop.pull()
    assert refused.value.code == code
    assert shop.units() == (0, 0)
    fact = shop.fact().pull
    assert fact and fact.failure == refused.value.sentence


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_source_that_names_its_own_page_as_the_next_is_refused(shop: Shop) -> None:
    five(shop.source)
    shop.source.instead = [None, (200, {}, b'{"events": [], "next_cursor": "2"}')]
    with pytest.raises(RuleBroken) as refused:
        shop.pull()
    assert refused.value.code == "source_loops"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_source_in_ones_own_network_is_asked_only_where_a_setting_names_it(shop: Shop) -> None:
    shop.here = replace(shop.here, config=replace(shop.here.config, pull_hosts=()))
    with pytest.raises(RuleBroken) as plain:
        shop.pull()
    with pytest.raises(RuleBroken) as connecting:
        shop.connect()
    assert plain.value.code == connecting.value.code == "source_address"
    secure = shop.source.address.replace("http:", "https:")
    with pytest.raises(RuleBroken) as saved:
        shop.connect(url=secure)
    shop.connect(url=secure, trusted=("127.0.0.1",))  # the setting named it then
    with pytest.raises(RuleBroken) as asked:
        shop.pull()
    assert saved.value.code == asked.value.code == "source_private"
    assert shop.source.asked == []


def test_a_name_that_leads_into_ones_own_network_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when another of its addresses is public, or it was when the channel was connected."""
    found = [(0, 0, 0, "", (address, 443)) for address in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(remote.socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RuleBroken) as refused:
        remote.read_page("https://shop.example/orders", headers={}, trusted=())
    assert refused.value.code == "source_private"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_secret_is_encrypted_and_stays_with_its_host(shop: Shop) -> None:
    with shop.db.reading() as session:
        kept = [repr(tuple(row)) for row in session.execute(text("SELECT * FROM channel_pull"))]
        kept += [repr(tuple(row)) for row in session.execute(text("SELECT * FROM audit_entry"))]
    assert not [one for one in kept if shop.source.token in one]
    shop.connect(secret=None)
    assert shop.pull()["pages"] == 1
    shop.connect(secret=None, url="https://elsewhere.example/orders")
    with shop.db.reading() as session:
        asked = operations.next_page(session, channel="shop", key=shop.here.config.secret_key)
    assert asked.headers == {}


def test_of_two_that_pull_at_once_one_gives_way(shop: Shop) -> None:
    five(shop.source)
    with shop.db.reading() as session:
        slow = operations.next_page(session, channel="shop", key=shop.here.config.secret_key)
    page = operations.ask(slow, trusted=shop.here.config.pull_hosts)
    shop.pull()
    settings = operations.PledgeSettings(
        pseudonym_key=shop.here.config.pseudonym_key, currency="CNY", timezone="Asia/Shanghai"
    )
    with pytest.raises(Conflict) as moved, shop.db.transaction() as session:
        operations.take_page(session, asked=slow, page=page, now=shop.now, settings=settings)
    assert moved.value.code == "pull_moved"
    assert shop.units() == (15, 15)


def test_a_pull_is_a_job_that_tells_where_it_is_and_can_be_stopped(shop: Shop) -> None:
    five(shop.source)
    with shop.db.transaction() as session:
        arguments = {"channel": "shop"}
        job = jobs.enqueue(session, name="pull-channel", arguments=arguments, actor=SYSTEM, now=shop.now)
    assert worker.work_off(shop.here) == 1
    with shop.db.reading() as session:
        done = jobs.get_job(session, job_id=job.id)
    assert (done.state, done.result and done.result["accepted"]) == (JobState.DONE, 5)

    def stop(_phase: str, pages: int, *_: Any) -> None:
        if pages == 1:
            raise JobCancelled("stop")

    shop.source.add("P-8", "2026-11-03T01:00:00Z")
    shop.source.add("P-9", "2026-11-03T02:00:00Z")
    with pytest.raises(JobCancelled):
        shop.pull(progress=stop)
    assert shop.pull()["accepted"] == 1
    with shop.db.transaction() as session:
        operations.disconnect_pull(session, channel="shop", actor=SYSTEM, now=shop.now)
    with pytest.raises(NotFound):
        shop.pull()
