"""The JSON API under /api/v1. Its OpenAPI 3.1 document is at /api/v1/openapi.json."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from app.entrypoints.api import (
    accounts,
    campaigns,
    channels,
    cycle,
    demand,
    express,
    forecasts,
    imports,
    levers,
    plans,
    pledges,
    privacy,
    supply,
    uploads,
    votes,
    webhooks,
)
from app.entrypoints.door import public
from app.entrypoints.wire.basics import Problem

BLUEPRINTS = tuple(
    part.blueprint
    for part in (
        imports,
        uploads,
        pledges,
        demand,
        votes,
        campaigns,
        levers,
        forecasts,
        cycle,
        plans,
        supply,
        privacy,
        webhooks,
        channels,
        accounts,
    )
)
DESCRIPTION = """Headwater collects demand before anything is made, and plans who makes it for where.

Sign in with an access token: `Authorization: Bearer hw_…`. Quantities are whole units, money is whole minor
units beside an ISO 4217 currency, times carry an offset, weeks are the ISO date of their Monday. Every
refusal is `application/problem+json` with a stable `code`."""


class ProblemApi(Api):
    """Failures are answered in one place for the whole service (app.entrypoints.failures)."""

    ERROR_SCHEMA = Problem
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        """Document refusals as what they are on the wire."""
        usual: str = self.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = usual


def register(app: Flask) -> None:
    app.config.update(
        API_TITLE="Headwater",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "security": [{"token": []}, {"session": []}],
        },
    )
    api = ProblemApi(app)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.spec.components.security_scheme(
        "session", {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]}
    )
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    express.register(app)
    app.view_functions["api-docs.openapi_json"] = public(app.view_functions["api-docs.openapi_json"])
