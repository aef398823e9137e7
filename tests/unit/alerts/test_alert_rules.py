"""One alert per cause, and when a campaign's landing is worth one."""

from __future__ import annotations

import datetime as dt

import pytest

from app.stages.alerts.rules import OWNERS, AlertKind, AlertState, Finding, cause, changes, is_at_risk

OPENS = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CLOSES = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def found(key: str) -> Finding:
    return Finding(AlertKind.DECLINED, key, 1.0, {})


def test_a_cause_names_kind_and_subject() -> None:
    assert cause(AlertKind.CONCENTRATION, "sku", "A-1", "units") == "concentration:sku:A-1:units"


def test_a_new_cause_opens_a_known_one_is_seen_and_a_gone_one_closes() -> None:
    known = {"old": AlertState.OPEN, "gone": AlertState.OPEN, "back": AlertState.CLOSED}
    change = changes([found("old"), found("new"), found("back")], known=known)
    assert [one.cause for one in change.opened] == ["back", "new"]
    assert [one.cause for one in change.seen] == ["old"]
    assert change.closed == ("gone",)


def test_a_cause_found_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="twice"):
        changes([found("x"), found("x")], known={})


def test_every_kind_has_an_owner() -> None:
    assert set(OWNERS) == set(AlertKind)


def test_a_campaign_is_at_risk_when_missing_is_likelier_than_reaching() -> None:
    assert is_at_risk(elapsed_share=0.5, chance=0.49)
    assert not is_at_risk(elapsed_share=0.5, chance=0.5)


def test_a_campaign_that_just_opened_is_not_judged() -> None:
    assert not is_at_risk(elapsed_share=0.2, chance=0.03)
