"""Drafting a campaign: the form, an edit, a copy."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from app.core.access import Role
from app.core.errors import Conflict, RuleBroken
from app.entrypoints.door import config, current_actor, db, now, roles, today
from app.entrypoints.web import checks, forms, refusals
from app.entrypoints.web.campaign_form import MOMENT, CampaignForm, typed
from app.entrypoints.web.replies import Reply, go, say
from app.stages.catalog import queries as catalog
from app.stages.demand import operations, queries

blueprint = Blueprint("drafts", __name__, url_prefix="/campaigns")


@blueprint.get("/new")
@roles(Role.MERCHANDISER)
def new() -> Reply:
    """An empty form, with a window of three weeks from tomorrow."""
    tomorrow = dt.datetime.combine(today() + dt.timedelta(days=1), dt.time(10))
    suggested = {
        "opens_at": tomorrow.strftime(MOMENT),
        "closes_at": (tomorrow + dt.timedelta(days=21)).strftime(MOMENT),
        "go_factor": "1.20",
    }
    voted = _voted(forms.number_of(request.args, "round"), request.args.get("design", ""))
    return _form(suggested | voted, {})


def _voted(round_id: int | None, code: str) -> dict[str, str]:
    """What a vote says of the campaign of one of its designs: its name, its SKUs, the volume it promises."""
    if round_id is None:
        return {}
    with db().reading() as session:
        shares = queries.round_shares(session, round_id=round_id)
        share = next((one for one in shares if one.design.code == code), None)
        if share is None:
            return {}
        design = share.design
        votes = [(design.id, design.category, share.votes)]
        volume = queries.expected_volumes(session, votes=votes, until=now()).get(design.id)
        skus = catalog.names(session).skus
        return {
            "name": design.name,
            "name_zh": design.name_zh or "",
            "skus": "\n".join(skus[sku_id].code for sku_id in design.sku_ids if sku_id in skus),
            "expected_units": str(volume.units) if volume and volume.units else "",
        }


@blueprint.post("/new")
@roles(Role.MERCHANDISER)
def draft() -> Reply:
    """Keep a new draft."""
    given = forms.read(CampaignForm(), request.form)
    errors = given.errors
    if not errors:
        try:
            with db().transaction() as session:
                campaign_id = operations.draft_campaign(
                    session, actor=current_actor(), now=now(), **given.values
                )
            say(gettext("The draft is kept. See below what stands against its launch."))
            return go("web.campaigns.one", campaign_id=campaign_id)
        except (RuleBroken, Conflict) as refusal:
            errors = _wrong(refusal)
    return _form(given.raw, errors), 422


@blueprint.get("/<int:campaign_id>/edit")
@roles(Role.MERCHANDISER)
def edit(campaign_id: int) -> Reply:
    with db().reading() as session:
        campaign = queries.get_campaign(session, campaign_id=campaign_id)
        terms = queries.campaign_terms(session, campaign_id=campaign_id)
    return _form({**typed(terms), "version": str(campaign.version)}, {}, campaign=campaign)


@blueprint.post("/<int:campaign_id>/edit")
@roles(Role.MERCHANDISER)
def keep(campaign_id: int) -> Reply:
    """Keep the edited draft."""
    given = forms.read(CampaignForm(), request.form)
    version = forms.read(forms.Version(), request.form)
    errors = given.errors or version.errors
    if not errors:
        try:
            with db().transaction() as session:
                operations.edit_campaign(
                    session,
                    campaign_id=campaign_id,
                    actor=current_actor(),
                    now=now(),
                    **version.values,
                    **given.values,
                )
            say(gettext("The draft is kept. See below what stands against its launch."))
            return go("web.campaigns.one", campaign_id=campaign_id)
        except RuleBroken as refusal:
            if "errors" not in refusal.data:
                raise
            errors = _wrong(refusal)
    with db().reading() as session:
        campaign = queries.get_campaign(session, campaign_id=campaign_id)
    return _form({**given.raw, "version": request.form.get("version", "")}, errors, campaign=campaign), 422


@blueprint.post("/<int:campaign_id>/copy")
@roles(Role.MERCHANDISER)
def copy(campaign_id: int) -> Reply:
    """A draft with the same terms under the code that was typed."""
    with db().transaction() as session:
        new_id = operations.copy_campaign(
            session,
            campaign_id=campaign_id,
            code=request.form.get("code", "").strip(),
            actor=current_actor(),
            now=now(),
        )
    say(gettext("The copy is a draft. Check its dates."))
    return go("web.drafts.edit", campaign_id=new_id)


def _wrong(refusal: RuleBroken | Conflict) -> dict[str, str]:
    if refusal.code == "campaign_exists":
        return refusals.beside(refusal, {"campaign_exists": "code"})
    return checks.told(refusal.data.get("errors", []))


def _form(form: dict[str, str], errors: dict[str, str], **more: Any) -> str:
    return render_template(
        "merchandiser/campaign_form.html", form=form, errors=errors, currency=config().currency, **more
    )
