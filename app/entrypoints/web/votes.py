"""Votes on designs: shares with their uncertainty, conversion to orders, and what rounds promised."""

from __future__ import annotations

import datetime as dt
import re

from flask import Blueprint, render_template, request
from flask_babel import gettext

from app.core.access import Role
from app.core.errors import HeadwaterError
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.web import forms, refusals
from app.entrypoints.web.campaign_form import MOMENT
from app.entrypoints.web.replies import Reply, go, say
from app.entrypoints.web.round_form import RoundForm
from app.stages.catalog import queries as catalog
from app.stages.demand import operations, queries

blueprint = Blueprint("votes", __name__, url_prefix="/votes")
FIELDS = {
    "round_window": "closes_at",
    "round_designs": "designs",
    "code_invalid": "code",
    "round_known": "code",
}
"""Which field a refusal of a new round is about."""


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    with db().reading() as session:
        return render_template(
            "merchandiser/votes.html",
            rounds=queries.list_rounds(session),
            conversions=queries.category_conversions(session, until=now()),
            priors=queries.list_priors(session),
            campaigns={one.id: one for one in queries.list_campaigns(session)},
            designs={one.id: one for one in queries.list_designs(session)},
        )


@blueprint.get("/new")
@roles(Role.MERCHANDISER)
def new() -> Reply:
    """An empty form, with a window of a week from tomorrow."""
    tomorrow = dt.datetime.combine(today() + dt.timedelta(days=1), dt.time(10))
    suggested = {
        "opens_at": tomorrow.strftime(MOMENT),
        "closes_at": (tomorrow + dt.timedelta(days=7)).strftime(MOMENT),
    }
    return render_template("merchandiser/vote_form.html", form=suggested, errors={})


@blueprint.post("/new")
@roles(Role.MERCHANDISER)
def start() -> Reply:
    """Put designs to the vote."""
    given = forms.read(RoundForm(), request.form)
    errors = given.errors
    if not errors:
        try:
            with db().transaction() as session:
                fact = operations.open_round(session, actor=current_actor(), now=now(), **given.values)
            say(gettext("The round is open. Channels send its ballots through the API."))
            return go("web.votes.one", round_id=fact.id)
        except HeadwaterError as refusal:
            errors = refusals.beside(refusal, FIELDS)
    return render_template("merchandiser/vote_form.html", form=given.raw, errors=errors), 422


@blueprint.get("/<int:round_id>")
@roles(Role.MERCHANDISER)
def one(round_id: int) -> Reply:
    return _page(round_id)


def _page(round_id: int, wrong: tuple[str, str, str] | None = None) -> str:
    """One round; `wrong` is a design, the SKUs typed for it, and what is wrong with them."""
    with db().reading() as session:
        shares = queries.round_shares(session, round_id=round_id)
        votes = [(one.design.id, one.design.category, one.votes) for one in shares]
        return render_template(
            "merchandiser/vote.html",
            round=queries.get_round(session, round_id=round_id),
            shares=shares,
            most=max((share.high for share in shares if share.votes), default=1.0),
            expected=queries.expected_volumes(session, votes=votes, until=now()),
            skus=catalog.names(session).skus,
            wrong=wrong,
        )


@blueprint.post("/<int:round_id>/close")
@roles(Role.MERCHANDISER)
def close(round_id: int) -> Reply:
    with db().transaction() as session:
        operations.close_round(session, round_id=round_id, actor=current_actor(), now=now())
    say(gettext("The round is closed."))
    return go("web.votes.one", round_id=round_id)


@blueprint.post("/<int:round_id>/designs/<code>")
@roles(Role.MERCHANDISER)
def make(round_id: int, code: str) -> Reply:
    given = forms.read(forms.Made(), request.form)
    typed = given.raw.get("skus", "")
    if given.errors:
        return _page(round_id, wrong=(code, typed, given.errors["skus"])), 422
    try:
        with db().transaction() as session:
            skus = [sku for sku in re.split(r"[\s,，;；]+", typed) if sku]
            operations.make_design(session, code=code, skus=skus, actor=current_actor(), now=now())
    except HeadwaterError as error:
        if error.status != 422:
            raise
        return _page(round_id, wrong=(code, typed, refusals.beside(error, {}, other="skus")["skus"])), 422
    say(gettext("The SKUs of the design are kept."))
    return go("web.votes.one", round_id=round_id)
