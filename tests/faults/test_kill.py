"""kill -9 in the middle of long work: nothing is half-stored, nothing is lost, nothing is done twice."""

from __future__ import annotations

import datetime as dt
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
from support.killing import SETTINGS, killed

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
