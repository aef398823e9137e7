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
from app.entrypoints.door import db, roles
from app.entrypoints.web import charts, show, words
from app.entrypoints.web.replies import Reply
from app.entrypoints.web.tower import CYCLE
from app.stages.allocation import queries
from app.stages.allocation.queries import PlanFact
from app.stages.catalog import queries as catalog
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint("plan", __name__, url_prefix="/plan")
PAGE = 25
LISTED = 8
PLAN_LIMIT_PERCENT = 40


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    run_id = request.args.get("run", type=int)
    with db().reading() as session:
        job = jobs.open_job(session, name=CYCLE)
        plan = queries.get_plan(session, run_id=run_id) if run_id else queries.latest_plan(session)
        if plan is None:
            return render_template("merchandiser/plan.html", plan=None, job=job)
        names = catalog.names(session)
        flows = queries.supplier_warehouse_flows(session, run_id=plan.run_id)
        return render_template(
            "merchandiser/plan.html",
            plan=plan,
            job=job,
            names=names,
            history=queries.list_plans(session, limit=10),
            sankey=charts.sankey(flows, names=names),
            cost_chart=charts.cost_parts(plan),
            fan=charts.fan(forecasts.fan_chart(session, run_id=plan.forecast_run_id, weeks=26)),
            spent=spent(plan),
            unmet=queries.unmet_by_sku(session, run_id=plan.run_id, limit=LISTED),
            binding=[bound(one, names, first=plan.first_week) for one in plan.binding[:LISTED]],
            **_shares(session, plan, names),
            **_lines(session, plan),
        )


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
    supplier_id = request.args.get("supplier", type=int)
    offset = max(request.args.get("offset", 0, type=int), 0)
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


def bound(one: Mapping[str, Any], names: catalog.Names, *, first: dt.date) -> dict[str, Any]:
    """One rule that holds the plan back, in words."""
    ids = dict(one.get("ids", {}))
    return {
        "rule": words.label(words.RULES, one["rule"]),
        "where": _where(ids, names, first),
        "used": one["used"],
        "limit": one["limit"],
        "forced": bool(one.get("forced")),
    }


def _where(ids: Mapping[str, Any], names: catalog.Names, first: dt.date) -> str:
    """The supplier, SKU, warehouse and week a rule is about, as far as it names them."""
    tables = {"supplier": names.suppliers, "sku": names.skus, "warehouse": names.warehouses, "key": {}}
    parts = []
    for kind, table in tables.items():
        if kind in ids and ids[kind] not in ("", None):
            by_code = {found.code: found for found in table.values()}
            found = by_code.get(str(ids[kind]))
            parts.append(show.name(found) if found else str(ids[kind]))
    if "week" in ids:
        monday = first + dt.timedelta(weeks=int(ids["week"]))
        parts.append(gettext("week of %(day)s", day=show.week(monday)))
    return " · ".join(parts)
