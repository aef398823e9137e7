from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config import Config, ConfigError


def test_the_embedded_database_is_in_the_data_folder(tmp_path: Path) -> None:
    config = Config.from_env({"HEADWATER_DATA": str(tmp_path)})
    assert config.database_url == f"sqlite:///{tmp_path}/headwater.db"


@pytest.mark.parametrize(
    "spelling", ["postgres://me@db/x", "postgresql://me@db/x", "postgresql+psycopg://me@db/x"]
)
def test_every_spelling_of_a_postgresql_address_uses_our_driver(spelling: str, tmp_path: Path) -> None:
    config = Config.from_env({"HEADWATER_DATA": str(tmp_path), "DATABASE_URL": spelling})
    assert config.database_url == "postgresql+psycopg://me@db/x"


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first = Config.from_env({"HEADWATER_DATA": str(tmp_path)})
    again = Config.from_env({"HEADWATER_DATA": str(tmp_path)})
    assert (first.secret_key, first.pseudonym_key) == (again.secret_key, again.pseudonym_key)
    assert len(first.secret_key) == 64 and first.secret_key.encode() != first.pseudonym_key
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://db/x"),
        ("CURRENCY", "yuan"),
        ("CURRENCY", "cny"),
        ("MAX_UPLOAD_MB", "0"),
        ("MAX_UPLOAD_MB", "１０"),
        ("SESSION_HOURS", "1.5"),
        ("SECURE_COOKIES", "maybe"),
        ("TIMEZONE", "Mars/Olympus"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_setting_that_cannot_be_used_refuses_to_start_and_is_named(
    name: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({"HEADWATER_DATA": str(tmp_path), name: value})
