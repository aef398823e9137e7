"""Vote rounds from opening to score: ballots, who counts, conversion, and what votes promised."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.core import audit
from app.core.access import SYSTEM, Role
from app.core.db import Database
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from support.brand import CAMPAIGN, NOW, load, load_network, load_orders
from support.shop import bearer

OPENED = "2026-10-01T10:00:00+08:00"
CLOSED = "2026-10-11T10:00:00+08:00"
ROUND = {
    "code": "AUTUMN",
    "name": "Which bag?",
    "name_zh": "选哪款包？",
    "opens_at": OPENED,
    "closes_at": CLOSED,
    "designs": [
        {"code": "TOTE", "name": "Tote", "name_zh": "托特包", "category": "bags"},
        {"code": "SLING", "name": "Sling", "category": "bags"},
    ],
}


class Api:
    """A merchandiser's token on the API."""

    def __init__(self, app: Flask, role: Role = Role.MERCHANDISER) -> None:
        self._client = app.test_client()
        self._headers = bearer(app.extensions["headwater"].db, role, now=NOW)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = self._client.open(f"/api/v1{path}", method=method, json=body, headers=self._headers)
        return answer.status_code, answer.get_json()


@pytest.fixture
def api(app: Flask) -> Api:
    return Api(app)


def ballot(buyer: str, design: str, **more: Any) -> dict[str, Any]:
    return {
        "channel": "shop",
        "buyer": buyer,
        "design": design,
        "cast_at": "2026-10-05T10:00:00+08:00",
        "verified": True,
    } | more


def test_a_round_is_opened_voted_in_and_closed(api: Api, db: Database) -> None:
    status, opened = api("POST", "/vote-rounds", ROUND)
    assert (status, opened["state"], opened["ballots"]) == (201, "open", 0)
    here = f"/vote-rounds/{opened['id']}"
    assert api("POST", "/vote-rounds", ROUND)[1]["code"] == "round_known"

    first = api("POST", f"{here}/ballots", ballot("u1", "TOTE"))
    again = api("POST", f"{here}/ballots", ballot("u1", "TOTE"))
    later = api("POST", f"{here}/ballots", ballot("u1", "SLING", cast_at="2026-10-06T10:00:00+08:00"))
    older = api("POST", f"{here}/ballots", ballot("u1", "TOTE", cast_at="2026-10-05T11:00:00+08:00"))
    assert [one[1]["result"] for one in (first, again, later, older)] == [
        "accepted",
        "unchanged",
        "changed",
        "outdated",
    ]
    batch = [
        ballot("u2", "TOTE"),
        ballot("u3", "TOTE", verified=False),
        ballot("u4", "BUCKET"),
        ballot("u5", "TOTE", cast_at="2026-10-12T10:00:00+08:00"),
        ballot("u6", "TOTE", cast_at="2027-10-12T10:00:00+08:00"),
        ballot(" ", "TOTE"),
        ballot("u7", "TOTE", colour="red"),
        "no object",
    ]
    status, results = api("POST", f"{here}/ballots:batch", batch)
    assert status == 200
    assert [(one["result"], one["code"]) for one in results] == [
        ("accepted", None),
        ("accepted", None),
        ("rejected", "design_unknown"),
        ("rejected", "ballot_outside_round"),
        ("rejected", "ballot_time_invalid"),
        ("rejected", "buyer_missing"),
        ("rejected", "field_unknown"),
        ("rejected", "row_not_object"),
    ]
    status, told = api("GET", here)
    assert (told["ballots"], told["voters"]) == (3, 2)  # u3 is neither verified nor known
    assert [(one["design"]["code"], one["votes"], one["share"]) for one in told["shares"]] == [
        ("SLING", 1, 0.5),
        ("TOTE", 1, 0.5),
    ]
    assert all(one["low"] < 0.5 < one["high"] and one["expected"]["units"] > 0 for one in told["shares"])

    status, closed = api("POST", f"{here}/close")
    assert (status, closed["state"], closed["closes_at"]) == (200, "closed", opened["closes_at"])
    assert api("POST", f"{here}/close")[1]["code"] == "round_closed"
    # cast in time, and only arrives now
    assert api("POST", f"{here}/ballots", ballot("u8", "TOTE"))[1]["result"] == "accepted"
    with db.reading() as session:
        actions = [entry.action for entry in audit.entries(session) if entry.action.startswith("round.")]
    assert sorted(actions) == ["round.closed", "round.opened"]


def test_a_round_closed_early_takes_no_later_vote(api: Api) -> None:
    body = ROUND | {"closes_at": "2026-12-11T10:00:00+08:00"}
    here = f"/vote-rounds/{api('POST', '/vote-rounds', body)[1]['id']}"
    ahead = ballot("u1", "TOTE", cast_at="2026-11-23T09:04:00+00:00")  # the channel's clock is
    assert api("POST", f"{here}/ballots", ahead)[1]["result"] == "accepted"
    assert dt.datetime.fromisoformat(api("POST", f"{here}/close")[1]["closes_at"]) == NOW + dt.timedelta(
        minutes=4
    )
    assert api("GET", here)[1]["voters"] == 1
    status, refused = api("POST", f"{here}/ballots", ballot("u2", "TOTE", cast_at="2026-11-23T09:05:00Z"))
    assert (status, refused["code"]) == (422, "ballot_invalid")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"closes_at": OPENED}, "round_window"),
        ({"opens_at": "0001-01-01T00:00:00+14:00"}, "round_window"),
        ({"designs": ROUND["designs"][:1]}, "round_designs"),  # type: ignore[index]
        ({"code": "a b"}, "code_invalid"),
        ({"name": "a\u0000b"}, "fields_invalid"),
    ],
)
def test_a_round_that_makes_no_sense_is_refused(api: Api, changes: dict[str, Any], code: str) -> None:
    status, refused = api("POST", "/vote-rounds", ROUND | changes)
    assert status == 422
    assert refused["code"] == code or code == "fields_invalid"
    assert api("GET", "/vote-rounds")[1] == []


def test_votes_are_for_merchandisers(app: Flask) -> None:
    planner = Api(app, Role.WAREHOUSE_PLANNER)
    assert planner("GET", "/vote-rounds")[0] == planner("POST", "/vote-rounds", ROUND)[0] == 403


def test_votes_become_orders_a_promise_and_a_score(api: Api, db: Database, tmp_path: Path) -> None:
    """Ten vote for the bag, four of them pledge in its campaign, which lands at twenty bags."""
    load(db, tmp_path, orders=False)  # 20 bags by p0 … p19, in a campaign that opens on 9 November
    here = f"/vote-rounds/{api('POST', '/vote-rounds', ROUND)[1]['id']}"
    rows = [ballot(f"p{number}", "TOTE", verified=number != 0) for number in range(4)]
    rows += [ballot(f"v{number}", "TOTE") for number in range(7)] + [ballot("w1", "SLING")]
    api("POST", f"{here}/ballots:batch", rows)
    status, made = api("PUT", "/designs/TOTE/skus", {"skus": ["BAG"]})
    assert (status, len(made["sku_ids"])) == (200, 1)
    assert api("PUT", "/designs/SLING/skus", {"skus": ["BAG"]})[1]["code"] == "sku_of_other_design"
    assert api("PUT", "/designs/SLING/skus", {"skus": ["a\u0000"]})[1]["code"] == "fields_invalid"
    assert api("PUT", "/designs/NONE/skus", {"skus": []})[0] == 404

    with db.transaction() as session:
        assert demand.close_due_rounds(session, now=NOW) == 1
        assert demand.follow_votes(session, now=NOW) == 1
        assert demand.follow_votes(session, now=NOW) == 0
    prior = api("GET", "/vote-priors")[1][0]
    # p0 is not verified, and pledged only after the round: no vote that counts
    assert (prior["voters"], prior["learnt"], prior["rate"], prior["landed_units"]) == (10, 0, 0.1, None)
    assert prior["units"] == pytest.approx(3.0)
    assert api("GET", "/vote-conversions")[1][0]["campaigns"] == 0

    over = NOW + dt.timedelta(days=30)
    with db.transaction() as session:
        demand.close_due_campaigns(session, now=over)
        assert demand.follow_votes(session, now=over) == 1
        assert demand.follow_votes(session, now=over) == 0
        told = demands.category_conversions(session, until=over)[0]
        votes = [(1, "bags", 100)]
        before = demands.expected_volumes(session, votes=votes, until=NOW)[1]
        after = demands.expected_volumes(session, votes=votes, until=over)[1]
    scored = api("GET", "/vote-priors")[1][0]
    assert (scored["ordered"], scored["landed_units"]) == (3, 20)
    assert (scored["units"], scored["rate"]) == (prior["units"], prior["rate"])
    assert (told.campaigns, told.voters, told.ordered) == (1, 10, 3)
    assert 0.10 < told.rate < 0.30
    assert (before.learnt, after.learnt) == (0, 1)
    assert after.units > before.units


def test_a_buyer_with_a_valid_pledge_from_before_the_close_is_known(
    api: Api, db: Database, tmp_path: Path
) -> None:
    load_network(db, tmp_path)
    path = tmp_path / "early.csv"
    path.write_text(CAMPAIGN.replace("2026-11-09", "2026-10-01"), encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    here = f"/vote-rounds/{api('POST', '/vote-rounds', ROUND)[1]['id']}"
    api("POST", f"{here}/ballots:batch", [ballot(one, "TOTE", verified=False) for one in ("k", "l", "m")])
    assert api("GET", here)[1]["voters"] == 0
    rows = [
        "K,pledge,BAG,CN-GD,1,199.00,CNY,2026-10-08T10:00:00+08:00,k,PS-BAG,",
        "L,pledge,BAG,CN-GD,1,199.00,CNY,2026-10-12T10:00:00+08:00,l,PS-BAG,",  # after the close
        "M,pledge,BAG,CN-GD,1,199.00,CNY,2026-10-08T10:00:00+08:00,m,PS-BAG,cancelled",
    ]
    load_orders(db, tmp_path, rows=rows, name="known.csv")
    assert api("GET", here)[1]["voters"] == 1


def test_a_campaign_follows_the_last_round_of_its_design_and_only_the_first_campaign_follows(
    api: Api, db: Database, tmp_path: Path
) -> None:
    load(db, tmp_path, orders=False)
    heading, line = CAMPAIGN.splitlines()
    path = tmp_path / "second.csv"
    second = line.replace("PS-BAG", "PS-BAG-2").replace("2026-11-09", "2026-11-16")
    path.write_text(f"{heading}\n{second}\n", encoding="utf-8")
    with db.transaction() as session:
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    for code, closes, votes in (("R1", CLOSED, 3), ("R2", "2026-10-21T10:00:00+08:00", 5)):
        opened = api("POST", "/vote-rounds", ROUND | {"code": code, "closes_at": closes})[1]
        rows = [ballot(f"{code}{number}", "TOTE") for number in range(votes)]
        api("POST", f"/vote-rounds/{opened['id']}/ballots:batch", rows)
    api("PUT", "/designs/TOTE/skus", {"skus": ["BAG"]})
    with db.transaction() as session:
        demand.follow_votes(session, now=NOW)
    priors = api("GET", "/vote-priors")[1]
    campaigns = {one["id"]: one["code"] for one in api("GET", "/campaigns")[1]}
    assert [(campaigns[one["campaign_id"]], one["voters"]) for one in priors] == [("PS-BAG", 5)]
