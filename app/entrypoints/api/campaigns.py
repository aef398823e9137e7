"""Campaigns: drafting, checking, launching and every later step; their curves, landings and money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import config, current_actor, db, now, roles
from app.entrypoints.wire import campaigns as wire
from app.questions import seen_landings
from app.stages.demand import operations, queries
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
@blueprint.response(200, wire.CampaignWhole)
def campaign(campaign_id: int) -> Any:
    """One campaign with its variants and prices"""
    with db().reading() as session:
        return _whole(session, campaign_id)


@blueprint.route("/campaigns", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.CampaignForm)
@blueprint.response(201, wire.CampaignWhole)
def draft_campaign(said: dict[str, Any]) -> Any:
    """Draft a campaign

    An unfinished draft is kept; what can't be kept is refused with 422 `campaign_invalid` and an entry in
    `errors` for each field.
    """
    with db().transaction() as session:
        new = operations.draft_campaign(session, actor=current_actor(), now=now(), **said)
        return _whole(session, new)


@blueprint.route("/campaigns/<int:campaign_id>", methods=["PUT"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.CampaignEdit)
@blueprint.response(200, wire.CampaignWhole)
def edit_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Put other terms in the place of a draft's"""
    return _changed(operations.edit_campaign, campaign_id, said)


@blueprint.route("/campaigns/<int:campaign_id>/copy", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.CopyForm)
@blueprint.response(201, wire.CampaignWhole)
def copy_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """A draft with the same terms under another code, moved by whole weeks until it opens in the future"""
    with db().transaction() as session:
        new = operations.copy_campaign(
            session, campaign_id=campaign_id, actor=current_actor(), now=now(), **said
        )
        return _whole(session, new)


@blueprint.route("/campaigns/<int:campaign_id>/launch-outlook", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.LaunchOutlook)
def launch_outlook(campaign_id: int) -> Any:
    """Dry run of the launch: what it would freeze, and every check that fails"""
    with db().reading() as session:
        return queries.launch_outlook(
            session,
            campaign_id=campaign_id,
            deposit_cap_percent=config().deposit_cap_percent,
            now=now(),
        )


@blueprint.route("/campaigns/<int:campaign_id>/launch", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.VersionForm)
@blueprint.response(200, wire.CampaignWhole)
def launch_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Launch a draft, and freeze its expected volume

    Refused with 422 `launch_refused` and an entry in `errors` for each failed check.
    """
    cap = config().deposit_cap_percent
    return _changed(operations.launch_campaign, campaign_id, said | {"deposit_cap_percent": cap})


@blueprint.route("/campaigns/<int:campaign_id>/extend", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ExtensionForm)
@blueprint.response(200, wire.CampaignWhole)
def extend_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Let an open campaign close later; what was pledged stays pledged"""
    cap = config().deposit_cap_percent
    return _changed(operations.extend_campaign, campaign_id, said | {"deposit_cap_percent": cap})


@blueprint.route("/campaigns/<int:campaign_id>/close-outlook", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.CloseOutlook)
def close_outlook(campaign_id: int) -> Any:
    """Dry run of the close: go or not, the price reached, balances to ask, deposits to return"""
    with db().reading() as session:
        return queries.close_outlook(session, campaign_id=campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/close", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.CloseForm)
@blueprint.response(200, wire.CampaignWhole)
def close_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Close an open campaign now, and decide whether it goes"""
    return _changed(operations.close_campaign, campaign_id, said, landing_is_kept=True)


@blueprint.route("/campaigns/<int:campaign_id>/overrule", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ReasonForm)
@blueprint.response(200, wire.CampaignWhole)
def overrule_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Let a campaign go that missed its go line, or stop one that reached it, before anything is made"""
    return _changed(operations.overrule_campaign, campaign_id, said, landing_is_kept=True)


@blueprint.route("/campaigns/<int:campaign_id>/cancel", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.ReasonForm)
@blueprint.response(200, wire.CampaignWhole)
def cancel_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Call a campaign off before anything is made; its pledges stay on record and require nothing"""
    return _changed(operations.cancel_campaign, campaign_id, said)


@blueprint.route("/campaigns/<int:campaign_id>/step", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.StepForm)
@blueprint.response(200, wire.CampaignWhole)
def advance_campaign(said: dict[str, Any], campaign_id: int) -> Any:
    """Produce what was reached, ship it, or finish what is shipped, missed or cancelled"""
    kind = said.pop("step")
    return _changed(operations.advance_campaign, campaign_id, {**said, "kind": kind})


@blueprint.route("/campaigns/<int:campaign_id>/decisions", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Decision(many=True))
def decisions(campaign_id: int) -> Any:
    """What was decided of a campaign, on which figures, by which rule or by whom; the newest first"""
    with db().reading() as session:
        queries.get_campaign(session, campaign_id=campaign_id)
        return queries.list_decisions(session, campaign_id=campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/balance", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Balance)
def balance(campaign_id: int) -> Any:
    """What buyers still owe of a campaign that goes, by region, and until when"""
    with db().reading() as session:
        return queries.balance_of(session, campaign_id=campaign_id)


@blueprint.route("/campaigns/<int:campaign_id>/balance/pledges", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.PledgePage, location="query")
@blueprint.response(200, wire.PledgeSum(many=True))
def owed_pledges(page: dict[str, Any], campaign_id: int) -> Any:
    """The pledges to remind, with the pseudonyms of their buyers"""
    with db().reading() as session:
        return queries.owed_pledges(session, campaign_id=campaign_id, **page)


@blueprint.route("/campaigns/<int:campaign_id>/refunds", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.PledgePage, location="query")
@blueprint.response(200, wire.Refund(many=True))
def refunds(page: dict[str, Any], campaign_id: int) -> Any:
    """What buyers are to get back and why: for units not made, above the price reached, a replaced deposit"""
    with db().reading() as session:
        return queries.list_refunds(session, campaign_id=campaign_id, **page)


@blueprint.route("/campaigns/<int:campaign_id>/limited", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Award(many=True))
def limited(campaign_id: int) -> Any:
    """Who gets a limited price, in the order the pledges were made"""
    with db().reading() as session:
        queries.get_campaign(session, campaign_id=campaign_id)
        return queries.list_awards(session, campaign_id=campaign_id)


def _changed(
    step: Callable[..., Any], campaign_id: int, said: dict[str, Any], *, landing_is_kept: bool = False
) -> dict[str, Any]:
    """Take one step of a campaign's life; the campaign as it is then."""
    with db().transaction() as session:
        if landing_is_kept:
            said = said | {"landing": seen_landings(session).get(campaign_id)}
        step(session, campaign_id=campaign_id, actor=current_actor(), now=now(), **said)
        return _whole(session, campaign_id)


def _whole(session: Session, campaign_id: int) -> dict[str, Any]:
    fact = queries.get_campaign(session, campaign_id=campaign_id)
    terms = queries.campaign_terms(session, campaign_id=campaign_id)
    parts = {"variants": terms.variants, "tiers": terms.tiers, "limited": terms.limited}
    return {**asdict(fact), **parts, "buyers": queries.campaign_buyers(session, campaign_id=campaign_id)}


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
