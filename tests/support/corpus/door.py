"""The product on one database, watched: what an input cost, what it changed, and what it was told."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from app import create_app
from app.core.access import SYSTEM, Role
from app.core.config import Config
from app.core.db import Base, Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from support import brand
from support.shop import bearer

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
WATCHMEN = frozenset(
    {"audit_entry", "web_session", "access_token", "account", "job", "channel_source", "channel_pull"}
)
"""Tables that keep the house, not the business; a channel's rows say why a message or a page was refused."""
BUSINESS = {
    table.name: [column.name for column in table.primary_key]
    for table in Base.metadata.sorted_tables
    if table.name not in WATCHMEN
}
SMALL = 3_000
PASSWORD = "long enough for a test"
PLEDGE = {
    "channel": "corpus",
    "external_id": "A-1",
    "commitment": "pledge",
    "sku": "SKU-1",
    "region": "CN-GD",
    "quantity": 2,
    "unit_price": "9.90",
    "currency": "CNY",
    "ordered_at": "2026-03-01T08:00:00+08:00",
}
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,SKU-1,2026-02-01T00:00:00+08:00,2026-06-01T00:00:00+08:00,100,1.2,2026-12-07,,0:9.90\n"
)


@dataclass
class Seen:
    """What came of one input."""

    status: Any
    """The HTTP status, or job:completed, job:completed_with_errors of a file that was taken."""
    response: TestResponse | None = None
    read_back: Any = None
    """The stored value, where it can be asked for."""
    sent: Any = None
    counts: dict[str, int] = field(default_factory=dict)
    shown_on: str = ""
    """A page that shows what was stored."""

    @property
    def taken(self) -> bool:
        return str(self.status).startswith(("2", "job:completed"))


class Door:
    """The service on one database, with a merchandiser's and an administrator's key."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.db = Database(url)
        self.config = Config(
            database_url=url,
            data_dir=folder,
            secret_key="only for tests, and long enough for them",
            pseudonym_key=b"only for tests",
            worker_processes=1,
            sign_in_limit="1000 per minute",
            hosts=("localhost", "127.0.0.1"),
            log_level="INFO",
        )
        self.app: Flask = create_app(self.config, clock=lambda: NOW)
        self.app.testing = True
        self.client: FlaskClient = self.app.test_client()
        self._described(folder)
        both = (Role.MERCHANDISER, Role.ADMINISTRATOR)
        self.keys = {role: bearer(self.db, role, now=NOW, password=PASSWORD) for role in both}
        self.before = ""
        self._digested = ("", "")
        self._watch = (
            self.db.engine.raw_connection()
        )  # never writes: each look is at what is committed by then
        if not self.db.is_sqlite:
            self._watch.dbapi_connection.autocommit = True  # type: ignore[union-attr]
        self.pledge()

    def _described(self, folder: Path) -> None:
        brand.load_network(self.db, folder)
        (folder / "campaign.csv").write_text(CAMPAIGN, encoding="utf-8")
        with self.db.transaction() as session:
            catalog.register_unknown(
                session, skus=[("SKU-1", None, True)], regions=["unknown"], timezone="Asia/Shanghai"
            )
            demand.import_campaigns(session, path=folder / "campaign.csv", actor=SYSTEM, now=NOW)
            demand.close_due_campaigns(session, now=NOW)  # nobody judges the pledges of closed ones again
        brand.store_forecast(self.db)

    def call(self, method: str, path: str, *, role: Role | None = Role.MERCHANDISER, **how: Any) -> Seen:
        """One request with this role's key, or with none."""
        headers = how.pop("headers", {})
        headers = headers if isinstance(headers, list) else list(headers.items())
        if role is not None:
            headers = [*self.keys[role].items(), *headers]
        response = self.client.open(path, method=method, headers=headers, **how)
        return Seen(response.status_code, response)

    def pledge(self, **members: Any) -> Seen:
        """A normal pledge, or one with other members."""
        return self.call("POST", "/api/v1/pledges", json={**PLEDGE, **members})

    def dispose(self) -> None:
        self._watch.close()
        self.app.extensions["headwater"].db.dispose()
        self.db.dispose()

    def mark(self) -> None:
        """From here on nothing may change, should the input be refused."""
        self.before = self.digest()

    def digest(self) -> str:
        """A digest of all business tables; of a large one, how its first rows and its last one look.

        Most inputs write nothing at all, which the database tells: then it is the digest of before.
        """
        version = self.version()
        if version != self._digested[0]:
            found = self._on_sqlite() if self.db.is_sqlite else self._on_postgresql()
            self._digested = (version, hashlib.sha256(found.encode()).hexdigest())
        return self._digested[1]

    def version(self) -> str:
        """Another one whenever anybody wrote anything."""
        tells = (
            "PRAGMA data_version" if self.db.is_sqlite else "SELECT pg_snapshot_xmax(pg_current_snapshot())"
        )
        return str(self._rows(tells))

    def _on_sqlite(self) -> str:
        told = []
        for name, keys in BUSINESS.items():
            forth, back = ", ".join(keys), ", ".join(f"{key} DESC" for key in keys)
            told.append(self._rows(f"SELECT * FROM {name} ORDER BY {forth} LIMIT {SMALL}"))
            told.append(self._rows(f"SELECT * FROM {name} ORDER BY {back} LIMIT 1"))
        return repr(told)

    def _on_postgresql(self) -> str:
        parts = []
        for name, keys in BUSINESS.items():
            forth, back = ", ".join(keys), ", ".join(f"{key} DESC" for key in keys)
            first = f"SELECT * FROM {name} ORDER BY {forth} LIMIT {SMALL}"
            parts += [
                f"SELECT string_agg(one::text, '|') FROM ({first}) one",
                f"SELECT one::text FROM (SELECT * FROM {name} ORDER BY {back} LIMIT 1) one",
            ]
        return repr(self._rows(" UNION ALL ".join(parts)))

    def _rows(self, query: str) -> list[Any]:
        cursor = self._watch.cursor()
        cursor.execute(query)
        rows = list(cursor.fetchall())
        cursor.close()
        return rows


@dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    grown_bytes: int
    logged: list[Any]


@contextmanager
def watched() -> Iterator[list[Cost]]:
    """CPU seconds of this process and its children, growth of its memory at the peak, and what was logged."""
    found: list[Cost] = []
    before, memory = _cpu(), _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    with capture_logs() as logged:
        yield found
    found.append(Cost(_cpu() - before, _memory("VmHWM") - memory, list(logged)))


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def problem_of(response: TestResponse) -> dict[str, Any]:
    """The problem document of a refusal."""
    found: dict[str, Any] = json.loads(response.get_data(as_text=True))
    return found
