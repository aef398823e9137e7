"""What was forecast, overrides of it, and what forecasts were worth."""

from __future__ import annotations

from typing import Any

from app.core.access import Role
from app.core.errors import NotFound
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import current_actor, db, now, roles, today
from app.entrypoints.wire import forecasts as wire
from app.stages.forecasts import operations, queries

blueprint = Blueprint(
    "forecasts",
    __name__,
    url_prefix="/api/v1/forecasts",
    description="What will be wanted, a planner's word, and the score",
)


@blueprint.route("/latest", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.response(200, wire.ForecastRun)
def latest_forecast() -> Any:
    """The newest forecast run"""
    with db().reading() as session:
        return _latest(session)


@blueprint.route("/latest/lines", methods=["GET"])
@roles(Role.MERCHANDISER, Role.WAREHOUSE_PLANNER)
@blueprint.arguments(wire.ForecastFilter, location="query")
@blueprint.response(200, wire.ForecastLine(many=True))
def forecast_lines(wanted: dict[str, Any]) -> Any:
    """Units by region and week with 80 and 95 % intervals, of one SKU"""
    with db().reading() as session:
        return queries.lines(session, run_id=_latest(session).id, **wanted)


@blueprint.route("/overrides", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.OverrideFilter, location="query")
@blueprint.response(200, wire.Override(many=True))
def list_overrides(wanted: dict[str, Any]) -> Any:
    """Overrides of the forecast, newest first; of a region, with those for all regions"""
    with db().reading() as session:
        return queries.list_overrides(session, **wanted)


@blueprint.route("/overrides", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.OverrideForm)
@blueprint.response(201, wire.Override)
def override_forecast(said: dict[str, Any]) -> Any:
    """Plan other units than forecast for a SKU, a week, and a region or all

    The latest that is not withdrawn counts, from the next plan on; one for a region before one for all. Once
    the week is over it is scored.
    """
    with db().transaction() as session:
        return operations.override_forecast(session, actor=current_actor(), today=today(), now=now(), **said)


@blueprint.route("/overrides/<int:override_id>", methods=["DELETE"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Override)
def withdraw_override(override_id: int) -> Any:
    """Withdraw an override; it stays on record"""
    with db().transaction() as session:
        return operations.withdraw_override(
            session, actor=current_actor(), override_id=override_id, today=today(), now=now()
        )


@blueprint.route("/accuracy", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.AccuracyFilter, location="query")
@blueprint.response(200, wire.Accuracy(many=True))
def accuracy(wanted: dict[str, Any]) -> Any:
    """What the forecasts of finished weeks were worth, by SKU class, region, step ahead or week"""
    with db().reading() as session:
        return queries.accuracy(session, **wanted)


def _latest(session: Any) -> queries.ForecastRunFact:
    run = queries.latest_run(session, today=today())
    if run is None:
        raise NotFound("forecast_none", "Nothing was forecast yet. Run the planning cycle first.")
    return run
