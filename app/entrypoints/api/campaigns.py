"""Campaigns, their pledge curves, and where they land."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import db, roles
from app.entrypoints.wire import campaigns as wire
from app.stages.demand import queries
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint(
    "campaigns", __name__, url_prefix="/api/v1", description="Pre-sales, from launch to close"
)


@blueprint.route("/campaigns", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Campaign(many=True))
def campaigns() -> Any:
    """Campaigns with their valid units against the go line"""
    with db().reading() as session:
        return queries.list_campaigns(session)


@blueprint.route("/campaigns/<int:campaign_id>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Campaign)
def campaign(campaign_id: int) -> Any:
    """One campaign"""
    with db().reading() as session:
        return queries.get_campaign(session, campaign_id=campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/curve", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.CurvePoint(many=True))
def curve(campaign_id: int) -> Any:
    """The pledge curve: valid units by day"""
    with db().reading() as session:
        queries.get_campaign(session, campaign_id=campaign_id)
        return queries.campaign_curve(session, campaign_id=campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/landing", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Landing)
def landing(campaign_id: int) -> Any:
    """Where the campaign lands, as the last planning cycle saw it, whole and by SKU and region"""
    with db().reading() as session:
        one = queries.get_campaign(session, campaign_id=campaign_id)
        seen = forecasts.last_landing(session, campaign_id=campaign_id)
        lines = forecasts.landing_lines(session, campaign_id=campaign_id, as_of=seen.as_of)
        chance = forecasts.chance_of_going(seen, go_units=one.go_units)
        return {**asdict(seen), "chance_of_going": chance, "lines": lines}
