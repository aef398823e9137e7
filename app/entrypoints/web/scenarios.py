"""Scenarios of a plan: what is to be otherwise, how the planning goes, what it came to against the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.access import Role
from app.core.errors import RuleBroken
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.web import charts, forms, refusals, show, told_scenarios
from app.entrypoints.web.replies import Reply, by_htmx, go, part, say
from app.stages.allocation import operations, queries
from app.stages.allocation.queries import PlanFact, ScenarioFact
from app.stages.catalog import queries as catalog

blueprint = Blueprint("scenarios", __name__, url_prefix="/plan")
PLAN_SCENARIO = "run-scenario"
MOST_SKUS = 300


@blueprint.get("/<int:run_id>/scenarios")
@roles(Role.MERCHANDISER)
def index(run_id: int) -> Reply:
    return _index(run_id)


@blueprint.get("/<int:run_id>/scenarios/rows")
@roles(Role.MERCHANDISER)
def rows(run_id: int) -> Reply:
    """The table while something is planned; once nothing is, the whole page loads again."""
    with db().reading() as session:
        plan = queries.get_plan(session, run_id=run_id)
        listed = _listed(session, plan)
    response = make_response(part("merchandiser/scenario_rows.html", plan=plan, **listed))
    if not listed["running"]:
        response.headers["HX-Refresh"] = "true"
    return response if by_htmx() else go("web.scenarios.index", run_id=run_id)


@blueprint.post("/<int:run_id>/scenarios")
@roles(Role.MERCHANDISER)
def draft(run_id: int) -> Reply:
    """Write a scenario down, and have it planned."""
    given = forms.read(forms.Scenario(), request.form)
    if given.errors:
        return _index(run_id, given.raw, given.errors), 422
    try:
        with db().transaction() as session:
            found = operations.draft_scenario(
                session, run_id=run_id, changes=given.values["changes"], actor=current_actor(), now=now()
            )
            jobs.enqueue(
                session,
                name=PLAN_SCENARIO,
                arguments={"scenario_id": found.id},
                actor=current_actor(),
                now=now(),
            )
    except RuleBroken as refused:
        field = {"sku": "price_sku"}.get(refused.data.get("path", ""), "changes")
        return _index(run_id, given.raw, refusals.beside(refused, {}, other=field)), 422
    say(gettext("The scenario is being planned."))
    return go("web.scenarios.index", run_id=run_id)


@blueprint.get("/scenarios/<int:scenario_id>")
@roles(Role.MERCHANDISER)
def one(scenario_id: int) -> Reply:
    with db().reading() as session:
        found = queries.get_scenario(session, scenario_id=scenario_id)
        plan = queries.get_plan(session, run_id=found.run_id)
        names = catalog.names(session)
        job = _jobs(session).get(scenario_id)
    result = found.result or {}
    compared = result.get("status") in ("optimal", "feasible")
    return render_template(
        "merchandiser/scenario.html",
        scenario=found,
        plan=plan,
        names=names,
        job=job,
        changes=told_scenarios.changes(found.changes, names),
        result=result,
        told=told_scenarios.compared(plan, result, names) if compared else None,
        clashes=told_scenarios.clashes(result, names),
        parts_chart=charts.changed_parts(result["parts_minor"], plan.currency) if compared else None,
    )


@blueprint.post("/scenarios/<int:scenario_id>/discard")
@roles(Role.MERCHANDISER)
def discard(scenario_id: int) -> Reply:
    with db().transaction() as session:
        found = operations.discard_scenario(
            session, scenario_id=scenario_id, actor=current_actor(), now=now()
        )
        _stop(session, scenario_id)
    say(gettext("The scenario is discarded."))
    return go("web.scenarios.index", run_id=found.run_id)


@blueprint.post("/scenarios/<int:scenario_id>/stop")
@roles(Role.MERCHANDISER)
def stop(scenario_id: int) -> Reply:
    with db().transaction() as session:
        found = queries.get_scenario(session, scenario_id=scenario_id)
        _stop(session, scenario_id)
    return go("web.scenarios.index", run_id=found.run_id)


@blueprint.post("/scenarios/<int:scenario_id>/again")
@roles(Role.MERCHANDISER)
def again(scenario_id: int) -> Reply:
    """Plan a scenario whose planning was stopped or failed."""
    with db().transaction() as session:
        found = queries.get_scenario(session, scenario_id=scenario_id)
        arguments = {"scenario_id": scenario_id}
        jobs.enqueue(session, name=PLAN_SCENARIO, arguments=arguments, actor=current_actor(), now=now())
    return go("web.scenarios.index", run_id=found.run_id)


def _stop(session: Session, scenario_id: int) -> None:
    jobs.cancel_for(session, name=PLAN_SCENARIO, arguments={"scenario_id": scenario_id}, now=now())


def _index(run_id: int, raw: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with db().reading() as session:
        plan = queries.get_plan(session, run_id=run_id)
        names = catalog.names(session)
        listed = _listed(session, plan)
        offered = queries.choices(session)
        made = {line.sku_id for line in queries.plan_lines(session, run_id=run_id, limit=5000)}
        return render_template(
            "merchandiser/scenarios.html",
            plan=plan,
            askable=queries.can_be_explained(session, run_id=run_id),
            suppliers=[(code, show.name(name)) for code, name in offered.suppliers],
            regions=[(code, show.name(name)) for code, name in offered.regions],
            lanes=[
                (f"{source}\t{target}", f"{show.name(from_)} → {show.name(to)}")
                for source, target, from_, to in offered.lanes
            ],
            skus=sorted((names.skus[one] for one in made), key=lambda name: name.code)[:MOST_SKUS],
            form=raw or {},
            errors=errors or {},
            chart_data=charts.scenario_costs(_compared(listed["scenarios"]), plan.currency),
            **listed,
        )


def _listed(session: Session, plan: PlanFact) -> dict[str, Any]:
    """Every scenario with its words and where its planning is."""
    names, latest = catalog.names(session), _jobs(session)
    found: list[dict[str, Any]] = [
        {"fact": one, "words": told_scenarios.changes(one.changes, names), "job": latest.get(one.id)}
        for one in queries.scenarios(session, run_id=plan.run_id)
    ]
    whole = queries.shares(session, run_id=plan.run_id, scope="plan", base="units")
    return {
        "scenarios": found,
        "running": any(one["job"].running for one in found if one["job"]),
        "top": max(whole, key=lambda share: share.share, default=None),
        "names": names,
    }


def _jobs(session: Session) -> dict[Any, jobs.JobFact]:
    return jobs.latest_jobs(session, name=PLAN_SCENARIO, argument="scenario_id")


def _compared(found: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Words and change of cost of the scenarios that have a plan to compare."""
    facts: list[tuple[str, ScenarioFact]] = [("\n".join(one["words"]), one["fact"]) for one in found]
    return [
        (text, fact.result["cost_change_minor"])
        for text, fact in facts
        if fact.result and "cost_change_minor" in fact.result
    ]
