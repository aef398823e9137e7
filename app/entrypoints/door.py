"""What every entrypoint shares: the services of this process, the clock, and who is asking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g
from werkzeug.routing import IntegerConverter, Map

from app.core.access import SYSTEM, Actor, Role
from app.core.config import Config
from app.core.db import Database
from app.core.errors import NotAllowed
from app.core.limits import LARGEST_KEY

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Services:
    config: Config
    db: Database
    clock: Callable[[], dt.datetime]


class Identifier(IntegerConverter):
    """`<int:…>` in a route: a number no database can hold names nothing, so it is not found."""

    def __init__(self, map: Map, **kwargs: Any) -> None:
        super().__init__(map, max=LARGEST_KEY, **kwargs)


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def attach(app: Flask, services: Services) -> None:
    app.extensions["headwater"] = services


def attached(app: Flask) -> Services:
    services: Services = app.extensions["headwater"]
    return services


def services() -> Services:
    return attached(current_app)


def db() -> Database:
    return services().db


def config() -> Config:
    return services().config


def now() -> dt.datetime:
    """The instant of this request, read once."""
    if "now" not in g:
        g.now = services().clock()
    instant: dt.datetime = g.now
    return instant


def today() -> dt.date:
    """The business day here, in the planning time zone."""
    return now().astimezone(ZoneInfo(config().timezone)).date()


def midnight() -> dt.datetime:
    """When today began here."""
    return now().astimezone(ZoneInfo(config().timezone)).replace(hour=0, minute=0, second=0, microsecond=0)


def act_as(actor: Actor) -> None:
    """Remember who asks; set by the session, by a token, or by the command line."""
    g.actor = actor


def current_actor() -> Actor:
    """Who asks; raises NotAllowed when nobody signed in."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise NotAllowed("sign_in_needed", "Sign in first, or send an access token.")
    return actor


def operator() -> Actor:
    """The actor of the command line and the worker."""
    return SYSTEM


def roles(*allowed: Role) -> Callable[[View], View]:
    """Declare who may use a route; checked before the view runs. `roles()` means anybody who signed in."""

    def declare(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            actor = current_actor()
            if allowed:
                actor.must_be(*allowed)
            return view(*args, **kwargs)

        checked.__roles__ = tuple(role.value for role in allowed) or ("anyone signed in",)  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return declare


def public(view: View) -> View:
    """Declare that a route needs no sign-in."""

    @wraps(view)
    def open_to_all(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    open_to_all.__roles__ = ("public",)  # type: ignore[attr-defined]
    return open_to_all  # type: ignore[return-value]
