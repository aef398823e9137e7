"""Alembic's entry. Run through `flask --app wsgi migrate`, which passes the engine in.

On PostgreSQL a migration gives up quickly when it can't get its lock: an ALTER that waits behind a slow
reader would hold up every reader that comes after it.
"""

from __future__ import annotations

import importlib

from alembic import context
from sqlalchemy import Engine, text

from app.core.db import Base

for module in (
    "core.access",
    "core.audit",
    "core.jobs",
    "stages.imports.models",
    "stages.catalog.models",
    "stages.stock.models",
    "stages.demand.models",
    "stages.forecasts.models",
    "stages.allocation.models",
    "stages.confirmation.models",
    "stages.warehouse.models",
    "stages.alerts.models",
):
    importlib.import_module(f"app.{module}")


def run() -> None:
    engine: Engine = context.config.attributes["engine"]
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=sqlite)
        with context.begin_transaction():
            if not sqlite:
                connection.execute(text("SET LOCAL lock_timeout = '3s'"))
            context.run_migrations()


run()
