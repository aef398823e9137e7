"""Looking after accounts: who has which keys, closing and opening, another password. All of it is audited."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import access, audit
from app.core.access import AccessToken, Account, AccountFact, Actor, Role, WebSession
from app.core.errors import Conflict, NotFound, RuleBroken


@dataclass(frozen=True, slots=True)
class TokenFact:
    """A machine's key: what it is for and since when; not the key, which nobody can read again."""

    id: int
    label: str
    created_at: dt.datetime
    revoked_at: dt.datetime | None


def get_account(session: Session, *, account_id: int) -> AccountFact:
    """An account, closed or not; raises NotFound."""
    return access.fact(_row(session, account_id))


def account_id(session: Session, *, email: str) -> int:
    """Raises NotFound when nobody has this e-mail."""
    account = access.find_account(session, email=email)
    if account is None:
        raise NotFound("account_unknown", f"{email} has no account. Add one with create-account.")
    return account.id


def list_tokens(session: Session, *, account_id: int) -> list[TokenFact]:
    """The keys that an account has and had, newest first."""
    row = AccessToken
    query = select(row.id, row.label, row.created_at, row.revoked_at).where(row.account_id == account_id)
    return [TokenFact(*one) for one in session.execute(query.order_by(row.id.desc()))]


def count_sessions(session: Session, *, account_id: int, now: dt.datetime) -> int:
    """Browsers that are signed in to it."""
    query = select(func.count()).select_from(WebSession)
    return session.scalar(query.where(WebSession.account_id == account_id, WebSession.expires_at > now)) or 0


def close_account(
    session: Session, *, account_id: int, reason: str = "", actor: Actor, now: dt.datetime
) -> AccountFact:
    """Nobody signs in to it any more; its browsers' sessions and its tokens end at once, and for good.

    What the account did stays under its name, and the reason with the record.

    Raises:
        NotFound: account_unknown.
        Conflict: account_closed already.
        RuleBroken: last_administrator, since nobody could open an account again.
    """
    actor.must_be(Role.ADMINISTRATOR)
    administrators = select(Account.id).where(Account.role == Role.ADMINISTRATOR, Account.active)
    # Locked in the order of their ids, so that of two who close each other one waits for the other.
    in_charge = set(session.scalars(administrators.order_by(Account.id).with_for_update()))
    account = _row(session, account_id, lock=True)
    if not account.active:
        raise Conflict("account_closed", f"{account.email} is closed already.")
    if in_charge == {account_id}:
        raise RuleBroken(
            "last_administrator",
            "This is the last administrator's account. Add another one before you close it.",
        )
    account.active = False
    access.end_sessions(session, account_id=account_id)
    session.execute(
        update(AccessToken)
        .where(AccessToken.account_id == account_id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return _done(session, account, "account.closed", actor, now, **({"reason": reason} if reason else {}))


def open_account(session: Session, *, account_id: int, actor: Actor, now: dt.datetime) -> AccountFact:
    """A closed account may sign in again, with the password it had; its tokens stay revoked.

    Raises:
        NotFound: account_unknown.
        Conflict: account_open already.
    """
    actor.must_be(Role.ADMINISTRATOR)
    account = _row(session, account_id, lock=True)
    if account.active:
        raise Conflict("account_open", f"{account.email} is open already.")
    account.active = True
    return _done(session, account, "account.opened", actor, now)


def reset_password(
    session: Session, *, account_id: int, password: str, actor: Actor, now: dt.datetime
) -> AccountFact:
    """Another password; whoever is signed in with the old one is signed out. Tokens stay.

    Raises:
        NotFound: account_unknown.
        RuleBroken: password_short.
    """
    actor.must_be(Role.ADMINISTRATOR)
    account = _row(session, account_id, lock=True)
    account.password_hash = access.hashed(password)
    access.end_sessions(session, account_id=account_id)
    return _done(session, account, "account.password_reset", actor, now)


def change_password(session: Session, *, old: str, new: str, actor: Actor, now: dt.datetime) -> AccountFact:
    """Another password for the actor's own account; every browser is signed out, and tokens stay.

    A token is a machine's and proves nothing about the password: it is revoked by itself, where it leaked.

    Raises:
        NotFound: the actor has no account.
        RuleBroken: password_wrong, password_short or password_same.
    """
    account = _row(session, actor.account_id or 0, lock=True)
    if not access.proves(old, account.password_hash):
        raise RuleBroken("password_wrong", "This is not the password that you sign in with now.")
    if new == old:
        raise RuleBroken("password_same", "This is the password that you have already. Choose another one.")
    account.password_hash = access.hashed(new)
    access.end_sessions(session, account_id=account.id)
    return _done(session, account, "account.password_changed", actor, now)


def revoke_token(
    session: Session, *, account_id: int, token_id: int, actor: Actor, now: dt.datetime
) -> TokenFact:
    """A token opens nothing any more; again, it changes nothing.

    Raises:
        NotFound: the account has no such token.
    """
    actor.must_be(Role.ADMINISTRATOR)
    token = session.get(AccessToken, token_id, with_for_update=True)
    if token is None or token.account_id != account_id:
        raise NotFound("token_absent", "This account has no such token.")
    if token.revoked_at is None:
        token.revoked_at = now
        data = {"label": token.label}
        subject = f"account:{account_id}"
        audit.record(session, actor=actor, action="token.revoked", subject=subject, data=data, now=now)
    return TokenFact(token.id, token.label, token.created_at, token.revoked_at)


def _row(session: Session, account_id: int, *, lock: bool = False) -> Account:
    account = session.get(Account, account_id, with_for_update=lock, populate_existing=lock)
    if account is None:
        raise NotFound("account_unknown", "There is no such account.")
    return account


def _done(
    session: Session, account: Account, action: str, actor: Actor, now: dt.datetime, **more: str
) -> AccountFact:
    subject, data = f"account:{account.id}", {"email": account.email, **more}
    audit.record(session, actor=actor, action=action, subject=subject, data=data, now=now)
    return access.fact(account)
