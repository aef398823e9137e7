"""Doors of the pool: its API for those who decide, and nothing of it, however small, for suppliers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.access import Role
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demands
from support import brand
from support.shop import bearer

OPENING = dt.datetime(2026, 11, 12, 12, 0, 7, tzinfo=dt.UTC)
FEWEST = 5
"""Buyers below which a cell is nobody's to see who only makes the goods."""
OF_BUYERS = ("buyer", "pledges", "signals", "raw_units", "valid_units", "expected_thousandths", "PS-BAG")


@pytest.fixture
def pool(db: Database, tmp_path: Path) -> None:
    """A plan's network, a campaign with pledges, and two accounts that pledged four times within a minute."""
    brand.load_network(db, tmp_path)
    brand.load_campaign(db, tmp_path, pledges=3)
    times = [OPENING + dt.timedelta(minutes=97 * n) for n in range(30)]
    people = [
        f"h{n},pledge,BAG,CN-GD,1,199.00,CNY,{at.isoformat()},h{n},PS-BAG," for n, at in enumerate(times)
    ]
    times = [OPENING + dt.timedelta(hours=1, seconds=13 * n) for n in range(4)]
    odd = [f"o{n},pledge,BAG,CN-FJ,1,199.00,CNY,{at.isoformat()},o,PS-BAG," for n, at in enumerate(times)]
    brand.load_orders(db, tmp_path, rows=[*people, *odd], name="odd.csv")


@pytest.mark.usefixtures("pool")
def test_a_cluster_is_listed_decided_and_the_word_taken_back(
    client: FlaskClient, db: Database, now: dt.datetime
) -> None:
    headers = bearer(db, now=now)

    def ask(word: str | None = None, key: str = "", status: int = 200) -> Any:
        address = f"/api/v1/demand/reviews{'/' + key if key else ''}"
        if word is None:
            reply = client.get(address, headers=headers)
        else:
            reply = client.post(address, headers=headers, json={"word": word})
        assert reply.status_code == status, reply.text
        return reply.json

    def figures() -> tuple[Any, Any]:
        with db.reading() as session:
            assert demands.recount(session) == []
            return demands.waterfall(session), demands.count_reviews(session)

    before, (one,) = figures(), ask()["clusters"]
    assert (one["signals"], one["evidence"]["rule"]) == (4, "velocity")
    ask("undo", one["key"], 404)
    for word, valid in (("exclude", 33), ("count", 37)):
        assert ask(word, one["key"]) == {"signals": 4}
        water, waiting = figures()
        assert (water.valid_units, waiting) == (valid, 0)
        told = ask()
        assert [(d["key"], d["excluded"]) for d in told["decided"]] == [(one["key"], word == "exclude")]
        assert ask("undo", one["key"]) == {"signals": 4}
        assert figures() == before and ask()["decided"] == [] and ask()["clusters"] == [one]
    ask("undo", one["key"], 404)
    ask("perhaps", one["key"], 422)


@pytest.mark.usefixtures("pool")
def test_the_pool_opens_from_the_whole_to_its_signals(
    client: FlaskClient, db: Database, now: dt.datetime
) -> None:
    headers = bearer(db, now=now)

    def ask(path: str, status: int = 200) -> Any:
        reply = client.get(f"/api/v1/demand/{path}", headers=headers)
        assert reply.status_code == status, reply.text
        return reply.json

    (whole,) = ask("expected")
    assert whole["raw_units"] == 37 and whole["to_plan_thousandths"] == 37 * 750
    for by in ("campaign", "sku", "region", "channel", "day"):
        cells = ask(f"expected?by={by}")
        assert sum(one["to_plan_thousandths"] for one in cells) == 37 * 750
        assert by == "day" or all(one["key"] is None or isinstance(one["key"], int) for one in cells)
    region = min(ask("expected?by=region"), key=lambda one: one["raw_units"])
    found = ask(f"signals?region_id={region['key']}&reason=valid&commitment=pledge&limit=3")
    assert len(found) == 3 and region["raw_units"] == 4 and "buyer" not in found[0]
    assert len(ask(f"signals?region_id={region['key']}&before_id={found[-1]['id']}")) == 1
    assert {one["commitment"] for one in ask("weights")["weights"]} >= {"pledge", "wish_list", "enquiry"}
    assert ask("expected?campaign_id=1&channel_id=1", 422)["code"] == "waterfall_filter"
    ask("expected?by=buyer", 422)


@pytest.mark.usefixtures("pool")
def test_exclusions_are_those_of_the_demand_that_is_looked_at(
    client: FlaskClient, db: Database, now: dt.datetime
) -> None:
    headers = bearer(db, now=now)
    (cluster,) = client.get("/api/v1/demand/reviews", headers=headers).json["clusters"]
    client.post(f"/api/v1/demand/reviews/{cluster['key']}", headers=headers, json={"word": "exclude"})

    def told(address: str) -> Any:
        reply = client.get(f"/api/v1/demand/exclusions?{address}", headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json

    everywhere = told("")
    here = everywhere[0]["region_id"]
    assert [one["region_id"] for one in everywhere] == [here] * 4
    with db.reading() as session:
        (elsewhere,) = {one.key for one in demands.expected(session, scope=demands.Scope(), by="region")} - {
            here
        }
    parts = {f"region_id={here}": 4, f"region_id={elsewhere}": 0, "campaign_id=1": 4, "campaign_id=2": 0}
    parts |= {"until=2026-11-12": 0, "since=2026-11-12": 4, "since=2026-11-13": 0}
    assert {part: len(told(part)) for part in parts} == parts
    assert told(f"region_id={here}&limit=2&before_id={everywhere[1]['id']}") == everywhere[2:]

    for region, rows in ((here, 4), (elsewhere, 0)):
        page = client.get(f"/demand?days=0&region={region}&reason=suspected", headers=headers).text
        assert page.count('<tr id="signal-') == rows
        assert f'name="region" value="{region}"' in page, "kept by the list's own choices"


@pytest.mark.usefixtures("pool")
def test_a_supplier_reads_no_cell_of_the_pool_on_any_page_or_in_the_api(
    app: Flask, db: Database, now: dt.datetime
) -> None:
    """Every address that answers to a GET: few buyers are told to nobody who only makes goods."""
    with db.reading() as session:
        regions = demands.expected(session, scope=demands.Scope(), by="region")
        assert min(one.raw_units for one in regions) < FEWEST
        supplier = min(catalog.names(session).suppliers)
    headers = bearer(db, Role.SUPPLIER, now=now, supplier_id=supplier)
    client, read = app.test_client(), []
    for rule in app.url_map.iter_rules():
        if (
            "GET" not in (rule.methods or ())
            or rule.endpoint.endswith("static")
            or "filename" in rule.arguments
        ):
            continue
        address = rule.rule
        for name in rule.arguments:
            converter = rule._converters[name].__class__.__name__
            value = "1" if converter == "IntegerConverter" else "CN-GD"
            address = address.replace(f"<int:{name}>", value).replace(f"<string:{name}>", value)
            address = address.replace(f"<path:{name}>", value).replace(f"<{name}>", value)
        reply = client.get(address, headers=headers)
        roles = getattr(app.view_functions[rule.endpoint], "__roles__", ("public",))
        if "supplier" not in roles and "public" not in roles and "anyone signed in" not in roles:
            assert reply.status_code in (403, 404, 405), (address, reply.status_code)
        elif reply.status_code == 200 and "openapi" not in address:
            read.append(address)
            found = [word for word in OF_BUYERS if word in reply.text]
            assert not found, (address, found)
    assert "/supplier" in read and "/api/v1/plan-lines" in read
    assert not any("demand" in address for address in read)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_pages_of_the_pool_answer_in_both_languages(
    client: FlaskClient, db: Database, now: dt.datetime, language: str
) -> None:
    headers = {**bearer(db, now=now), "Accept-Language": language}
    paths = ["", "/weights", "/review", "/signals?days=0", "/signals?day=2026-11-12", "/signals?day=never"]
    paths += [f"/parts?days=0&by={by}" for by in ("campaign", "sku", "region", "channel", "day", "buyer")]
    paths += ["/parts?by=channel&campaign=1", "/signals?reason=valid&campaign=1&commitment=pledge&before=3"]
    for path in paths:
        page = client.get(f"/demand{path}", headers=headers)
        assert page.status_code == 200, path
    told = client.get("/demand/review", headers=headers).text
    assert ("60秒钟内下了4 笔认购" if language == "zh-CN" else "made 4 pledges within 60 seconds") in told
