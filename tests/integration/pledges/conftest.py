"""A shop that sends pledges, and the door it sends them to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core import audit
from app.core.db import Database
from app.stages.demand import queries as demands
from support.shop import PLEDGE, bearer, sell


@pytest.fixture(autouse=True)
def catalogue(db: Database, tmp_path: Path, now: dt.datetime) -> None:
    sell(db, tmp_path, now=now)


@pytest.fixture
def headers(db: Database, now: dt.datetime) -> dict[str, str]:
    return bearer(db, now=now)


class Door:
    """The API as one merchandiser's machine calls it."""

    def __init__(self, client: FlaskClient, headers: dict[str, str], db: Database) -> None:
        self.client, self.headers, self.db = client, headers, db

    def post(self, *, headers: dict[str, str] | None = None, **members: Any) -> Any:
        body = {name: value for name, value in {**PLEDGE, **members}.items() if value is not ...}
        return self.client.post("/api/v1/pledges", headers={**self.headers, **(headers or {})}, json=body)

    def batch(self, rows: Any) -> Any:
        return self.client.post("/api/v1/pledges:batch", headers=self.headers, json=rows)

    def patch(self, identity: str = "shop/A-1", **said: Any) -> Any:
        return self.client.patch(f"/api/v1/pledges/{identity}", headers=self.headers, json=said)

    def delete(self, identity: str = "shop/A-1", query: str = "") -> Any:
        return self.client.delete(f"/api/v1/pledges/{identity}{query}", headers=self.headers)

    def units(self) -> tuple[int, int]:
        """Raw and valid units, after the roll-ups were found equal to a recount."""
        with self.db.reading() as session:
            assert demands.recount(session) == []
            water = demands.waterfall(session)
            return water.raw_units, water.valid_units

    def corrections(self) -> list[dict[str, Any]]:
        with self.db.reading() as session:
            return [one.data for one in audit.entries(session) if one.action == "pledge.corrected"]


@pytest.fixture
def door(client: FlaskClient, headers: dict[str, str], db: Database) -> Door:
    return Door(client, headers, db)
