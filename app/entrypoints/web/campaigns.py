"""Campaigns: where each stands against its go line, and every step of its life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import LazyString, lazy_gettext
from sqlalchemy.orm import Session

from app.core.access import Role
from app.core.errors import RuleBroken
from app.entrypoints.door import config, current_actor, db, now, roles, today
from app.entrypoints.web import charts, checks, forms, refusals
from app.entrypoints.web.replies import Reply, go, say
from app.entrypoints.web.tower import at_risk
from app.questions import campaign_levers, seen_landings
from app.stages.catalog import queries as catalog
from app.stages.demand import operations
from app.stages.demand import queries as demand
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns")
GROUPS = ("draft", "open", "reached", "missed", "in_production", "shipping", "cancelled", "closed")
"""The order of the list: what waits for a decision comes first."""


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    with db().reading() as session:
        listed = demand.list_campaigns(session)
        return render_template(
            "merchandiser/campaigns.html",
            groups=[
                (state, theirs)
                for state in GROUPS
                if (theirs := [campaign for campaign in listed if campaign.state == state])
            ],
            now=now(),
            at_risk=at_risk(session),
            names=catalog.names(session),
        )


@blueprint.get("/<int:campaign_id>")
@roles(Role.MERCHANDISER)
def one(campaign_id: int) -> Reply:
    with db().reading() as session:
        campaign = demand.get_campaign(session, campaign_id=campaign_id)
        curve = demand.campaign_curve(session, campaign_id=campaign_id)
        water = demand.waterfall(session, campaign_id=campaign_id)
        expected = demand.expected(session, scope=demand.Scope(campaign_id=campaign_id))[0]
        names = catalog.names(session)
        regions = _by_region(session, campaign_id, names)
        seen = forecasts.campaign_landings(session, campaign_id=campaign_id)
        landing = seen[-1] if seen and campaign.state == "open" else None
        return render_template(
            "merchandiser/campaign.html",
            campaign=campaign,
            curve=charts.pledges(campaign, curve, today=today(), landing=landing),
            landing=landing,
            chance=forecasts.chance_of_going(landing, go_units=campaign.go_units) if landing else None,
            levers=campaign_levers(session, campaign_id=campaign_id, today=today()),
            fills=demand.list_fills(session, campaign_id=campaign_id),
            drawn=charts.landings(seen, campaign) if len(seen) > 1 else None,
            skus=forecasts.sku_landings(session, landing=landing) if landing else [],
            currency=config().currency,
            has_curve=bool(curve),
            water=water,
            expected=expected,
            water_chart=charts.waterfall(water, expected),
            regions=regions,
            most=max((units.valid_units for _, units in regions), default=1),
            names=names,
            buyers=demand.campaign_buyers(session, campaign_id=campaign_id),
            at_risk=at_risk(session),
            now=now(),
            terms=demand.campaign_terms(session, campaign_id=campaign_id),
            variants=demand.variant_units(session, campaign_id=campaign_id),
            decisions=demand.list_decisions(session, campaign_id=campaign_id),
            **_money(session, campaign),
            **_launch(session, campaign),
            **_dry_run(session, campaign),
        )


def _launch(session: Session, campaign: demand.CampaignFact) -> dict[str, Any]:
    """What stands against the launch of a draft."""
    if campaign.state != "draft":
        return {}
    outlook = demand.launch_outlook(
        session, campaign_id=campaign.id, deposit_cap_percent=config().deposit_cap_percent, now=now()
    )
    failures = [(one.field, checks.sentence(one.code, one.sentence, one.data)) for one in outlook.failures]
    return {"outlook": outlook, "failures": failures}


def _dry_run(session: Session, campaign: demand.CampaignFact) -> dict[str, Any]:
    """What the close would come to now: computed when somebody asks, since all its pledges are summed."""
    if campaign.state != "open" or request.args.get("dry") != "1":
        return {}
    return {"dry": demand.close_outlook(session, campaign_id=campaign.id)}


def _money(session: Session, campaign: demand.CampaignFact) -> dict[str, Any]:
    """Balances to ask for, and what is to be returned, once the campaign is decided."""
    if campaign.state in ("reached", "in_production", "shipping"):
        balance = demand.balance_of(session, campaign_id=campaign.id)
        return {"balance": balance, "refunds": demand.refund_sums(session, campaign_id=campaign.id)}
    if campaign.state in ("missed", "cancelled"):
        return {"refunds": demand.refund_sums(session, campaign_id=campaign.id)}
    return {}


@blueprint.post("/<int:campaign_id>/launch")
@roles(Role.MERCHANDISER)
def launch(campaign_id: int) -> Reply:
    """Open a draft."""
    cap = config().deposit_cap_percent
    return _step(
        campaign_id,
        lambda session, **said: operations.launch_campaign(session, deposit_cap_percent=cap, **said),
        forms.Version(),
        lazy_gettext("The campaign is launched. Its expected volume is frozen."),
    )


@blueprint.post("/<int:campaign_id>/extend")
@roles(Role.MERCHANDISER)
def extend(campaign_id: int) -> Reply:
    cap = config().deposit_cap_percent
    return _step(
        campaign_id,
        lambda session, **said: operations.extend_campaign(session, deposit_cap_percent=cap, **said),
        forms.Extension(),
        lazy_gettext("The campaign closes later. All pledges stay."),
    )


@blueprint.post("/<int:campaign_id>/close")
@roles(Role.MERCHANDISER)
def close(campaign_id: int) -> Reply:
    """Close now, and decide by the rule or against it."""

    def decide(session: Session, **said: Any) -> None:
        landing = seen_landings(session).get(campaign_id)
        said["decision"] = said["decision"] or None
        operations.close_campaign(session, landing=landing, **said)

    return _step(
        campaign_id, decide, forms.CloseCampaign(), lazy_gettext("The campaign is closed and decided.")
    )


@blueprint.post("/<int:campaign_id>/overrule")
@roles(Role.MERCHANDISER)
def overrule(campaign_id: int) -> Reply:
    def decide(session: Session, **said: Any) -> None:
        landing = seen_landings(session).get(campaign_id)
        operations.overrule_campaign(session, landing=landing, **said)

    return _step(
        campaign_id, decide, forms.Reasoned(), lazy_gettext("The decision is turned. Plan again to use it.")
    )


@blueprint.post("/<int:campaign_id>/cancel")
@roles(Role.MERCHANDISER)
def cancel(campaign_id: int) -> Reply:
    done = lazy_gettext("The campaign is cancelled. Its units require nothing any more.")
    return _step(campaign_id, operations.cancel_campaign, forms.Reasoned(), done)


@blueprint.post("/<int:campaign_id>/advance/<kind>")
@roles(Role.MERCHANDISER)
def advance(campaign_id: int, kind: str) -> Reply:
    """Produce, ship or finish."""
    return _step(
        campaign_id,
        lambda session, **said: operations.advance_campaign(session, kind=kind, **said),
        forms.Version(),
        lazy_gettext("The campaign is at its next step."),
    )


def _step(campaign_id: int, decide: Callable[..., Any], form: forms.Form, done: LazyString) -> Reply:
    """One decision with what was typed, then the page again."""
    given = forms.read(form, {name: typed.strip() for name, typed in request.form.items()})
    if given.errors:
        say(next(iter(given.errors.values())), "danger")
        return go("web.campaigns.one", campaign_id=campaign_id)
    try:
        with db().transaction() as session:
            decide(session, campaign_id=campaign_id, actor=current_actor(), now=now(), **given.values)
    except RuleBroken as refusal:
        say(refusals.failure(422, refusal.code, refusal.sentence), "danger")
        for sentence in checks.told(refusal.data.get("errors", [])).values():
            say(sentence, "danger")
        return go("web.campaigns.one", campaign_id=campaign_id)
    say(str(done))
    return go("web.campaigns.one", campaign_id=campaign_id)


def _by_region(
    session: Session, campaign_id: int, names: catalog.Names
) -> list[tuple[catalog.Name, demand.Waterfall]]:
    """Raw and valid units of every region that pledged anything, the largest first."""
    found = [
        (name, demand.waterfall(session, campaign_id=campaign_id, region_id=region_id))
        for region_id, name in names.regions.items()
    ]
    return sorted(
        ((name, water) for name, water in found if water.raw_units),
        key=lambda pair: (-pair[1].valid_units, pair[0].code),
    )
