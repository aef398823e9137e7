"""Tolerance of buyers: taken with pledges and from files, used by a person, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from integration.test_votes import Api

from app.core import audit
from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from support.brand import CAMPAIGN, NOW, load_network, load_orders
from support.shop import send

HEADINGS = (
    "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status,"
    "min_quantity,max_quantity,flexible_skus"
)


@pytest.fixture
def api(app: Flask, db: Database, tmp_path: Path) -> Api:
    """A campaign of two SKUs, mugs and bags, with at most five units a buyer."""
    load_network(db, tmp_path)
    heading, bag = CAMPAIGN.splitlines()
    bag = bag.replace(",,0:", ",5,0:")
    path = tmp_path / "campaigns.csv"
    path.write_text("\n".join([heading, bag, bag.replace(",BAG,", ",MUG,")]) + "\n", encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    return Api(app)


def pledge(number: int, **more: Any) -> dict[str, Any]:
    return {
        "channel": "shop",
        "external_id": f"P{number}",
        "commitment": "pledge",
        "sku": "BAG",
        "region": "CN-GD",
        "quantity": 2,
        "unit_price": "199.00",
        "currency": "CNY",
        "ordered_at": f"2026-11-1{number}T10:00:00+08:00",
        "buyer": f"b{number}",
        "campaign": "PS-BAG",
    } | more


def test_no_other_sku_is_taken_below_its_moq(api: Api, db: Database) -> None:
    mugs = [
        pledge(number, sku="MUG", flexible_skus=["BAG"]) for number in range(7)
    ]  # 14 of a MOQ of 10: two can go
    api("POST", "/pledges:batch", mugs)
    here, bag = f"/campaigns/{api('GET', '/campaigns')[1][0]['id']}", _sku(db, "BAG")
    proposal = api("GET", f"{here}/tolerance?sku_id={bag}&units=12")[1]
    assert (proposal["gained"], proposal["buyers"]) == (4, 2)
    body = {"sku_id": bag, "units": 12, "fingerprint": proposal["fingerprint"]}
    assert api("POST", f"{here}/tolerance-fills", body)[1]["gained_units"] == 4
    assert api("GET", f"{here}/tolerance?sku_id={bag}&units=12")[1]["gained"] == 0
    api("DELETE", "/pledges/shop/P6")  # now mugs miss their MOQ whatever is done: the others may go
    assert api("GET", f"{here}/tolerance?sku_id={bag}&units=12")[1]["gained"] == 8


def test_tolerance_fills_a_line_and_is_taken_back(api: Api, db: Database) -> None:
    sent = [
        pledge(0, min_quantity=2, max_quantity=4),
        pledge(1, max_quantity=9),  # the limit of 5 holds
        pledge(2, sku="MUG", flexible_skus=["BAG"]),
        pledge(3),
    ]
    status, results = api("POST", "/pledges:batch", sent)
    assert (status, {one["result"] for one in results}) == (200, {"accepted"})
    campaign = api("GET", "/campaigns")[1][0]
    here = f"/campaigns/{campaign['id']}"
    bag = _sku(db, "BAG")

    proposal = api("GET", f"{here}/tolerance")[1]
    assert (proposal["wanted"], proposal["gained"], proposal["buyers"]) == (campaign["go_units"] - 8, 5, 2)
    proposal = api("GET", f"{here}/tolerance?sku_id={bag}&units=6")[1]
    assert (proposal["gained"], proposal["buyers"]) == (7, 3)
    assert [(one["from_quantity"], one["to_quantity"]) for one in proposal["steps"]] == [
        (2, 4),
        (2, 5),
        (2, 2),
    ]

    body = {"sku_id": bag, "units": 6, "fingerprint": proposal["fingerprint"]}
    status, used = api("POST", f"{here}/tolerance-fills", body)
    assert (status, used["gained_units"], used["buyers"], used["undone_at"]) == (201, 7, 3, None)
    assert api("GET", here)[1]["valid_units"] == 8 + 5
    again = api("POST", f"{here}/tolerance-fills", body)
    assert (again[0], again[1]["code"]) == (409, "proposal_moved")
    # what was sent is known as it was sent, although it counts otherwise now
    assert {one["result"] for one in api("POST", "/pledges:batch", sent)[1]} == {"duplicate"}
    # a buyer's later word stands, also after the fill is taken back
    api("PATCH", "/pledges/shop/P0", {"quantity": 1})

    status, undone = api("DELETE", f"/tolerance-fills/{used['id']}")
    assert (status, undone["undone_by"]) == (200, "merchandiser@x.example")
    assert api("DELETE", f"/tolerance-fills/{used['id']}")[1]["code"] == "fill_undone"
    assert api("GET", here)[1]["valid_units"] == 7
    assert [one["id"] for one in api("GET", f"{here}/tolerance-fills")[1]] == [used["id"]]
    with db.reading() as session:
        assert demands.recount(session) == []
        actions = [entry.action for entry in audit.entries(session)]
    assert actions.count("tolerance.applied") == actions.count("tolerance.undone") == 1
    assert {one["result"] for one in api("POST", "/pledges:batch", sent)[1]} == {"duplicate"}


def _sku(db: Database, code: str) -> int:
    with db.reading() as session:
        return catalog.sku_ids(session)[code]


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"min_quantity": 3}, "min_quantity", "tolerance_range"),
        ({"max_quantity": 1}, "max_quantity", "tolerance_range"),
        ({"min_quantity": 4, "max_quantity": 3}, "min_quantity", "tolerance_range"),
        ({"max_quantity": 0}, "max_quantity", "tolerance_invalid"),
        ({"min_quantity": -1}, "min_quantity", "tolerance_invalid"),
        ({"max_quantity": 1.5}, "max_quantity", "field_invalid"),
        ({"max_quantity": 2_000_000_000}, "max_quantity", "tolerance_range"),
        ({"max_quantity": 10**30}, "max_quantity", "tolerance_invalid"),
        ({"flexible_skus": ["CUP"]}, "flexible_skus", "tolerance_sku_unknown"),
        ({"flexible_skus": ["BAG"], "campaign": None}, "flexible_skus", "tolerance_no_campaign"),
        ({"flexible_skus": "BAG"}, "flexible_skus", "field_invalid"),
        ({"flexible_skus": ["BAG|MUG"]}, "flexible_skus", "field_invalid"),
        ({"flexible_skus": [7]}, "flexible_skus", "field_invalid"),
    ],
)
def test_tolerance_without_sense_is_refused(api: Api, more: dict[str, Any], field: str, code: str) -> None:
    status, refused = api("POST", "/pledges", pledge(1, **more))
    assert status == 422
    assert [(one["field"], one["code"]) for one in refused["errors"]] == [(field, code)]


def test_another_tolerance_under_the_same_identity_is_a_conflict_and_none_is_not(api: Api) -> None:
    first = pledge(1, max_quantity=4, flexible_skus=["MUG", "BAG"])
    assert api("POST", "/pledges", first)[0] == 201
    assert api("POST", "/pledges", first | {"flexible_skus": ["BAG", "MUG"]})[0] == 200
    assert api("POST", "/pledges", pledge(1))[0] == 200
    assert api("POST", "/pledges", first | {"max_quantity": 3})[0] == 409
    assert api("POST", "/pledges", first | {"flexible_skus": ["MUG"]})[0] == 409


def test_tolerance_comes_from_files_as_well(api: Api, db: Database, tmp_path: Path) -> None:
    row = "{},pledge,BAG,CN-GD,2,199.00,CNY,2026-11-10T10:00:00+08:00,{},PS-BAG,,{}"
    rows = [
        row.format("F1", "f1", "2,4,"),
        row.format("F2", "f2", ",,MUG | BAG"),
        row.format("F3", "f3", "3,,"),
        row.format("F4", "f4", ",,CUP"),
        row.format("F5", "f5", ",x,"),
        row.format("F6", "f6", ",,"),
    ]
    content = "\n".join([HEADINGS, *rows]) + "\n"
    for name in ("tolerant.csv", "again.csv"):
        fact = send(db, tmp_path / name, content, now=NOW)
        content += "\n"  # the same rows in a file that is not the same
        assert (fact.accepted, fact.duplicate, fact.rejected) == (
            (3, 0, 3) if name != "again.csv" else (0, 3, 3)
        )
    rejects = api("GET", f"/imports/{fact.batch_id}/rejects")[1]
    assert [(one["column"], one["code"]) for one in rejects] == [
        ("min_quantity", "tolerance_range"),
        ("flexible_skus", "tolerance_sku_unknown"),
        ("max_quantity", "tolerance_invalid"),
    ]
    campaign = api("GET", "/campaigns")[1][0]
    assert api("GET", f"/campaigns/{campaign['id']}/tolerance")[1]["gained"] == 2
    api("POST", "/pledges", pledge(7))  # bags enough for their MOQ without the one that may go
    assert (
        api("GET", f"/campaigns/{campaign['id']}/tolerance?sku_id={_sku(db, 'MUG')}&units=1")[1]["gained"]
        == 2
    )


def test_a_campaign_that_is_settled_keeps_its_pledges(api: Api, db: Database) -> None:
    api("POST", "/pledges", pledge(1, max_quantity=4))
    here = f"/campaigns/{api('GET', '/campaigns')[1][0]['id']}"
    proposal = api("GET", f"{here}/tolerance?units=1")[1]
    empty = api("GET", f"{here}/tolerance?units=0")[1]
    assert (empty["steps"], empty["buyers"]) == ([], 0)
    nobody = api("GET", f"{here}/tolerance?sku_id={_sku(db, 'MUG')}&units=1")[1]
    body = {"sku_id": _sku(db, "MUG"), "units": 1, "fingerprint": nobody["fingerprint"]}
    assert api("POST", f"{here}/tolerance-fills", body)[1]["code"] == "fill_nothing"
    with db.transaction() as session:
        demand.close_due_campaigns(session, now=NOW.replace(year=2027))
    body = {"units": 1, "fingerprint": proposal["fingerprint"]}
    assert api("POST", f"{here}/tolerance-fills", body)[1]["code"] == "campaign_settled"
    assert api("DELETE", "/tolerance-fills/99")[0] == 404


def test_unused_columns_cost_no_row(api: Api, db: Database, tmp_path: Path) -> None:
    load_orders(db, tmp_path)
    with db.reading() as session:
        assert demands.tolerant_pledges(session, campaign_id=1) == []
