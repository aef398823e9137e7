"""The allocation plan: who makes what, when, and where it goes."""

from __future__ import annotations

from typing import Any

from app.core.access import Role
from app.core.errors import NotFound
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import db, roles
from app.entrypoints.wire import plans as wire
from app.entrypoints.wire.alerts import Alert, AlertFilter
from app.entrypoints.wire.basics import Page, PageAt
from app.stages.alerts import queries as alerts
from app.stages.allocation import queries

blueprint = Blueprint("plans", __name__, url_prefix="/api/v1", description="Who makes what, when, for where")


@blueprint.route("/plans/latest", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.response(200, wire.Plan)
def latest_plan() -> Any:
    """The newest plan: cost, bound, gap, units"""
    with db().reading() as session:
        plan = queries.latest_plan(session)
    if plan is None:
        raise NotFound("plan_none", "Nothing was planned yet. Run the planning cycle first.")
    return plan


@blueprint.route("/plans/<int:run_id>", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.response(200, wire.Plan)
def get_plan(run_id: int) -> Any:
    """One plan"""
    with db().reading() as session:
        return queries.get_plan(session, run_id=run_id)


@blueprint.route("/plans/<int:run_id>/lines", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(PageAt, location="query")
@blueprint.response(200, wire.PlanLine(many=True))
def plan_lines(page: dict[str, Any], run_id: int) -> Any:
    """Its lines: units of a SKU from a supplier to a warehouse or region"""
    with db().reading() as session:
        queries.get_plan(session, run_id=run_id)
        return queries.plan_lines(session, run_id=run_id, **page)


@blueprint.route("/plans/<int:run_id>/shares", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ShareFilter, location="query")
@blueprint.response(200, wire.Share(many=True))
def shares(wanted: dict[str, Any], run_id: int) -> Any:
    """How much leans on each supplier: share, HHI and effective suppliers by scope"""
    with db().reading() as session:
        queries.get_plan(session, run_id=run_id)
        return queries.shares(session, run_id=run_id, **wanted)


@blueprint.route("/plans/<int:run_id>/unmet", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(Page, location="query")
@blueprint.response(200, wire.Unmet(many=True))
def unmet(page: dict[str, Any], run_id: int) -> Any:
    """Demand the plan does not meet, each with the reason code that decided"""
    with db().reading() as session:
        queries.get_plan(session, run_id=run_id)
        return queries.unmet(session, run_id=run_id, **page)


@blueprint.route("/alerts", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(AlertFilter, location="query")
@blueprint.response(200, Alert(many=True))
def open_alerts(wanted: dict[str, Any]) -> Any:
    """Open alerts, the weightiest first; one per cause"""
    with db().reading() as session:
        return alerts.open_alerts(session, **wanted)
