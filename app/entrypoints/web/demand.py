"""The demand pool: from raw to valid, and every exclusion with its evidence and its undo."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from app.core.access import Role
from app.entrypoints.door import config, current_actor, db, midnight, now, roles
from app.entrypoints.web import charts, forms
from app.entrypoints.web.replies import Reply, by_htmx, go, part, say
from app.entrypoints.web.tower import PERIODS, period, since
from app.stages.catalog import queries as catalog
from app.stages.demand import operations, queries

blueprint = Blueprint("demand", __name__, url_prefix="/demand")
PAGE = 25
MOST_PARTS = 200
"""Cells that a page shows; the API gives all."""


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    asked = _asked()
    with db().reading() as session:
        scope, unknown = _scope(session, asked)
        water = queries.waterfall(session, **asdict(scope))
        expected = queries.expected(session, scope=scope)[0]
        return render_template(
            "merchandiser/demand.html",
            asked=asked,
            periods=PERIODS,
            sku_unknown=unknown,
            water=water,
            buyers=_buyers(session, scope),
            expected=expected,
            chart_data=charts.waterfall(water, expected),
            campaigns=queries.list_campaigns(session),
            channels=queries.list_channels(session),
            waiting=queries.count_reviews(session),
            **_exclusions(session, scope),
        )


@blueprint.get("/parts")
@roles(Role.MERCHANDISER)
def parts() -> Reply:
    """The waterfall's figures by campaign, SKU, region, channel or day."""
    asked = _asked()
    by = request.args.get("by", "sku")
    if (
        by not in queries.BY
        or (asked["campaign"] and by == "channel")
        or (asked["channel"] and by == "campaign")
    ):
        by = "sku"
    with db().reading() as session:
        scope, _ = _scope(session, asked)
        cells = queries.expected(session, scope=scope, by=by)
        cells.sort(key=lambda one: one.key, reverse=True) if by == "day" else cells.sort(
            key=lambda one: (one.key is None, -one.raw_units)
        )
        return render_template(
            "merchandiser/demand_parts.html",
            asked=asked,
            by=by,
            cells=cells[:MOST_PARTS],
            left_out=max(0, len(cells) - MOST_PARTS),
            campaigns={one.id: one for one in queries.list_campaigns(session)},
            channels={one.id: one.code for one in queries.list_channels(session)},
            names=catalog.names(session),
        )


@blueprint.get("/signals")
@roles(Role.MERCHANDISER)
def signals() -> Reply:
    """What a cell of the waterfall is made of, a page at a time."""
    asked, before = _asked(), _number("before")
    reason, commitment = request.args.get("reason") or None, request.args.get("commitment") or None
    with db().reading() as session:
        scope, _ = _scope(session, asked)
        day = request.args.get("day", type=_day)
        if day is not None:
            scope = replace(scope, since=day, until=day + dt.timedelta(days=1))
        found = queries.list_signals(
            session,
            scope=scope,
            reasons=[reason] if reason else None,
            commitments=[commitment] if commitment else None,
            no_campaign=request.args.get("no_campaign") == "1",
            before_id=before,
            limit=PAGE + 1,
        )
        return render_template(
            "merchandiser/signals.html",
            asked=asked,
            signals=found[:PAGE],
            buyers=queries.count_buyers(session, scope=scope),
            before=before,
            next_before=found[PAGE - 1].id if len(found) > PAGE else None,
            kept={name: value for name, value in request.args.items() if name != "before"},
            reason=reason,
            commitment=commitment,
            campaigns={one.id: one for one in queries.list_campaigns(session)},
            channels={one.id: one.code for one in queries.list_channels(session)},
            names=catalog.names(session),
        )


@blueprint.get("/weights")
@roles(Role.MERCHANDISER)
def weights() -> Reply:
    """What a unit of each commitment is worth, and what that was learnt from."""
    with db().reading() as session:
        return render_template("merchandiser/weights.html", run=queries.current_run(session))


def _asked() -> dict[str, Any]:
    """The filters in the address; of a campaign and a channel the campaign stands."""
    wanted = _number("campaign")
    return {
        "days": period(),
        "campaign": wanted,
        "channel": None if wanted else _number("channel"),
        "region": _number("region"),
        "sku": request.args.get("sku", "").strip(),
    }


def _scope(session: Session, asked: dict[str, Any]) -> tuple[queries.Scope, bool]:
    """Which demand that is, and whether it names a SKU that is unknown."""
    sku_id = catalog.sku_ids(session).get(asked["sku"]) if asked["sku"] else None
    scope = queries.Scope(
        campaign_id=asked["campaign"],
        channel_id=asked["channel"],
        region_id=asked["region"],
        sku_id=sku_id,
        since=since(asked["days"]),
    )
    return scope, bool(asked["sku"]) and sku_id is None


def _buyers(session: Session, scope: queries.Scope) -> int | None:
    """About how many ordered; of a campaign as a whole, as sketches know no parts."""
    if scope.campaign_id is None or scope.sku_id is not None or scope.region_id is not None:
        return None
    return queries.campaign_buyers(session, campaign_id=scope.campaign_id, since=scope.since)


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _exclusions(session: Session, scope: queries.Scope) -> dict[str, Any]:
    reason = request.args.get("reason") or None
    undone = request.args.get("undone") == "1"
    before = _number("before")
    found = queries.list_exclusions(
        session, scope=scope, reason=reason, undone=undone, before_id=before, limit=PAGE + 1
    )
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
    with db().reading() as session:
        found = queries.list_reviews(session, a_day=config().reviews_a_day, since=midnight())
    return {"reviews": found}


@blueprint.post("/review/<cluster>/<word>")
@roles(Role.MERCHANDISER)
def decide(cluster: str, word: str) -> Reply:
    """Exclude a cluster, let it count, or take the word on it back."""
    decide_of = {
        "exclude": operations.confirm_cluster,
        "count": operations.dismiss_cluster,
        "undo": operations.reopen_cluster,
    }.get(word)
    if decide_of is None:
        abort(404)
    with db().transaction() as session:
        signals = decide_of(session, actor=current_actor(), cluster=cluster, now=now())
    if word == "exclude":
        say(ngettext("%(num)s signal is excluded.", "%(num)s signals are excluded.", signals))
    elif word == "count":
        say(ngettext("%(num)s signal counts.", "%(num)s signals count.", signals))
    else:
        say(
            ngettext(
                "%(num)s signal waits for a word again.", "%(num)s signals wait for a word again.", signals
            )
        )
    if by_htmx():
        return part("merchandiser/review_list.html", **_reviews())
    return go("web.demand.review")


def _number(name: str) -> int | None:
    """A key in the address; what is no number counts as not given."""
    return forms.number_of(request.args, name)


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
