"""Accounts: who may sign in, with which keys; closing one, opening it again, another password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from app.core import access, accounts, audit
from app.core.access import Role
from app.core.errors import HeadwaterError
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.web import forms, refusals
from app.entrypoints.web.replies import Reply, go, say
from app.stages.catalog import queries as catalog

blueprint = Blueprint("accounts", __name__, url_prefix="/admin/accounts")
FIELDS = {"password_short": "password", "supplier_account": "supplier"}
"""Which field a refusal of an account is about; of the others it is the e-mail."""


@blueprint.get("")
@roles(Role.ADMINISTRATOR)
def index() -> Reply:
    return _index()


@blueprint.post("")
@roles(Role.ADMINISTRATOR)
def create() -> Reply:
    given = forms.read(forms.NewAccount(), request.form)
    if given.errors:
        return _index(given.raw, given.errors), 422
    values = dict(given.values)
    role, supplier = Role(values.pop("role")), values.pop("supplier")
    try:
        with db().transaction() as session:
            supplier_id = catalog.supplier_ids(session).get(supplier) if role is Role.SUPPLIER else None
            account = access.create_account(session, role=role, supplier_id=supplier_id, now=now(), **values)
            audit.record(
                session,
                actor=current_actor(),
                action="account.created",
                subject=f"account:{account.id}",
                data={"email": account.email, "role": account.role.value},
                now=now(),
            )
    except HeadwaterError as refused:
        return _index(given.raw, refusals.beside(refused, FIELDS, other="email")), refused.status
    say(gettext("%(email)s may sign in now.", email=account.email))
    return go("web.accounts.index")


def _index(raw: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    with db().reading() as session:
        return render_template(
            "administrator/accounts.html",
            accounts=access.list_accounts(session),
            suppliers=catalog.list_suppliers(session),
            names=catalog.names(session),
            form={key: value for key, value in (raw or {}).items() if key != "password"},
            errors=errors or {},
        )


@blueprint.get("/<int:account_id>")
@roles(Role.ADMINISTRATOR)
def one(account_id: int) -> Reply:
    return _one(account_id)


def _one(account_id: int, errors: dict[str, Any] | None = None) -> str:
    with db().reading() as session:
        return render_template(
            "administrator/account.html",
            account=accounts.get_account(session, account_id=account_id),
            tokens=accounts.list_tokens(session, account_id=account_id),
            sessions=accounts.count_sessions(session, account_id=account_id, now=now()),
            names=catalog.names(session),
            errors=errors or {},
        )


@blueprint.post("/<int:account_id>/close")
@roles(Role.ADMINISTRATOR)
def close(account_id: int) -> Reply:
    """Close it, with the reason that is kept."""
    given = forms.read(forms.Closing(), request.form)
    if given.errors:
        return _one(account_id, given.errors), 422
    with db().transaction() as session:
        account = accounts.close_account(
            session, account_id=account_id, actor=current_actor(), now=now(), **given.values
        )
    say(gettext("%(email)s is closed and signed out everywhere.", email=account.email))
    return go("web.accounts.one", account_id=account_id)


@blueprint.post("/<int:account_id>/open")
@roles(Role.ADMINISTRATOR)
def open_again(account_id: int) -> Reply:
    with db().transaction() as session:
        account = accounts.open_account(session, account_id=account_id, actor=current_actor(), now=now())
    say(gettext("%(email)s may sign in now.", email=account.email))
    return go("web.accounts.one", account_id=account_id)


@blueprint.post("/<int:account_id>/password")
@roles(Role.ADMINISTRATOR)
def reset_password(account_id: int) -> Reply:
    given = forms.read(forms.NewPassword(), request.form)
    if given.errors:
        return _one(account_id, given.errors), 422
    try:
        with db().transaction() as session:
            account = accounts.reset_password(
                session, account_id=account_id, actor=current_actor(), now=now(), **given.values
            )
    except HeadwaterError as refused:
        return _one(account_id, refusals.beside(refused, {"password_short": "password"})), refused.status
    say(gettext("%(email)s has another password and is signed out everywhere.", email=account.email))
    return go("web.accounts.one", account_id=account_id)


@blueprint.post("/<int:account_id>/tokens/<int:token_id>/revoke")
@roles(Role.ADMINISTRATOR)
def revoke_token(account_id: int, token_id: int) -> Reply:
    with db().transaction() as session:
        token = accounts.revoke_token(
            session, account_id=account_id, token_id=token_id, actor=current_actor(), now=now()
        )
    say(gettext("The token %(label)s opens nothing any more.", label=token.label))
    return go("web.accounts.one", account_id=account_id)
