"""The demand pool: the waterfall, days, exclusions; and the SKUs it is in."""

from __future__ import annotations

from typing import Any

from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import config, current_actor, db, midnight, now, roles
from app.entrypoints.wire import demand as wire
from app.stages.catalog import queries as catalog
from app.stages.demand import operations, queries

blueprint = Blueprint(
    "demand", __name__, url_prefix="/api/v1", description="How much demand there is, and how real"
)


@blueprint.route("/skus", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(wire.SkuFilter, location="query")
@blueprint.response(200, wire.Sku(many=True))
def list_skus(wanted: dict[str, Any]) -> Any:
    """SKUs by code; `after` is the last code of the page before"""
    with db().reading() as session:
        return catalog.list_skus(session, **wanted)


@blueprint.route("/demand/waterfall", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.WaterfallFilter, location="query")
@blueprint.response(200, wire.Waterfall)
def waterfall(wanted: dict[str, Any]) -> Any:
    """Raw units, what was removed and why, and the valid units that are left"""
    with db().reading() as session:
        return queries.waterfall(session, **wanted)


@blueprint.route("/demand/expected", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ExpectedFilter, location="query")
@blueprint.response(200, wire.Expected(many=True))
def expected(wanted: dict[str, Any]) -> Any:
    """The waterfall to its end, expected to pay and to plan: by campaign, SKU, region, channel or day"""
    by = wanted.pop("by")
    with db().reading() as session:
        return queries.expected(session, scope=queries.Scope(**wanted), by=by)


@blueprint.route("/demand/signals", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.SignalFilter, location="query")
@blueprint.response(200, wire.SignalLine(many=True))
def signals(wanted: dict[str, Any]) -> Any:
    """The signals a cell is made of, newest first; `before_id` is the last id of the page before"""
    page = {name: wanted.pop(name) for name in ("before_id", "limit")}
    reason, commitment = wanted.pop("reason"), wanted.pop("commitment")
    with db().reading() as session:
        return queries.list_signals(
            session,
            scope=queries.Scope(**wanted),
            reasons=[reason] if reason else None,
            commitments=[commitment] if commitment else None,
            **page,
        )


@blueprint.route("/demand/weights", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.WeightRun)
def weights() -> Any:
    """What a unit of each commitment is worth in each category, and what that was learnt from"""
    with db().reading() as session:
        return queries.current_run(session)


@blueprint.route("/demand/reviews", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.ReviewList)
def reviews() -> Any:
    """Clusters of suspects that wait for a person's word today, and the latest words"""
    with db().reading() as session:
        return queries.list_reviews(session, a_day=config().reviews_a_day, since=midnight())


@blueprint.route("/demand/reviews/<string:cluster>", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ReviewWord)
@blueprint.response(200, wire.ReviewDecided)
def decide(said: dict[str, str], cluster: str) -> Any:
    """Exclude a cluster, let it count, or take the word on it back"""
    decide_of = {
        "exclude": operations.confirm_cluster,
        "count": operations.dismiss_cluster,
        "undo": operations.reopen_cluster,
    }[said["word"]]
    with db().transaction() as session:
        return {"signals": decide_of(session, actor=current_actor(), cluster=cluster, now=now())}


@blueprint.route("/demand/days", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(wire.DemandFilter, location="query")
@blueprint.response(200, wire.DayUnits(many=True))
def days(wanted: dict[str, Any]) -> Any:
    """Raw and valid units by day"""
    with db().reading() as session:
        return queries.daily_units(session, **wanted)


@blueprint.route("/demand/exclusions", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ExclusionFilter, location="query")
@blueprint.response(200, wire.Exclusion(many=True))
def exclusions(wanted: dict[str, Any]) -> Any:
    """Signals that are not valid demand, each with its reason and evidence, newest first"""
    page = {name: wanted.pop(name) for name in ("reason", "undone", "before_id", "limit")}
    with db().reading() as session:
        return queries.list_exclusions(session, scope=queries.Scope(**wanted), **page)


@blueprint.route("/demand/exclusions/<int:exclusion_id>/undo", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(204)
def undo_exclusion(exclusion_id: int) -> None:
    """Count the signal as valid demand again; who did it is audited"""
    with db().transaction() as session:
        operations.undo_exclusion(session, actor=current_actor(), exclusion_id=exclusion_id, now=now())
