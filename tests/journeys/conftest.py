"""A planned small brand with an account per role, and the ways people move through the pages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.core import access
from app.core.access import Role
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.confirmation import queries as confirmation
from support import brand
from support.run import TestRun

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Page

    from support.browser import Pages

PASSWORD = "a long enough password"
PHONE = {"width": 390, "height": 844}
EMAILS = {role: f"{role.value}@brand.example" for role in Role}
CSRF = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
EXPIRY = re.compile(r"; expires=[^;]*", re.IGNORECASE)
DEAR_TO_HOLD = brand.NETWORK["skus"].replace("0.10", "9.00")
CHEAP_TO_ORDER = brand.NETWORK["supply_offers"].replace("50.00", "0.00")
"""Together they make the plan order week by week, so that a supplier has several lines to answer."""
SPOILT = [
    "X1,paid,MUG,CN-GD,3,19.90,CNY,2026-11-18T10:00:00+08:00,x1,,cancelled",
    "X2,paid,MUG,CN-FJ,2,19.90,CNY,2026-11-19T10:00:00+08:00,x2,,cancelled",
    "X3,paid,BAG,CN-GD,4,199.00,CNY,2026-11-19T10:00:00+08:00,x3,,",
]


@pytest.fixture(scope="session")
def brand_file(test_run: TestRun, quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with orders, some of them cancelled, an open campaign, a plan whose lines are asked, and an
    account per role. Planning takes seconds, so every journey begins with a copy of this one file."""
    folder = tmp_path_factory.mktemp("brand")
    path = folder / "headwater.db"
    shutil.copy(test_run.sqlite_template(), path)
    db = Database(f"sqlite:///{path}")
    brand.load_network(db, folder, changed={"skus": DEAR_TO_HOLD, "supply_offers": CHEAP_TO_ORDER})
    brand.load_orders(db, folder)
    brand.load_orders(db, folder, rows=SPOILT, name="late.csv")
    brand.load_campaign(db, folder)
    brand.ask(db, brand.make_plan(db, brand.store_forecast(db)))
    supplier = _most_asked(db)
    for role in Role:
        _add_account(db, role, supplier)
    db.dispose()
    return path


@pytest.fixture
def database_url(brand_file: Path, test_run: TestRun, worker_id: str) -> str:
    """SQLite only: what the pages ask of a database is tried on both elsewhere."""
    return test_run.sqlite_copy(brand_file, worker_id)


@pytest.fixture
def app(app: Flask) -> Flask:
    """The service lives at the test's instant, the browser by the real clock: its cookies never expire.

    Every answer is read to its end before a byte is sent: where a browser leaves a page whose files are still
    on their way, the test server meets a broken connection and does not close the file it was sending.
    """
    serve = app.wsgi_app

    def whole_and_without_expiry(environ: Any, start_response: Callable[..., Any]) -> list[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [
                (name, EXPIRY.sub("", value) if name.lower() == "set-cookie" else value)
                for name, value in headers
            ]
            return start_response(status, kept, *more)

        with closing(serve(environ, start)) as answer:  # type: ignore[type-var]
            return list(answer)

    app.wsgi_app = whole_and_without_expiry  # type: ignore[method-assign]
    return app


@dataclass(frozen=True)
class Brand:
    db: Database
    supplier: str
    """The code of the supplier with an account: the one that is asked most."""


@pytest.fixture
def planned(db: Database) -> Brand:
    return Brand(db, _most_asked(db))


def _most_asked(db: Database) -> str:
    with db.reading() as session:
        lines = confirmation.supplier_lines(session, actor=brand.MERCHANDISER)
        counts: dict[int, int] = {}
        for line in lines:
            counts[line.supplier_id] = counts.get(line.supplier_id, 0) + 1
        most = max(sorted(counts), key=lambda supplier: counts[supplier])
        return catalog.names(session).suppliers[most].code


def _add_account(db: Database, role: Role, supplier: str) -> None:
    with db.transaction() as session:
        access.create_account(
            session,
            email=EMAILS[role],
            name=role.value,
            password=PASSWORD,
            role=role,
            supplier_id=brand.supplier(db, supplier).supplier_id if role is Role.SUPPLIER else None,
            now=brand.NOW,
        )


@pytest.fixture
def enter(live_server: str, planned: Brand, new_page: Pages) -> Callable[..., Page]:
    """enter(Role.SUPPLIER, width=390) – a page of somebody who has just signed in.

    The form is sent past the page, with the page's cookies: tests of every page sign in by the page itself.
    """

    def sign_in(role: Role, **how: Any) -> Page:
        page = new_page(base_url=live_server, **how)
        token = CSRF.search(page.request.get("/sign-in").text())
        assert token is not None
        form = {"csrf_token": token[1], "email": EMAILS[role], "password": PASSWORD}
        assert page.request.post("/sign-in", form=form, max_redirects=0).status == 303
        page.goto("/")
        page.locator("h1.page-title").wait_for()
        return page

    return sign_in
