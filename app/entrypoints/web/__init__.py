"""The pages that people use: one module per area, templates and static files beside them."""

from __future__ import annotations

from flask import Flask

from app.entrypoints.door import public
from app.entrypoints.web import (
    accounts,
    administrator,
    alerts,
    auth,
    campaigns,
    channels,
    confirmations,
    demand,
    drafts,
    forecasts,
    imports,
    language,
    levers,
    own,
    plan,
    policy,
    reasons,
    scenarios,
    shell,
    show,
    supplier,
    telling,
    tower,
    trail,
    votes,
    warehouse,
)
from app.entrypoints.web.replies import error_page

__all__ = ["error_page", "register"]

AREAS = (
    auth,
    own,
    tower,
    campaigns,
    drafts,
    levers,
    votes,
    demand,
    forecasts,
    plan,
    policy,
    scenarios,
    confirmations,
    alerts,
    imports,
    channels,
    supplier,
    warehouse,
    accounts,
    administrator,
)


for area in AREAS:
    shell.blueprint.register_blueprint(area.blueprint)


def register(app: Flask) -> None:
    """Hang every page into the application."""
    language.register(app)
    show.register(app)
    reasons.register(app)
    telling.register(app)
    trail.register(app)
    shell.register(app)
    app.register_blueprint(shell.blueprint)
    app.view_functions["web.static"] = public(app.view_functions["web.static"])
