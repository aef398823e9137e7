"""Bringing a database to the schema this code expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.core.db import Database

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate(db: Database, *, revision: str = "head") -> str:
    """Run the migrations up to `revision`; returns the revision the database is at afterwards."""
    command.upgrade(_config(db), revision)
    return current(db) or "base"


def downgrade(db: Database, *, revision: str) -> None:
    command.downgrade(_config(db), revision)


def current(db: Database) -> str | None:
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    assert newest is not None
    return newest


def _config(db: Database) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = db.engine
    return config
