"""The planning cycle as a job."""

from __future__ import annotations

from typing import Any

from app.core import jobs
from app.core.access import Role
from app.entrypoints import forgetting
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.wire import cycle as wire

blueprint = Blueprint("cycle", __name__, url_prefix="/api/v1", description="One turn of the planning cycle")


@blueprint.route("/cycles", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.CycleOrder)
@blueprint.response(202, wire.Job)
def run_cycle(order: dict[str, Any]) -> Any:
    """Forecast, allocate, plan and alert, in the background

    Follow the job that is returned. Asking again while the same turn is waiting or running returns that job.
    """
    arguments = {"as_of": (order["as_of"] or today()).isoformat()}
    with db().transaction() as session:
        return jobs.enqueue(session, name="run-cycle", arguments=arguments, actor=current_actor(), now=now())


@blueprint.route("/jobs/<int:job_id>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Job)
def get_job(job_id: int) -> Any:
    """Where a job is"""
    with db().reading() as session:
        return jobs.get_job(session, job_id=job_id)


@blueprint.route("/jobs/<int:job_id>/cancel", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(202, wire.Job)
def cancel_job(job_id: int) -> Any:
    """Stop a job: a waiting one at once, a running one at its next report"""
    with db().transaction() as session:
        forgetting.check_stop(session, job_id=job_id, actor=current_actor())
        return jobs.cancel(session, job_id=job_id, now=now())
