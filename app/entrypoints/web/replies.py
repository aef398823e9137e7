"""How a view answers: a page, a part for htmx, a redirect with a message, an error a person can read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.entrypoints.web import refusals

Reply = BaseResponse | str | tuple[str, int]


def by_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def go(endpoint: str, **values: Any) -> BaseResponse:
    """Send the browser to another page, whether it asked by a form or by htmx."""
    return go_to(url_for(endpoint, **values))


def go_to(address: str) -> BaseResponse:
    if by_htmx():
        return Response("", 200, {"HX-Redirect": address})
    return redirect(address, 303)


def say(sentence: str, tone: str = "success") -> None:
    """A short message shown once, on this reply or the next page."""
    flash(sentence, tone)


def part(template: str, **context: Any) -> str:
    """A piece of a page for htmx, with the messages of this request swapped in beside it."""
    return render_template(template, **context) + render_template("parts/messages.html", out_of_band=True)


def local_address(address: str | None) -> str | None:
    """`address` if it stays on this site, else None: a link must not lead elsewhere after the sign-in."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")) or "\\" in address:
        return None
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc else None


def error_page(status: int, code: str, sentence: str) -> BaseResponse:
    """A failure for people: a message (htmx, so that the page stays) or a page of its own.

    Whoever is not signed in goes to the sign-in instead, and comes back afterwards.
    """
    if code == "sign_in_needed":
        back = request.full_path.rstrip("?") if request.method == "GET" and not by_htmx() else None
        return go("web.auth.sign_in", **({"next": back} if back and back != "/" else {}))
    told = refusals.failure(status, code, sentence)
    if by_htmx():
        response = make_response(render_template("parts/message.html", tone="danger", sentence=told), status)
        response.headers["HX-Retarget"] = "#messages"
        response.headers["HX-Reswap"] = "beforeend"
        return response
    title, remedy = refusals.error_page(status)
    page = render_template(
        "error.html", status=status, title=title, sentence=told, remedy=remedy, number=g.get("request_id")
    )
    return make_response(page, status)
