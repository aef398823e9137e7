"""One's own account: who one is here, and another password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, session
from flask_babel import gettext

from app.core import accounts
from app.core.errors import HeadwaterError
from app.entrypoints import guard
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.web import forms, refusals
from app.entrypoints.web.replies import Reply, go, say
from app.stages.catalog import queries as catalog

blueprint = Blueprint("own", __name__, url_prefix="/account")
FIELDS = {"password_wrong": "old", "password_short": "password", "password_same": "password"}


@blueprint.get("")
@roles()
def index() -> Reply:
    return _page()


@blueprint.post("/password")
@roles()
@guard.limiter.limit(guard.sign_in_limit)
def change_password() -> Reply:
    """Take another password and sign out everywhere but here."""
    given = forms.read(forms.OwnPassword(), request.form)
    if given.errors:
        return _page(given.errors), 422
    old, new = given.values["old"], given.values["password"]
    try:
        with db().transaction() as store:
            account = accounts.change_password(store, old=old, new=new, actor=current_actor(), now=now())
    except HeadwaterError as refused:
        return _page(refusals.beside(refused, FIELDS)), refused.status
    chosen = session.get("locale")
    guard.enter(account)
    session["locale"] = chosen or account.locale
    say(gettext("Your password is changed. Every other browser is signed out."))
    return go("web.own.index")


def _page(errors: dict[str, Any] | None = None) -> str:
    account_id = current_actor().account_id or 0
    with db().reading() as store:
        return render_template(
            "own.html",
            account=accounts.get_account(store, account_id=account_id),
            sessions=accounts.count_sessions(store, account_id=account_id, now=now()),
            tokens=sum(not one.revoked_at for one in accounts.list_tokens(store, account_id=account_id)),
            names=catalog.names(store),
            errors=errors or {},
        )
