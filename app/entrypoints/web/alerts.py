"""Open alerts, the weightiest first: one per cause, closed by the plan that mended it."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from app.core.access import Role
from app.entrypoints.door import db, roles
from app.entrypoints.web import forms, words
from app.entrypoints.web.replies import Reply
from app.stages.alerts import queries
from app.stages.catalog import queries as catalog

blueprint = Blueprint("alerts", __name__, url_prefix="/alerts")
PAGE = 30


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    kind = request.args.get("kind", "")
    kind = kind if kind in words.ALERT_KINDS else ""
    offset = forms.number_of(request.args, "offset", least=0) or 0
    with db().reading() as session:
        found = queries.open_alerts(session, kind=kind or None, limit=PAGE + 1, offset=offset)
        return render_template(
            "merchandiser/alerts.html",
            alerts=found[:PAGE],
            more=len(found) > PAGE,
            offset=offset,
            page=PAGE,
            kind=kind,
            counts=queries.count_open_by_kind(session),
            names=catalog.names(session),
        )
