"""Commands of the operator: schema, accounts, tokens, audit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from app.core import access, accounts, audit, schema
from app.core.access import Role
from app.core.errors import Conflict
from app.entrypoints.cli.output import command
from app.entrypoints.door import db, now, operator
from app.stages.catalog import queries as catalog


@command("migrate")
def migrate() -> dict[str, Any]:
    """Bring the database to the schema this code expects."""
    return {"schema": schema.migrate(db())}


@command("create-account")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--supplier", help="The supplier's code, for the role supplier.")
@click.option("--locale", default="en", type=click.Choice(access.LOCALES), show_default=True)
@click.password_option(help="At least 12 characters; asked for when not given.")
def create_account(
    email: str, name: str, role: str, supplier: str | None, locale: str, password: str
) -> dict[str, Any]:
    """Add somebody who may sign in."""
    with db().transaction() as session:
        account = access.create_account(
            session,
            email=email,
            name=name,
            password=password,
            role=Role(role),
            supplier_id=catalog.supplier_id(session, code=supplier) if supplier else None,
            locale=locale,
            now=now(),
        )
        audit.record(
            session,
            actor=operator(),
            action="account.created",
            subject=f"account:{account.id}",
            data={"email": account.email, "role": account.role},
            now=now(),
        )
    return {"account": account.id, "email": account.email, "role": account.role.value}


@command("create-token")
@click.option("--email", required=True, help="Whose rights the token has.")
@click.option("--label", required=True, help="What the token is for.")
def create_token(email: str, label: str) -> dict[str, Any]:
    """Make an access token for a machine; it is shown once."""
    with db().transaction() as session:
        account_id = accounts.account_id(session, email=email)
        token = access.create_token(session, account_id=account_id, label=label, now=now())
        audit.record(
            session,
            actor=operator(),
            action="token.created",
            subject=f"account:{account_id}",
            data={"label": label},
            now=now(),
        )
    return {"token": token}


@command("close-account")
@click.option("--email", required=True)
@click.option("--reason", default="", help="Kept in the audit log.")
def close_account(email: str, reason: str) -> dict[str, Any]:
    """Close an account: it is signed out everywhere, and its access tokens are revoked."""
    return _looked_after(email, partial(accounts.close_account, reason=reason))


@command("open-account")
@click.option("--email", required=True)
def open_account(email: str) -> dict[str, Any]:
    """Let a closed account sign in again; its access tokens stay revoked."""
    return _looked_after(email, accounts.open_account)


@command("reset-password")
@click.option("--email", required=True)
@click.password_option(help="At least 12 characters; asked for when not given.")
def reset_password(email: str, password: str) -> dict[str, Any]:
    """Give an account another password and sign it out everywhere."""
    return _looked_after(email, partial(accounts.reset_password, password=password))


def _looked_after(email: str, operation: Callable[..., access.AccountFact]) -> dict[str, Any]:
    with db().transaction() as session:
        account_id = accounts.account_id(session, email=email)
        account = operation(session, account_id=account_id, actor=operator(), now=now())
    return {"account": account.id, "email": account.email, "active": account.active}


@command("verify-audit")
def verify_audit() -> dict[str, Any]:
    """Recompute the hash chain of the audit log; exit code 1 when an entry was altered or removed."""
    with db().reading() as session:
        broken = audit.first_broken(session)
    if broken is not None:
        raise Conflict("audit_broken", f"The audit log is broken at entry {broken}.", entry=broken)
    return {"audit": "intact"}


commands = [
    migrate,
    create_account,
    close_account,
    open_account,
    reset_password,
    create_token,
    verify_audit,
]
