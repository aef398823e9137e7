"""One answer to every failure: problem+json (RFC 9457) under /api/, a page elsewhere; never a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from app.core.db import WRITTEN_MEANWHILE, was_turned_away
from app.core.errors import HeadwaterError

log = structlog.get_logger()
UNAUTHENTICATED = frozenset(
    {
        "sign_in_needed",
        "sign_in_failed",
        "token_unknown",
        "signature_invalid",
        "webhook_stale",
        "webhook_unsigned",
    }
)
MOST_MESSAGES = 20
Page = Callable[[int, str, str], Any]


def register(app: Flask, *, page: Page) -> None:
    """`page(status, code, sentence)` renders a failure for people."""

    def answer(status: int, code: str, sentence: str, data: dict[str, Any] | None = None) -> Any:
        if request.path.startswith("/api/"):
            return problem(status, code, sentence, data or {})
        return page(status, code, sentence)

    def refused(error: HeadwaterError) -> Any:
        status = 401 if error.code in UNAUTHENTICATED else error.status
        return answer(status, error.code, error.sentence, error.data)

    def http(error: HTTPException) -> Any:
        if error.response is not None or error.code is None or error.code < 400:
            return error
        if isinstance(error, CSRFError):
            return answer(400, "csrf_failed", "This page has expired. Load it again and repeat what you did.")
        data = getattr(error, "data", None) or {}
        if isinstance(data, dict) and "messages" in data:
            return answer(
                422, "fields_invalid", "Some fields can't be used.", {"errors": _first(data["messages"])}
            )
        code = HTTPStatus(error.code).name.lower()
        response = answer(error.code, code, error.description or HTTPStatus(error.code).phrase)
        return _with_headers(response, error)

    def crashed(error: Exception) -> Any:
        log.exception("unexpected error", path=request.path, request_id=g.get("request_id"))
        return answer(500, "unexpected", "Something went wrong here. It was logged; please try again later.")

    def turned_away(error: OperationalError) -> Any:
        return (
            answer(409, "written_meanwhile", WRITTEN_MEANWHILE) if was_turned_away(error) else crashed(error)
        )

    app.register_error_handler(OperationalError, turned_away)
    app.register_error_handler(HeadwaterError, refused)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, crashed)


def problem(status: int, code: str, sentence: str, data: dict[str, Any]) -> Response:
    """One problem document: type, title, status, code, detail, request id, and the refusal's data."""
    body = {
        "type": f"about:blank#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": sentence,
        "request_id": g.get("request_id", ""),
        **{key: value for key, value in data.items() if key not in ("status", "code", "detail")},
    }
    text = json.dumps(body, ensure_ascii=False, default=str)
    # A name that was sent may hold half a surrogate pair, which no UTF-8 can; JSON writes it as an escape.
    response = Response(
        text.encode(errors="backslashreplace"), status=status, content_type="application/problem+json"
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="headwater"'
    return response


def _first(messages: Any) -> Any:
    """The first messages of each kind: a body can have a million bad members."""
    if not isinstance(messages, dict):
        return messages
    return {str(name)[:60]: _first(messages[name]) for name in list(messages)[:MOST_MESSAGES]}


def _with_headers(response: Any, error: HTTPException) -> Any:
    """Keep what the protocol wants beside the status: Allow of a 405, Retry-After of a 429."""
    if isinstance(response, Response):
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                response.headers[name] = value
    return response
