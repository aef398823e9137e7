"""A small brand in the database: network, half a year of orders, a campaign; and quick turns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from app.core.access import SYSTEM, Actor, Role
from app.core.db import Database
from app.cycle import commitments
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import PlanSettings
from app.stages.catalog import queries as catalog
from app.stages.confirmation import operations as confirmation
from app.stages.demand import operations as demand
from app.stages.forecasts import operations as forecasts
from app.stages.forecasts.queries import FRAME_SCHEMA, TOTAL_SCHEMA
from app.stages.stock import operations as stock
from support import shop
from support.rows import filled

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
MONDAY = dt.date(2026, 11, 23)
SETTINGS = PlanSettings(weeks=8)
MERCHANDISER = Actor("mei", Role.MERCHANDISER)
PLANNER = Actor("yan", Role.WAREHOUSE_PLANNER)
NETWORK = {
    "skus": "sku,name,name_zh,category,volume,holding_cost\nMUG,Mug,杯,home,1,0.10\nBAG,Bag,包,bags,2,0.20\n",
    "suppliers": "supplier,name,name_zh,weekly_capacity,risk\nJDZ,Jingdezhen,景德镇,500,0\nYW,Yiwu,义乌,,0\n"
    "DG,Dongguan,东莞,,0\n",
    "supply_offers": "supplier,sku,moq,lot_multiple,lead_days,weekly_capacity,order_cost,currency\n"
    "JDZ,MUG,10,10,7,,50.00,CNY\nYW,MUG,10,10,7,,50.00,CNY\nDG,MUG,10,10,14,,50.00,CNY\n"
    "DG,BAG,5,5,7,,20.00,CNY\n",
    "price_breaks": "supplier,sku,min_quantity,unit_price\nJDZ,MUG,0,9.00\nYW,MUG,0,9.50\nDG,MUG,0,9.60\n"
    "DG,BAG,0,80.00\n",
    "warehouses": "warehouse,name,name_zh,timezone,weekly_inbound,storage\n"
    "CAN,Guangzhou,广州,Asia/Shanghai,400,\n",
    "regions": "region,name,name_zh,timezone\nCN-GD,Guangdong,广东,Asia/Shanghai\n"
    "CN-FJ,Fujian,福建,Asia/Shanghai\n",
    "lanes": "from_kind,from,to_kind,to,cost_per_unit,lead_days\nsupplier,JDZ,warehouse,CAN,0.50,3\n"
    "supplier,YW,warehouse,CAN,0.50,3\nsupplier,DG,warehouse,CAN,0.40,3\n"
    "warehouse,CAN,region,CN-GD,0.80,2\nwarehouse,CAN,region,CN-FJ,0.90,3\n",
    "stock": "sku,warehouse,quantity\nMUG,CAN,40\n",
}
CAMPAIGN = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "PS-BAG,Bags,包,BAG,2026-11-09T10:00:00+08:00,2026-12-04T22:00:00+08:00,50,1.20,2026-12-28,,0:199.00\n"
)


def load(db: Database, folder: Path, *, orders: bool = True, campaign: bool = True) -> None:
    """The network, orders and a campaign; an empty database gets the rows that the first one got."""

    def fill() -> None:
        load_network(db, folder)
        if orders:
            load_orders(db, folder)
        if campaign:
            load_campaign(db, folder)

    filled(db, f"{orders=} {campaign=}", fill)


def load_network(db: Database, folder: Path, *, changed: Mapping[str, str] | None = None) -> None:
    """Import the network, with some files changed; an empty database gets the rows of the first one."""
    network = folder / "network"
    network.mkdir(exist_ok=True)
    for name, text in {**NETWORK, **(changed or {})}.items():
        (network / f"{name}.csv").write_text(text, encoding="utf-8")

    def fill() -> None:
        with db.transaction() as session:
            stock.import_network(session, directory=network, actor=SYSTEM, now=NOW, currency="CNY")

    filled(db, f"network {changed}", fill)


def load_campaign(db: Database, folder: Path, *, pledges: int = 20) -> None:
    """One open campaign with pledges of one bag each."""
    path = folder / "campaigns.csv"
    path.write_text(CAMPAIGN, encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    rows = [
        f"P{number},pledge,BAG,CN-GD,1,199.00,CNY,2026-11-10T10:00:00+08:00,p{number},PS-BAG,"
        for number in range(pledges)
    ]
    if rows:
        load_orders(db, folder, rows=rows, name="pledges.csv")


def load_orders(
    db: Database, folder: Path, *, rows: list[str] | None = None, name: str = "orders.csv"
) -> None:
    """Orders; by default, some mugs in every one of 26 weeks in both regions."""
    heading = (
        "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
    )
    lines = _half_a_year() if rows is None else rows
    shop.send(db, folder / name, "\n".join([heading, *lines]) + "\n", now=NOW)


def _half_a_year() -> list[str]:
    return [
        f"{region}{back},paid,MUG,{region},{20 + back % 3},19.90,CNY,"
        f"{MONDAY - dt.timedelta(days=7 * back - 2)}T10:00:00+08:00,u{back},,"
        for back in range(1, 27)
        for region in ("CN-GD", "CN-FJ")
    ]


def store_forecast(db: Database, *, mugs: int = 20, weeks: int = 8, spread: float = 0.0) -> int:
    """A forecast of so many mugs a week in either region, without computing one; returns its run.

    `spread` is how far the 80 % bounds lie from the mean, as a part of it; the 95 % bounds half as far again.
    """
    bounds = (1.0, 1 - spread, 1 + spread, 1 - 1.5 * spread, 1 + 1.5 * spread)
    with db.transaction() as session:
        inputs = forecasts.freeze(session, as_of=MONDAY, horizon_weeks=weeks)
        sku = catalog.sku_ids(session)["MUG"]
        rows = [
            (sku, region, MONDAY + dt.timedelta(weeks=week), *(mugs * one for one in bounds), "given")
            for region, _ in sorted(catalog.region_ids(session).values())
            for week in range(weeks)
        ]
        lines = pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row")
        result = forecasts.ForecastResult(inputs.fingerprint, lines, totals_of(lines))
        return forecasts.store(session, inputs=inputs, result=result, actor=SYSTEM, now=NOW).id


def totals_of(lines: pl.DataFrame) -> pl.DataFrame:
    """SKUs, regions and everything, as sums of the lines, bounds too."""
    numbers = ["mean", "lo_80", "hi_80", "lo_95", "hi_95"]
    parts = [
        lines.group_by(*keys, "week").agg(pl.col(numbers).sum())
        for keys in (["sku_id"], ["region_id"], list[str]())
    ]
    return pl.concat(parts, how="diagonal").select(TOTAL_SCHEMA.keys())


def make_plan(
    db: Database, forecast_run_id: int, *, as_of: dt.date = MONDAY, now: dt.datetime = NOW
) -> PlanFact:
    """Freeze, compute and store a plan as the cycle does."""
    with db.reading() as session:
        firm = commitments(session, as_of=as_of)
        frozen = allocation.freeze(
            session,
            forecast_run_id=forecast_run_id,
            as_of=as_of,
            commitments=firm,
            currency="CNY",
            settings=SETTINGS,
        )
    solution = allocation.compute(frozen)
    with db.transaction() as session:
        return allocation.store(
            session, frozen=frozen, solution=solution, commitments=firm, today=as_of, actor=SYSTEM, now=now
        )


def ask(db: Database, plan: PlanFact, *, now: dt.datetime = NOW) -> confirmation.IssueFact:
    with db.transaction() as session:
        lines = plans.plan_lines(session, run_id=plan.run_id)
        allocation.mark_asked(session, run_id=plan.run_id, now=now)
        return confirmation.issue_plans(session, run=plan, lines=lines, actor=SYSTEM, now=now)


def supplier(db: Database, code: str) -> Actor:
    """Somebody who answers for this supplier."""
    with db.reading() as session:
        return Actor(f"{code} sales", Role.SUPPLIER, supplier_id=catalog.supplier_ids(session)[code])


def draw_landings(db: Database, *, as_of: dt.date = MONDAY) -> int:
    """Draw where the running campaigns land, as the cycle does."""
    with db.reading() as session:
        inputs = forecasts.freeze_landings(session, as_of=as_of)
    result = forecasts.compute_landings(inputs)
    with db.transaction() as session:
        return forecasts.store_landings(session, inputs=inputs, result=result, now=NOW)
