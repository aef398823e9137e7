from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core import audit
from app.core.access import SYSTEM, Actor, Role
from app.core.db import Database
from app.core.errors import NotAllowed, RuleBroken
from app.stages.catalog import operations, queries
from app.stages.stock import operations as stock
from app.stages.stock import queries as ledger

TEMPLATE = Path(__file__).parents[2] / "docs" / "network-template"
BUSINESS = (
    "sku",
    "supplier",
    "supply_offer",
    "price_break",
    "warehouse",
    "region",
    "lane",
    "calendar_day",
    "bom_line",
    "stock_movement",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATE, tmp_path / "network"))


def load(db: Database, folder: Path, now: dt.datetime, actor: Actor = SYSTEM) -> operations.NetworkFact:
    with db.transaction() as session:
        return stock.import_network(session, directory=folder, actor=actor, now=now, currency="CNY")


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))


def everything(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.reading() as session:
        return {
            table: sorted((tuple(row) for row in session.execute(text(f"SELECT * FROM {table}"))), key=repr)
            for table in BUSINESS
        }


def network(db: Database) -> queries.Network:
    with db.reading() as session:
        return queries.network(session)


def test_the_template_becomes_the_network(db: Database, folder: Path, now: dt.datetime) -> None:
    fact = load(db, folder, now)
    assert {name: one.created for name, one in fact.tables.items()} == {
        "skus": 3,
        "suppliers": 3,
        "supply_offers": 5,
        "price_breaks": 8,
        "warehouses": 2,
        "regions": 2,
        "lanes": 9,
        "calendar": 2,
        "bom": 2,
        "stock": 2,
    }
    assert not fact.unchanged
    found = network(db)
    sku = {one.code: one for one in found.skus}
    supplier = {one.code: one for one in found.suppliers}
    assert (sku["MUG-BLU"].volume, sku["MUG-BLU"].holding_cost_minor, sku["MUG-BLU"].state) == (
        3,
        0,
        "active",
    )
    assert (supplier["SUP-C"].weekly_capacity, supplier["SUP-A"].risk) == (None, 0.03)
    offer = next(one for one in found.offers if one.supplier_id == supplier["SUP-C"].id)
    assert (offer.sku_id, offer.moq, offer.lot_multiple, offer.weekly_capacity) == (
        sku["MUG-BLU"].id,
        0,
        6,
        None,
    )
    assert offer.breaks == (queries.BreakFact(0, 1280), queries.BreakFact(500, 1160))
    direct = [lane for lane in found.lanes if lane.from_supplier_id and lane.to_region_id]
    assert [(lane.cost_minor, lane.lead_days) for lane in direct] == [(210, 3)]


def test_the_same_folder_again_changes_nothing_and_says_so(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    load(db, folder, now)
    before = everything(db)
    fact = load(db, folder, now + dt.timedelta(days=1))
    assert fact.unchanged
    assert all(one.unchanged == one.read and not one.created for one in fact.tables.values())
    assert everything(db) == before
    with db.reading() as session:
        actions = [entry.action for entry in audit.entries(session)]
    assert actions == ["stock.declared", "network.imported"]


def test_a_changed_value_updates_its_row_and_keeps_its_id(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    load(db, folder, now)
    before = network(db)
    change(folder, "suppliers.csv", "4000,0.03", "4500,0.03")
    change(folder, "lanes.csv", "SUP-C,region,CN-GD,2.10", "SUP-C,region,CN-GD,1.90")
    change(folder, "supply_offers.csv", "0,6,10,,,", "12,6,10,,,")
    fact = load(db, folder, now)
    assert {name for name, one in fact.tables.items() if one.updated} == {
        "suppliers",
        "lanes",
        "supply_offers",
    }
    after = network(db)
    assert len(after.lanes) == len(before.lanes)
    assert [one.id for one in after.suppliers] == [one.id for one in before.suppliers]
    assert {one.weekly_capacity for one in after.suppliers} == {4500, 2500, None}
    assert {one.cost_minor for one in after.lanes} - {one.cost_minor for one in before.lanes} == {190}


def test_a_new_price_list_replaces_the_old_one_as_a_whole(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    load(db, folder, now)
    change(folder, "price_breaks.csv", "SUP-C,MUG-BLU,500,11.60", "SUP-C,MUG-BLU,800,11.00")
    fact = load(db, folder, now).tables["price_breaks"]
    assert (fact.created, fact.updated, fact.unchanged, fact.removed) == (1, 0, 7, 1)
    offer = next(one for one in network(db).offers if one.lot_multiple == 6)
    assert [one.min_quantity for one in offer.breaks] == [0, 800]


def test_rows_that_are_absent_are_not_deleted(db: Database, folder: Path, now: dt.datetime) -> None:
    load(db, folder, now)
    before = everything(db)
    for name in ("skus", "suppliers", "supply_offers", "warehouses", "regions", "lanes"):
        path = folder / f"{name}.csv"
        path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")
    assert load(db, folder, now).unchanged
    assert everything(db) == before


def test_drafts_of_an_order_import_become_active_when_described(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    with db.transaction() as session:
        operations.register_unknown(
            session,
            skus=[("MUG-BLU", "A mug", True), ("POST", None, False)],
            regions=["CN-SH", "CN-XJ"],
            timezone="Asia/Urumqi",
        )
        operations.register_unknown(
            session, skus=[("MUG-BLU", "Another name", False)], regions=["CN-SH"], timezone="UTC"
        )
        drafts = queries.list_skus(session)
        assert [(one.code, one.name, one.goods, one.state) for one in drafts] == [
            ("MUG-BLU", "A mug", True, "draft"),
            ("POST", "POST", False, "draft"),
        ]
    load(db, folder, now)
    with db.reading() as session:
        skus = {one.code: one for one in queries.list_skus(session)}
        regions = {one.code: (one.state, one.timezone) for one in queries.list_regions(session)}
        assert (skus["MUG-BLU"].id, skus["MUG-BLU"].state, skus["MUG-BLU"].name) == (
            drafts[0].id,
            "active",
            "Mug, blue",
        )
        assert queries.not_goods_ids(session) == {skus["POST"].id}
    assert regions["CN-SH"] == ("active", "Asia/Shanghai")
    assert regions["CN-XJ"] == ("draft", "Asia/Urumqi")
    assert "POST" not in {one.code for one in network(db).skus}


def test_a_folder_with_errors_stores_nothing_and_lists_them_all(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    change(folder, "skus.csv", "tops,2,", "tops,x,")
    change(folder, "stock.csv", "WH-EAST", "WH-WEST")
    before = everything(db)
    with pytest.raises(RuleBroken) as refusal:
        load(db, folder, now)
    assert refusal.value.code == "network_invalid"
    assert [(one["file"], one["row"], one["column"]) for one in refusal.value.data["errors"]] == [
        ("skus.csv", 2, "volume"),
        ("stock.csv", 2, "warehouse"),
    ]
    assert "2 errors" in refusal.value.sentence
    assert everything(db) == before


def test_at_most_fifty_errors_are_listed(db: Database, folder: Path, now: dt.datetime) -> None:
    rows = "".join(f"NEW-{number},,,,,\n" for number in range(80))
    (folder / "skus.csv").write_text(f"sku,name,name_zh,category,volume,holding_cost\n{rows}")
    with pytest.raises(RuleBroken, match="more than 50 errors") as refusal:
        load(db, folder, now)
    assert len(refusal.value.data["errors"]) == 50


def test_only_a_merchandiser_or_an_administrator_imports_a_network(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    with pytest.raises(NotAllowed):
        load(db, folder, now, Actor("somebody", Role.WAREHOUSE_PLANNER, account_id=1))
    assert (
        load(db, folder, now, Actor("Lin Mei", Role.MERCHANDISER, account_id=2)).tables["skus"].created == 3
    )


def test_stock_listed_again_is_adjusted_by_the_difference_and_keeps_what_moved(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    load(db, folder, now)
    with db.transaction() as session:
        cell = {
            "sku_id": queries.sku_ids(session)["MUG-BLU"],
            "warehouse_id": queries.warehouse_ids(session)["WH-SOUTH"],
        }
        stock.move(session, **cell, quantity=-15, kind="shipment", source="shipment:1", now=now)
    assert load(db, folder, now).unchanged
    for declared, expected in (("80", 65), ("60", 45), ("80", 65)):
        path = folder / "stock.csv"
        path.write_text(f"sku,warehouse,quantity\nMUG-BLU,WH-SOUTH,{declared}\n")
        assert load(db, folder, now).tables["stock"].updated == 1
        with db.reading() as session:
            assert ledger.units_on_hand(session, **cell) == expected
    with db.reading() as session:
        assert [one.kind for one in ledger.movements(session, **cell)] == [
            "adjustment",
            "adjustment",
            "adjustment",
            "shipment",
            "opening",
        ]


def test_stock_cannot_be_declared_below_what_has_left(db: Database, folder: Path, now: dt.datetime) -> None:
    load(db, folder, now)
    with db.transaction() as session:
        cell = {
            "sku_id": queries.sku_ids(session)["MUG-BLU"],
            "warehouse_id": queries.warehouse_ids(session)["WH-SOUTH"],
        }
        stock.move(session, **cell, quantity=-50, kind="shipment", source="shipment:1", now=now)
    change(folder, "stock.csv", "WH-SOUTH,60", "WH-SOUTH,40")
    before = everything(db)
    with pytest.raises(RuleBroken) as refusal:
        load(db, folder, now)
    assert [(one["row"], one["code"]) for one in refusal.value.data["errors"]] == [(3, "insufficient_stock")]
    assert everything(db) == before


def test_screens_find_skus_by_a_part_of_their_words_page_by_page(
    db: Database, folder: Path, now: dt.datetime
) -> None:
    load(db, folder, now)
    with db.reading() as session:

        def codes(**wanted: object) -> list[str]:
            return [one.code for one in queries.list_skus(session, **wanted)]

        assert codes(limit=2) == ["MUG-BLU", "TEE-WHT-L"]
        assert codes(limit=2, after="TEE-WHT-L") == ["TEE-WHT-M"]
        assert codes(search="shirt") == ["TEE-WHT-L", "TEE-WHT-M"]
        assert codes(search="蓝色") == ["MUG-BLU"]
        assert codes(search="100%_") == []
        names = queries.names(session)
        sku = queries.sku_ids(session)["MUG-BLU"]
        assert (names.skus[sku].in_language("zh_Hans_CN"), names.skus[sku].in_language("en")) == (
            "马克杯 蓝色",
            "Mug, blue",
        )
        assert [one.supplier_id for one in queries.offers_of(session, sku_id=sku)] == [
            queries.supplier_ids(session)["SUP-C"]
        ]
        assert queries.bom_of(session, sku_id=sku) == []
        days = queries.calendar(session, since=dt.date(2026, 11, 1), until=dt.date(2026, 12, 1))
        assert [(one.day.day, one.kind) for one in days] == [(11, "promotion")]
