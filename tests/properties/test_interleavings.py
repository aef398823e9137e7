"""Files, kills, corrections, late pledges, exclusions and folds in any order: roll-ups equal a recount."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from app import intake
from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.operations import OrderFile, PledgeSettings, SentPledge, importing, rollups
from app.stages.demand.queries.pledges import find_pledges
from app.stages.imports import queries as batches
from app.stages.imports.readers import files
from support.opened import opened

NOW = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
SETTINGS = PledgeSettings(pseudonym_key=b"k", currency="CNY", timezone="Asia/Shanghai")
CAMPAIGNS = (
    "campaign,name,name_zh,sku,opens_at,closes_at,expected_units,go_factor,due_week,per_buyer_limit,tiers\n"
    "C1,One,,MUG,2026-11-01T00:00:00+08:00,2026-12-01T00:00:00+08:00,100,1.2,2026-12-07,4,0:19.90\n"
)
CHANNELS = st.sampled_from(["tmall", "shop"])
IDENTITIES = st.integers(0, 24)
ORDERS = st.lists(
    st.tuples(IDENTITIES, st.sampled_from(["1", "2", "-1", "x"]), st.sampled_from(["", "cancelled"])),
    min_size=1,
    max_size=18,
)


class Killed(BaseException):
    """As if the process were gone: the database rolls back what was not committed."""


@contextmanager
def killed_at(db: Database, step: int) -> Iterator[None]:
    left = [step]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    watched = [(name, count) for name in ("before_cursor_execute", "commit")]
    for name, listener in watched:
        event.listen(db.engine, name, listener)
    try:
        yield
    except Killed:
        pass
    finally:
        for name, listener in watched:
            event.remove(db.engine, name, listener)


def row(number: int, quantity: str, status: str) -> dict[str, str]:
    return {
        "external_id": f"A{number:02}",
        "commitment": "pledge",
        "sku": ("MUG", "CUP")[number % 2],
        "region": ("CN-GD", "CN-ZJ")[number % 3 == 0],
        "quantity": quantity,
        "unit_price": "19.90",
        "ordered_at": f"2026-11-{2 + number % 8:02}T10:00:00+08:00",
        "buyer": f"u{number % 5}",
        "campaign": "C1" if number % 4 == 0 else "",
        "status": status,
    }


class Pool(RuleBasedStateMachine):
    """The demand pool; `db` and `folder` are set by the test."""

    db: Database
    folder: Path
    numbers = itertools.count()

    @rule(channel=CHANNELS, orders=ORDERS, kill=st.none() | st.integers(0, 60))
    def import_file(self, channel: str, orders: list[tuple[int, str, str]], kill: int | None) -> None:
        """Whole, or killed somewhere and then taken up again, or not."""
        path = self.folder / f"{next(self.numbers)}.parquet"
        pl.DataFrame([row(*one) for one in orders]).write_parquet(path)
        file = OrderFile(
            path=path,
            file_name=path.name,
            channel=channel,
            mapping="headwater",
            actor=SYSTEM,
            pseudonym_key=b"k",
            currency="CNY",
            timezone="Asia/Shanghai",
        )
        if kill is not None:
            with killed_at(self.db, kill):
                intake.import_orders(self.db, file=file, now=lambda: NOW)
            if kill % 3 == 0:
                return  # nobody takes it up
        fact = intake.import_orders(self.db, file=file, now=lambda: NOW)
        assert fact.read == fact.accepted + fact.duplicate + fact.rejected == len(orders)
        self.what_came_again_is_the_same_however_it_is_opened()

    @rule(channel=CHANNELS, number=IDENTITIES)
    def pledge_online(self, channel: str, number: int) -> None:
        sent = SentPledge(channel, {name: cell for name, cell in row(number, "1", "").items() if cell})
        with self.db.transaction() as session:
            demand.take_pledges(session, rows=[sent], actor=SYSTEM, now=NOW, settings=SETTINGS)

    @rule(channel=CHANNELS, number=IDENTITIES, quantity=st.integers(1, 5) | st.none())
    def correct(self, channel: str, number: int, quantity: int | None) -> None:
        """Before or after its pledge; of units that come back only the status."""
        with self.db.reading() as session:
            here = {one.code: one.id for one in demands.list_channels(session)}.get(channel)
            id_ = f"A{number:02}"
            known = find_pledges(session, channel_id=here, external_ids=[id_]) if here else {}
        if known and known[id_].quantity < 0:
            quantity = None
        with self.db.transaction() as session:
            demand.correct_pledge(
                session,
                channel=channel,
                external_id=id_,
                quantity=quantity,
                status="cancelled" if quantity is None else None,
                changed_at=NOW - dt.timedelta(minutes=number),
                actor=SYSTEM,
                now=NOW,
                currency="CNY",
            )

    @rule(choice=st.integers(0, 10))
    def undo(self, choice: int) -> None:
        with self.db.transaction() as session:
            excluded = demands.list_exclusions(session, limit=20)
            if excluded:
                chosen = excluded[choice % len(excluded)].id
                demand.undo_exclusion(session, actor=SYSTEM, exclusion_id=chosen, now=NOW)

    @rule()
    def fold(self) -> None:
        with self.db.transaction() as session:
            rollups.fold(session)

    @invariant()
    def roll_ups_equal_a_recount(self) -> None:
        with self.db.reading() as session:
            assert demands.recount(session) == []
            for one in batches.list_batches(session):
                assert one.read == one.accepted + one.duplicate + one.rejected

    def what_came_again_is_the_same_however_it_is_opened(self) -> None:
        with self.db.reading() as session:
            ways, again = (
                opened(session, until=NOW.date()),
                sum(one.duplicate for one in batches.list_batches(session)),
            )
        assert {name: parts.signals for name, parts in ways["all"].items()} == dict.fromkeys(
            ways["all"], again
        )
        for parts in ways.values():
            assert len(set(parts.values())) == 1, parts

    def teardown(self) -> None:
        self.roll_ups_equal_a_recount()
        self.what_came_again_is_the_same_however_it_is_opened()


def test_roll_ups_equal_a_recount_after_any_interleaving(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of four rows, folds after five changes, and every cell held to be many."""
    monkeypatch.setattr(files, "BLOCK_ROWS", 2)
    monkeypatch.setattr(importing, "BLOCKS_AT_ONCE", 2)
    monkeypatch.setattr(rollups, "FOLD_EVERY", 5)
    monkeypatch.setattr(rollups, "MANY", 1)
    path = tmp_path / "campaigns.csv"
    path.write_text(CAMPAIGNS, encoding="utf-8")
    with db.transaction() as session:
        skus = [("MUG", None, True), ("CUP", None, True)]
        catalog.register_unknown(session, skus=skus, regions=["CN-GD", "CN-ZJ"], timezone="Asia/Shanghai")
        demand.import_campaigns(session, path=path, actor=SYSTEM, now=NOW)
    machine = type("PoolHere", (Pool,), {"db": db, "folder": tmp_path})
    few = settings(
        max_examples=6, stateful_step_count=10, suppress_health_check=list(HealthCheck), deadline=None
    )
    run_state_machine_as_test(machine, settings=few)  # type: ignore[no-untyped-call]
