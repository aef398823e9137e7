"""Signing in and out, and the language of the screens."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, session, url_for

from app.core import access
from app.core.errors import NotAllowed, RuleBroken
from app.entrypoints import guard
from app.entrypoints.door import current_actor, db, public, roles
from app.entrypoints.web import forms
from app.entrypoints.web.replies import Reply, go_to, local_address
from app.entrypoints.web.shell import HOME

blueprint = Blueprint("auth", __name__)


@blueprint.get("/sign-in")
@public
def sign_in() -> Reply:
    if g.get("actor") is not None:
        return redirect(url_for(HOME[current_actor().role]))
    return _form()


@blueprint.post("/sign-in")
@public
@guard.limiter.limit(guard.sign_in_limit)
def sign_in_now() -> Reply:
    given = forms.read(forms.SignIn(), request.form)
    if given.errors:
        return _form(given.raw, given.errors), 422
    chosen = session.get("locale")
    try:
        with db().reading() as store:
            account = access.sign_in(store, **given.values)
    except NotAllowed:
        return _form(given.raw, failed=True), 401
    guard.enter(account)
    session["locale"] = chosen or account.locale
    return go_to(local_address(request.args.get("next")) or url_for(HOME[account.role]))


@blueprint.post("/sign-out")
@roles()
def sign_out() -> Reply:
    chosen = session.get("locale")
    guard.leave()
    if chosen:
        session["locale"] = chosen
    return go_to(url_for("web.auth.sign_in"))


@blueprint.post("/language")
@public
def choose_language() -> Reply:
    """Keep the language in this session, and with the account of whoever is signed in."""
    more = sorted(request.form.keys() - {"locale", "next", "csrf_token"})
    if more:
        raise RuleBroken(
            "account_field",
            "Of an account only its language is chosen here; nothing else may come along.",
            fields=more,
        )
    locale = access.known_locale(request.form.get("locale", ""))
    session["locale"] = locale
    if g.get("actor") is not None:
        with db().transaction() as store:
            access.set_locale(store, actor=current_actor(), locale=locale)
    return go_to(local_address(request.form.get("next")) or url_for("web.auth.sign_in"))


def _form(
    raw: dict[str, str] | None = None, errors: dict[str, Any] | None = None, *, failed: bool = False
) -> str:
    return render_template("sign_in.html", form=raw or {}, errors=errors or {}, failed=failed)
