"""The allocation plan: who makes what, when, and where it goes."""

from __future__ import annotations

from typing import Any

from app.core import jobs
from app.core.access import Role
from app.core.errors import NotFound
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.wire import plans as wire
from app.entrypoints.wire.alerts import Alert, AlertFilter
from app.entrypoints.wire.basics import Page, PageAt
from app.entrypoints.wire.cycle import Job
from app.stages.alerts import queries as alerts
from app.stages.allocation import operations, queries

blueprint = Blueprint("plans", __name__, url_prefix="/api/v1", description="Who makes what, when, for where")


@blueprint.route("/plans/latest", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.response(200, wire.Plan)
def latest_plan() -> Any:
    """The newest plan: cost, bound, gap, units"""
    with db().reading() as session:
        plan = queries.latest_plan(session, today=today())
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


@blueprint.route("/plans/<int:run_id>/explanation", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Explanation)
def explanation(run_id: int) -> Any:
    """What relief is worth, what share caps cost, why suppliers have their shares"""
    with db().reading() as session:
        queries.get_plan(session, run_id=run_id)
        found = queries.explanation(session, run_id=run_id)
    if found is None:
        raise NotFound(
            "explanation_none", "This plan was not explained yet. Ask for it first.", run_id=run_id
        )
    return found


@blueprint.route("/plans/<int:run_id>/explanation", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(202, Job)
def explain(run_id: int) -> Any:
    """Explain a plan, in the background

    Every figure is the difference of two whole plans. Follow the job that is returned.
    """
    with db().transaction() as session:
        queries.get_plan(session, run_id=run_id)
        return jobs.enqueue(
            session, name="explain-plan", arguments={"run_id": run_id}, actor=current_actor(), now=now()
        )


@blueprint.route("/plans/<int:run_id>/scenarios", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Scenario(many=True))
def scenarios(run_id: int) -> Any:
    """The scenarios of a plan, newest first"""
    with db().reading() as session:
        queries.get_plan(session, run_id=run_id)
        return queries.scenarios(session, run_id=run_id)


@blueprint.route("/plans/<int:run_id>/scenarios", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ScenarioOrder)
@blueprint.response(202, wire.Scenario)
def draft_scenario(order: dict[str, Any], run_id: int) -> Any:
    """Plan the same problem with something otherwise, in the background"""
    with db().transaction() as session:
        found = operations.draft_scenario(
            session, run_id=run_id, changes=order["changes"], actor=current_actor(), now=now()
        )
        arguments = {"scenario_id": found.id}
        jobs.enqueue(session, name="run-scenario", arguments=arguments, actor=current_actor(), now=now())
        return found


@blueprint.route("/scenarios/<int:scenario_id>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Scenario)
def get_scenario(scenario_id: int) -> Any:
    """One scenario, with its result once it was planned"""
    with db().reading() as session:
        return queries.get_scenario(session, scenario_id=scenario_id)


@blueprint.route("/scenarios/<int:scenario_id>", methods=["DELETE"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Scenario)
def discard_scenario(scenario_id: int) -> Any:
    """Forget a scenario; one that is being planned is stopped"""
    with db().transaction() as session:
        found = operations.discard_scenario(
            session, scenario_id=scenario_id, actor=current_actor(), now=now()
        )
        jobs.cancel_for(session, name="run-scenario", arguments={"scenario_id": scenario_id}, now=now())
        return found


@blueprint.route("/plan-settings", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.PlanSettings)
def get_settings() -> Any:
    """What plans are made with from the next one on"""
    with db().reading() as session:
        found = queries.plan_settings(session)
    return {"service": found.service or {}, "churn_minor": found.churn_minor}


@blueprint.route("/plan-settings", methods=["PUT"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.PlanSettingsForm)
@blueprint.response(200, wire.PlanSettings)
def set_settings(given: dict[str, Any]) -> Any:
    """Set service levels and the charge for changes; what is left out is taken back"""
    with db().transaction() as session:
        operations.set_policy(session, actor=current_actor(), now=now(), **given)
    return given


@blueprint.route("/refusals/latest", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Refusal)
def latest_refusal() -> Any:
    """Why the last inputs without a plan have none, and the ways out"""
    with db().reading() as session:
        found = queries.latest_refusal(session)
    if found is None:
        raise NotFound("refusal_none", "Every plan that was asked for could be made.")
    return found


@blueprint.route("/refusals/<int:refusal_id>/decision", methods=["PUT"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.WayOut)
@blueprint.response(200, wire.Refusal)
def decide(decision: dict[str, Any], refusal_id: int) -> Any:
    """Take a way out: it sets the concentration limits it names, from the next plan on"""
    with db().transaction() as session:
        return operations.decide(
            session, refusal_id=refusal_id, code=decision["code"], actor=current_actor(), now=now()
        )


@blueprint.route("/refusals/<int:refusal_id>/decision", methods=["DELETE"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Refusal)
def take_back(refusal_id: int) -> Any:
    """Take the decision back: the limits are again what they were"""
    with db().transaction() as session:
        return operations.take_back(session, refusal_id=refusal_id, actor=current_actor(), now=now())


@blueprint.route("/alerts", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(AlertFilter, location="query")
@blueprint.response(200, Alert(many=True))
def open_alerts(wanted: dict[str, Any]) -> Any:
    """Open alerts, the weightiest first; one per cause"""
    with db().reading() as session:
        return alerts.open_alerts(session, **wanted)
