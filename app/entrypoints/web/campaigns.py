"""Campaigns: where each stands against its go line."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from app.core.access import Role
from app.cycle import campaign_levers
from app.entrypoints.door import config, db, roles, today
from app.entrypoints.web import charts
from app.entrypoints.web.replies import Reply
from app.entrypoints.web.tower import at_risk
from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns")


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    with db().reading() as session:
        return render_template(
            "merchandiser/campaigns.html",
            campaigns=demand.list_campaigns(session),
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
            levers=campaign_levers(session, campaign_id=campaign_id),
            fills=demand.list_fills(session, campaign_id=campaign_id),
            drawn=charts.landings(seen, campaign) if len(seen) > 1 else None,
            skus=forecasts.sku_landings(session, landing=landing) if landing else [],
            currency=config().currency,
            has_curve=bool(curve),
            water=water,
            water_chart=charts.waterfall(water),
            regions=regions,
            most=max((units.valid_units for _, units in regions), default=1),
            names=names,
            at_risk=at_risk(session),
        )


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
