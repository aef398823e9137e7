"""Rows packed for SQLite are the rows, whatever columns are constant or the same."""

from __future__ import annotations

import datetime as dt
import sqlite3

import polars as pl
import pytest

from app.stages.demand.operations.bulk import pack

COLUMNS = ("word", "name", "units", "again", "place", "blank", "day", "at")


def _frame(rows: int, *, varied: bool) -> pl.DataFrame:
    number = pl.int_range(rows)
    return pl.select(
        pl.lit("valid").repeat_by(rows).explode().alias("word"),
        pl.format("it's {}", number // 3).alias("name"),
        (number % 5).alias("units"),
        (number % 5 + (number == 4 if varied else 0)).alias("again"),
        pl.when(number % 7 > 0).then(number).alias("place"),
        pl.repeat(None, rows, dtype=pl.Int64).alias("blank"),
        (pl.lit(dt.date(2026, 11, 11)) + pl.duration(days=number % 3)).alias("day"),
        (pl.lit(dt.datetime(2026, 11, 11, 9, tzinfo=dt.UTC)) + pl.duration(microseconds=number)).alias("at"),
    )


@pytest.mark.parametrize("varied", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 199, 200, 401])
def test_what_is_packed_is_what_was_given(rows: int, varied: bool) -> None:
    given = _frame(rows, varied=varied)
    packed = pack(given, given.head(1), into="kept", columns=COLUMNS, sqlite=True)
    assert packed.rows == rows + min(rows, 1)
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE kept ({', '.join(COLUMNS)})")
    for statement, parameters in packed.statements:
        database.executemany(statement.replace("ON CONFLICT DO NOTHING", ""), parameters)
    stored = database.execute("SELECT * FROM kept ORDER BY rowid").fetchall()
    told = given.with_columns(
        pl.col("day").cast(pl.String), pl.col("at").dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
    )
    assert stored == [*told.rows(), *told.head(1).rows()]
