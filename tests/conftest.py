"""What every test may ask for. tests/support has the machinery.

The service is imported by the fixtures that need it: tests of forecasting and optimizer run without it.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support import postgres
from support.run import TestRun

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, Page

    from app.core.config import Config
    from app.core.db import Database
    from support.browser import Pages

# As the service and forecasting do for themselves, here before a test loads numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # on a busy machine
)
settings.load_profile("house")

RUN = "HEADWATER_TEST_RUN"
"""Names the folder of the run to the worker processes, which inherit it."""
DATABASES = {"database_url", "postgres_url"}


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(postgres.fast_folder()))
        os.environ[RUN] = tempfile.mkdtemp(prefix="headwater-tests-", dir=postgres.fast_folder())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        TestRun(Path(os.environ.pop(RUN))).end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a database is marked so: the quick tests of `make check` leave it out.

    Files with slow tests come first, so that no process is left alone with one at the end.
    """
    for item in items:
        if DATABASES & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def test_run() -> TestRun:
    return TestRun(Path(os.environ[RUN]))


@pytest.fixture(scope="session")
def postgres_url(test_run: TestRun) -> str:
    """A throw-away PostgreSQL cluster: the URL of its `postgres` database."""
    return test_run.postgres_url()


@pytest.fixture(scope="session")
def postgres_database_url(postgres_url: str, worker_id: str) -> str:
    """This worker's own migrated database."""
    return postgres.create_database(postgres_url, f"headwater_{worker_id}", template=TestRun.TEMPLATE)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, test_run: TestRun, worker_id: str) -> str:
    """A migrated database without rows, on each of the two databases in turn."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database_url")
        postgres.empty(url)
        return url
    return test_run.sqlite_copy(test_run.sqlite_template(), worker_id)


@pytest.fixture(scope="session")
def quick() -> Iterator[None]:
    """Passwords cost nothing, and a problem that was planned before keeps its plan."""
    from argon2 import PasswordHasher

    import optimizer
    from app.core import access
    from support.solved import Solved

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(optimizer, "solve", Solved())
        access._nobodys_hash.cache_clear()
        yield


@pytest.fixture
def db(database_url: str, quick: None) -> Iterator[Database]:
    """A migrated database without rows, on each of the two databases in turn."""
    from support.service import opened

    database = opened(database_url)
    database.dispose()  # a late answer to the last test's browser may have opened the file of before
    yield database
    database.dispose()


@pytest.fixture
def now() -> dt.datetime:
    """A Monday morning: the instant at which tests happen."""
    return dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)


@pytest.fixture
def config(db: Database, tmp_path: Path) -> Config:
    from app.core.config import Config

    return Config(
        database_url=db.url,
        data_dir=tmp_path,
        secret_key="only for tests, and long enough for them",
        pseudonym_key=b"only for tests",
        worker_processes=1,
        sign_in_limit="1000 per minute",
    )


@pytest.fixture
def app(config: Config, now: dt.datetime) -> Flask:
    """The service on `db`, at `now`."""
    from support.service import service

    return service(config, lambda: now)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real files, which is no part of the project."""
    folder = Path(os.environ.get("HEADWATER_SHARED") or Path(__file__).parents[2] / "shared")
    if not folder.is_dir():
        pytest.skip(f"real files are not here: {folder} (set HEADWATER_SHARED)")
    return folder


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """The address of `app`, served on a free loopback port."""
    from support.server import serving

    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from support.browser import chromium

    with chromium() as launched:
        yield launched


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Pages]:
    """Opens pages: new_page(base_url=…, locale="zh-CN", width=390). An error on any of them fails."""
    from support.browser import Pages

    pages = Pages(browser)
    yield pages
    pages.close()
    assert not pages.problems


@pytest.fixture
def page(new_page: Pages, live_server: str) -> Page:
    """A fresh visitor of `live_server`, in English, on a desktop."""
    return new_page(base_url=live_server)
