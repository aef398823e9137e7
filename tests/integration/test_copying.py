"""Rows copied into PostgreSQL are the rows that were given, whatever stands in their cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import DataError
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    select,
)

from app.core import copying
from app.core.db import Database

KEPT = Table(
    "kept",
    MetaData(),
    Column("place", BigInteger),
    Column("name", String(40)),
    Column("word", String(10)),
    Column("large", BigInteger),
    Column("small", Integer),
    Column("share", Double),
    Column("fine", Boolean),
    Column("day", Date),
    Column("at", DateTime(timezone=True)),
    Column("evidence", JSON),
    prefixes=["TEMPORARY"],
)
SCHEMA = {
    "place": pl.Int64,
    "name": pl.String,
    "word": pl.String,
    "large": pl.Int64,
    "small": pl.Int64,
    "share": pl.Float64,
    "fine": pl.Boolean,
    "day": pl.Date,
    "at": pl.Datetime("us", "UTC"),
    "evidence": pl.String,
}
WRITABLE = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
CELLS = (
    st.none()
    | st.text(WRITABLE, max_size=40)
    | st.sampled_from(["\\.", "\\N", "\t", "a\nb", "", "\x1f", "茶 🍵"]),
    st.sampled_from(["valid", "none", None]),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.just(dt.UTC)),
    st.none() | st.just('{"units": 3}'),
)


@pytest.fixture(scope="module")
def postgres(postgres_database_url: str) -> Iterator[Database]:
    db = Database(postgres_database_url)
    yield db
    db.dispose()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*CELLS), max_size=12), same=st.booleans())
def test_what_is_copied_is_what_was_given(
    postgres: Database, rows: list[tuple[object, ...]], same: bool
) -> None:
    rows = rows[:1] * len(rows) if same else rows
    frame = pl.DataFrame([(place, *row) for place, row in enumerate(rows)], schema=SCHEMA, orient="row")
    with postgres.transaction() as session:
        session.connection().exec_driver_sql("SET LOCAL TIME ZONE 'Asia/Shanghai'")
        KEPT.create(session.connection())
        copying.copy_rows(session, frame, into=KEPT)
        stored = [tuple(row) for row in session.execute(select(KEPT).order_by(KEPT.c.place))]
        KEPT.drop(session.connection())
    evidence = [{"units": 3} if row[-1] is not None else None for row in rows]
    assert stored == [(place, *row[:-1], evidence[place]) for place, row in enumerate(rows)]


def test_more_rows_than_are_made_ready_together_keep_their_order(postgres: Database) -> None:
    count = copying.ROWS_AT_ONCE + 3
    frame = pl.select(pl.int_range(count).alias("place"), pl.lit("valid").alias("word"))
    with postgres.transaction() as session:
        KEPT.create(session.connection())
        copying.copy_rows(session, frame, into=KEPT)
        assert list(session.scalars(select(KEPT.c.place))) == list(range(count))
        KEPT.drop(session.connection())


def test_what_does_not_fit_its_column_is_refused(postgres: Database) -> None:
    with postgres.transaction() as session:
        KEPT.create(session.connection())
        with pytest.raises(pl.exceptions.InvalidOperationError):
            copying.copy_rows(session, pl.DataFrame({"small": [2**31]}), into=KEPT)
        with pytest.raises(DataError, match="too long"):
            copying.copy_rows(session, pl.DataFrame({"word": ["longer than ten"]}), into=KEPT)
        session.rollback()
