"""The plan: who makes what for where, what it costs, what leans on one supplier, what is unmet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.access import Role
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.web import charts, explained, forms, show, words
from app.entrypoints.web.replies import Reply, go, say
from app.entrypoints.web.tower import CYCLE
from app.stages.allocation import operations, queries
from app.stages.allocation.queries import PlanFact
from app.stages.catalog import queries as catalog
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint("plan", __name__, url_prefix="/plan")
EXPLAIN = "explain-plan"
PAGE = 25
LISTED = 8
PLAN_LIMIT_PERCENT = 40


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    run_id = forms.number_of(request.args, "run")
    with db().reading() as session:
        job = jobs.open_job(session, name=CYCLE) or jobs.open_job(session, name=EXPLAIN)
        current = queries.latest_plan(session, today=today())
        plan = queries.get_plan(session, run_id=run_id) if run_id else current
        names = catalog.names(session)
        refusal = _refusal(session, plan, names)
        if plan is None:
            return render_template("merchandiser/plan.html", plan=None, job=job, refusal=refusal)
        flows = queries.supplier_warehouse_flows(session, run_id=plan.run_id)
        return render_template(
            "merchandiser/plan.html",
            plan=plan,
            current=current,
            job=job,
            refusal=refusal,
            names=names,
            history=_history(session, plan, current),
            sankey=charts.sankey(flows, names=names),
            cost_chart=charts.cost_parts(plan),
            fan=charts.fan(forecasts.fan_chart(session, run_id=plan.forecast_run_id, weeks=26)),
            spent=spent(plan),
            made_with=made_with(plan),
            unmet=queries.unmet_by_sku(session, run_id=plan.run_id, limit=LISTED),
            binding=[bound(one, names, first=plan.first_week) for one in plan.binding[:LISTED]],
            **_explained(session, plan, names),
            **_shares(session, plan, names),
            **_lines(session, plan),
        )


def _history(session: Session, *always: PlanFact | None) -> list[PlanFact]:
    """The newest plans to choose from, with those that are always among them; newest first."""
    listed = {one.run_id: one for one in (*queries.list_plans(session, limit=10), *always) if one}
    return [listed[run_id] for run_id in sorted(listed, reverse=True)]


def _refusal(session: Session, plan: PlanFact | None, names: catalog.Names) -> dict[str, Any] | None:
    """Why the last inputs have no plan: while no plan came after them, or what was decided can be undone."""
    found = queries.latest_refusal(session)
    if found is None or (plan and plan.created_at > found.created_at and found.decision is None):
        return None
    return explained.refusal(found, names)


def _explained(session: Session, plan: PlanFact, names: catalog.Names) -> dict[str, Any]:
    """What was found out about the plan, or whether it can be."""
    found = queries.explanation(session, run_id=plan.run_id)
    if found is None:
        return {"found": None, "askable": queries.can_be_explained(session, run_id=plan.run_id)}
    return {
        "found": found,
        "relief": explained.relief(found, names, first=plan.first_week, currency=plan.currency),
        "caps": explained.caps(found, names, currency=plan.currency),
        "why": explained.why(found, names, currency=plan.currency),
    }


@blueprint.post("/<int:run_id>/explain")
@roles(Role.MERCHANDISER)
def explain(run_id: int) -> Reply:
    """Ask for what only planning again can tell."""
    with db().transaction() as session:
        queries.get_plan(session, run_id=run_id)
        jobs.enqueue(session, name=EXPLAIN, arguments={"run_id": run_id}, actor=current_actor(), now=now())
    return go("web.plan.index", run=run_id)


@blueprint.post("/refusals/<int:refusal_id>/decide")
@roles(Role.MERCHANDISER)
def decide(refusal_id: int) -> Reply:
    """Take one of the ways out, and plan again."""
    code = request.form.get("code", "")
    with db().transaction() as session:
        operations.decide(session, refusal_id=refusal_id, code=code, actor=current_actor(), now=now())
        arguments = {"as_of": today().isoformat()}
        jobs.enqueue(session, name=CYCLE, arguments=arguments, actor=current_actor(), now=now())
    say(gettext("The limit is set, and the plan is made again."))
    return go("web.plan.index")


@blueprint.post("/refusals/<int:refusal_id>/take-back")
@roles(Role.MERCHANDISER)
def take_back(refusal_id: int) -> Reply:
    with db().transaction() as session:
        operations.take_back(session, refusal_id=refusal_id, actor=current_actor(), now=now())
    say(gettext("The limits are again what they were."))
    return go("web.plan.index")


def _shares(session: Session, plan: PlanFact, names: catalog.Names) -> dict[str, Any]:
    """Shares of the whole plan, and the SKUs that lean on one supplier most."""
    whole = queries.shares(session, run_id=plan.run_id, scope="plan", base="units")
    percent = next(
        (one.threshold_percent for one in queries.limits(session) if str(one.scope) == "sku"),
        PLAN_LIMIT_PERCENT,
    )
    leaning = queries.shares(
        session, run_id=plan.run_id, scope="sku", base="units", above=percent, limit=LISTED
    )
    return {
        "whole": whole,
        "threshold": percent,
        "share_chart": charts.supplier_shares(whole, names=names, threshold=percent),
        "leaning": leaning,
        "sku_names": {name.code: name for name in names.skus.values()},
    }


def _lines(session: Session, plan: PlanFact) -> dict[str, Any]:
    supplier_id = forms.number_of(request.args, "supplier")
    offset = forms.number_of(request.args, "offset", least=0) or 0
    lines = queries.plan_lines(
        session, run_id=plan.run_id, supplier_id=supplier_id, limit=PAGE, offset=offset
    )
    total = queries.count_plan_lines(session, run_id=plan.run_id, supplier_id=supplier_id)
    return {
        "lines": lines,
        "line_total": total,
        "offset": offset,
        "page": PAGE,
        "supplier_id": supplier_id,
        "suppliers": catalog.list_suppliers(session),
    }


def spent(plan: PlanFact) -> int:
    """The part of the cost that is invoiced; the rest prices lateness, shortage, risk and concentration."""
    return sum(plan.cost_parts.get(name, 0) for name in ("purchase", "award", "order", "freight", "holding"))


def made_with(plan: PlanFact) -> str:
    """The settings a reader of the plan has to know."""
    service = plan.settings.get("service") or {}
    parts = [
        gettext(
            "Class %(name)s planned to %(level)s of weeks",
            name=name,
            level=show.percent(service[name] / 100, 0),
        )
        for name in sorted(service)
    ] or [gettext("Planned to the mean of demand")]
    charge, base = plan.settings.get("churn_minor"), plan.settings.get("base_run_id")
    if charge and base:
        money = show.money(charge, plan.currency)
        parts.append(gettext("held to plan %(number)s at %(money)s a changed unit", number=base, money=money))
    ended = {
        "time": gettext("ended by the time limit"),
        "cancelled": gettext("stopped by a person: no supplier was asked"),
    }
    if plan.settings.get("stopped_by") in ended:
        parts.append(ended[plan.settings["stopped_by"]])
    return " · ".join(parts)


def bound(one: Mapping[str, Any], names: catalog.Names, *, first: dt.date) -> dict[str, Any]:
    """One rule that holds the plan back, in words."""
    ids = dict(one.get("ids", {}))
    return {
        "rule": words.label(words.RULES, one["rule"]),
        "where": explained.place(ids, names, first=first),
        "used": one["used"],
        "limit": one["limit"],
        "forced": bool(one.get("forced")),
    }
