"""A brand whose campaign is drafted, launched and pledged for, step by step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import PledgeSettings, SentPledge
from support import brand
from support.shop import bearer

NOW = brand.NOW
URL = "/api/v1/campaigns"
SETTINGS = PledgeSettings(pseudonym_key=b"key", currency="CNY", timezone="Asia/Shanghai")
DRAFT: dict[str, Any] = {
    "code": "PS-1",
    "name": "Bags",
    "variants": [{"sku": "BAG", "option": "black"}],
    "opens_at": "2026-11-20T00:00:00+00:00",
    "closes_at": "2026-12-04T00:00:00+00:00",
    "expected_units": 10,
    "go_factor_percent": 120,
    "due_week": "2026-12-28",
    "tiers": [{"min_units": 0, "unit_price_minor": 20_000}, {"min_units": 12, "unit_price_minor": 18_000}],
    "deposit_minor": 3_000,
    "balance_due_at": "2026-12-10T00:00:00+00:00",
}
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def network(db: Database, tmp_path: Path) -> None:
    brand.load_network(db, tmp_path)


@pytest.fixture
def ask(db: Database, client: FlaskClient) -> Ask:
    """ask("POST", path, status, body) – the answer's JSON, as a merchandiser."""
    headers = bearer(db, now=NOW)

    def send(method: str, path: str, status: int, body: Any = None) -> Any:
        answer = client.open(URL + path, method=method, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    return send


def launched(ask: Ask, **change: Any) -> dict[str, Any]:
    drafted = ask("POST", "", 201, {**DRAFT, **change})
    return dict(ask("POST", f"/{drafted['id']}/launch", 200, {"version": drafted["version"]}))


def pledge(
    db: Database, id_: str, *, at: str = "2026-11-22T10:00:00+00:00", quantity: int = 1, **cells: str
) -> demand.PledgeResult:
    sent = {
        "external_id": id_,
        "commitment": "deposit",
        "sku": "BAG",
        "region": "CN-GD",
        "quantity": str(quantity),
        "unit_price": "200.00",
        "currency": "CNY",
        "ordered_at": at,
        "buyer": f"b{id_}",
        "campaign": "PS-1",
        **cells,
    }
    with db.transaction() as session:
        rows = [SentPledge("shop", sent)]
        return demand.take_pledges(session, rows=rows, actor=SYSTEM, now=NOW, settings=SETTINGS)[0]


def correct(db: Database, id_: str, *, at: str, **said: Any) -> demand.CorrectionFact:
    with db.transaction() as session:
        return demand.correct_pledge(
            session,
            channel="shop",
            external_id=id_,
            changed_at=dt.datetime.fromisoformat(at),
            actor=SYSTEM,
            now=dt.datetime(2026, 12, 20, tzinfo=dt.UTC),
            currency="CNY",
            **said,
        )


def steps(db: Database, campaign_id: int) -> tuple[int, dict[str, int]]:
    with db.reading() as session:
        assert demands.recount(session) == []
        water = demands.waterfall(session, campaign_id=campaign_id)
    return water.valid_units, {one.reason: one.units for one in water.steps}
