"""Drafts of campaigns: edited, copied, refused, launched once, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from integration.campaigns.conftest import DRAFT, NOW, URL, Ask, pledge

from app.core import audit
from app.core.access import Role
from app.core.db import Database
from support import brand
from support.shop import bearer


def test_a_draft_is_edited_copied_and_launched_once(ask: Ask, db: Database) -> None:
    one = ask("POST", "", 201, DRAFT)
    assert (one["state"], one["go_units"], one["steps"]) == ("draft", 12, ["launch", "cancel"])
    assert ask("POST", "", 409, DRAFT)["code"] == "campaign_exists"
    changed = {**DRAFT, "expected_units": 20, "version": 1}
    edited = ask("PUT", f"/{one['id']}", 200, changed)
    assert (edited["expected_units"], edited["version"]) == (20, 2)
    assert ask("PUT", f"/{one['id']}", 409, changed)["code"] == "campaign_changed"
    open_ = ask("POST", f"/{one['id']}/launch", 200, {"version": 2})
    assert (open_["state"], open_["launched_at"] is not None) == ("open", True)
    assert ask("PUT", f"/{one['id']}", 422, {**changed, "version": 3})["code"] == "campaign_launched"
    assert ask("POST", f"/{one['id']}/launch", 422, {"version": 3})["code"] == "campaign_move"
    copy = ask("POST", f"/{one['id']}/copy", 201, {"code": "PS-2"})
    assert copy["opens_at"].startswith("2026-11-27") and copy["due_week"] == "2027-01-04"
    assert (copy["state"], copy["tiers"], copy["variants"]) == ("draft", one["tiers"], one["variants"])
    with db.reading() as session:
        told = [entry.action for entry in audit.entries(session)]
    assert [one for one in told if one.startswith("campaign.")] == [
        "campaign.drafted",
        "campaign.launched",
        "campaign.edited",
        "campaign.drafted",
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "a/b"}, "code_invalid"),
        ({"closes_at": "2026-11-19T00:00:00+00:00"}, "close_before_opening"),
        ({"variants": [{"sku": "NOBODY"}]}, "sku_unknown"),
        ({"variants": [{"sku": "BAG"}, {"sku": "BAG"}]}, "variant_twice"),
        (
            {"tiers": [{"min_units": 0, "unit_price_minor": 1}, {"min_units": 0, "unit_price_minor": 2}]},
            "tier_twice",
        ),
    ],
)
def test_nonsense_is_not_kept(ask: Ask, change: dict[str, Any], code: str) -> None:
    refused = ask("POST", "", 422, {**DRAFT, **change})
    assert refused["code"] == "campaign_invalid"
    assert [one["code"] for one in refused["errors"]] == [code]
    assert ask("GET", "", 200) == []


def test_a_launch_is_refused_with_every_failed_check_and_the_earliest_week(ask: Ask) -> None:
    bad = {
        "due_week": "2026-12-14",
        "deposit_minor": 9_000,
        "balance_due_at": "2026-12-01T00:00:00+00:00",
        "tiers": [{"min_units": 5, "unit_price_minor": 20_000}],
    }
    one = ask("POST", "", 201, {**DRAFT, **bad})
    dry = ask("GET", f"/{one['id']}/launch-outlook", 200)
    refused = ask("POST", f"/{one['id']}/launch", 422, {"version": 1})
    codes = ["tier_missing", "deposit_too_high", "balance_before_close", "due_week_unreachable"]
    assert [error["code"] for error in refused["errors"]] == codes
    assert [check["code"] for check in dry["failures"]] == codes
    assert dry["earliest_week"] == refused["errors"][-1]["earliest"] == "2026-12-21"
    assert ask("GET", f"/{one['id']}", 200)["state"] == "draft"


@pytest.mark.parametrize("role", [Role.SUPPLIER, Role.WAREHOUSE_PLANNER])
def test_only_merchandisers_touch_campaigns(db: Database, client: FlaskClient, role: Role) -> None:
    supplier = brand.supplier(db, "DG").supplier_id if role is Role.SUPPLIER else None
    headers = bearer(db, role, now=NOW, supplier_id=supplier)
    paths = [("POST", "", DRAFT), ("POST", "/1/launch", {"version": 1}), ("GET", "/1/close-outlook", None)]
    for method, path, body in paths:
        assert client.open(URL + path, method=method, json=body, headers=headers).status_code == 403


def test_the_command_line_tries_and_takes_every_step(ask: Ask, db: Database, app: Flask) -> None:
    draft = ask("POST", "", 201, DRAFT)
    runner = app.test_cli_runner()

    def say(*arguments: str) -> str:
        result = runner.invoke(args=list(arguments))
        assert result.exit_code == 0, result.output
        return result.output.strip()

    assert say("campaign-outlook", "PS-1") == "It can be launched."
    assert say("campaign-step", "PS-1", "launch") == "PS-1 is open now."
    pledge(db, "A", quantity=12)
    assert "Closed now, it goes: 12 valid units, go line 12" in say("campaign-outlook", "PS-1")
    assert say("campaign-step", "PS-1", "extend", "--days", "2", "--reason", "More") == "PS-1 is open now."
    assert "12 of 12 to go, closes 2026-12-06" in say("campaigns")
    assert say("campaign-step", "PS-1", "close", "--reason", "Enough") == "PS-1 is reached now."
    assert say("campaign-step", "PS-1", "produce") == "PS-1 is in production now."
    refused = runner.invoke(args=["campaign-step", "PS-1", "cancel", "--reason", "No", "--json"])
    assert refused.exit_code == 1 and '"campaign_move"' in refused.stdout
    assert runner.invoke(args=["campaign-step", "PS-2", "launch"]).exit_code == 1
    assert runner.invoke(args=["campaign-step", "PS-1", "close", "--days", "2"]).exit_code == 2
    kinds = [(d["kind"], d["decided_by"]) for d in ask("GET", f"/{draft['id']}/decisions", 200)]
    assert [kind for kind, _ in kinds] == ["produce", "go", "extend", "launch"]
