"""How many buyers a campaign has: kept with its signals by every door, told to whoever decides, mended."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core import schema
from app.core.access import SYSTEM, Role
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.queries.sketches import counted_sketches, stored_sketches
from app.stages.demand.rules.buyers import buyers, united
from support import brand
from support.shop import PLEDGE, bearer

HEADING = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"


@pytest.fixture
def campaign(db: Database, tmp_path: Path) -> int:
    """Eleven buyers: five on the 10th, of whom two come again on the 12th with four others, two nameless."""
    brand.load_network(db, tmp_path)
    brand.load_campaign(db, tmp_path, pledges=5)
    others = ["p0", "p1", "q0", "q1", "q2", "q3", "", ""]
    rows = [
        f"Q{place},{'pledge' if place % 2 else 'deposit'},BAG,CN-FJ,1,199.00,CNY,2026-11-12T10:00:00+08:00,"
        f"{buyer},PS-BAG,{'cancelled' if place == 5 else ''}"
        for place, buyer in enumerate(others)
    ]
    rows += [
        f"W{place},waitlist,BAG,CN-FJ,1,,CNY,2026-11-12T10:00:00+08:00,w{place},PS-BAG," for place in range(9)
    ]
    brand.load_orders(db, tmp_path, rows=rows, name="later.csv")
    with db.reading() as session:
        return demands.campaign_ids(session)["PS-BAG"]


def online(client: FlaskClient, db: Database, now: dt.datetime, *, buyer: str) -> None:
    body = PLEDGE | {
        "sku": "BAG",
        "campaign": "PS-BAG",
        "unit_price": "199.00",
        "quantity": 1,
        "buyer": buyer,
    }
    body |= {"external_id": f"online {buyer}", "ordered_at": "2026-11-14T10:00:00+08:00"}
    answer = client.post("/api/v1/pledges", json=body, headers=bearer(db, now=now))
    assert answer.status_code == 201, answer.text


def test_who_ordered_is_told_by_the_api_for_all_days_and_counted_for_some(
    client: FlaskClient, db: Database, campaign: int, now: dt.datetime
) -> None:
    """Interest and orders without a buyer add nobody; who cancelled came, and who comes again is one."""
    headers = bearer(db, now=now, email="other@x.example")
    assert client.get(f"/api/v1/campaigns/{campaign}", headers=headers).get_json()["buyers"] == 9
    online(client, db, now, buyer="new")
    assert client.get(f"/api/v1/campaigns/{campaign}", headers=headers).get_json()["buyers"] == 10
    outlook = client.get(f"/api/v1/campaigns/{campaign}/close-outlook", headers=headers).get_json()
    assert outlook["buyers"] == 10
    with db.reading() as session:
        days = [dt.date(2026, 11, day) for day in (10, 12, 14, 15)]
        of = [
            demands.campaign_buyers(session, campaign_id=campaign, since=since, until=until)
            for since, until in ((days[0], days[1]), (days[1], days[2]), (days[1], None), (days[3], None))
        ]
        assert of == [5, 6, 7, 0]
        region = catalog.names(session).regions
        places = {name.code: id_ for id_, name in region.items()}
        scope = demands.Scope(campaign_id=campaign, region_id=places["CN-FJ"])
        assert demands.count_buyers(session, scope=scope) == 6
        assert demands.count_buyers(session, scope=demands.Scope(region_id=places["CN-FJ"])) is None
        assert demands.recount(session) == []


def test_what_waits_counts_and_folding_changes_nothing(
    client: FlaskClient, db: Database, campaign: int, now: dt.datetime
) -> None:
    online(client, db, now, buyer="new")
    with db.reading() as session:
        before = stored_sketches(session)
        assert session.scalar(text("SELECT count(*) FROM demand_change WHERE sketch IS NOT NULL")) == 1
    with db.transaction() as session:
        demand.fold_changes(session)
    with db.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM demand_change")) == 0
        assert stored_sketches(session) == before == counted_sketches(session)


def signed_in(client: FlaskClient, db: Database, now: dt.datetime) -> FlaskClient:
    bearer(db, Role.MERCHANDISER, now=now)
    token = client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"email": "merchandiser@x.example", "password": "long enough!", "csrf_token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    return client


def test_pages_tell_it_where_a_campaign_is_looked_at(
    client: FlaskClient, db: Database, campaign: int, now: dt.datetime
) -> None:
    client = signed_in(client, db, now)
    assert "≈ 9 buyers ordered" in client.get(f"/campaigns/{campaign}").text
    assert "≈ 9 buyers ordered" in client.get(f"/demand?campaign={campaign}&days=0").text
    assert "buyers ordered" not in client.get("/demand?days=0").text
    assert "9 buyers ordered here" in client.get(f"/demand/signals?campaign={campaign}").text


def test_forgetting_a_buyer_leaves_the_sketch_and_a_lost_one_is_found_and_mended(
    app: Flask, db: Database, campaign: int, now: dt.datetime
) -> None:
    with db.reading() as session:
        before = stored_sketches(session)
        known = session.scalar(text("SELECT min(buyer) FROM signal WHERE external_id = 'P1'"))
    with db.transaction() as session:
        demand.erase_buyer(session, pseudonyms=[known or ""], actor=SYSTEM, now=now)
    with db.reading() as session:
        assert (stored_sketches(session), demands.recount(session)) == (before, [])
        assert buyers(united(counted_sketches(session).values())) == 8
    with db.transaction() as session:
        session.execute(text("DELETE FROM campaign_buyers WHERE day = '2026-11-12'"))
    with db.reading() as session:
        wrong = [("campaign_buyers", (campaign, dt.date(2026, 11, 12)))]
        assert [(one.roll_up, one.key) for one in demands.recount(session)] == wrong
    runner = app.test_cli_runner()
    assert "1 days lacked buyers" in runner.invoke(args=["count-buyers"]).stdout
    assert "0 days lacked buyers" in runner.invoke(args=["count-buyers"]).stdout
    with db.reading() as session:
        assert demands.recount(session) == []


def test_buyers_who_came_before_there_were_sketches_are_in_them(db: Database, campaign: int) -> None:
    with db.reading() as session:
        before = stored_sketches(session)
    schema.downgrade(db, revision="0026")
    schema.migrate(db)
    with db.reading() as session:
        assert stored_sketches(session) == before == counted_sketches(session)


def test_a_sketch_of_somebody_who_never_came_is_found(db: Database, campaign: int) -> None:
    with db.transaction() as session:
        foreign: dict[str, Any] = {"id": campaign, "sketch": (77 * 32 + 9).to_bytes(2, "little")}
        session.execute(
            text(
                "INSERT INTO campaign_buyers (campaign_id, day, sketch) VALUES (:id, '2026-11-20', :sketch)"
            ),
            foreign,
        )
    with db.reading() as session:
        assert [one.key for one in demands.recount(session)] == [(campaign, dt.date(2026, 11, 20))]
