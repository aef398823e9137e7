"""Inputs of two who act at once, or of one whose time is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.access import SYSTEM
from app.core.jobs import JobLost, JobState
from app.stages.alerts import operations as alerts
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.allocation.rules import Base, Limit, Scope
from app.stages.forecasts import queries as forecasts
from support import brand
from support.corpus.door import NOW, PLEDGE, Door, Seen
from support.corpus.people import Headers, another_line, answer, asked

ROUNDS = 10
TERMS = ("quantity = quantity + 1", "unit_price_minor = 1", "state = 'withdrawn'", "promised_quantity = 1")


def at_once(*acts: Callable[[], Seen]) -> list[Seen]:
    """What came of acts that begin at the same moment, in their order."""
    barrier = Barrier(len(acts))

    def begin(act: Callable[[], Seen]) -> Seen:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(begin, acts))


def post(door: Door, path: str, key: Headers, body: object) -> Seen:
    """As `door.call`, by a client of its own, for a thread of its own."""
    response = door.app.test_client().post(path, headers=key, json=body)
    return Seen(response.status_code, response)


def _confirm_and_decline(door: Door) -> Seen:
    """One of two answers is taken, and the line is what that one says."""
    key, own, _ = asked(door)
    for _ in range(ROUNDS):
        path = f"/api/v1/plan-lines/{another_line(door, own)}/answers"
        bodies = [{"version": 1, "kind": kind} for kind in ("confirm", "decline")]
        seen = at_once(*(partial(post, door, path, key, body) for body in bodies))
        assert sorted(one.status for one in seen) == [201, 409]
        taken = next(one.response for one in seen if one.status == 201)
        assert taken is not None
        assert taken.get_json()["state"] == ("confirmed" if seen[0].status == 201 else "declined")
    door.mark()
    return max(seen, key=lambda one: int(one.status))


def _confirmed(door: Door) -> tuple[Headers, int]:
    key, own, _ = asked(door)
    line = another_line(door, own)
    assert answer(door, key, line).status == 201
    return key, line


def _edit_confirmed(door: Door) -> Seen:
    """No route changes a confirmed line, and neither does the service's own user in the database."""
    key, line = _confirmed(door)
    door.mark()
    for path in (f"/api/v1/plan-lines/{line}", "/api/v1/plans/1", f"/api/v1/plan-lines/{line}/answers"):
        for method in ("PUT", "PATCH", "DELETE"):
            assert door.call(method, path, json={"version": 2, "quantity": 1}).status in (404, 405)
    for change in (*(f"UPDATE plan_line SET {term}" for term in TERMS), "DELETE FROM plan_line"):
        try:
            with door.db.transaction() as session:
                session.execute(text(f"{change} WHERE id = {line}"))
        except DatabaseError as refused:
            assert "confirmed line" in str(refused)
        else:
            raise AssertionError(f"{change} was taken")
    assert answer(door, key, line, version=2, kind="decline").status == 422
    return answer(door, key, line, kind="decline")


def _capacity_lowered(door: Door) -> Seen:
    """What is confirmed stays, and the next plan says that it is more than the supplier can make."""
    _confirmed(door)
    low = brand.NETWORK["suppliers"].replace("景德镇,500,", "景德镇,20,").replace("义乌,,", "义乌,20,")
    brand.load_network(door.db, door.folder, changed={"suppliers": low.replace("东莞,,", "东莞,20,")})
    with door.db.reading() as session:
        run = forecasts.latest_run(session, today=brand.MONDAY)
    assert run is not None
    plan = brand.make_plan(door.db, run.id)
    forced = [one for one in plan.binding if one["rule"] == "capacity" and one.get("forced")]
    assert forced and all(one["used"] > one["limit"] for one in forced)
    brand.load_network(door.db, door.folder)
    seen = door.call("GET", f"/api/v1/plans/{plan.run_id}")
    assert seen.response is not None and seen.response.get_json()["binding"] == plan.binding
    door.mark()
    return Seen(409)


def _share(door: Door, amount: int, *, now: dt.datetime) -> dt.datetime | None:
    """When the alert was opened that somebody has this much of a hundred units, at a limit of 40 %."""
    with door.db.transaction() as session:
        plan = plans.latest_plan(session, today=brand.MONDAY)
        assert plan is not None
        run_id = plan.run_id
        session.execute(
            text(
                "UPDATE allocation_share SET amount = :amount, scope_amount = 100 "
                "WHERE run_id = :run AND scope = 'sku' AND base = 'units'"
            ),
            {"amount": amount, "run": run_id},
        )
        found = alerts.refresh(session, run_id=run_id, now=now)
    opened = [one.opened_at for one in found if one.cause == "concentration:sku:MUG:units"]
    assert len(opened) <= 1
    return opened[0] if opened else None


def _limited(door: Door) -> None:
    """A plan, and a limit of 40 % of the units of a SKU."""
    asked(door)
    with door.db.transaction() as session:
        limit = Limit(Scope.SKU, Base.UNITS, 40, False, None)
        allocation.set_limit(session, limit=limit, actor=SYSTEM, now=NOW)


def _at_the_threshold(door: Door) -> Seen:
    _limited(door)
    assert [_share(door, amount, now=NOW) for amount in (40, 41)] == [None, NOW]
    assert _share(door, 40, now=NOW) is None
    door.mark()
    return Seen("flow")


def _flapping(door: Door) -> Seen:
    """Each time it is crossed upwards the alert is opened once; a refresh that broke off counts as none."""
    _limited(door)
    for hour in range(10):
        now = NOW + dt.timedelta(hours=hour)
        try:
            with door.db.transaction() as session:
                alerts.refresh(session, run_id=1, now=now)
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert _share(door, 60, now=now) == now
        assert _share(door, 61, now=now + dt.timedelta(minutes=1)) == now
        assert _share(door, 40, now=now + dt.timedelta(minutes=2)) is None
    door.mark()
    return Seen("flow")


def _job(door: Door) -> jobs.JobFact:
    """A job that a worker has just taken."""
    with door.db.transaction() as session:
        arguments = {"of": str(session.scalar(text("SELECT COUNT(*) FROM job")))}
        jobs.enqueue(session, name="corpus", arguments=arguments, actor=SYSTEM, now=NOW)
        taken = jobs.claim(session, now=NOW)
    assert taken is not None
    return taken


def _cancelled_as_it_ends(door: Door) -> Seen:
    """A job that is asked to stop while it ends is done or cancelled, and its result is there or is not."""
    key = door.keys[brand.MERCHANDISER.role]
    for _ in range(ROUNDS):
        job = _job(door)

        def end(job: jobs.JobFact = job) -> Seen:
            with door.db.transaction() as session:
                jobs.finish(session, job=job, state=JobState.DONE, result={"all": 1}, now=NOW)
            return Seen(200)

        ended, asked_to_stop = at_once(end, partial(post, door, f"/api/v1/jobs/{job.id}/cancel", key, {}))
        assert ended.status == 200 and asked_to_stop.status in (202, 409), asked_to_stop.status
        with door.db.reading() as session:
            found = jobs.get_job(session, job_id=job.id)
        assert (found.state, found.result) == (JobState.DONE, {"all": 1})
    door.mark()
    return door.call("POST", f"/api/v1/jobs/{job.id}/cancel", json={})


def _woken(door: Door) -> Seen:
    """A worker that slept past its lease writes nothing any more: neither where it is nor what it found."""
    slept = _job(door)
    later = NOW + 2 * jobs.LEASE
    with door.db.transaction() as session:
        awake = jobs.claim(session, now=later)
    assert awake is not None and (awake.id, awake.attempt) == (slept.id, slept.attempt + 1)
    for late in (_beat, _end):
        try:
            with door.db.transaction() as session:
                late(session, slept, later)
        except JobLost:
            continue
        raise AssertionError("a late write was taken")
    with door.db.transaction() as session:
        jobs.finish(session, job=awake, state=JobState.DONE, result={"by": 2}, now=later)
    door.mark()
    return Seen("flow")


def _beat(session: Session, job: jobs.JobFact, now: dt.datetime) -> None:
    jobs.heartbeat(session, job=job, phase="late", done=1, total=1, now=now)


def _end(session: Session, job: jobs.JobFact, now: dt.datetime) -> None:
    jobs.finish(session, job=job, state=JobState.DONE, result={"by": 1}, now=now)


def _crosswise(door: Door) -> Seen:
    """Two batches of the same pledges in opposite orders: each row is new to one, and neither fails."""
    key = door.keys[brand.MERCHANDISER.role]
    seen: list[Seen] = []
    for turn in range(ROUNDS):
        rows = [{**PLEDGE, "channel": "crosswise", "external_id": f"X-{turn}-{n}"} for n in range(20)]
        path = "/api/v1/pledges:batch"
        seen = at_once(*(partial(post, door, path, key, some) for some in (rows, rows[::-1])))
        told = [one["result"] for batch in seen if batch.response for one in batch.response.get_json()]
        assert [one.status for one in seen] == [200, 200] and sorted(told) == ["accepted"] * 20 + [
            "duplicate"
        ] * 20, told
    with door.db.reading() as session:
        counted = session.scalar(
            text("SELECT COUNT(*) FROM signal JOIN channel c ON c.id = channel_id WHERE c.code = 'crosswise'")
        )
    assert counted == 20 * ROUNDS
    return seen[-1]


RACES = {
    ("flow_concurrency", "both at once"): _confirm_and_decline,
    (
        "flow_concurrency",
        "PATCH/PUT/DELETE on plan and lines, and direct SQL as the app role",
    ): _edit_confirmed,
    ("flow_concurrency", "PATCH capacity"): _capacity_lowered,
    ("flow_concurrency", "share == t"): _at_the_threshold,
    ("flow_concurrency", "up/down x10"): _flapping,
    ("flow_concurrency", "cancel"): _cancelled_as_it_ends,
    ("flow_concurrency", "SIGSTOP 2x lease, SIGCONT"): _woken,
    ("flow_concurrency", "confirm A,B and B,A at once x1000"): _crosswise,
}
