"""Accounts: who may sign in; closing one, opening it again, another password, its tokens."""

from __future__ import annotations

from typing import Any

from app.core import access, accounts
from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.wire import accounts as wire

blueprint = Blueprint("accounts", __name__, url_prefix="/api/v1/accounts", description="Who may sign in")


@blueprint.route("", methods=["GET"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(200, wire.Account(many=True))
def list_accounts() -> Any:
    """Accounts, closed ones too"""
    with db().reading() as session:
        return access.list_accounts(session)


@blueprint.route("/<int:account_id>", methods=["GET"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(200, wire.Account)
def get_account(account_id: int) -> Any:
    """One account"""
    with db().reading() as session:
        return accounts.get_account(session, account_id=account_id)


@blueprint.route("/<int:account_id>/close", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.ClosingForm, required=False)
@blueprint.response(200, wire.Account)
def close_account(form: dict[str, Any], account_id: int) -> Any:
    """Close an account

    A reason, if one is given, is kept in the audit log. Its sessions end and its access tokens are
    revoked at once. The last administrator's is not closed.
    """
    with db().transaction() as session:
        return accounts.close_account(
            session, account_id=account_id, actor=current_actor(), now=now(), **form
        )


@blueprint.route("/<int:account_id>/open", methods=["POST"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(200, wire.Account)
def open_account(account_id: int) -> Any:
    """Open a closed account again; its tokens stay revoked"""
    with db().transaction() as session:
        return accounts.open_account(session, account_id=account_id, actor=current_actor(), now=now())


@blueprint.route("/<int:account_id>/password", methods=["PUT"])
@roles(Role.ADMINISTRATOR)
@blueprint.arguments(wire.PasswordForm)
@blueprint.response(200, wire.Account)
def reset_password(form: dict[str, Any], account_id: int) -> Any:
    """Set another password; whoever is signed in is signed out"""
    with db().transaction() as session:
        return accounts.reset_password(
            session, account_id=account_id, actor=current_actor(), now=now(), **form
        )


@blueprint.route("/<int:account_id>/tokens", methods=["GET"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(200, wire.Token(many=True))
def list_tokens(account_id: int) -> Any:
    """Access tokens of an account, newest first; not the keys themselves"""
    with db().reading() as session:
        accounts.get_account(session, account_id=account_id)
        return accounts.list_tokens(session, account_id=account_id)


@blueprint.route("/<int:account_id>/tokens/<int:token_id>", methods=["DELETE"])
@roles(Role.ADMINISTRATOR)
@blueprint.response(200, wire.Token)
def revoke_token(account_id: int, token_id: int) -> Any:
    """Revoke an access token; again, it changes nothing"""
    with db().transaction() as session:
        return accounts.revoke_token(
            session, account_id=account_id, token_id=token_id, actor=current_actor(), now=now()
        )
