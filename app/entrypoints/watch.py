"""Watching the service: a log event per request, metrics, and the two health checks."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from app.core import schema
from app.core.access import Role
from app.entrypoints.door import attached, db, public, roles

log = structlog.get_logger()
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
blueprint = Blueprint("watch", __name__)
registry = CollectorRegistry()
requests_total = Counter(
    "headwater_requests_total", "Requests answered", ["route", "method", "status"], registry=registry
)
request_seconds = Histogram(
    "headwater_request_seconds", "Seconds to answer a request", ["route"], registry=registry
)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """The database answers and has the schema this code expects."""
    try:
        with db().reading() as session:
            session.execute(text("SELECT 1"))
        found, wanted = schema.current(db()), schema.head()
    except SQLAlchemyError:
        return jsonify(status="unavailable", why="the database does not answer"), 503
    if found != wanted:
        return jsonify(status="unavailable", why=f"the schema is at {found}, this code needs {wanted}"), 503
    return jsonify(status="ok", schema=found), 200


@blueprint.get("/metrics")
@roles(Role.ADMINISTRATOR)
def metrics() -> Response:
    """Prometheus metrics, for an administrator's token."""
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4")


def register(app: Flask) -> None:
    _set_up_log(attached(app).config.log_level)
    app.register_blueprint(blueprint)
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _: request.close())  # files of a form that was refused


def _begin() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)
    g.started = time.perf_counter()


def _end(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unknown"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    response.headers["X-Request-Id"] = g.get("request_id", "")
    note(route, request.method, response.status_code, seconds, g.get("request_id"))
    return response


def note(route: str, method: str, status: int, seconds: float, request_id: str | None) -> None:
    """Count and log one request."""
    requests_total.labels(route, method, status).inc()
    request_seconds.labels(route).observe(seconds)
    if not route.startswith("/static"):
        log.info(
            "request", id=request_id, method=method, route=route, status=status, ms=round(seconds * 1000, 1)
        )


_trace = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""Where it broke, without the values that were there: they may name a buyer or hold a password."""


def _set_up_log(level: str) -> None:
    """JSON lines on stderr, coloured on a terminal. Routes are logged, never query strings or bodies."""
    human = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if human else _trace,
            structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level, logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
