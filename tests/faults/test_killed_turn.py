"""A turn of the cycle whose worker dies or is stopped while it solves: nothing twice, nothing lost."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask

from app.core import jobs
from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.jobs import JobCancelled, JobState
from app.entrypoints import worker
from app.entrypoints.door import Services
from app.stages.allocation import queries as plans
from app.stages.confirmation import queries as lines
from app.stages.forecasts import queries as forecasts
from support import brand
from support.killing import SETTINGS, killed

TURN = (
    SETTINGS
    + """
import optimizer
from app.core import jobs
from app.entrypoints import worker
from app.entrypoints.door import Services
solve = optimizer.solve
def killed_while_solving(problem, settings, *, progress=None, **more):
    return solve(problem, settings, progress=die, **more)
optimizer.solve = killed_while_solving
config = Config.from_env({"DATABASE_URL": sys.argv[1], "HEADWATER_DATA": sys.argv[2]})
worker.work_off(Services(config, Database(sys.argv[1]), lambda: NOW))
"""
)


def test_a_turn_killed_while_it_solves_is_done_by_another_worker_and_nothing_is_done_twice(
    app: Flask, db: Database, config: Config, tmp_path: Path, now: dt.datetime
) -> None:
    brand.load(db, tmp_path)
    with db.transaction() as session:
        arguments = {"as_of": brand.MONDAY.isoformat()}
        job = jobs.enqueue(session, name="run-cycle", arguments=arguments, actor=SYSTEM, now=now)
    assert killed(TURN, db.url, str(tmp_path))
    with db.reading() as session:
        assert plans.latest_plan(session, today=brand.MONDAY) is None
        forecast = forecasts.latest_run(session, today=brand.MONDAY)
    later = now + jobs.LEASE + dt.timedelta(seconds=1)
    taken = Services(config, db, lambda: later)
    job_again = worker._claim(taken)
    assert job_again is not None and (job_again.id, job_again.attempt) == (job.id, 2)
    assert worker.perform(taken, job_again) is JobState.DONE
    with db.reading() as session:
        (plan,) = plans.list_plans(session)
        # what was stored is not made again
        assert forecasts.latest_run(session, today=brand.MONDAY) == forecast is not None
        asked = lines.supplier_lines(session, actor=brand.MERCHANDISER)
        assert {one.run_id for one in asked} == {plan.run_id}
        assert sum(one.quantity for one in asked) == plan.planned_units


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_turn_stopped_while_it_solves_keeps_its_best_plan_and_asks_nobody(
    db: Database, config: Config, tmp_path: Path, now: dt.datetime
) -> None:
    brand.load(db, tmp_path, campaign=False)
    with db.transaction() as session:
        arguments = {"as_of": brand.MONDAY.isoformat()}
        job = jobs.enqueue(session, name="run-cycle", arguments=arguments, actor=SYSTEM, now=now)
    here = Services(config, db, lambda: now)
    taken = worker._claim(here)
    assert taken is not None

    def stop(phase: str, *_: object) -> None:
        if phase.startswith("allocate: "):
            raise JobCancelled("enough")

    with pytest.raises(JobCancelled) as stopped:
        worker.run_cycle(here, taken, stop)
    assert stopped.value.result is not None
    with db.reading() as session:
        plan = plans.get_plan(session, run_id=stopped.value.result["allocation_run_id"])
        assert plan.settings["stopped_by"] == "cancelled" and plan.planned_units > 0
        assert lines.supplier_lines(session, actor=brand.MERCHANDISER) == []
        assert jobs.get_job(session, job_id=job.id).state is JobState.RUNNING  # perform() closes it
