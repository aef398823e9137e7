from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from flask import Flask

from app.core import jobs
from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import JobCancelled, JobFact, JobLost, JobState
from app.entrypoints import worker
from app.entrypoints.door import attached


def ask(db: Database, now: dt.datetime, **arguments: Any) -> JobFact:
    with db.transaction() as session:
        return jobs.enqueue(session, name="test", arguments=arguments, actor=SYSTEM, now=now)


def take(db: Database, now: dt.datetime) -> JobFact | None:
    with db.transaction() as session:
        return jobs.claim(session, now=now)


def state(db: Database, job: JobFact) -> JobFact:
    with db.reading() as session:
        return jobs.get_job(session, job_id=job.id)


def test_the_same_work_asked_twice_is_one_job(db: Database, now: dt.datetime) -> None:
    assert ask(db, now, day=1).id == ask(db, now, day=1).id != ask(db, now, day=2).id


def test_a_job_is_taken_once_and_in_order(db: Database, now: dt.datetime) -> None:
    first, second = ask(db, now, day=1), ask(db, now, day=2)
    taken = [take(db, now), take(db, now)]
    assert [job and job.id for job in taken] == [first.id, second.id]
    assert take(db, now) is None


def test_a_silent_worker_loses_its_job_and_what_it_still_writes_is_void(
    db: Database, now: dt.datetime
) -> None:
    ask(db, now)
    lost = take(db, now)
    assert lost
    with db.transaction() as session:
        jobs.heartbeat(session, job=lost, phase="solving", done=3, total=9, now=now)
    later = now + jobs.LEASE + dt.timedelta(seconds=1)
    heir = take(db, later)
    assert lost and heir and (heir.id, heir.attempt) == (lost.id, 2)
    assert (heir.phase, heir.done, heir.total) == ("", 0, 0)  # the heir begins anew
    with db.transaction() as session, pytest.raises(JobLost):
        jobs.finish(session, job=lost, state=JobState.DONE, now=later)
    with db.transaction() as session, pytest.raises(JobLost):
        jobs.heartbeat(session, job=lost, phase="late", done=1, total=2, now=later)
    with db.transaction() as session:
        jobs.finish(session, job=heir, state=JobState.DONE, result={"ok": True}, now=later)
    assert state(db, heir).result == {"ok": True}


def test_a_heartbeat_keeps_the_lease_and_shows_progress(db: Database, now: dt.datetime) -> None:
    ask(db, now)
    job = take(db, now)
    assert job
    almost = now + jobs.LEASE - dt.timedelta(seconds=1)
    with db.transaction() as session:
        jobs.heartbeat(session, job=job, phase="solving", done=3, total=9, now=almost)
    assert take(db, now + jobs.LEASE + dt.timedelta(seconds=1)) is None
    shown = state(db, job)
    assert (shown.phase, shown.done, shown.total) == ("solving", 3, 9)


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_report(
    db: Database, now: dt.datetime
) -> None:
    waiting = ask(db, now, day=1)
    with db.transaction() as session:
        assert jobs.cancel(session, job_id=waiting.id, now=now).state == JobState.CANCELLED
    ask(db, now, day=2)
    running = take(db, now)
    assert running
    with db.transaction() as session:
        assert jobs.cancel(session, job_id=running.id, now=now).state == JobState.RUNNING
    with db.transaction() as session, pytest.raises(JobCancelled):
        jobs.heartbeat(session, job=running, phase="", done=0, total=0, now=now)
    with db.transaction() as session, pytest.raises(Conflict):
        jobs.cancel(session, job_id=waiting.id, now=now)


def test_what_a_job_was_told_sealed_goes_with_its_end_however_it_ends(
    app: Flask, db: Database, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def task(_: object, job: JobFact, progress: jobs.Progress) -> dict[str, Any]:
        assert job.arguments["sealed"] == "whom"
        if job.arguments["end"] == "crash":
            raise ZeroDivisionError
        if job.arguments["end"] == "stopped":
            raise JobCancelled("stopped")
        return {}

    monkeypatch.setitem(worker.TASKS, "test", task)
    made = {end: ask(db, now, end=end, sealed="whom") for end in ("well", "crash", "stopped")}
    worker.work_off(attached(app))
    made["waiting"] = ask(db, now, end="waiting", sealed="whom")
    with db.transaction() as session:
        jobs.cancel(session, job_id=made["waiting"].id, now=now)
    ask(db, now, end="dead", sealed="whom")
    dead = take(db, now)
    assert dead and dead.arguments["sealed"] == "whom"
    made["dead"] = dead
    silent = now + jobs.LEASE + dt.timedelta(seconds=1)
    with db.transaction() as session:
        assert jobs.cancel(session, job_id=dead.id, now=silent).state == JobState.CANCELLED
    with db.transaction() as session, pytest.raises(JobLost):
        jobs.finish(session, job=dead, state=JobState.DONE, now=silent)
    assert {end: state(db, job).arguments for end, job in made.items()} == {end: {"end": end} for end in made}


def test_the_worker_stores_results_and_refusals_and_outlives_crashes(
    app: Flask, db: Database, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def task(_: object, job: JobFact, progress: jobs.Progress) -> dict[str, Any]:
        progress("working", 1, 2)
        match job.arguments["end"]:
            case "refusal":
                raise RuleBroken("no_network", "Import a network first.")
            case "crash":
                raise ZeroDivisionError
        return {"end": "well"}

    monkeypatch.setitem(worker.TASKS, "test", task)
    made = {end: ask(db, now, end=end) for end in ("well", "refusal", "crash")}
    assert worker.work_off(attached(app)) == 3
    ended = {end: state(db, job) for end, job in made.items()}
    assert ended["well"].result == {"end": "well"} and ended["well"].state == JobState.DONE
    assert ended["refusal"].error == "Import a network first." and ended["refusal"].state == JobState.FAILED
    assert "ZeroDivisionError" in (ended["crash"].error or "")


def test_a_running_job_stops_when_somebody_cancels_it(
    app: Flask, db: Database, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def task(_: object, job: JobFact, progress: jobs.Progress) -> dict[str, Any]:
        begun.set()
        while True:
            progress("endless", 1, 2)

    monkeypatch.setitem(worker.TASKS, "test", task)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)
    job = ask(db, now)
    here = attached(app)
    thread = threading.Thread(target=worker.work_off, args=(here,))
    thread.start()
    assert begun.wait(10)
    with db.transaction() as session:
        jobs.cancel(session, job_id=job.id, now=now)
    thread.join(10)
    assert state(db, job).state == JobState.CANCELLED
