"""The administrator's pages: jobs, concentration limits, the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from app.core import audit, jobs
from app.core.access import Role
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.web import forms, show
from app.entrypoints.web.campaign_form import minor
from app.entrypoints.web.replies import Reply, by_htmx, go, part, say
from app.stages.allocation import operations as allocation_operations
from app.stages.allocation import queries as allocation

blueprint = Blueprint("administrator", __name__, url_prefix="/admin")
PAGE = 40
SCOPES = ("sku", "category", "plan")
BASES = ("units", "spend")


@blueprint.get("")
@roles(Role.ADMINISTRATOR)
def index() -> Reply:
    return go("web.accounts.index")


@blueprint.get("/jobs")
@roles(Role.ADMINISTRATOR)
def jobs_list() -> Reply:
    with db().reading() as session:
        found = jobs.list_jobs(session, limit=PAGE)
    return render_template("administrator/jobs.html", jobs=found, running=any(job.running for job in found))


@blueprint.post("/jobs/<int:job_id>/cancel")
@roles(Role.ADMINISTRATOR)
def cancel_job(job_id: int) -> Reply:
    with db().transaction() as session:
        jobs.cancel(session, job_id=job_id, now=now())
    say(gettext("The job is asked to stop."))
    return go("web.administrator.jobs_list")


@blueprint.get("/limits")
@roles(Role.ADMINISTRATOR)
def limits() -> Reply:
    return _limits()


@blueprint.post("/limits")
@roles(Role.ADMINISTRATOR)
def set_limit() -> Reply:
    """Set the limit of one scope and base; it holds from the next plan on."""
    given = forms.read(forms.Limit(), request.form)
    if given.errors:
        return _limits(given.raw, given.errors), 422
    with db().transaction() as session:
        like = allocation.limits(session)[0]
        values = given.values
        limit = replace(
            like,
            scope=type(like.scope)(values["scope"]),
            base=type(like.base)(values["base"]),
            threshold_percent=values["threshold_percent"],
            hard=values["hard"],
            penalty_minor=None if values["penalty"] is None else minor(str(values["penalty"])),
        )
        allocation_operations.set_limit(session, limit=limit, actor=current_actor(), now=now())
    say(gettext("The limit holds from the next plan on."))
    return go("web.administrator.limits")


def _limits(raw: dict[str, str] | None = None, errors: dict[str, Any] | None = None) -> str:
    with db().reading() as session:
        return render_template(
            "administrator/limits.html",
            limits=allocation.limits(session),
            scopes=SCOPES,
            bases=BASES,
            currency=config().currency,
            form=raw or {},
            errors=errors or {},
        )


@blueprint.get("/audit")
@roles(Role.ADMINISTRATOR)
def audit_log() -> Reply:
    before = forms.number_of(request.args, "before")
    with db().reading() as session:
        found = audit.entries(session, before_id=before, limit=PAGE + 1)
    return render_template(
        "administrator/audit.html",
        entries=found[:PAGE],
        next_before=found[PAGE - 1].id if len(found) > PAGE else None,
        before=before,
    )


@blueprint.post("/audit/verify")
@roles(Role.ADMINISTRATOR)
def verify_audit() -> Reply:
    """Walk the whole chain of hashes."""
    with db().reading() as session:
        broken = audit.first_broken(session)
    if broken is None:
        say(gettext("The chain is whole: no entry was changed or removed."))
    else:
        say(gettext("The chain breaks at entry %(number)s.", number=show.units(broken)), "danger")
    return part("parts/nothing.html") if by_htmx() else go("web.administrator.audit_log")
