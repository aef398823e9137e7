"""Where running campaigns land: drawn once a day, in parts that add up, from curves that were complete."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask

from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import Conflict, NotFound
from app.stages.catalog import queries as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.forecasts import operations, queries
from support.brand import CAMPAIGN, MONDAY, NOW, draw_landings, load, load_campaign, load_network, load_orders
from support.shop import bearer


@pytest.fixture
def brand(db: Database, tmp_path: Path) -> Database:
    load(db, tmp_path, orders=False)
    return db


def pledge(
    number: str, day: str, *, quantity: int = 1, region: str = "CN-GD", campaign: str = "PS-BAG"
) -> str:
    return f"{number},pledge,BAG,{region},{quantity},199.00,CNY,{day}T10:00:00+08:00,b{number},{campaign},"


def past_campaigns(db: Database, folder: Path, *, count: int = 9) -> None:
    """Finished ones: of each, a third of 30 units came half way, the rest on the last day."""
    heading, line = CAMPAIGN.splitlines()
    rows, pledges = [], []
    for number in range(count):
        opens = MONDAY - dt.timedelta(weeks=8 + 5 * number)
        half, closes = opens + dt.timedelta(days=10), opens + dt.timedelta(days=20)
        rows.append(
            line.replace("PS-BAG", f"PS-{number}")
            .replace("2026-11-09", str(opens))
            .replace("2026-12-04", str(closes))
        )
        pledges += [
            pledge(f"H{number}", str(half), quantity=10, campaign=f"PS-{number}"),
            pledge(f"L{number}", str(closes), quantity=20, campaign=f"PS-{number}"),
        ]
    path = folder / "past.csv"
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    load_orders(db, folder, rows=pledges, name="past-pledges.csv")
    with db.transaction() as session:
        assert demand.close_due_campaigns(session, now=NOW) == count


def landing(db: Database) -> queries.LandingFact:
    with db.reading() as session:
        return queries.last_landing(session, campaign_id=demands.campaign_ids(session)["PS-BAG"])


def test_a_running_campaign_lands_with_parts_that_add_up(brand: Database, tmp_path: Path) -> None:
    load_orders(brand, tmp_path, rows=[pledge("F1", "2026-11-12", quantity=9, region="CN-FJ")], name="f.csv")
    assert draw_landings(brand) == 1
    seen = landing(brand)
    assert (seen.as_of, seen.elapsed_day, seen.window_days, seen.units) == (MONDAY, 14, 26, 29)
    assert (seen.method, seen.finished) == ("pickup-prior", 0)
    assert seen.units <= seen.lo_95 <= seen.lo_80 <= seen.median <= seen.hi_80 <= seen.hi_95
    with brand.reading() as session:
        lines = queries.landing_lines(session, campaign_id=seen.campaign_id, as_of=seen.as_of)
        regions = {id_: code for code, (id_, _) in catalog.region_ids(session).items()}
    assert {regions[line.region_id]: line.units for line in lines} == {"CN-GD": 20, "CN-FJ": 9}
    assert sum(line.mean for line in lines) == pytest.approx(seen.mean)


def test_finished_campaigns_teach_how_much_comes_at_the_end(brand: Database, tmp_path: Path) -> None:
    draw_landings(brand)
    alone = landing(brand)
    past_campaigns(brand, tmp_path)
    draw_landings(brand)
    taught = landing(brand)
    assert taught.finished == 9
    assert taught.mean != pytest.approx(alone.mean, rel=0.05)
    assert taught.method != alone.method
    # Half way through, finished campaigns stood at a third of where they landed.
    assert taught.mean > 20 * 1.7


def test_pledges_of_the_day_itself_are_not_looked_at(brand: Database, tmp_path: Path) -> None:
    draw_landings(brand)
    before = landing(brand)
    load_orders(brand, tmp_path, rows=[pledge("T1", str(MONDAY), quantity=30)], name="today.csv")
    draw_landings(brand)
    assert landing(brand) == before


def test_a_late_pledge_redraws_the_day_and_a_new_day_adds_to_it(brand: Database, tmp_path: Path) -> None:
    draw_landings(brand)
    before = landing(brand)
    load_orders(brand, tmp_path, rows=[pledge("L1", "2026-11-20", quantity=5)], name="late.csv")
    draw_landings(brand)
    after = landing(brand)
    assert (after.as_of, after.units) == (before.as_of, before.units + 5)
    assert after.fingerprint != before.fingerprint
    draw_landings(brand, as_of=MONDAY + dt.timedelta(days=1))
    with brand.reading() as session:
        seen = queries.campaign_landings(session, campaign_id=after.campaign_id)
    assert [one.as_of for one in seen] == [MONDAY, MONDAY + dt.timedelta(days=1)]


def test_a_landing_of_curves_that_moved_meanwhile_is_not_stored(brand: Database, tmp_path: Path) -> None:
    with brand.reading() as session:
        inputs = operations.freeze_landings(session, as_of=MONDAY)
    result = operations.compute_landings(inputs)
    load_orders(brand, tmp_path, rows=[pledge("M1", "2026-11-20")], name="moved.csv")
    with pytest.raises(Conflict) as refused, brand.transaction() as session:
        operations.store_landings(session, inputs=inputs, result=result, now=NOW)
    assert refused.value.code == "landing_stale"
    with pytest.raises(NotFound):
        landing(brand)


def test_a_campaign_without_a_pledge_is_drawn_too(db: Database, tmp_path: Path) -> None:
    load_network(db, tmp_path)
    load_campaign(db, tmp_path, pledges=0)
    past_campaigns(db, tmp_path)
    assert draw_landings(db) == 1
    assert (landing(db).units, landing(db).lo_95 >= 0) == (0, True)
    with db.reading() as session:
        assert queries.landing_lines(session, campaign_id=landing(db).campaign_id, as_of=MONDAY) == []


def test_what_is_over_is_not_drawn(brand: Database) -> None:
    assert draw_landings(brand, as_of=dt.date(2026, 12, 5)) == 0
    assert draw_landings(brand, as_of=dt.date(2026, 11, 9)) == 0  # it opens that day


def test_levers_are_the_nearest_lines_above_a_landing(brand: Database, tmp_path: Path) -> None:
    breaks = "supplier,sku,min_quantity,unit_price\nJDZ,MUG,0,9.00\nYW,MUG,0,9.50\nDG,MUG,0,9.60\n"
    breaks += "DG,BAG,0,80.00\nDG,BAG,30,78.00\nDG,BAG,500,70.00\nDG,BAG,900,69.00\n"
    load_network(brand, tmp_path, changed={"price_breaks": breaks})
    draw_landings(brand)
    with brand.reading() as session:
        (one,) = queries.sku_landings(session, landing=landing(brand))
        (lever,) = one.levers
    assert (one.units, one.moq) == (20, 5)
    assert (lever.units, lever.short_units, lever.saving_minor) == (500, 500 - round(one.mean), 800)
    assert one.lo_80 <= one.mean <= one.hi_80


def test_the_landing_is_told_over_http(app: Flask, brand: Database) -> None:
    draw_landings(brand)
    seen = landing(brand)
    address = f"/api/v1/campaigns/{seen.campaign_id}/landing"
    answer = app.test_client().get(address, headers=bearer(brand, now=NOW))
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["as_of"], told["units"], len(told["lines"])) == ("2026-11-23", 20, 1)
    assert 0 < told["chance_of_going"] < 0.5
    assert told["lo_80"] <= told["median"] <= told["hi_80"]
