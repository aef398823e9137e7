"""What a running campaign lands short of, what that is worth, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from integration.test_votes import Api

from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.forecasts import queries
from support.brand import NOW, draw_landings, load_campaign, load_network, make_plan, store_forecast
from support.shop import send

BREAKS = (
    "supplier,sku,min_quantity,unit_price\nJDZ,MUG,0,9.00\nYW,MUG,0,9.50\nDG,MUG,0,9.60\n"
    "DG,BAG,0,80.00\nDG,BAG,500,70.00\nYW,BAG,0,82.00\nYW,BAG,900,60.00\n"
)
OFFERS = (
    "supplier,sku,moq,lot_multiple,lead_days,weekly_capacity,order_cost,currency\n"
    "JDZ,MUG,10,10,7,,50.00,CNY\nYW,MUG,10,10,7,,50.00,CNY\nDG,MUG,10,10,14,,50.00,CNY\n"
    "DG,BAG,5,5,7,,20.00,CNY\nYW,BAG,700,5,7,,20.00,CNY\n"
)


@pytest.fixture
def brand(db: Database, tmp_path: Path) -> Database:
    load_network(db, tmp_path, changed={"price_breaks": BREAKS, "supply_offers": OFFERS})
    load_campaign(db, tmp_path)  # 20 bags half-way; the go line is at 60
    return db


def levers(api: Api) -> tuple[int, Any]:
    return api("GET", f"/campaigns/{api('GET', '/campaigns')[1][0]['id']}/levers")


def test_without_a_landing_there_is_nothing_to_say(app: Flask, brand: Database) -> None:
    assert levers(Api(app))[0] == 404


def test_a_campaign_tells_what_it_is_short_of_and_what_helps(
    app: Flask, brand: Database, tmp_path: Path
) -> None:
    heading = (
        "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status,"
        "min_quantity,max_quantity"
    )
    row = "T1,pledge,BAG,CN-GD,1,199.00,CNY,2026-11-10T10:00:00+08:00,t1,PS-BAG,,1,9"
    send(brand, tmp_path / "tolerant.csv", f"{heading}\n{row}\n", now=NOW)
    draw_landings(brand)
    make_plan(brand, store_forecast(brand))
    api = Api(app)
    status, told = levers(api)
    assert status == 200
    go, *others = told["lines"]
    assert (go["kind"], go["line_units"], go["units"], told["currency"]) == ("go", 60, 21, "CNY")
    assert go["short_units"] == 60 - round(go["lands_at"]) > 0
    assert go["worth_minor"] == 60 * (19900 - 8000)
    extend = [one for one in go["options"] if one["kind"] == "extend"]
    assert [one["days"] for one in extend] == [3, 7, 14]
    assert 0 < extend[0]["units"] <= extend[1]["units"] <= extend[2]["units"]
    assert go["chance"] <= extend[0]["chance"] <= extend[2]["chance"] < 1
    asked = [one for one in go["options"] if one["kind"] == "ask"]
    assert [(one["units"], one["buyers"]) for one in asked] == [(min(8, go["short_units"]), 1)]

    with brand.reading() as session:
        suppliers = catalog.supplier_ids(session)
    found = {(one["kind"], one["supplier_id"]): one for one in others}
    cheaper, moq = found["price_break", suppliers["DG"]], found["moq", suppliers["YW"]]
    assert (cheaper["line_units"], cheaper["saving_minor"], cheaper["worth_minor"]) == (500, 1000, 500_000)
    assert (moq["line_units"], moq["worth_minor"]) == (700, moq["short_units"] * 8200)
    assert cheaper["chance"] == 0.025
    # the plan buys all bags from Dongguan: moving them to Yiwu would not fill its MOQ
    move = [one for one in moq["options"] if one["kind"] == "move"]
    assert [(one["supplier_ids"], one["reaches"]) for one in move] == [([suppliers["DG"]], False)]
    assert not [one for one in cheaper["options"] if one["kind"] == "move"]

    campaign_id = told["campaign_id"]
    body = {"units": go["short_units"], "fingerprint": asked[0]["fingerprint"]}
    assert api("POST", f"/campaigns/{campaign_id}/tolerance-fills", body)[0] == 201


def test_extensions_are_kept_with_the_landing_and_drawn_again_with_it(brand: Database) -> None:
    draw_landings(brand)
    draw_landings(brand)
    with brand.reading() as session:
        landing = next(iter(queries.latest_landings(session).values()))
        longer = queries.extensions(session, landing=landing)
    assert list(longer) == [3, 7, 14]
    assert all(one.mean >= landing.mean and one.units == landing.units for one in longer.values())
