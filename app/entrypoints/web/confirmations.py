"""What suppliers answered, and the counter-offers that wait for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from app import answers
from app.core import jobs
from app.core.access import Role
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.web import forms, told_counters, words
from app.entrypoints.web.replies import Reply, by_htmx, error_page, go, part, say
from app.stages.allocation import queries as allocation
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries
from app.stages.demand import queries as demand

blueprint = Blueprint("confirmations", __name__, url_prefix="/confirmations")
PAGE = 25
DECIDE_AT_ONCE = 10
RUNNING = ("open", "reached", "in_production")
"""States of campaigns whose buyers still wait."""


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    actor = current_actor()
    state = request.args.get("state", "")
    state = state if state in words.LINE_STATES else ""
    offset = forms.number_of(request.args, "offset", least=0) or 0
    with db().reading() as session:
        plan = allocation.latest_plan(session, today=today())
        counts = queries.count_lines(session, actor=actor)
        counters = queries.counters(session, actor=actor, limit=DECIDE_AT_ONCE)
        names = catalog.names(session)
        lines = queries.supplier_lines(
            session, actor=actor, states=[state] if state else None, limit=PAGE + 1, offset=offset
        )
        return render_template(
            "merchandiser/confirmations.html",
            counts=counts,
            total=sum(counts.values()),
            rate=queries.confirmation_rate(session, run_id=plan.run_id) if plan else None,
            counters=counters,
            notes={line.id: _note(session, line.id) for line in counters},
            lines=lines[:PAGE],
            more=len(lines) > PAGE,
            offset=offset,
            page=PAGE,
            state_code=state,
            names=names,
            diffs=_diffs(session, counters, names),
        )


def _diffs(session: Session, counters: Sequence[queries.LineFact], names: catalog.Names) -> dict[int, Any]:
    """What each counter-offer would do to the plan, as far as it is known."""
    if not counters:
        return {}
    asked = jobs.latest_jobs(session, name=answers.PREVIEW, argument="line_id")
    campaigns = demand.list_campaigns(session, states=RUNNING)
    return {
        line.id: told_counters.diff(
            line,
            queries.preview(session, line_id=line.id, version=line.version),
            asked.get(line.id),
            names=names,
            campaigns=campaigns,
        )
        for line in counters
    }


@blueprint.get("/<int:line_id>/preview")
@roles(Role.MERCHANDISER)
def preview(line_id: int) -> Reply:
    """What the counter-offer would do, once it is known."""
    return _preview(line_id)


@blueprint.post("/<int:line_id>/preview")
@roles(Role.MERCHANDISER)
def ask_preview(line_id: int) -> Reply:
    """Have it found out."""
    with db().transaction() as session:
        line = queries.supplier_line(session, actor=current_actor(), line_id=line_id)
        answers.ask_preview(session, line, actor=current_actor(), now=now())
    return _preview(line_id)


def _preview(line_id: int) -> Reply:
    if not by_htmx():
        return go("web.confirmations.index")
    with db().reading() as session:
        line = queries.supplier_line(session, actor=current_actor(), line_id=line_id)
        diff = _diffs(session, [line], catalog.names(session))[line_id]
    return part("merchandiser/counter_diff.html", line=line, diff=diff)


def _note(session: Session, line_id: int) -> str:
    """What the supplier wrote with its counter-offer."""
    said = queries.answers(session, actor=current_actor(), line_id=line_id)
    return next((answer.note for answer in reversed(said) if answer.kind == "counter"), "")


@blueprint.post("/<int:line_id>/accept")
@roles(Role.MERCHANDISER)
def accept(line_id: int) -> Reply:
    return _settle(line_id, accept=True)


@blueprint.post("/<int:line_id>/refuse")
@roles(Role.MERCHANDISER)
def refuse(line_id: int) -> Reply:
    return _settle(line_id, accept=False)


def _settle(line_id: int, *, accept: bool) -> Reply:
    given = forms.read(forms.Version(), request.form)
    if given.errors:
        return error_page(400, "bad_request", "")
    with db().transaction() as session:
        line = answers.settle_counter(
            session, actor=current_actor(), line_id=line_id, accept=accept, now=now(), **given.values
        )
        names = catalog.names(session)
        left = queries.count_lines(session, actor=current_actor()).get("countered", 0)
    say(gettext("The counter-offer is accepted.") if accept else gettext("The counter-offer is refused."))
    if by_htmx():
        return part("merchandiser/settled.html", line=line, names=names, left=left)
    return go("web.confirmations.index")
