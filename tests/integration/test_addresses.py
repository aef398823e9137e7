"""Whatever stands in an address: every page answers, and says no when what it names is not there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from app.core import access
from app.core.access import Role
from app.core.db import Database
from support import brand
from support.shop import bearer

NAMES = [
    "after",
    "before",
    "by",
    "campaign",
    "channel",
    "commitment",
    "day",
    "days",
    "design",
    "dry",
    "job",
    "kind",
    "offset",
    "quantity",
    "reason",
    "region",
    "round",
    "run",
    "search",
    "since",
    "sku",
    "state",
    "supplier",
    "until",
    "warehouse",
]
"""What pages look for in an address."""


def addresses(app: Flask, value: str) -> list[str]:
    """Every page, with the value for all that it takes, in its path and behind it."""
    query = urlencode(dict.fromkeys(NAMES, value))
    rules = [one for one in app.url_map.iter_rules() if one.methods and "GET" in one.methods]
    pages = [one for one in rules if str(one.endpoint).startswith("web.")]
    assert len(pages) > 30
    return [
        app.url_map.bind("").build(one.endpoint, dict.fromkeys(one.arguments, 7)) + "?" + query
        for one in pages
    ]


@pytest.mark.parametrize("role", [Role.MERCHANDISER, Role.WAREHOUSE_PLANNER, Role.SUPPLIER])
def test_no_address_breaks_a_page(
    app: Flask,
    client: FlaskClient,
    db: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    role: Role,
) -> None:
    monkeypatch.setattr(access, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    brand.load_network(db, tmp_path)
    supplier = brand.supplier(db, "DG").supplier_id if role is Role.SUPPLIER else None
    headers = bearer(db, role, now=brand.NOW, supplier_id=supplier)
    seen = set()
    for value in ("0", "9" * 25, "a\x00b", "2026-99-99"):
        for address in addresses(app, value):
            answer = client.get(address, headers=headers)
            assert answer.status_code < 500, address[:300]
            seen.add(answer.status_code)
    assert {200, 404} <= seen or role is not Role.MERCHANDISER, seen
