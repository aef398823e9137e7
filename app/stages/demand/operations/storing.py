"""Signals into their table, many at a time: one statement a block, the same promise on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.stages.demand.models import Exclusion, Signal
from app.stages.demand.operations.bulk import insert_rows
from app.stages.demand.rules import EXCLUDING

COLUMNS = (
    "channel_id",
    "external_id",
    "batch_id",
    "commitment",
    "sku_id",
    "region_id",
    "campaign_id",
    "quantity",
    "unit_price_minor",
    "buyer",
    "ordered_at",
    "day",
    "status",
    "reason",
)
CONTENT = (
    "commitment",
    "sku_id",
    "region_id",
    "campaign_id",
    "quantity",
    "unit_price_minor",
    "buyer",
    "ordered_at",
    "status",
)
"""What makes two rows with the same identity the same row."""
MOST_PARAMETERS = 5_000
_IDS = {"id": pl.Int64, "external_id": pl.String}


def insert_new(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """Insert the rows whose identity is new; returns those with their `id`.

    Args:
        rows: the columns COLUMNS, sorted by external id, so that the index is filled in order.
    """
    if rows.is_empty():
        return rows.with_columns(pl.lit(None, dtype=pl.Int64).alias("id"))
    new = _insert_sqlite if session.get_bind().dialect.name == "sqlite" else _insert_postgresql
    return new(session, rows)


def _insert_sqlite(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """New rows are those above the highest id: SQLite has one writer, and this transaction is it."""
    before = session.scalar(select(func.max(Signal.id))) or 0
    cells = rows.select(COLUMNS).with_columns(
        pl.col("ordered_at").dt.strftime("%Y-%m-%d %H:%M:%S.%6f"), pl.col("day").dt.strftime("%Y-%m-%d")
    )
    conflict = "(channel_id, external_id) DO NOTHING"
    insert_rows(session, cells, into="signal", columns=COLUMNS, conflict=conflict)
    after = session.scalar(select(func.max(Signal.id)))
    if after == before + rows.height:  # all were new, and numbered in the order given
        return rows.with_columns(pl.int_range(before + 1, after + 1).alias("id"))
    run = session.connection().exec_driver_sql
    found = run("SELECT id, external_id FROM signal WHERE id > ?", (before,))
    return _with_ids(rows, found.cursor.fetchall())  # type: ignore[union-attr]


def _with_ids(rows: pl.DataFrame, found: list[Any]) -> pl.DataFrame:
    ids = pl.DataFrame(found, schema=_IDS, orient="row")
    return rows.join(ids, on="external_id", how="inner", maintain_order="left")


def _insert_postgresql(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    columns = ", ".join(COLUMNS)
    run = session.connection().exec_driver_sql
    run("CREATE TEMPORARY TABLE IF NOT EXISTS staged_signal (LIKE signal INCLUDING DEFAULTS) ON COMMIT DROP")
    run("ALTER TABLE staged_signal ALTER COLUMN id DROP NOT NULL")
    run("TRUNCATE staged_signal")
    cursor = session.connection().connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor.copy(f"COPY staged_signal ({columns}) FROM STDIN") as copy:
        copy.write(_copy_text(rows.select(COLUMNS)))
    cursor.close()
    found = run(
        f"INSERT INTO signal ({columns}) SELECT {columns} FROM staged_signal "
        "ON CONFLICT (channel_id, external_id) DO NOTHING RETURNING id, external_id"
    )
    return _with_ids(rows, found.cursor.fetchall())  # type: ignore[union-attr]


def _copy_text(frame: pl.DataFrame) -> str:
    """COPY's text format: tab-separated, \\N for null, times with their offset."""
    escaped = frame.with_columns(
        pl.col(pl.String)
        .str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all("\t", "\\t", literal=True),
    ).with_columns(pl.col("ordered_at").dt.strftime("%Y-%m-%d %H:%M:%S.%6f+00"))
    return escaped.write_csv(separator="\t", include_header=False, quote_style="never", null_value="\\N")


def insert_exclusions(session: Session, signals: pl.DataFrame, *, actor: Actor, now: dt.datetime) -> None:
    """Keep why each new signal that is no valid demand was excluded."""
    excluded = signals.filter(pl.col("reason").is_in([reason.value for reason in EXCLUDING]))
    rows = [
        {
            "signal_id": row["id"],
            "reason": row["reason"],
            "evidence": {
                "sku": row["sku"],
                "status": row["status"],
                "unit_price_minor": row["unit_price_minor"],
            },
            "created_by": actor.name,
            "created_at": now,
        }
        for row in excluded.iter_rows(named=True)
    ]
    if rows:
        session.connection().execute(insert(Exclusion.__table__), rows)  # type: ignore[arg-type]


def same_content(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.Series:
    """For each row whose identity is known: is what is stored the same?"""
    if rows.is_empty():
        return pl.Series("same", [], dtype=pl.Boolean)
    stored: dict[str, tuple[Any, ...]] = {}
    ids = rows["external_id"].unique().to_list()
    for start in range(0, len(ids), MOST_PARAMETERS):
        query = select(Signal.external_id, *(getattr(Signal, name) for name in CONTENT)).where(
            Signal.channel_id == channel_id, Signal.external_id.in_(ids[start : start + MOST_PARAMETERS])
        )
        stored.update({row[0]: tuple(row[1:]) for row in session.execute(query)})
    given = rows.select("external_id", *CONTENT).iter_rows()
    return pl.Series("same", [stored.get(external_id) == tuple(content) for external_id, *content in given])
