"""Signals into their table, many at a time: one statement a block, the same promise on both databases."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.stages.demand.models import Signal
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
_TOLD = ("external_id", *(name for name in CONTENT_TYPES if name != "buyer"))
_BETWEEN = "\x1f"
"""A control character, which no text of a signal has."""
TRACES: dict[str, Any] = {
    "device": pl.String,
    "address": pl.String,
    "payment": pl.String,
    "account_created_at": pl.Datetime("us", "UTC"),
}
_USUAL = pl.col("reason") == Reason.VALID.value
_IDS = {"id": pl.Int64, "external_id": pl.String}
_EACH = (
    "SELECT {} FROM unnest(%s::text[]) AS wanted (id), "
    "LATERAL (SELECT * FROM signal WHERE channel_id = %s AND external_id = wanted.id LIMIT 1) AS signal"
)
"""One look into the index for each id: before the table has statistics, the planner takes an array for most
of its rows, and reads them all."""
_IDENTITY = {"channel_id": pl.Int64, "external_id": pl.String}


def sqlite_instant(column: str) -> pl.Expr:
    """The instants of a column as SQLite keeps them."""
    return pl.col(column).dt.replace_time_zone(None).cast(pl.String)


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
        packed: all of these rows; used where all are new. On PostgreSQL they have ids then.
    """
    if rows.is_empty():
        return rows.with_columns(pl.lit(None, dtype=pl.Int64).alias("id"))
    known = _known(session, rows)
    new = rows.join(known, on=list(_IDENTITY), how="anti", maintain_order="left") if known.height else rows
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
        rows = rows.with_columns(next_ids(session, rows.height))
    if rows.height:
        write(session, packed or pack_new(rows, sqlite=False))
    return rows


def _known(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """The identities the table has of these, and maybe others between them."""
    found = [_known_of(session, channel_id, part) for (channel_id,), part in rows.group_by("channel_id")]
    return pl.concat(found)


def _known_of(session: Session, channel_id: Any, rows: pl.DataFrame) -> pl.DataFrame:
    """Files come in the order of their ids, more or less: often the table has few ids from the least to the
    greatest, and to read those is many times faster than to ask for each."""
    ids, run = rows["external_id"], session.connection().exec_driver_sql
    between = (
        "SELECT channel_id, external_id FROM signal "
        "WHERE channel_id = %s AND external_id BETWEEN %s AND %s ORDER BY external_id LIMIT %s"
    )
    sqlite = on_sqlite(session)  # where what is left in is left out by the insert
    between = between.replace("%s", "?") if sqlite else between
    found = run(between, (channel_id, ids.min(), ids.max(), len(ids))).cursor.fetchall()
    if len(found) == len(ids) and not sqlite:
        found = run(_EACH.format("channel_id, external_id"), (ids.to_list(), channel_id)).cursor.fetchall()
    return pl.DataFrame(found, schema=_IDENTITY, orient="row")


def next_ids(session: Session, count: int) -> pl.Series:
    """As many new ids, on PostgreSQL; others may take some in between, and some may be left unused."""
    query = (
        "SELECT min(id), max(id), CASE WHEN max(id) - min(id) >= count(*) THEN array_agg(id) END "
        "FROM (SELECT nextval('signal_id_seq') AS id FROM generate_series(1, %s)) AS taken"
    )
    first, last, scattered = session.connection().exec_driver_sql(query, (count,)).one()
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


def same_content(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.Series:
    """For each row whose identity is known: is what is stored the same?

    The database writes the content of a signal as one text: a tenth of the work of ten columns.
    """
    if rows.is_empty():
        return pl.Series("same", [], dtype=pl.Boolean)
    stored = _contents(session, rows["external_id"].unique(), channel_id=channel_id)
    instant = pl.col("ordered_at").dt.epoch("us").cast(pl.String)
    if on_sqlite(session):
        instant = sqlite_instant("ordered_at")
    told = [instant if name == "ordered_at" else pl.col(name).cast(pl.String) for name in _TOLD]
    content = pl.concat_str([one.fill_null("") for one in told], separator=_BETWEEN).alias("content")
    both = rows.select(content, "buyer").join(stored, on="content", how="left", maintain_order="left")
    # a signal that names nobody may have been made to forget: the same row again must not be refused for it
    buyer = pl.col("buyer_stored").is_null() | pl.col("buyer").eq_missing(pl.col("buyer_stored"))
    return both.select((pl.col("found").is_not_null() & buyer).alias("same")).to_series()


def _contents(session: Session, external_ids: pl.Series, *, channel_id: int) -> pl.DataFrame:
    """What is stored under these ids, but for the buyer as one text: content, buyer_stored, found."""
    run = session.connection().exec_driver_sql
    sqlite = on_sqlite(session)
    instant = "ordered_at" if sqlite else "(extract(epoch FROM ordered_at) * 1000000)::bigint"
    parts = [f"coalesce(CAST({instant if name == 'ordered_at' else name} AS text), '')" for name in _TOLD]
    content = f" || '{_BETWEEN}' || ".join(parts)
    if sqlite:
        known = "channel_id = ? AND external_id IN (SELECT value FROM json_each(?))"
        query = f"SELECT {content}, buyer, 1 FROM signal WHERE {known}"
        found = run(query, (channel_id, json.dumps(external_ids.to_list()))).cursor.fetchall()
    else:
        found = run(
            _EACH.format(f"{content}, buyer, 1"), (external_ids.to_list(), channel_id)
        ).cursor.fetchall()
    schema = {"content": pl.String, "buyer_stored": pl.String, "found": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def known_ids(session: Session, external_ids: pl.Series, *, channel_id: int) -> list[str]:
    """Those of the ids that the channel has a signal of."""
    run = session.connection().exec_driver_sql
    if on_sqlite(session):
        known = "channel_id = ? AND external_id IN (SELECT value FROM json_each(?))"
        query, how = (
            f"SELECT external_id FROM signal WHERE {known}",
            (channel_id, json.dumps(external_ids.to_list())),
        )
        return [id_ for (id_,) in run(query, how).cursor.fetchall()]
    found = run(_EACH.format("external_id"), (external_ids.to_list(), channel_id)).cursor.fetchall()
    return [id_ for (id_,) in found]
