"""The merchandiser's first page: how much demand is real, where campaigns stand, what to decide."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.access import Role
from app.entrypoints import forgetting
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.web import charts
from app.entrypoints.web.drawings import meter, sparkline
from app.entrypoints.web.replies import Reply, by_htmx, go, part, say
from app.entrypoints.web.shell import HOME
from app.stages.alerts import queries as alerts
from app.stages.allocation import queries as allocation
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries as confirmation
from app.stages.demand import queries as demand

blueprint = Blueprint("tower", __name__)
CYCLE = "run-cycle"
PERIODS = (28, 90, 0)
WINDOW = 28


@dataclass(frozen=True, slots=True)
class ValidUnits:
    """Valid units of the last 28 days, by day, and their change against the 28 days before."""

    total: int
    change: float | None
    picture: Any


@blueprint.get("/")
@roles()
def index() -> Reply:
    """The control tower; everybody else is led from the bare address to their own first page."""
    actor = current_actor()
    if HOME[actor.role] != HOME[Role.MERCHANDISER]:
        return go(HOME[actor.role])
    actor.must_be(Role.MERCHANDISER)
    days = period()
    with db().reading() as session:
        names = catalog.names(session)
        live = demand.list_campaigns(session, states=["open"])
        water = demand.waterfall(session, since=since(days))
        open_alerts = alerts.open_alerts(session, limit=6)
        return render_template(
            "merchandiser/tower.html",
            names=names,
            days=days,
            periods=PERIODS,
            valid=_valid_units(session, today()),
            water=water,
            water_chart=charts.waterfall(water),
            campaigns=live,
            reached=sum(campaign.valid_units >= campaign.go_units for campaign in live),
            at_risk=at_risk(session),
            alerts=open_alerts,
            alert_count=alerts.count_open(session),
            job=jobs.open_job(session, name=CYCLE),
            **_plan(session, names),
        )


def period() -> int:
    """The days a waterfall looks back on: 28, 90, or 0 for all."""
    wanted = request.args.get("days", "")
    return int(wanted) if wanted in {str(days) for days in PERIODS} else WINDOW


def since(days: int) -> dt.date | None:
    return today() - dt.timedelta(days=days - 1) if days else None


def at_risk(session: Session) -> set[str]:
    """Codes of the campaigns that an alert is open for."""
    return {alert.data["campaign"] for alert in alerts.open_alerts(session, kind="campaign_at_risk")}


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What comes before a first plan: done or not, and where it is done."""

    done: bool
    title: str
    hint: str
    href: str = ""


def _first_steps(session: Session, names: catalog.Names) -> list[FirstStep]:
    ordered = demand.latest_day(session) is not None
    return [
        FirstStep(
            bool(names.suppliers and names.warehouses),
            gettext("Network: SKUs, suppliers and their offers, warehouses, regions"),
            gettext("The operator imports it from files, with the command import-network."),
        ),
        FirstStep(
            ordered,
            gettext("Orders"),
            gettext("Upload an export of a sales channel, or connect the channel."),
            url_for("web.imports.index"),
        ),
        FirstStep(
            bool(demand.list_campaigns(session)),
            gettext("A campaign, if you sell before you make"),
            gettext("Draft it, see what stands against its launch, and launch it."),
            url_for("web.campaigns.index"),
        ),
        FirstStep(
            False,
            gettext("A plan"),
            gettext("Press “Re-plan now”; it takes some minutes, and suppliers are asked at its end."),
        ),
    ]


def _plan(session: Session, names: catalog.Names) -> dict[str, Any]:
    plan = allocation.latest_plan(session, today=today())
    if plan is None:
        return {"plan": None, "steps": _first_steps(session, names)}
    flows = allocation.supplier_warehouse_flows(session, run_id=plan.run_id)
    rate = confirmation.confirmation_rate(session, run_id=plan.run_id)
    history = allocation.list_plans(session, limit=12)[::-1]
    return {
        "plan": plan,
        "rate": rate,
        "rate_picture": meter(rate.rate, full=1.0, tone="good"),
        "cost_picture": sparkline([one.cost_minor for one in history]),
        "unmet_picture": meter(plan.unmet_units, full=max(plan.demand_units, 1), tone="bad"),
        "sankey": charts.sankey(flows, names=names),
    }


def _valid_units(session: Session, last: dt.date) -> ValidUnits:
    first = last - dt.timedelta(days=2 * WINDOW - 1)
    found = {point.day: point.valid_units for point in demand.daily_units(session, since=first)}
    days = [found.get(first + dt.timedelta(days=offset), 0) for offset in range(2 * WINDOW)]
    before, latest = sum(days[:WINDOW]), sum(days[WINDOW:])
    change = (latest - before) / before if before > 0 else None
    return ValidUnits(latest, change, sparkline(days[WINDOW:]))


@blueprint.post("/replan")
@roles(Role.MERCHANDISER)
def replan() -> Reply:
    """Ask for one turn of the planning cycle; the page then follows the job."""
    with db().transaction() as session:
        arguments = {"as_of": today().isoformat()}
        job = jobs.enqueue(session, name=CYCLE, arguments=arguments, actor=current_actor(), now=now())
    if by_htmx():
        return part("parts/job.html", job=job)
    return go("web.tower.index")


@blueprint.get("/replan/<int:job_id>")
@roles(Role.MERCHANDISER)
def progress(job_id: int) -> Reply:
    """How far the job is. Once it is done the whole page loads again, with the new plan."""
    with db().reading() as session:
        job = jobs.get_job(session, job_id=job_id)
    if job.state is not jobs.JobState.DONE:
        return part("parts/job.html", job=job)
    say(gettext("The new plan is ready.") if job.name == CYCLE else gettext("The answer is ready."))
    response: Response = make_response("")
    response.headers["HX-Refresh"] = "true"
    return response if by_htmx() else go("web.tower.index")


@blueprint.post("/replan/<int:job_id>/cancel")
@roles(Role.MERCHANDISER)
def cancel(job_id: int) -> Reply:
    with db().transaction() as session:
        forgetting.check_stop(session, job_id=job_id, actor=current_actor())
        job = jobs.cancel(session, job_id=job_id, now=now())
    return part("parts/job.html", job=job) if by_htmx() else go("web.tower.index")
