"""The documents say what the code does: routes, errors, settings, commands, jobs and the picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.core.config import Config
from app.entrypoints.worker import TASKS
from scripts.error_reference import reference
from scripts.flow_picture import picture

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("documents")
    return create_app(Config.from_env({"HEADWATER_DATA": str(folder), "LOG_LEVEL": "ERROR"}))


def test_every_route_declares_who_may_use_it(service: Flask) -> None:
    open_doors = []
    for rule in service.url_map.iter_rules():
        view = service.view_functions[rule.endpoint]
        held = [view]
        if hasattr(view, "view_class"):
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            held = [getattr(view.view_class, method.lower()) for method in methods]
        open_doors += [rule.rule for one in held if not hasattr(one, "__roles__")]
    assert open_doors == []


def test_every_api_route_stands_in_the_api_reference(service: Flask) -> None:
    document = service.test_client().get("/api/v1/openapi.json").get_json()
    described = set(document["paths"])
    routes = {
        re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for rule in service.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.startswith("/api/v1/openapi.json")
    }
    assert routes - described == set()


def test_the_error_reference_is_what_the_code_raises() -> None:
    assert (DOCS / "errors.md").read_text() == reference(), "run `make docs`"


def test_the_picture_is_drawn_from_its_source() -> None:
    assert (DOCS / "flow.svg").read_text() == picture(), "run `make docs`"


def test_every_setting_is_documented() -> None:
    source = (DOCS.parent / "app/core/config.py").read_text()
    settings = set(re.findall(r'(?:env\.get\(|env, )"([A-Z][A-Z_]+)"', source))
    assert len(settings) > 10
    assert {name for name in settings if f"| `{name}` |" not in OPERATIONS} == set()


def test_every_command_is_documented(service: Flask) -> None:
    commands = set(service.cli.commands) - {"run", "shell", "routes"}
    assert {name for name in commands if f"`{name}`" not in OPERATIONS} == set()


def test_every_job_is_documented() -> None:
    assert {name for name in TASKS if f"`{name}`" not in OPERATIONS} == set()


@pytest.mark.parametrize("document", sorted(DOCS.rglob("*.md")) + sorted(DOCS.parent.glob("*.md")), ids=str)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
