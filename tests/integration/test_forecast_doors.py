"""Overrides and accuracy over the API, forecasts and backtests on the command line."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.access import Role
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.forecasts import operations, queries
from support import brand
from support.shop import bearer

OVERRIDES = "/api/v1/forecasts/overrides"
ACCURACY = "/api/v1/forecasts/accuracy"


@pytest.fixture
def sold(db: Database, tmp_path: Path) -> Database:
    brand.load(db, tmp_path, campaign=False)
    return db


def word(db: Database, **other: Any) -> dict[str, Any]:
    with db.reading() as session:
        sku_id = catalog.sku_ids(session)["MUG"]
    return {"sku_id": sku_id, "week": "2026-11-30", "units": 70, "reason": "A fair in town", **other}


def run(app: Flask, *args: str) -> Any:
    return app.test_cli_runner().invoke(args=["forecast", *args])


def test_an_override_is_made_listed_and_withdrawn(client: FlaskClient, sold: Database) -> None:
    headers = bearer(sold, now=brand.NOW)
    made = client.post(OVERRIDES, headers=headers, json=word(sold))
    assert made.status_code == 201
    assert made.json["counts"] is True
    assert (made.json["region_id"], made.json["week"], made.json["units"]) == (None, "2026-11-30", 70)
    assert made.json["created_by"] == "merchandiser@x.example"
    mug = made.json["sku_id"]
    assert client.get(f"{OVERRIDES}?sku_id={mug}", headers=headers).json == [made.json]
    assert client.get(f"{OVERRIDES}?sku_id={mug + 99}", headers=headers).json == []
    gone = client.delete(f"{OVERRIDES}/{made.json['id']}", headers=headers)
    assert (gone.status_code, gone.json["withdrawn_by"]) == (200, "merchandiser@x.example")
    again = client.delete(f"{OVERRIDES}/{made.json['id']}", headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "override_withdrawn")
    assert client.delete(f"{OVERRIDES}/77", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"week": "2026-12-01"}, "fields_invalid"),
        ({"week": "2026-11-16"}, "override_week"),
        ({"units": -1}, "fields_invalid"),
        ({"units": 1.5}, "fields_invalid"),
        ({"units": "70"}, "fields_invalid"),
        ({"reason": ""}, "fields_invalid"),
        ({"reason": " "}, "override_reason"),
        ({"reason": "x" * 501}, "fields_invalid"),
        ({"colour": "red"}, "fields_invalid"),
        ({"sku_id": None}, "fields_invalid"),
        ({"sku_id": 2**64}, "fields_invalid"),
    ],
)
def test_what_is_no_override_is_refused(
    client: FlaskClient, sold: Database, wrong: dict[str, Any], code: str
) -> None:
    answer = client.post(OVERRIDES, headers=bearer(sold, now=brand.NOW), json=word(sold, **wrong))
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_planner_of_warehouses_has_no_word(client: FlaskClient, sold: Database) -> None:
    headers = bearer(sold, Role.WAREHOUSE_PLANNER, now=brand.NOW)
    for answer in (
        client.get(OVERRIDES, headers=headers),
        client.post(OVERRIDES, headers=headers, json=word(sold)),
        client.delete(f"{OVERRIDES}/1", headers=headers),
        client.get(ACCURACY, headers=headers),
    ):
        assert answer.status_code == 403


def test_accuracy_is_told_by_class_region_step_and_week(client: FlaskClient, sold: Database) -> None:
    headers = bearer(sold, now=brand.NOW)
    assert client.get(ACCURACY, headers=headers).json == []
    brand.store_forecast(sold)
    with sold.transaction() as session:
        operations.score_forecasts(session, as_of=brand.MONDAY + dt.timedelta(weeks=2))
    assert [one["key"] for one in client.get(ACCURACY, headers=headers).json] == ["A"]
    weeks = client.get(f"{ACCURACY}?by=week", headers=headers).json
    assert [(one["key"], one["sold_units"], one["wape"]) for one in weeks] == [
        ("2026-11-23", 0, None),
        ("2026-11-30", 0, None),
    ]
    assert [one["key"] for one in client.get(f"{ACCURACY}?by=step", headers=headers).json] == ["1", "2"]
    assert len(client.get(f"{ACCURACY}?by=region", headers=headers).json) == 2
    assert client.get(f"{ACCURACY}?by=colour", headers=headers).status_code == 422


def test_the_command_only_forecasts(app: Flask, sold: Database) -> None:
    said = run(app, "--as-of", "2026-11-23")
    assert said.exit_code == 0, said.output
    assert "as of 2026-11-23: 2 series, 8 weeks" in said.stdout
    told = json.loads(run(app, "--json").stdout.splitlines()[-1])
    with sold.reading() as session:
        latest = queries.latest_run(session, today=brand.MONDAY)
    assert latest is not None
    assert told["forecast_run_id"] == latest.id
    assert len(told["weeks"]) == 8


def test_a_forecast_for_an_earlier_day_is_kept_and_not_shown(
    app: Flask, client: FlaskClient, sold: Database
) -> None:
    headers = bearer(sold, now=brand.NOW)
    for day in ("2026-11-23", "2026-10-12"):
        assert run(app, "--as-of", day).exit_code == 0
    assert client.get("/api/v1/forecasts/latest", headers=headers).json["as_of"] == "2026-11-23"
    with sold.reading() as session:
        earlier = queries.latest_run(session, today=dt.date(2026, 10, 12))
    assert earlier is not None
    assert earlier.as_of == dt.date(2026, 10, 12)


def test_a_forecast_for_a_day_to_come_scores_no_week_that_has_not_been(app: Flask, sold: Database) -> None:
    brand.store_forecast(sold)
    assert run(app, "--as-of", "2026-12-14").exit_code == 0
    with sold.reading() as session:
        assert queries.accuracy(session, by="week") == []


def test_a_backtest_says_what_forecasts_would_have_been_worth(app: Flask, sold: Database) -> None:
    said = run(app, "--backtest", "--sku", "MUG")
    assert said.exit_code == 0, said.output
    assert "Backtest of MUG in all regions: 2 series, 8 weeks ahead from 2 earlier weeks" in said.stdout
    assert "MASE" in said.stdout
    told = json.loads(run(app, "--backtest", "--sku", "MUG", "--region", "CN-FJ", "--json").stdout)
    made = told["backtest"]
    assert (made["series"], made["origins"], made["whole"]["forecasts"]) == (1, 2, 2)
    assert made["sold_units"] == sum(20 + back % 3 for back in range(1, 17))
    assert 0 <= made["whole"]["wape"] < 0.2
    steps = sum(8 * naive(range(8 * back + 1, 27)) for back in (1, 2))
    assert made["mase"] == pytest.approx(made["whole"]["wape"] * made["sold_units"] / steps)


def naive(weeks: range) -> float:
    """What repeating the last of these weeks errs."""
    units = [20 + back % 3 for back in weeks]
    return sum(abs(one - other) for one, other in pairwise(units)) / (len(units) - 1)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--sku", "CUP"], "sku_unknown"),
        (["--sku", "MUG", "--region", "CN-ZJ"], "region_unknown"),
        (["--sku", "BAG"], "history_empty"),
        (["--sku", "MUG", "--as-of", "2026-06-29"], "history_short"),
    ],
)
def test_a_backtest_without_a_past_says_why(app: Flask, sold: Database, args: list[str], code: str) -> None:
    refused = run(app, "--backtest", *args, "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["code"] == code
    assert refused.stderr.startswith(code)


def test_a_backtest_is_of_a_sku_and_a_forecast_of_everything(app: Flask, sold: Database) -> None:
    assert run(app, "--backtest").exit_code == 2
    assert run(app, "--sku", "MUG").exit_code == 2
