"""Signals into their table, many at a time: one statement a block, the same promise on both databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.stages.demand.models import Signal
from app.stages.demand.operations import known
from app.stages.demand.operations.bulk import Packed, on_sqlite, pack, write, write_rows
from app.stages.demand.rules import EXCLUDING, Reason

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
CONTENT_TYPES: dict[str, Any] = {
    "commitment": pl.String,
    "sku_id": pl.Int64,
    "region_id": pl.Int64,
    "campaign_id": pl.Int64,
    "quantity": pl.Int64,
    "unit_price_minor": pl.Int64,
    "buyer": pl.String,
    "ordered_at": pl.Datetime("us", "UTC"),
    "status": pl.String,
}
TRACES: dict[str, Any] = {
    "device": pl.String,
    "address": pl.String,
    "payment": pl.String,
    "account_created_at": pl.Datetime("us", "UTC"),
}
_USUAL = pl.col("reason") == Reason.VALID.value
_IDS = {"id": pl.Int64, "external_id": pl.String}


def in_order(rows: pl.DataFrame, *, sqlite: bool) -> pl.DataFrame:
    """The rows as they are inserted: by external id, so that the index is filled in order.

    On SQLite the few that are no valid demand come last: the others have most columns in common.
    """
    return rows.sort(~_USUAL, "external_id") if sqlite else rows.sort("external_id")


def pack_new(rows: pl.DataFrame, *, sqlite: bool) -> Packed:
    """Signals in order, made ready for their table; on PostgreSQL with their `id`."""
    if not sqlite:
        return pack(rows, into="signal", columns=("id", *COLUMNS), sqlite=False)
    runs = rows.filter(_USUAL), rows.filter(~_USUAL)
    return pack(
        *runs, into="signal", columns=COLUMNS, sqlite=True, conflict="(channel_id, external_id) DO NOTHING"
    )


def insert_new(session: Session, rows: pl.DataFrame, *, packed: Packed | None = None) -> pl.DataFrame:
    """Insert the rows whose identity is new; returns those with their `id`.

    Args:
        rows: the columns COLUMNS, in order.
        packed: all of these rows, used where all are new. On PostgreSQL they have ids then.
    """
    if rows.is_empty():
        return rows.with_columns(pl.lit(None, dtype=pl.Int64).alias("id"))
    new = known.unknown(session, rows)
    if packed is None or new.height < packed.rows:
        packed = None
    insert = _insert_sqlite if on_sqlite(session) else _insert_postgresql
    return insert(session, new, packed)


def _insert_sqlite(session: Session, rows: pl.DataFrame, packed: Packed | None) -> pl.DataFrame:
    """New rows are those above the highest id: SQLite has one writer, and this transaction is it."""
    before = session.scalar(select(func.max(Signal.id))) or 0
    write(session, packed or pack_new(rows, sqlite=True))
    after = session.scalar(select(func.max(Signal.id))) or 0
    if after == before + rows.height:  # all were new, and numbered in the order given
        return rows.with_columns(pl.int_range(before + 1, after + 1).alias("id"))
    run = session.connection().exec_driver_sql
    found = run("SELECT id, external_id FROM signal WHERE id > ?", (before,))
    return _with_ids(rows, found.cursor.fetchall())


def _with_ids(rows: pl.DataFrame, found: Sequence[Any]) -> pl.DataFrame:
    ids = pl.DataFrame(found, schema=_IDS, orient="row")
    return rows.join(ids, on="external_id", how="inner", maintain_order="left")


def _insert_postgresql(session: Session, rows: pl.DataFrame, packed: Packed | None) -> pl.DataFrame:
    """What is not known is copied into the table, with ids taken beforehand.

    The caller has locked the channels of the rows, so that nobody adds to what is known meanwhile; whoever
    does without the lock makes the copy fail by the unique key, and with it the transaction.
    """
    if "id" not in rows.columns:
        rows = rows.with_columns(next_ids(session.connection(), rows.height))
    if rows.height:
        write(session, packed or pack_new(rows, sqlite=False))
    return rows


def next_ids(connection: Connection, count: int) -> pl.Series:
    """As many new ids, on PostgreSQL; others may take some in between, and some may be left unused."""
    query = (
        "SELECT min(id), max(id), CASE WHEN max(id) - min(id) >= count(*) THEN array_agg(id) END "
        "FROM (SELECT nextval('signal_id_seq') AS id FROM generate_series(1, %s)) AS taken"
    )
    first, last, scattered = connection.exec_driver_sql(query, (count,)).one()
    return pl.Series("id", scattered or range(first or 0, (last or -1) + 1), dtype=pl.Int64)


def insert_traces(session: Session, signals: pl.DataFrame) -> None:
    """Keep what new signals came with besides their content, where they came with anything."""
    traced = signals.filter(pl.any_horizontal(pl.col(list(TRACES)).is_not_null())).select(
        pl.col("id").alias("signal_id"), *TRACES
    )
    if traced.is_empty():
        return
    write_rows(session, traced, into="signal_trace", columns=traced.columns)


def insert_exclusions(session: Session, signals: pl.DataFrame, *, actor: Actor, now: dt.datetime) -> None:
    """Keep why each new signal that is no valid demand was excluded."""
    excluded = signals.filter(pl.col("reason").is_in([reason.value for reason in EXCLUDING])).select(
        pl.col("id").alias("signal_id"),
        "reason",
        pl.struct("sku", "status", "unit_price_minor").struct.json_encode().alias("evidence"),
        pl.lit(actor.name).alias("created_by"),
        pl.lit(now.astimezone(dt.UTC)).alias("created_at"),
    )
    if excluded.is_empty():
        return
    write_rows(session, excluded, into="exclusion", columns=excluded.columns)
