"""The short way of a plain pledge: what comes most in a burst is answered before the framework is asked.

It takes `POST /api/v1/pledges` with a token, in usual form, that the express way of the demand stage takes;
whatever else comes goes the usual way with its body as it came, and every refusal is said there. A test holds
both ways' answers together. The headers are those of the first pledge, which goes the usual way.
"""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import structlog
from flask import Flask
from werkzeug.exceptions import RequestTimeout

from app.core.errors import HeadwaterError
from app.entrypoints import watch
from app.entrypoints.api.sent import usual_form
from app.entrypoints.door import attached
from app.stages.demand import operations
from app.stages.demand.operations import SentPledge
from app.stages.demand.queries.pledges import PledgeFact

ROUTE = "/api/v1/pledges"
LARGEST = 16 * 1024
UNUSUAL = (
    "QUERY_STRING",
    "HTTP_COOKIE",
    "HTTP_CONTENT_ENCODING",
    "HTTP_TRANSFER_ENCODING",
)
OWN = {"content-length", "x-request-id", "date", "vary"}
log = structlog.get_logger()

Environ = dict[str, Any]
Start = Callable[..., Any]


class Express:
    """Stands before the framework."""

    def __init__(self, app: Flask) -> None:
        self._usual = app.wsgi_app
        self._here = attached(app)
        self._headers: dict[tuple[Any, ...], list[tuple[str, str]]] = {}

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] != ROUTE or environ["REQUEST_METHOD"] != "POST":
            return self._usual(environ, start)
        began = time.perf_counter()
        key = (environ["wsgi.url_scheme"], environ.get("HTTP_X_FORWARDED_PROTO"), environ.get("HTTP_HOST"))
        headers = self._headers.get(key)
        if headers is None:
            return self._usual(environ, self._learning(key, start))
        answer = self._answer(environ)
        if answer is None:
            return self._usual(environ, start)
        number = environ.get("HTTP_X_REQUEST_ID", "")
        number = number if watch.REQUEST_ID.fullmatch(number) else secrets.token_hex(8)
        watch.note(ROUTE, "POST", 201, time.perf_counter() - began, number)
        start("201 CREATED", [*headers, ("Content-Length", str(len(answer))), ("X-Request-Id", number)])
        return [answer]

    def _learning(self, key: tuple[Any, ...], start: Start) -> Start:
        """Remember the headers of a pledge that the usual way took; few hosts are known, so few are kept."""

        def learn(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if status.startswith("201") and len(self._headers) < 64:
                self._headers[key] = [one for one in headers if one[0].lower() not in OWN]
            return start(status, headers, *more)

        return learn

    def _answer(self, environ: Environ) -> bytes | None:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        length = environ.get("CONTENT_LENGTH", "")
        if (
            scheme.lower() != "bearer"
            or environ.get("CONTENT_TYPE") != "application/json"
            or any(environ.get(name) for name in UNUSUAL)
            or not (length.isascii() and length.isdigit() and 0 < int(length) <= LARGEST)
        ):
            return None
        try:
            body = environ["wsgi.input"].read(int(length))
        except RequestTimeout:
            return None
        environ["wsgi.input"] = io.BytesIO(body)
        if len(body) < int(length):
            return None
        sent = _sent(body, environ.get("HTTP_IDEMPOTENCY_KEY"))
        if sent is None:
            return None
        try:
            taken = operations.take_express(
                self._here.db,
                sent=sent,
                token=token.strip(),
                pseudonym_key=self._here.config.pseudonym_key,
            )
        except (psycopg.Error, HeadwaterError) as error:
            log.warning("express", error=type(error).__name__)
            return None
        if taken is None:
            return None
        pledge, is_full = taken
        if is_full:
            with self._here.db.transaction() as session:
                operations.fold_changes(session)
        return _told(pledge)


def _sent(body: bytes, key: str | None) -> SentPledge | None:
    """The pledge of a body in usual form; `key` is the external id of one that names none."""
    try:
        row = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if key is not None and isinstance(row, dict) and row.get("external_id") is None:
        row["external_id"] = key
    return usual_form(row)


def _told(pledge: PledgeFact) -> bytes:
    """What `wire.pledges.Pledge` makes of it."""
    told = {
        "buyer": pledge.buyer,
        "campaign": pledge.campaign,
        "channel": pledge.channel,
        "commitment": pledge.commitment,
        "currency": pledge.currency,
        "day": pledge.day.isoformat(),
        "external_id": pledge.external_id,
        "ordered_at": pledge.ordered_at.isoformat(),
        "quantity": pledge.quantity,
        "reason": pledge.reason,
        "region": pledge.region,
        "sku": pledge.sku,
        "status": pledge.status,
        "unit_price_minor": pledge.unit_price_minor,
    }
    return json.dumps(told).encode() + b"\n"


def register(app: Flask) -> None:
    """On SQLite there is one writer, and nothing to be gained."""
    if not attached(app).db.is_sqlite:
        app.wsgi_app = Express(app)  # type: ignore[assignment, method-assign]
