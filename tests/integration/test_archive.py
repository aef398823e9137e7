"""Closed days as Parquet: the roll-ups are what it adds up to, until somebody corrects one of them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
from flask import Flask

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand

CAMPAIGNS = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-07,,0:19.90\n"
)
HEAD = "external_id,commitment,sku,region,quantity,unit_price,ordered_at,buyer,campaign,status\n"
ROW = "A{n},pledge,MUG,CN-GD,{q},19.90,2026-11-0{d}T10:00:00+08:00,buyer{n},{c},{s}\n"


def run(app: Flask, *arguments: str) -> tuple[int, dict[str, Any]]:
    ended = app.test_cli_runner().invoke(args=[*arguments, "--json"])
    return ended.exit_code, json.loads(ended.stdout.splitlines()[-1])


def test_roll_ups_are_what_the_archive_adds_up_to_until_a_day_is_corrected(
    app: Flask, db: Database, tmp_path: Path, now: dt.datetime
) -> None:
    (tmp_path / "campaigns.csv").write_text(CAMPAIGNS, encoding="utf-8")
    lines = [
        ROW.format(
            n=n, q=n % 3 + 1, d=1 + n % 4, c="C1" if n % 2 else "", s="cancelled" if n % 5 == 0 else ""
        )
        for n in range(40)
    ]
    lines += [ROW.format(n=90, q=-2, d=2, c="", s=""), lines[7]]  # units that come back, a row once more
    (tmp_path / "orders.csv").write_text(HEAD + "".join(lines), encoding="utf-8")
    how: dict[str, Any] = {"actor": SYSTEM, "now": now, "currency": "CNY"}
    with db.transaction() as session:
        catalog.register_unknown(
            session, skus=[("MUG", None, True)], regions=["CN-GD"], timezone="Asia/Shanghai"
        )
        demand.import_campaigns(session, path=tmp_path / "campaigns.csv", actor=SYSTEM, now=now)
        demand.import_orders(
            session,
            path=tmp_path / "orders.csv",
            file_name="orders.csv",
            channel="shop",
            mapping="headwater",
            pseudonym_key=b"k",
            timezone="Asia/Shanghai",
            **how,
        )
    folder = tmp_path / "archive"
    assert run(app, "audit-archive", str(folder))[1]["error"]["code"] == "archive_empty"
    code, told = run(app, "archive-days", str(folder), "--before", "2026-11-04")
    assert (code, told["days"], told["rows"]) == (0, 3, 31)
    whole = pl.read_parquet(folder / "*.parquet")
    assert whole["day"].unique().sort().to_list() == [dt.date(2026, 11, day) for day in (1, 2, 3)]
    assert not {"buyer", "device"} & set(whole.columns)
    assert run(app, "audit-archive", str(folder)) == (0, {"days": 3, "differences": 0})

    with db.transaction() as session:
        demand.correct_pledge(session, channel="shop", external_id="A1", quantity=9, **how)
    code, told = run(app, "audit-archive", str(folder))
    assert (code, told["error"]["code"]) == (1, "archive_differs")
    assert {one["roll_up"] for one in told["error"]["errors"]} == {"demand_day", "campaign_day"}
    assert run(app, "archive-days", str(folder), "--since", "2026-11-02", "--before", "2026-11-03")[0] == 0
    assert run(app, "audit-archive", str(folder)) == (0, {"days": 3, "differences": 0})
