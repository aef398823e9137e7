"""A shop: the key its machine calls with, its campaigns, its files, and a pledge in usual form."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from app.core import access
from app.core.access import SYSTEM, Role
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand

PLEDGE = {
    "channel": "shop",
    "external_id": "A-1",
    "commitment": "pledge",
    "sku": "MUG",
    "region": "CN-GD",
    "quantity": 2,
    "unit_price": "19.90",
    "currency": "CNY",
    "ordered_at": "2026-11-02T23:30:00+00:00",
    "buyer": "Wang Xiaoming 13800138000",
    "campaign": "C1",
}
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-07,5,0:19.90\n"
)


def bearer(db: Database, role: Role = Role.MERCHANDISER, *, now: dt.datetime, **other: Any) -> dict[str, str]:
    """The headers of a new account of this role; `other` is what the account has besides."""
    told = {"email": f"{role.value}@x.example", "name": "M", "password": "long enough!", **other}
    with db.transaction() as session:
        account = access.create_account(session, role=role, now=now, **told)
        key = access.create_token(session, account_id=account.id, label="test", now=now)
    return {"Authorization": f"Bearer {key}"}


def sell(db: Database, folder: Path, *, now: dt.datetime, campaign: str = CAMPAIGN) -> None:
    """Mugs and cups in one region, and a campaign for mugs."""
    path = folder / "campaigns.csv"
    path.write_text(campaign, encoding="utf-8")
    with db.transaction() as session:
        skus = [("MUG", None, True), ("CUP", None, True)]
        catalog.register_unknown(session, skus=skus, regions=["CN-GD"], timezone="Asia/Shanghai")
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=now)


def send(
    db: Database,
    path: Path,
    content: str | bytes,
    *,
    now: dt.datetime,
    channel: str = "shop",
    mapping: str = "headwater",
    pseudonym_key: bytes = b"only for tests",
) -> demand.ImportFact:
    """Write a file of orders and import it."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with db.transaction() as session:
        return demand.import_orders(
            session,
            path=path,
            file_name=path.name,
            channel=channel,
            mapping=mapping,
            actor=SYSTEM,
            now=now,
            pseudonym_key=pseudonym_key,
            currency="CNY",
            timezone="Asia/Shanghai",
        )
