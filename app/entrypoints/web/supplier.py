"""A supplier's pages, made for a phone: what to answer, and what was promised. Only its own lines, ever."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext, ngettext

from app import answers
from app.core.access import Role
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.web import forms, show
from app.entrypoints.web.replies import Reply, by_htmx, error_page, go, part, say
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries

blueprint = Blueprint("supplier", __name__, url_prefix="/supplier")
PAGE = 20
ANSWERED = ("confirmed", "countered", "declined", "expired")


@blueprint.get("")
@roles(Role.SUPPLIER)
def index() -> Reply:
    actor, offset = current_actor(), _offset()
    with db().reading() as session:
        lines = queries.supplier_lines(session, actor=actor, states=["asked"], limit=PAGE + 1, offset=offset)
        counts = queries.count_lines(session, actor=actor)
        return render_template(
            "supplier/index.html",
            lines=lines[:PAGE],
            more=len(lines) > PAGE,
            offset=offset,
            page=PAGE,
            waiting=_waiting(counts.get("asked", 0)),
            names=catalog.names(session),
            now=now(),
        )


@blueprint.get("/promised")
@roles(Role.SUPPLIER)
def promised() -> Reply:
    actor, offset = current_actor(), _offset()
    state = request.args.get("state", "")
    states = [state] if state in ANSWERED else list(ANSWERED)
    with db().reading() as session:
        lines = queries.supplier_lines(session, actor=actor, states=states, limit=PAGE + 1, offset=offset)
        return render_template(
            "supplier/promised.html",
            lines=lines[:PAGE],
            more=len(lines) > PAGE,
            offset=offset,
            page=PAGE,
            state_code=state if state in ANSWERED else "",
            states=ANSWERED,
            counts=queries.count_lines(session, actor=actor),
            names=catalog.names(session),
        )


def _waiting(lines: int) -> str:
    return ngettext(
        "%(count)s line waits for your answer, the earliest week first.",
        "%(count)s lines wait for your answer, the earliest week first.",
        lines,
        count=show.units(lines),
    )


def _offset() -> int:
    return forms.number_of(request.args, "offset", least=0) or 0


@blueprint.post("/lines/<int:line_id>/confirm")
@roles(Role.SUPPLIER)
def confirm(line_id: int) -> Reply:
    given = forms.read(forms.Version(), request.form)
    if given.errors:
        return error_page(400, "bad_request", "")
    return _answer(line_id, "confirm", given.values, gettext("Confirmed as asked."))


@blueprint.post("/lines/<int:line_id>/change")
@roles(Role.SUPPLIER)
def change(line_id: int) -> Reply:
    given = forms.read(forms.Counter(), request.form)
    if given.errors:
        return _again(line_id, given, "change")
    return _answer(line_id, "counter", given.values, gettext("Your change was sent to the buyer."))


@blueprint.post("/lines/<int:line_id>/decline")
@roles(Role.SUPPLIER)
def decline(line_id: int) -> Reply:
    given = forms.read(forms.Decline(), request.form)
    if given.errors:
        return _again(line_id, given, "decline")
    return _answer(line_id, "decline", given.values, gettext("Declined. The buyer is told."))


def _answer(line_id: int, kind: str, values: dict[str, Any], told: str) -> Reply:
    with db().transaction() as session:
        line = answers.take_answer(
            session, actor=current_actor(), line_id=line_id, kind=kind, now=now(), **values
        )
        names = catalog.names(session)
        left = queries.count_lines(session, actor=current_actor()).get("asked", 0)
    say(told)
    if by_htmx():
        return part("supplier/answered.html", line=line, names=names, left=left, waiting=_waiting(left))
    return go("web.supplier.index")


def _again(line_id: int, given: forms.Given, opened: str) -> Reply:
    """The card once more, open where something is wrong."""
    with db().reading() as session:
        line = queries.supplier_line(session, actor=current_actor(), line_id=line_id)
        names = catalog.names(session)
    template = "supplier/card.html" if by_htmx() else "supplier/again.html"
    card = render_template(
        template, line=line, names=names, now=now(), form=given.raw, errors=given.errors, opened=opened
    )
    return card, 422
