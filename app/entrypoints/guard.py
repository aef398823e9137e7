"""Who is asking, and what a browser may do: server-side sessions, sign-in, tokens, CSRF, limits, headers."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, current_app, request, session
from flask.sessions import SessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import CallbackDict
from werkzeug.sansio.utils import host_is_trusted

from app.core import access
from app.core.access import AccountFact
from app.core.errors import HeadwaterError, NotAllowed
from app.entrypoints.door import act_as, attached, db

ANONYMOUS_HOURS = 1
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CSP = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://")
logins = LoginManager()


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """A session whose content stays here; the cookie holds its random key."""

    def __init__(self, key: str | None, data: dict[str, Any] | None = None) -> None:
        super().__init__(data or {}, on_update=ServerSession._touched)
        self.key = key
        self.new = key is None
        self.modified = False
        self.accessed = False
        self.retired_key: str | None = None

    def _touched(self) -> None:
        self.modified = True

    def renew(self) -> None:
        """Take a new key, so that one planted before the sign-in is worth nothing after it."""
        self.retired_key, self.key, self.modified = self.key, None, True


class ServerSessions(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> ServerSession:
        key = request.cookies.get(self.get_cookie_name(app))
        if not key:
            return ServerSession(None)
        services = attached(app)
        with services.db.reading() as store:
            data = access.load_web_session(store, key=key, now=services.clock())
        return ServerSession(None) if data is None else ServerSession(key, data)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, ServerSession)
        if session.accessed or session.modified:
            response.vary.add("Cookie")
        if not session.modified:
            return
        services = attached(app)
        account = session.get("_user_id")
        hours = services.config.session_hours if account else ANONYMOUS_HOURS
        expires = services.clock() + dt.timedelta(hours=hours)
        save = access.renew_web_session if session.key else access.save_web_session
        session.key = session.key or secrets.token_urlsafe(32)
        with services.db.transaction() as store:
            if session.retired_key:
                access.drop_web_session(store, key=session.retired_key)
                access.drop_expired_sessions(store, now=services.clock())
            save(
                store,
                key=session.key,
                data=dict(session),
                account_id=int(account) if account else None,
                expires_at=expires,
            )
        response.set_cookie(
            self.get_cookie_name(app),
            session.key,
            expires=expires,
            httponly=True,
            secure=services.config.secure_cookies,
            samesite="Lax",
            path="/",
        )


class SignedIn(UserMixin):
    """Flask-Login's view of an account."""

    def __init__(self, account: AccountFact) -> None:
        self.id = account.id
        self.account = account


@logins.user_loader
def _load(account_id: str) -> SignedIn | None:
    try:
        with db().reading() as store:
            return SignedIn(access.get_account(store, account_id=int(account_id)))
    except HeadwaterError:
        return None


def enter(account: AccountFact) -> None:
    """Begin this browser's session as the account, under a new session key."""
    session.clear()
    _this_session().renew()
    login_user(SignedIn(account))


def leave() -> None:
    """End this browser's session."""
    logout_user()
    session.clear()
    _this_session().renew()


def _this_session() -> ServerSession:
    return cast(ServerSession, session)


def _identify() -> None:
    """Find the actor. An unsafe request without a valid token must prove that our own page sent it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        with db().reading() as store:
            act_as(access.token_account(store, token=token.strip()).actor)
        return
    if current_user.is_authenticated:
        act_as(current_user.account.actor)
    elif request.path.startswith("/api/"):
        return  # nobody signed in: the route itself refuses
    if request.method in UNSAFE:
        _refuse_foreign_pages()
        csrf.protect()


def _refuse_foreign_pages() -> None:
    """A browser says which site's page sends a form; one that it does not name is another one's too."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise NotAllowed("origin_foreign", "This form was sent from another site's page; open ours.")


def _refuse_unreadable() -> None:
    """What no route can take: a strange host, a packed body, and text that no database can hold."""
    hosts = attached(current_app).config.hosts
    if hosts and not host_is_trusted(request.host, hosts):
        abort(400, description="This service is not called by this name; see the setting HOSTS.")
    if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        abort(415, description="Send the body as it is, without Content-Encoding.")
    if any("\0" in text for text in (request.path, *request.args, *request.args.values())):
        abort(400, description="The address has a NUL character; leave it out.")


def register(app: Flask) -> None:
    app.session_interface = ServerSessions()
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, RATELIMIT_HEADERS_ENABLED=True)
    logins.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    Talisman(
        app,
        force_https=False,
        content_security_policy=CSP,
        strict_transport_security=attached(app).config.secure_cookies,
        session_cookie_secure=attached(app).config.secure_cookies,
        referrer_policy="same-origin",
    )
    app.before_request(_refuse_unreadable)
    app.before_request(_identify)
    app.after_request(_for_one_reader)


def _for_one_reader(response: Response) -> Response:
    """No cache between us and the reader keeps an answer for somebody else, and none shows an old one."""
    if "Cache-Control" not in response.headers:
        response.cache_control.private = True
        response.cache_control.no_cache = True
    return response


def webhook_limit() -> str:
    """The limit of webhooks per address, from the settings."""
    return attached(current_app).config.webhook_limit


def sign_in_limit() -> str:
    """The limit of sign-in attempts per address, from the settings."""
    return attached(current_app).config.sign_in_limit
