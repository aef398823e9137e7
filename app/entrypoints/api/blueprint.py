"""Blueprints whose arguments are read strictly: JSON after RFC 8259, and no parameter that nobody knows."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import flask_smorest
from flask import Request, abort, request
from webargs import missing
from webargs.flaskparser import FlaskParser

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes of JSON; a thousand pledges need a quarter of it."""


def strict_json() -> Any:
    """The body of this request, in UTF-8, without NaN and the like, however deep it is nested."""
    if not request.is_json:
        abort(415, description="Send JSON, as application/json.")
    request.max_content_length = LARGEST_BODY
    body = request.get_data(cache=False)
    if len(body) < (request.content_length or 0):
        abort(400, description="The body is shorter than its Content-Length says; send it again.")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        abort(400, description="The body is no JSON document in UTF-8.")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class StrictParser(FlaskParser):
    """The schema decides what it does with a name it does not know, in a query string as in a body."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": None}  # noqa: RUF012

    def _raw_load_json(self, req: Request) -> Any:
        if not req.is_json and not req.content_length:
            return missing
        return strict_json()


class Blueprint(flask_smorest.Blueprint):
    ARGUMENTS_PARSER = StrictParser()
