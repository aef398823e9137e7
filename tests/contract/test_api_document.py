"""The API document is what the API does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from app.core import access
from app.core.access import Role
from app.core.db import Database
from support.brand import NOW
from support.shop import bearer

BODIES: tuple[Any, ...] = ([], {"version": "x", "\ud800": None})
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


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for verb, operation in found.items():
            if verb != "parameters":
                yield path, verb.upper(), operation


def documented(document: dict[str, Any], operation: dict[str, Any], answer: TestResponse) -> dict[str, Any]:
    """The schema of an answer with this status, as a document of its own."""
    said = operation["responses"].get(str(answer.status_code), operation["responses"]["default"])
    if "$ref" in said:
        said = document["components"]["responses"][said["$ref"].rpartition("/")[2]]
    kind = said.get("content", {}).get(answer.mimetype)
    assert kind or not said.get("content"), f"{answer.mimetype} is not documented for {answer.status_code}"
    return {**(kind or {}).get("schema", {}), "components": document["components"]}


@pytest.mark.parametrize("role", [Role.MERCHANDISER, Role.ADMINISTRATOR])
def test_every_answer_is_as_the_document_says(
    client: FlaskClient,
    db: Database,
    document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    role: Role,
) -> None:
    """Of an empty house, to calls that are right, name what is not there, or carry the wrong body."""
    monkeypatch.setattr(access, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    caller = bearer(db, role, now=NOW)
    seen = set()
    for path, verb, operation in operations(document):
        address = re.sub(r"{[^}]+}", "99", path)
        for body in (None,) if verb in ("GET", "HEAD") else BODIES:
            answer = client.open(address, method=verb, headers=caller, json=body)
            assert answer.status_code < 500, (verb, path, body)
            seen.add(answer.status_code)
            if answer.is_json and verb != "HEAD":
                found = Draft202012Validator(documented(document, operation, answer))
                wrong = [one.message for one in found.iter_errors(answer.get_json())]
                assert wrong == [], (verb, path, body, answer.status_code, wrong)
    assert {200, 404, 422} <= seen
