"""kill -9 in the middle of long work: nothing is half-stored, nothing is lost, nothing is done twice."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from app.core import jobs
from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.jobs import JobState
from app.entrypoints import worker
from app.entrypoints.door import Services
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.imports import queries as imports

ROOT = Path(__file__).parents[2]
ORDERS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n" + "".join(
    f"5000{number},SKU{number % 3},thing,{number + 1},2010-03-0{number + 1} 10:00:00,2.50,1{number},France\n"
    for number in range(6)
)
SETTINGS = """
import datetime as dt, os, signal, sys
from pathlib import Path
from app.core.config import Config
from app.core.db import Database
NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
"""
IMPORT = (
    SETTINGS
    + """
from app.core.access import SYSTEM
from app.stages.demand import operations as demand
db = Database(sys.argv[1])
with db.transaction() as session:
    demand.import_orders(session, path=Path(sys.argv[2]), file_name="orders.csv", channel="uk",
        mapping="uci-online-retail", actor=SYSTEM, now=NOW, pseudonym_key=b"k", currency="GBP",
        timezone="Europe/London", progress=die)
"""
)
WORK = (
    SETTINGS
    + """
from app.entrypoints import worker
from app.entrypoints.door import Services
worker.TASKS["test"] = die
config = Config.from_env({"DATABASE_URL": sys.argv[1], "HEADWATER_DATA": sys.argv[2]})
worker.work_off(Services(config, Database(sys.argv[1]), lambda: NOW))
"""
)


def killed(script: str, *arguments: str) -> bool:
    """Run a script that kills itself; whether it did."""
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode == -signal.SIGKILL


def test_an_import_that_is_killed_leaves_nothing_and_is_whole_the_second_time(
    db: Database, tmp_path: Path, now: dt.datetime
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS, encoding="utf-8")
    assert killed(IMPORT, db.url, str(path))
    with db.reading() as session:
        assert imports.list_batches(session) == []
        assert demands.waterfall(session).raw_units == 0
    with db.transaction() as session:
        fact = demand.import_orders(
            session,
            path=path,
            file_name="orders.csv",
            channel="uk",
            mapping="uci-online-retail",
            actor=SYSTEM,
            now=now,
            pseudonym_key=b"k",
            currency="GBP",
            timezone="Europe/London",
        )
    assert (fact.read, fact.accepted, fact.unchanged) == (6, 6, False)
    with db.reading() as session:
        assert demands.recount(session) == []
        assert demands.waterfall(session).valid_units == 21


def test_a_job_whose_worker_is_killed_is_finished_by_another_once_its_lease_has_run_out(
    app: Flask,
    db: Database,
    config: Config,
    tmp_path: Path,
    now: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with db.transaction() as session:
        job = jobs.enqueue(session, name="test", arguments={}, actor=SYSTEM, now=now)
    assert killed(WORK, db.url, str(tmp_path))
    done: list[int] = []

    def task(_here: Services, taken: jobs.JobFact, _progress: jobs.Progress) -> dict[str, int]:
        done.append(taken.attempt)
        return {"attempt": taken.attempt}

    monkeypatch.setitem(worker.TASKS, "test", task)
    assert worker.work_off(Services(config, db, lambda: now)) == 0  # the lease still holds
    later = now + jobs.LEASE + dt.timedelta(seconds=1)
    assert worker.work_off(Services(config, db, lambda: later)) == 1
    assert done == [2]
    with db.reading() as session:
        ended = jobs.get_job(session, job_id=job.id)
    assert (ended.state, ended.result) == (JobState.DONE, {"attempt": 2})
