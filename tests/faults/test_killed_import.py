"""kill -9 at any point of an import: what is stored is whole, and the same file goes on behind it."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event, text

from app import intake
from app.core.access import SYSTEM
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import ImportFact, OrderFile, importing
from app.stages.imports import operations as imports
from app.stages.imports import queries as batches
from app.stages.imports.readers import files
from support.processes import forking

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
ROWS, ROWS_A_CHUNK, POINTS = 44, 12, 7
WHOLE = (44, 39, 3, 2)
"""Rows read, accepted, duplicate, rejected."""


def orders(folder: Path) -> Path:
    """Four chunks: with a row of each that is known already, a bad quantity and units that come back."""
    numbers = [{20: 2, 30: 3, 41: 40}.get(number, number) for number in range(ROWS)]
    quantities = {5: "0", 33: "x", 12: "-1"}
    path = folder / "orders.parquet"
    pl.DataFrame(
        {
            "external_id": [f"A{number:02}" for number in numbers],
            "commitment": ["paid"] * ROWS,
            "sku": [f"SKU{number % 3}" for number in numbers],
            "region": ["CN-GD"] * ROWS,
            "quantity": [quantities.get(number, "2") for number in numbers],
            "unit_price": ["9.90"] * ROWS,
            "ordered_at": [f"2026-11-{1 + number % 9:02}T10:00:00+08:00" for number in numbers],
            "buyer": [f"u{number % 7}" for number in numbers],
        }
    ).write_parquet(path)
    return path


def order_file(path: Path, channel: str) -> OrderFile:
    return OrderFile(
        path=path,
        file_name=path.name,
        channel=channel,
        mapping="headwater",
        actor=SYSTEM,
        pseudonym_key=b"k",
        currency="CNY",
        timezone="Asia/Shanghai",
    )


def small_chunks() -> None:
    files.BLOCK_ROWS, importing.BLOCKS_AT_ONCE = ROWS_A_CHUNK // 2, 2  # type: ignore[attr-defined]


def in_child(url: str, path: Path, channel: str, kill_at: int, told: Connection) -> None:
    """Import, and be killed before statement or commit number `kill_at`; tells how many there were."""
    small_chunks()
    db, seen = Database(url), 0

    def step(*_: Any) -> None:
        nonlocal seen
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    event.listen(db.engine, "before_cursor_execute", step)
    event.listen(db.engine, "commit", step)
    intake.import_orders(db, file=order_file(path, channel), now=lambda: NOW)
    told.send(seen)


def run(url: str, path: Path, channel: str, kill_at: int = -1) -> int | None:
    """How many steps a whole import had; None when it was killed. The child begins without our threads."""
    here, there = forking().Pipe()
    child = forking().Process(target=in_child, args=(url, path, channel, kill_at, there))
    child.start()
    there.close()
    child.join(timeout=60)
    assert child.exitcode in (0, -signal.SIGKILL)
    return here.recv() if child.exitcode == 0 else None


@pytest.fixture
def shop(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An order file, whose codes are known, in small chunks."""
    monkeypatch.setattr(files, "BLOCK_ROWS", ROWS_A_CHUNK // 2)
    monkeypatch.setattr(importing, "BLOCKS_AT_ONCE", 2)
    with db.transaction() as session:
        skus = [(f"SKU{number}", None, True) for number in range(3)]
        catalog.register_unknown(session, skus=skus, regions=["CN-GD"], timezone="Asia/Shanghai")
    yield orders(tmp_path)


def stored(db: Database, channel: str) -> tuple[int, int, int, int, int]:
    """Last row, read, accepted, duplicate and rejected; what the tables hold must say the same."""
    with db.reading() as session:
        assert demands.recount(session) == []
        batch = next((one for one in batches.list_batches(session) if one.channel == channel), None)
        here = {one.code: one.id for one in demands.list_channels(session)}.get(channel)
        count = "SELECT count(*) FROM signal WHERE channel_id = :here"
        signals = session.scalar(text(count), {"here": here})
        if batch is None:
            assert signals == 0
            return (0, 0, 0, 0, 0)
        refused = batches.rejected_rows(session, batch_id=batch.id)
        water = demands.waterfall(session, channel_id=here)
    assert batch.read == batch.accepted + batch.duplicate + batch.rejected == batch.last_row - 1
    assert (signals, len(refused)) == (batch.accepted, batch.rejected)
    again = next((step.signals for step in water.steps if step.reason == "duplicate"), 0)
    assert again == batch.duplicate
    return (batch.last_row, batch.read, batch.accepted, batch.duplicate, batch.rejected)


def test_an_import_killed_anywhere_keeps_whole_chunks_and_goes_on_behind_them(
    db: Database, shop: Path
) -> None:
    steps = run(db.url, shop, "whole")
    assert steps is not None
    assert stored(db, "whole")[1:] == WHOLE
    points = sorted(random.Random(7).sample(range(steps), POINTS))
    kept = set()
    for point in points:
        channel = f"killed-{point}"
        assert run(db.url, shop, channel, point) is None
        _, read, *_ = stored(db, channel)
        assert read % ROWS_A_CHUNK == 0
        kept.add(read)
        done: list[int] = []

        def progress(_phase: str, rows: int, *_: Any, done: list[int] = done) -> None:
            done.append(rows)

        file = order_file(shop, channel)
        fact = intake.import_orders(db, file=file, now=lambda: NOW, progress=progress)
        assert done == list(range(read + ROWS_A_CHUNK, ROWS, ROWS_A_CHUNK))  # no chunk a second time
        assert (fact.read, fact.accepted, fact.duplicate, fact.rejected) == WHOLE
        assert stored(db, channel)[1:] == WHOLE
        assert intake.import_orders(db, file=file, now=lambda: NOW).unchanged
    assert len(kept) >= 3, "the points do not reach into several chunks"


def test_an_import_that_is_asked_to_stop_keeps_its_chunks_and_goes_on(db: Database, shop: Path) -> None:
    def stop(_phase: str, rows: int, *_: Any) -> None:
        if rows == ROWS_A_CHUNK:
            with db.transaction() as session:
                batch = batches.list_batches(session)[0]
                assert batch.state == "importing"
                assert (
                    imports.stop_import(session, batch_id=batch.id, actor=SYSTEM, now=NOW).state == "stopping"
                )

    fact = intake.import_orders(db, file=order_file(shop, "shop"), now=lambda: NOW, progress=stop)
    assert (fact.stopped, fact.read) == (True, ROWS_A_CHUNK)
    assert stored(db, "shop")[1] == ROWS_A_CHUNK
    with db.transaction() as session, pytest.raises(Conflict) as ended:
        imports.stop_import(session, batch_id=fact.batch_id, actor=SYSTEM, now=NOW)
    assert ended.value.code == "import_ended"
    whole = intake.import_orders(db, file=order_file(shop, "shop"), now=lambda: NOW)
    assert (whole.stopped, whole.batch_id) == (False, fact.batch_id)
    assert stored(db, "shop")[1:] == WHOLE


def test_ctrl_c_stops_between_two_chunks_and_says_what_is_kept(db: Database, shop: Path) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    fact = intake.import_orders(db, file=order_file(shop, "shop"), now=lambda: NOW, progress=interrupt)
    assert (fact.stopped, fact.read) == (True, ROWS_A_CHUNK)
    assert not intake.import_orders(db, file=order_file(shop, "shop"), now=lambda: NOW).stopped
    assert stored(db, "shop")[1:] == WHOLE


def test_of_two_imports_of_one_file_at_once_one_is_refused(db: Database, shop: Path) -> None:
    file, refused = order_file(shop, "shop"), []

    def meanwhile(_phase: str, rows: int, *_: Any) -> None:
        if rows == ROWS_A_CHUNK:
            with db.reading() as session:
                late = demand.Importing(session, file)
            late._batch = None  # as if it had looked before the other began
            with pytest.raises(Conflict) as conflict, db.transaction() as session:
                late.take(session, next(late.chunks()), now=NOW)
            refused.append(conflict.value.code)

    fact = intake.import_orders(db, file=file, now=lambda: NOW, progress=meanwhile)
    assert refused == ["import_running"] and not fact.stopped
    assert stored(db, "shop")[1:] == WHOLE


def test_a_file_that_breaks_further_on_keeps_what_came_before_and_says_so(
    db: Database, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = files.read

    def breaking(path: Path, **how: Any) -> Iterator[Any]:
        for number, block in enumerate(whole(path, **how)):
            if number == 5:
                raise RuleBroken("file_unreadable", "orders.parquet: the file is broken; export it again.")
            yield block

    monkeypatch.setattr(importing.readers, "read", breaking)
    with pytest.raises(RuleBroken) as broken:
        intake.import_orders(db, file=order_file(shop, "shop"), now=lambda: NOW)
    assert broken.value.data["kept_rows"] == 2 * ROWS_A_CHUNK
    assert f"The {2 * ROWS_A_CHUNK} rows before that are kept" in broken.value.sentence
    monkeypatch.setattr(importing.readers, "read", whole)
    fact: ImportFact = intake.import_orders(db, file=order_file(shop, "shop"), now=lambda: NOW)
    assert (fact.read, fact.accepted, fact.duplicate, fact.rejected) == WHOLE
