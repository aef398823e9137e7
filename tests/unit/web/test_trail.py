"""The audit log in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, g

from app import create_app
from app.core.config import Config
from app.entrypoints.web import trail


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("trail")
    return create_app(Config.from_env({"HEADWATER_DATA": str(folder), "LOG_LEVEL": "ERROR"}))


@pytest.fixture
def english(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        g.locale = "en"
        yield


@pytest.mark.usefixtures("english")
def test_amounts_digests_and_unknown_values_are_readable() -> None:
    data = {"cost_minor": 123_456, "plan_digest": "ab" * 32, "penalty_minor": None}
    assert trail.told(data) == (
        "Plan cost: CN¥1,234.56 · Fingerprint of the plan: abababababab… · Price per unit above: –"
    )


@pytest.mark.usefixtures("english")
def test_yes_and_no_are_words() -> None:
    assert trail.told({"hard": True}) == "Hard: yes"


@pytest.mark.usefixtures("english")
def test_a_network_tells_only_the_rows_that_changed() -> None:
    assert trail.told({"skus": [60, 0, 2], "lanes": [0, 0, 0]}) == "SKUs: 60 new, 2 removed · Lanes: 0"


@pytest.mark.usefixtures("english")
def test_a_promise_without_a_date_has_a_dash() -> None:
    assert trail.told({"asked": [1200, "2026-12-07"], "promised": [0, None]}) == (
        "Asked: 1,200, 2026-12-07 · Promised: 0, –"
    )


@pytest.mark.usefixtures("english")
def test_rules_and_the_service_are_named() -> None:
    assert [trail.actor(name) for name in ("rule:go", "system", "a@b.example")] == [
        "Automatic rule",
        "The service",
        "a@b.example",
    ]
