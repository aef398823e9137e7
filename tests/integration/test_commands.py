"""What the command line says of a database that can't be used."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest

from app import create_app
from app.core import schema
from app.core.config import Config
from app.core.db import Database


@pytest.mark.parametrize("arguments", [["run-cycle"], ["import-network", "docs/network-template"]])
def test_a_database_that_is_behind_asks_for_a_migration(
    arguments: list[str], config: Config, db: Database, now: dt.datetime
) -> None:
    app = create_app(config, clock=lambda: now)
    schema.downgrade(db, revision="base")
    try:
        result = app.test_cli_runner().invoke(args=[*arguments, "--json"])
    finally:
        schema.migrate(db)
        app.extensions["headwater"].db.dispose()
    assert result.exit_code == 1
    assert "flask --app wsgi migrate" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["error"]["code"] == "schema_behind"


def test_a_database_that_is_not_there_is_named(config: Config, tmp_path: Path, now: dt.datetime) -> None:
    url = f"sqlite:///{tmp_path}"  # a folder, and no file
    app = create_app(dataclasses.replace(config, database_url=url), clock=lambda: now)
    result = app.test_cli_runner().invoke(args=["run-cycle"])
    assert result.exit_code == 1
    assert "Check DATABASE_URL" in result.stderr
