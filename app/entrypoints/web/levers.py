"""Using the tolerance of buyers from a campaign's page, and taking it back."""

from __future__ import annotations

from flask import Blueprint, request
from flask_babel import gettext

from app.core.access import Role
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.web import forms, show
from app.entrypoints.web.replies import Reply, error_page, go, say
from app.stages.demand import operations
from app.stages.forecasts import queries as forecasts

blueprint = Blueprint("levers", __name__, url_prefix="/campaigns")


@blueprint.post("/<int:campaign_id>/tolerance")
@roles(Role.MERCHANDISER)
def apply(campaign_id: int) -> Reply:
    given = forms.read(forms.Tolerance(), request.form)
    if given.errors:
        return error_page(400, "bad_request", "")
    with db().transaction() as session:
        used = operations.apply_tolerance(
            session,
            campaign_id=campaign_id,
            spare=forecasts.spare_units(session, campaign_id=campaign_id),
            actor=current_actor(),
            now=now(),
            **given.values,
        )
    say(gettext("%(units)s units gained.", units=show.units(used.gained_units)))
    return go("web.campaigns.one", campaign_id=campaign_id)


@blueprint.post("/<int:campaign_id>/tolerance/<int:fill_id>/undo")
@roles(Role.MERCHANDISER)
def undo(campaign_id: int, fill_id: int) -> Reply:
    with db().transaction() as session:
        operations.undo_fill(session, fill_id=fill_id, actor=current_actor(), now=now())
    say(gettext("The units are taken back."))
    return go("web.campaigns.one", campaign_id=campaign_id)
