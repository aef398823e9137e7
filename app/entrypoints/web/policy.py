"""What plans are made with: service levels of SKU classes, and the charge for changing the last plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError, validates

from app.core.access import Role
from app.entrypoints.door import config, current_actor, db, now, roles, today
from app.entrypoints.web import forms
from app.entrypoints.web.campaign_form import Amount, major
from app.entrypoints.web.replies import Reply, go, say
from app.stages.allocation import operations, queries

blueprint = Blueprint("policy", __name__, url_prefix="/plan/settings")
CLASSES = ("A", "B", "C")
LOWEST, HIGHEST = 50, 97


class Policy(forms.Form):
    service_a = forms.Whole(low=LOWEST, high=HIGHEST, blank=True)
    service_b = forms.Whole(low=LOWEST, high=HIGHEST, blank=True)
    service_c = forms.Whole(low=LOWEST, high=HIGHEST, blank=True)
    churn = Amount(load_default=None)

    @validates("churn")
    def above_nothing(self, value: int | None, data_key: str) -> None:
        if value is not None and value < 1:
            raise ValidationError(lazy_gettext("Leave it empty for no charge."))


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    return _page()


@blueprint.post("")
@roles(Role.MERCHANDISER)
def save() -> Reply:
    """Set them; they hold from the next plan on."""
    given = forms.read(Policy(), request.form)
    if given.errors:
        return _page(given.raw, given.errors), 422
    levels = {name: given.values[f"service_{name.lower()}"] for name in CLASSES}
    service = {name: percent for name, percent in levels.items() if percent is not None}
    with db().transaction() as session:
        operations.set_policy(
            session, service=service, churn_minor=given.values["churn"], actor=current_actor(), now=now()
        )
    say(gettext("The settings hold from the next plan on."))
    return go("web.policy.index")


def _page(raw: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with db().reading() as session:
        settings = queries.plan_settings(session)
        plan = queries.latest_plan(session, today=today())
    stored: dict[str, Any] = {
        f"service_{name.lower()}": (settings.service or {}).get(name, "") for name in CLASSES
    }
    return render_template(
        "merchandiser/plan_settings.html",
        form=raw or {**stored, "churn": major(settings.churn_minor)},
        errors=errors or {},
        currency=config().currency,
        plan=plan,
    )
