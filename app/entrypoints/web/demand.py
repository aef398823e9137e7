"""The demand pool: from raw to valid, and every exclusion with its evidence and its undo."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from app.core.access import Role
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.web import charts
from app.entrypoints.web.replies import Reply, by_htmx, go, part, say
from app.entrypoints.web.tower import PERIODS, period, since
from app.stages.catalog import queries as catalog
from app.stages.demand import operations, queries

blueprint = Blueprint("demand", __name__, url_prefix="/demand")
PAGE = 25


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    days, wanted = period(), _number("campaign")
    channel = None if wanted else _number("channel")
    code = request.args.get("sku", "").strip()
    with db().reading() as session:
        sku_id = catalog.sku_ids(session).get(code) if code else None
        water = queries.waterfall(
            session,
            campaign_id=wanted,
            channel_id=channel,
            region_id=_number("region"),
            sku_id=sku_id,
            since=since(days),
        )
        return render_template(
            "merchandiser/demand.html",
            days=days,
            periods=PERIODS,
            campaign_id=wanted,
            channel_id=channel,
            region_id=_number("region"),
            sku_code=code,
            sku_unknown=bool(code) and sku_id is None,
            water=water,
            chart_data=charts.waterfall(water),
            campaigns=queries.list_campaigns(session),
            channels=queries.list_channels(session),
            waiting=queries.count_reviews(session),
            **_exclusions(session),
        )


def _exclusions(session: Session) -> dict[str, Any]:
    reason = request.args.get("reason") or None
    undone = request.args.get("undone") == "1"
    before = _number("before")
    found = queries.list_exclusions(session, reason=reason, undone=undone, before_id=before, limit=PAGE + 1)
    return {
        "names": catalog.names(session),
        "exclusions": found[:PAGE],
        "reason": reason,
        "undone": undone,
        "before": before,
        "next_before": found[PAGE - 1].id if len(found) > PAGE else None,
    }


@blueprint.get("/review")
@roles(Role.MERCHANDISER)
def review() -> Reply:
    """Clusters that wait for a person's word, a few a day."""
    return render_template("merchandiser/reviews.html", **_reviews())


def _reviews() -> dict[str, Any]:
    midnight = (
        now().astimezone(ZoneInfo(config().timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    with db().reading() as session:
        found = queries.list_reviews(session, a_day=config().reviews_a_day, since=midnight)
    return {"reviews": found}


@blueprint.post("/review/<cluster>/<word>")
@roles(Role.MERCHANDISER)
def decide(cluster: str, word: str) -> Reply:
    """Exclude a cluster, or let it count."""
    decide_of = {"exclude": operations.confirm_cluster, "count": operations.dismiss_cluster}.get(word)
    if decide_of is None:
        abort(404)
    with db().transaction() as session:
        signals = decide_of(session, actor=current_actor(), cluster=cluster, now=now())
    if word == "exclude":
        say(ngettext("%(num)s signal is excluded.", "%(num)s signals are excluded.", signals))
    else:
        say(ngettext("%(num)s signal counts.", "%(num)s signals count.", signals))
    if by_htmx():
        return part("merchandiser/review_list.html", **_reviews())
    return go("web.demand.review")


def _number(name: str) -> int | None:
    """A key in the address; what is no number counts as not given."""
    return request.args.get(name, type=int)


@blueprint.post("/exclusions/<int:exclusion_id>/undo")
@roles(Role.MERCHANDISER)
def undo(exclusion_id: int) -> Reply:
    """Count the signal again."""
    with db().transaction() as session:
        operations.undo_exclusion(session, actor=current_actor(), exclusion_id=exclusion_id, now=now())
        exclusion = queries.get_exclusion(session, exclusion_id=exclusion_id)
        names = catalog.names(session)
    say(gettext("The signal counts again. Plan again to use it."))
    if by_htmx():
        return part("merchandiser/exclusion.html", exclusion=exclusion, names=names)
    return go("web.demand.index")


@blueprint.post("/exclusions/<int:exclusion_id>/redo")
@roles(Role.MERCHANDISER)
def redo(exclusion_id: int) -> Reply:
    """Exclude the signal again, for the same reason and evidence."""
    with db().transaction() as session:
        before = queries.get_exclusion(session, exclusion_id=exclusion_id)
        again = operations.exclude_signal(
            session,
            actor=current_actor(),
            signal_id=before.signal_id,
            reason=before.reason,
            evidence=before.evidence,
            now=now(),
        )
        exclusion = queries.get_exclusion(session, exclusion_id=again)
        names = catalog.names(session)
    say(gettext("The signal is excluded again."))
    if by_htmx():
        return part("merchandiser/exclusion.html", exclusion=exclusion, names=names)
    return go("web.demand.index")
