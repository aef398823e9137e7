"""Who may do what: accounts, roles, the actor of a request, server-side sessions and machine tokens."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.core.errors import Conflict, NotAllowed, NotFound, RuleBroken


class Role(StrEnum):
    MERCHANDISER = "merchandiser"
    SUPPLIER = "supplier"
    WAREHOUSE_PLANNER = "warehouse_planner"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `name` goes to the audit log; a supplier's actor carries the one supplier it may see."""

    name: str
    role: Role
    account_id: int | None = None
    supplier_id: int | None = None

    def must_be(self, *roles: Role) -> None:
        """Raise NotAllowed unless the actor has one of the roles; an administrator has them all."""
        if self.role is not Role.ADMINISTRATOR and self.role not in roles:
            raise NotAllowed(
                "role_required",
                f"This needs the role {' or '.join(map(_spelt, roles))}; you are signed in as "
                f"{_spelt(self.role)}.",
                roles=[role.value for role in roles],
            )


def _spelt(role: Role) -> str:
    return role.value.replace("_", " ")


SYSTEM = Actor("system", Role.ADMINISTRATOR)
"""The operator at the command line and the worker."""


class Account(Base):
    __tablename__ = "account"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20))
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("supplier.id"))
    locale: Mapped[str] = mapped_column(String(10), default="en")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        one_of("role", [role.value for role in Role]),
        CheckConstraint("(role = 'supplier') = (supplier_id IS NOT NULL)", name="supplier_has_company"),
    )


class WebSession(Base):
    """A browser's session; the cookie holds only a random key, the table only its hash."""

    __tablename__ = "web_session"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class AccessToken(Base):
    """A machine's key to the API; only its hash is kept."""

    __tablename__ = "access_token"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    label: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


SHORTEST_PASSWORD = 12
LOCALES = ("en", "zh_Hans_CN")
hasher = PasswordHasher()
"""argon2id with the library's parameters; tests put a cheap one here."""


@dataclass(frozen=True, slots=True)
class AccountFact:
    id: int
    email: str
    name: str
    role: Role
    supplier_id: int | None
    locale: str
    active: bool

    @property
    def actor(self) -> Actor:
        return Actor(self.email, self.role, self.id, self.supplier_id)


def create_account(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    role: Role,
    now: dt.datetime,
    supplier_id: int | None = None,
    locale: str = "en",
) -> AccountFact:
    """Add someone who may sign in.

    Raises:
        RuleBroken: the password is short, the e-mail is none, the language is unknown, or a supplier's
            account names no supplier (or another's does).
        Conflict: the e-mail has an account already.
    """
    email = email.strip().lower()
    password_hash = hashed(password)
    if "@" not in email[1:-1] or len(email) > 254 or any(char.isspace() for char in email):
        raise RuleBroken("email_invalid", f"{email!r} is no e-mail address.")
    known_locale(locale)
    if (role is Role.SUPPLIER) != (supplier_id is not None):
        raise RuleBroken(
            "supplier_account", "A supplier's account names its supplier, and no other account does."
        )
    if session.scalar(select(Account.id).where(Account.email == email)) is not None:
        raise Conflict("account_exists", f"{email} has an account already.")
    account = Account(
        email=email,
        name=name,
        password_hash=password_hash,
        role=role,
        supplier_id=supplier_id,
        locale=locale,
        active=True,
        created_at=now,
    )
    session.add(account)
    session.flush()
    return fact(account)


def hashed(password: str) -> str:
    """What is kept of a password; raises RuleBroken for a short one."""
    if len(password) < SHORTEST_PASSWORD:
        raise RuleBroken("password_short", f"A password has at least {SHORTEST_PASSWORD} characters.")
    return hasher.hash(password)


def sign_in(session: Session, *, email: str, password: str) -> AccountFact:
    """The account that this e-mail and password open.

    An unknown e-mail costs the same time as a wrong password, so that neither can be told apart.

    Raises:
        NotAllowed: `sign_in_failed`.
    """
    account = session.scalar(select(Account).where(Account.email == email.strip().lower(), Account.active))
    proven = proves(password, account.password_hash if account else _nobodys_hash())
    if account is None or not proven:
        raise NotAllowed("sign_in_failed", "E-mail and password do not match an account.")
    return fact(account)


def proves(password: str, password_hash: str) -> bool:
    """Whether this is the password of which that was kept."""
    try:
        return hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hasher.hash(secrets.token_hex(16))


def get_account(session: Session, *, account_id: int) -> AccountFact:
    """Raise NotFound for an account that is gone or switched off."""
    account = session.get(Account, account_id)
    if account is None or not account.active:
        raise NotFound("account_unknown", "This account is gone.")
    return fact(account)


def find_account(session: Session, *, email: str) -> AccountFact | None:
    account = session.scalar(select(Account).where(Account.email == email.strip().lower()))
    return fact(account) if account else None


def list_accounts(session: Session) -> list[AccountFact]:
    return [
        fact(account) for account in session.scalars(select(Account).order_by(Account.role, Account.email))
    ]


def set_locale(session: Session, *, actor: Actor, locale: str) -> None:
    """Keep the language this person chose."""
    session.execute(update(Account).where(Account.id == actor.account_id).values(locale=known_locale(locale)))


def known_locale(locale: str) -> str:
    """A language as it was sent; raises RuleBroken for one that the screens do not speak."""
    if locale not in LOCALES:
        raise RuleBroken("locale_unknown", f"The languages are {', '.join(LOCALES)}, not {locale!r}.")
    return locale


def fact(account: Account) -> AccountFact:
    """What may be known of an account: all but its password's hash."""
    return AccountFact(
        account.id,
        account.email,
        account.name,
        Role(account.role),
        account.supplier_id,
        account.locale,
        account.active,
    )


def create_token(session: Session, *, account_id: int, label: str, now: dt.datetime) -> str:
    """A new machine token. It is shown once; the table keeps its hash."""
    get_account(session, account_id=account_id)
    token = "hw_" + secrets.token_urlsafe(32)
    session.add(AccessToken(account_id=account_id, label=label, token_hash=_digest(token), created_at=now))
    session.flush()
    return token


def token_account(session: Session, *, token: str) -> AccountFact:
    """Whose token this is; raises NotAllowed for one that is unknown, revoked or of a closed account."""
    account = session.scalar(
        select(Account)
        .join(AccessToken, AccessToken.account_id == Account.id)
        .where(AccessToken.token_hash == _digest(token), AccessToken.revoked_at.is_(None), Account.active)
    )
    if account is None:
        raise NotAllowed("token_unknown", "This access token is unknown or was revoked.")
    return fact(account)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def load_web_session(session: Session, *, key: str, now: dt.datetime) -> dict[str, Any] | None:
    row = session.get(WebSession, _digest(key))
    return row.data if row is not None and row.expires_at > now else None


def save_web_session(
    session: Session, *, key: str, data: dict[str, Any], account_id: int | None, expires_at: dt.datetime
) -> None:
    """Keep a session that begins."""
    session.add(WebSession(key_hash=_digest(key), data=data, account_id=account_id, expires_at=expires_at))


def renew_web_session(
    session: Session, *, key: str, data: dict[str, Any], account_id: int | None, expires_at: dt.datetime
) -> None:
    """Keep what a session holds now; one that was ended meanwhile stays ended."""
    kept = update(WebSession).where(WebSession.key_hash == _digest(key))
    session.execute(kept.values(data=data, account_id=account_id, expires_at=expires_at))


def end_sessions(session: Session, *, account_id: int) -> None:
    """Sign an account out of every browser."""
    session.execute(delete(WebSession).where(WebSession.account_id == account_id))


def drop_web_session(session: Session, *, key: str) -> None:
    session.execute(delete(WebSession).where(WebSession.key_hash == _digest(key)))


def drop_expired_sessions(session: Session, *, now: dt.datetime) -> None:
    session.execute(delete(WebSession).where(WebSession.expires_at <= now))
