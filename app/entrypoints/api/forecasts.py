"""Overrides of the forecast, and what forecasts were worth."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from app.core.access import Role
from app.entrypoints import wire
from app.entrypoints.door import current_actor, db, now, roles, today
from app.stages.forecasts import operations, queries

blueprint = Blueprint(
    "forecasts", __name__, url_prefix="/api/v1/forecasts", description="A planner's word, and the score"
)


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
