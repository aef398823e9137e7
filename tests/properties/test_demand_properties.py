"""What always holds of the demand pool, whatever arrives in whatever order."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.access import SYSTEM
from app.core.db import Database
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand import rules
from support.shop import send

HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
SKUS, REGIONS = ("MUG", "CUP", "SHIP-FEE"), ("CN-GD", "CN-ZJ")
facts = st.builds(
    rules.SignalFacts,
    goods=st.booleans(),
    status=st.sampled_from([status.value for status in rules.SignalStatus]),
    quantity=st.integers(-5, 5).filter(bool),
    unit_price_minor=st.integers(-2, 2),
    commitment=st.sampled_from([one.value for one in rules.Commitment]),
)
orders = st.tuples(
    st.integers(1, 12),  # few ids, so that rows meet again
    st.sampled_from(SKUS),
    st.sampled_from(REGIONS),
    st.sampled_from(["1", "2", "-1", "3", "1.5", ""]),
    st.sampled_from(["19.90", "0.00", "x"]),
    st.sampled_from(["", "cancelled", "returned", "test"]),
    st.integers(1, 9),
    st.sampled_from([one.value for one in rules.Commitment]),
)
files = st.lists(st.lists(orders, min_size=1, max_size=12), min_size=1, max_size=4)


@given(st.lists(facts, max_size=30))
def test_a_column_is_classified_as_each_of_its_signals_is(signals: list[rules.SignalFacts]) -> None:
    frame = pl.DataFrame(
        [dataclasses.astuple(one) for one in signals],
        schema={
            "goods": pl.Boolean,
            "status": pl.String,
            "quantity": pl.Int64,
            "unit_price_minor": pl.Int64,
            "commitment": pl.String,
        },
        orient="row",
    )
    by_column = frame.select(rules.reason_expression().alias("reason"))["reason"].to_list()
    assert by_column == [rules.classify(one) for one in signals]


@given(facts)
def test_only_valid_and_returned_signals_move_valid_demand(signal: rules.SignalFacts) -> None:
    reason = rules.classify(signal)
    added = rules.valid_units(reason=reason, quantity=signal.quantity)
    assert added == (signal.quantity if reason in ("valid", "returned") else 0)
    assert (added > 0) == (reason == "valid") and (added < 0) == (reason == "returned")


@given(st.lists(st.integers(1, 6), max_size=12), st.integers(1, 8))
def test_what_is_kept_never_exceeds_the_limit_and_nothing_fitting_is_refused(
    quantities: list[int], limit: int
) -> None:
    held = 0
    for quantity, over in zip(quantities, rules.over_limit(quantities, limit=limit), strict=True):
        assert over == (held + quantity > limit)
        held += 0 if over else quantity
    assert held <= limit


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 500))
def test_the_go_line_is_the_fewest_units_that_go(valid: int, expected: int, factor: int) -> None:
    line = rules.go_units(expected_units=expected, go_factor_percent=factor)
    goes = rules.reaches_go(valid_units=valid, expected_units=expected, go_factor_percent=factor)
    assert goes == (valid >= line)


_numbers = itertools.count()


@pytest.fixture
def pool(db: Database) -> Database:
    with db.transaction() as session:
        catalog.register_unknown(
            session,
            skus=[(code, None, True) for code in SKUS[:2]],
            regions=REGIONS,
            timezone="Asia/Shanghai",
        )
    return db


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=files, choices=st.lists(st.integers(0, 10), max_size=4))
def test_roll_ups_equal_a_recount_after_any_files_exclusions_and_undos(
    pool: Database, tmp_path: Path, files: list[list[tuple[int, ...]]], choices: list[int]
) -> None:
    channel, now = f"c{next(_numbers)}", dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
    for number, rows in enumerate(files):
        fact = _import(pool, tmp_path / f"{channel}-{number}.csv", channel, rows, now)
        assert fact.read == fact.accepted + fact.duplicate + fact.rejected
        assert fact.unchanged or fact.read == len(rows)
    for choice in choices:
        with pool.transaction() as session:
            excluded = demands.list_exclusions(session, limit=100)
            if excluded:
                before = demands.waterfall(session)
                chosen = excluded[choice % len(excluded)]
                demand.undo_exclusion(session, actor=SYSTEM, exclusion_id=chosen.id, now=now)
                if choice % 2:
                    demand.exclude_signal(
                        session,
                        actor=SYSTEM,
                        signal_id=chosen.signal_id,
                        reason=chosen.reason,
                        evidence={},
                        now=now,
                    )
                    assert demands.waterfall(session) == before
    with pool.reading() as session:
        assert demands.recount(session) == []
        water = demands.waterfall(session)
        assert water.raw_units - sum(step.units for step in water.steps) == water.valid_units
        (whole,) = demands.expected(session, scope=demands.Scope())
        assert (whole.raw_units, whole.valid_units) == (water.raw_units, water.valid_units)
        left = whole.valid_units * 1000 - whole.unpaid_thousandths + whole.interest_thousandths
        assert left == whole.expected_thousandths == whole.spot_thousandths and not whole.to_plan_thousandths


def _import(
    db: Database, path: Path, channel: str, rows: list[tuple[int, ...]], now: dt.datetime
) -> demand.ImportFact:
    lines = [
        f"A{number},{commitment},{sku},{region},{quantity},{price},CNY,2026-11-0{day}T10:00:00+08:00,"
        f"u{number % 4},,{status}"
        for number, sku, region, quantity, price, status, day, commitment in rows
    ]
    return send(db, path, "\n".join([HEAD, *lines]), now=now, channel=channel)
