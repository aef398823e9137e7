"""The API document is what the API does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_operation_has_a_summary_and_says_how_it_refuses(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            if verb == "parameters":
                continue
            assert operation["summary"], f"{verb} {path}"
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}, path
    refusal = document["components"]["responses"]["DEFAULT_ERROR"]
    assert list(refusal["content"]) == ["application/problem+json"]


def test_every_route_is_in_the_document(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    assert routes - {"/api/v1/openapi.json"} == set(document["paths"])
