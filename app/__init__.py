"""The service: configuration in, Flask application out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.core.config import Config

# Before anything loads it: on busy cores, threads of linear algebra that wait for one another cost far more
# than they save on matrices of some hundred rows.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def create_app(config: Config, *, clock: Callable[[], dt.datetime] | None = None) -> Flask:
    """Build the application; `clock` is replaced by tests only."""
    # imported here, so that one stage's rules can be loaded without the whole service
    from flask import Flask

    from app.core.db import Database
    from app.entrypoints import api, bodies, cli, failures, guard, watch, web, worker
    from app.entrypoints.door import Identifier, Services, attach, utc_now

    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        SESSION_COOKIE_NAME="headwater",
    )
    app.url_map.converters["int"] = Identifier
    attach(app, Services(config, Database(config.database_url), clock or utc_now))
    watch.register(app)
    guard.register(app)
    web.register(app)
    api.register(app)
    failures.register(app, page=web.error_page)
    cli.register(app)
    worker.register(app)
    bodies.register(app)
    return app
