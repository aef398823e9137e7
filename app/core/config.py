"""Every setting, read once from the environment; a bad value refuses to start."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class ConfigError(Exception):
    """A setting is missing or cannot be used; the sentence names it and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one process. docs/operations.md lists them with their defaults."""

    database_url: str
    data_dir: Path
    secret_key: str
    pseudonym_key: bytes
    currency: str = "CNY"
    timezone: str = "Asia/Shanghai"
    secure_cookies: bool = False
    max_upload_bytes: int = 256 * 1024 * 1024
    session_hours: int = 12
    worker_processes: int = 2
    suspicion_percent: int = 90
    reviews_a_day: int = 20
    payment_grace_days: int = 7
    sign_in_limit: str = "10 per minute"
    retention_days: int = 0
    webhook_limit: str = "1200 per minute"
    event_days: int = 90
    max_resumable_bytes: int = 20 * 1024 * 1024 * 1024
    pull_hosts: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    deposit_cap_percent: int = 20
    log_level: str = "INFO"

    @staticmethod
    def from_env(env: Mapping[str, str] = os.environ) -> Config:
        """Read the settings.

        Raises:
            ConfigError: naming the variable that cannot be used.
        """
        data_dir = Path(env.get("HEADWATER_DATA", "var")).resolve()
        url = env.get("DATABASE_URL") or f"sqlite:///{data_dir / 'headwater.db'}"
        return Config(
            database_url=_driver(url),
            data_dir=data_dir,
            secret_key=env.get("SECRET_KEY") or _kept_key(data_dir, "secret.key"),
            pseudonym_key=(env.get("PSEUDONYM_KEY") or _kept_key(data_dir, "pseudonym.key")).encode(),
            currency=_currency(env.get("CURRENCY", "CNY")),
            timezone=_timezone(env.get("TIMEZONE", "Asia/Shanghai")),
            secure_cookies=_flag(env, "SECURE_COOKIES"),
            max_upload_bytes=_number(env, "MAX_UPLOAD_MB", 256) * 1024 * 1024,
            session_hours=_number(env, "SESSION_HOURS", 12),
            worker_processes=_number(env, "WORKER_PROCESSES", 2),
            suspicion_percent=_percent(env, "SUSPICION_PRECISION", 90, least=50),
            reviews_a_day=_number(env, "REVIEWS_A_DAY", 20),
            payment_grace_days=_number(env, "PAYMENT_GRACE_DAYS", 7, least=0),
            sign_in_limit=env.get("SIGN_IN_LIMIT", "10 per minute"),
            retention_days=_number(env, "RETENTION_DAYS", 0, least=0),
            webhook_limit=env.get("WEBHOOK_LIMIT", "1200 per minute"),
            max_resumable_bytes=_number(env, "MAX_RESUMABLE_MB", 20 * 1024) * 1024 * 1024,
            event_days=_number(env, "EVENT_DAYS", 90, least=0),
            pull_hosts=_names(env.get("PULL_HOSTS", "")),
            hosts=_names(env.get("HOSTS", "")),
            deposit_cap_percent=_percent(env, "DEPOSIT_CAP_PERCENT", 20),
            log_level=_log_level(env.get("LOG_LEVEL", "INFO")),
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _driver(url: str) -> str:
    """Take the short PostgreSQL spellings that hosts hand out and name the driver we ship."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError(
            f"DATABASE_URL must start with sqlite:/// or postgresql://, not {url.split(':')[0]}:"
        )
    return url


def _kept_key(data_dir: Path, name: str) -> str:
    """A random key made once per data folder, so that sessions and pseudonyms outlive a restart."""
    path = data_dir / name
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=data_dir) as file:
            file.write(secrets.token_hex(32))
            file.flush()
            with contextlib.suppress(FileExistsError):  # another process was first: read theirs, whole
                os.link(file.name, path)
    return path.read_text()


def _currency(code: str) -> str:
    if len(code) != 3 or not code.isascii() or not code.isupper():
        raise ConfigError(f"CURRENCY must be an ISO 4217 code such as CNY, not {code!r}")
    return code


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"TIMEZONE must be an IANA name such as Asia/Shanghai, not {name!r}") from error
    return name


def _log_level(name: str) -> str:
    if name.upper() not in logging.getLevelNamesMapping():
        raise ConfigError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {name!r}")
    return name.upper()


def _number(env: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    text = env.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {text!r}")
    return int(text)


def _percent(env: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    number = _number(env, name, default)
    if not least <= number <= 100:
        raise ConfigError(f"{name} must be a percentage from {least} to 100, not {number}")
    return number


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "0").lower()
    if text not in ("0", "1", "true", "false"):
        raise ConfigError(f"{name} must be 1 or 0, not {text!r}")
    return text in ("1", "true")
