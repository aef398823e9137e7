"""The service on a test's database, with an engine, routes, pages and an API that were built once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app import create_app
from app.core.config import Config
from app.core.db import Database
from app.entrypoints import bodies, guard, watch
from app.entrypoints.api import express
from app.entrypoints.door import Services, attach

if TYPE_CHECKING:
    from flask import Flask


def service(config: Config, clock: Callable[[], dt.datetime]) -> Flask:
    """What `create_app` gives; a call of this process with the same settings gave its routes and templates.

    Its services, what stands before it, and what callers have used up of their limits are new; the log, which
    is the process's, is set up for it.
    """
    flask = _built(replace(config, database_url="sqlite:///nowhere.db", data_dir=Path("nowhere")))
    attach(flask, Services(config, opened(config.database_url), clock))
    vars(flask).pop("wsgi_app", None)
    express.register(flask)
    bodies.register(flask)
    watch._set_up_log(config.log_level)
    guard.limiter.reset()
    flask.testing = True
    return flask


@lru_cache
def opened(url: str) -> Database:
    """The one engine of this process for a database: it compiles a statement once."""
    return Database(url)


@lru_cache
def _built(config: Config) -> Flask:
    return create_app(config)
