"""What moves a campaign to its lines, and the tolerance of its buyers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_smorest import Blueprint

from app.core.access import Role
from app.core.errors import NotFound
from app.entrypoints.door import config, current_actor, db, now, roles, today
from app.entrypoints.wire import levers as wire
from app.questions import campaign_levers
from app.stages.demand import operations, queries
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint(
    "levers", __name__, url_prefix="/api/v1", description="What a campaign is short of, and what helps"
)


@blueprint.route("/campaigns/<int:campaign_id>/levers", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.CampaignLevers)
def levers(campaign_id: int) -> Any:
    """What a running campaign lands short of: the go line, MOQs and price breaks, their worth, and what helps

    Each line with its options: to extend the campaign, to ask tolerant buyers, to move units of the newest
    plan from other suppliers.
    """
    with db().reading() as session:
        found = campaign_levers(session, campaign_id=campaign_id, today=today())
        if found is None:
            sentence = "The campaign does not run, or its landing was not drawn yet; run the cycle."
            raise NotFound("landing_unknown", sentence)
        return {**asdict(found), "currency": config().currency}


@blueprint.route("/campaigns/<int:campaign_id>/tolerance", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ToleranceFilter, location="query")
@blueprint.response(200, wire.ToleranceProposal)
def tolerance(wanted: dict[str, Any], campaign_id: int) -> Any:
    """How tolerant buyers would fill the go line, or the line of a SKU

    Which pledges to raise or to move, within what their buyers allow and under the limits, with the fewest
    buyers asked. No other SKU is taken below the MOQ that it lands at. Nothing is changed.
    """
    with db().reading() as session:
        spare = forecasts.spare_units(session, campaign_id=campaign_id)
        return queries.propose_tolerance(session, campaign_id=campaign_id, spare=spare, **wanted)


@blueprint.route("/campaigns/<int:campaign_id>/tolerance-fills", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.ToleranceFill(many=True))
def tolerance_fills(campaign_id: int) -> Any:
    """Tolerance that was used in a campaign, the newest first"""
    with db().reading() as session:
        queries.get_campaign(session, campaign_id=campaign_id)
        return queries.list_fills(session, campaign_id=campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/tolerance-fills", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ToleranceForm)
@blueprint.response(201, wire.ToleranceFill)
def apply_tolerance(said: dict[str, Any], campaign_id: int) -> Any:
    """Raise and move pledges as was proposed

    Each becomes a correction of whoever applies it. Pledges that changed since the proposal are refused with
    409 `proposal_moved`.
    """
    with db().transaction() as session:
        spare = forecasts.spare_units(session, campaign_id=campaign_id)
        return operations.apply_tolerance(
            session, campaign_id=campaign_id, spare=spare, actor=current_actor(), now=now(), **said
        )


@blueprint.route("/tolerance-fills/<int:fill_id>", methods=["DELETE"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.ToleranceFill)
def undo_fill(fill_id: int) -> Any:
    """Give pledges back what they had; one that changed since keeps the later word"""
    with db().transaction() as session:
        return operations.undo_fill(session, fill_id=fill_id, actor=current_actor(), now=now())
