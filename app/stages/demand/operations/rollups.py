"""Roll-ups: what signals add to (or take from) the cells of every level.

What comes online, one pledge or one decision at a time, is appended as a change that waits, so that nobody
waits for a cell. Whoever adds to the cells themselves (a file, or a fold of what waits) takes them alone.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from app.core.db import copy_rows
from app.stages.demand.models import DemandChange
from app.stages.demand.operations.bulk import insert_rows
from app.stages.demand.rules import Reason, cell_kind

MEASURES = ("signals", "units", "raw_units", "valid_units", "amount_minor")
KEYS = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id", "reason"),
    "demand_sku_day": ("sku_id", "day", "reason"),
    "demand_total_day": ("day", "channel_id", "reason"),
    "campaign_day": ("campaign_id", "day", "sku_id", "region_id", "reason"),
    "campaign_region_day": ("campaign_id", "region_id", "day", "reason"),
    "campaign_total_day": ("campaign_id", "day", "reason"),
}
"""The levels, each with its key; those of campaigns count only signals that belong to one."""
BY_TOTAL = {
    "demand_day": ("demand_total_day", ("day", "channel_id")),
    "demand_sku_day": ("demand_total_day", ("day",)),
    "campaign_day": ("campaign_total_day", ("campaign_id", "day")),
    "campaign_region_day": ("campaign_total_day", ("campaign_id", "day")),
}
"""Levels with a coarser one, and what of the key it has: a cell that is there has its total there."""
MANY = 2_000
"""Cells from which on it is worth to look which ones are new."""
CHANGE = {
    "channel_id": pl.Int64,
    "campaign_id": pl.Int64,
    "sku_id": pl.Int64,
    "region_id": pl.Int64,
    "day": pl.Date,
    "reason": pl.String,
}
"""`reason` is the kind of cell: see `rules.cell_kind`."""
CELL = tuple(name for name in CHANGE if name != "reason")
TYPES: dict[str, Any] = {**CHANGE, **dict.fromkeys(MEASURES, pl.Int64)}
COLUMNS = tuple(TYPES)
FOLD_EVERY = 1_000
"""Changes that wait, after which whoever brings the next one folds them."""
ALONE = "SELECT pg_advisory_xact_lock(hashtext('roll-ups'))"
IF_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('roll-ups'))"


def changes(signals: pl.DataFrame, *, sign: int = 1) -> pl.DataFrame:
    """What these signals add up to, by the columns CHANGE; `sign` −1 takes them away.

    Args:
        signals: the columns CHANGE, with the signal's own reason, commitment, quantity and unit_price_minor.
    """
    quantity, counts = pl.col("quantity"), pl.col("reason").is_in([Reason.VALID.value, Reason.RETURNED.value])
    return signals.group_by(*CELL, cell_kind().alias("reason")).agg(
        signals=pl.len().cast(pl.Int64) * sign,
        units=quantity.sum() * sign,
        raw_units=quantity.clip(lower_bound=0).sum() * sign,
        valid_units=quantity.filter(counts).sum() * sign,
        amount_minor=(quantity * pl.col("unit_price_minor")).sum() * sign,
    )


def duplicates(signals: pl.DataFrame) -> pl.DataFrame:
    """What was received again: raw units that the first step of the waterfall takes out."""
    nothing = pl.lit(0, dtype=pl.Int64)
    again = signals.with_columns(pl.lit(Reason.DUPLICATE.value).alias("reason"))
    return again.group_by(CHANGE.keys()).agg(
        signals=pl.len().cast(pl.Int64),
        units=nothing,
        raw_units=pl.col("quantity").clip(lower_bound=0).sum(),
        valid_units=nothing,
        amount_minor=nothing,
    )


def append(session: Session, frame: pl.DataFrame) -> None:
    """Let changes wait; they count from the caller's commit on."""
    moved = frame.filter(pl.any_horizontal(pl.col(MEASURES) != 0)).select(COLUMNS)
    if moved.is_empty():
        return
    if session.get_bind().dialect.name == "sqlite":
        cells = moved.with_columns(pl.col("day").dt.strftime("%Y-%m-%d"))
        insert_rows(session, cells, into="demand_change", columns=COLUMNS, conflict="DO NOTHING")
    else:
        copy_rows(session, moved, into="demand_change")
    some = select(DemandChange.id).limit(FOLD_EVERY).subquery()
    if session.scalar(select(func.count()).select_from(some)) == FOLD_EVERY:
        fold(session)


def fold(session: Session) -> None:
    """Add what waits to the cells, unless somebody else is adding."""
    if session.get_bind().dialect.name != "sqlite" and not session.scalar(text(IF_ALONE)):
        return
    _add(session, _taken(session))


def add(session: Session, frames: list[pl.DataFrame]) -> None:
    """Add changes and all that wait to the cells; others who want to, wait until the transaction ends."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text(ALONE))
    _add(session, _summed([*frames, _taken(session)]))


def _summed(frames: list[pl.DataFrame]) -> pl.DataFrame:
    together = pl.concat([one.select(COLUMNS).cast(pl.Schema(TYPES)) for one in frames])
    return together.group_by(CHANGE.keys()).agg(pl.col(MEASURES).sum())


def _taken(session: Session) -> pl.DataFrame:
    """The changes that wait, which wait no longer. What is not committed yet is not seen, and waits on."""
    columns = [getattr(DemandChange, name) for name in COLUMNS]
    gone = session.execute(
        delete(DemandChange).returning(*columns), execution_options={"synchronize_session": False}
    )
    rows = [tuple(row) for row in gone]
    return pl.DataFrame(rows, schema=TYPES, orient="row")


def _add(session: Session, frame: pl.DataFrame) -> None:
    """Into every level, in the order of its key; into the totals last."""
    pledged = frame.filter(pl.col("campaign_id").is_not_null())
    for table, key in KEYS.items():
        cells = (pledged if key[0] == "campaign_id" else frame).group_by(key).agg(pl.col(MEASURES).sum())
        moved = cells.filter(pl.any_horizontal(pl.col(MEASURES) != 0)).sort(key)
        if session.get_bind().dialect.name == "sqlite":
            _upsert_sqlite(session, table, moved)
        else:
            _upsert_postgresql(session, table, _copied_where_new(session, table, moved))


def _conflict(table: str) -> str:
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
    return f"({', '.join(KEYS[table])}) DO UPDATE SET {sums}"


def _upsert_sqlite(session: Session, table: str, frame: pl.DataFrame) -> None:
    if not frame.is_empty():
        cells = frame.with_columns(pl.col("day").dt.strftime("%Y-%m-%d"))
        columns = (*KEYS[table], *MEASURES)
        insert_rows(session, cells, into=table, columns=columns, conflict=_conflict(table))


def _copied_where_new(session: Session, table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Copy the cells of days without any; returns the others. A COPY takes a third of the time of an upsert.

    Files mostly bring new days. Nobody else adds cells meanwhile, and none is ever deleted.
    """
    if table not in BY_TOTAL or frame.height < MANY:
        return frame
    total, key = BY_TOTAL[table]
    names = ", ".join(key)
    query = f"SELECT DISTINCT {names} FROM {total} WHERE day BETWEEN %s AND %s"
    found = session.connection().exec_driver_sql(query, (frame["day"].min(), frame["day"].max()))
    schema = {name: CHANGE[name] for name in key}
    there = pl.DataFrame(found.cursor.fetchall(), schema=schema, orient="row")
    new = frame.join(there, on=key, how="anti", maintain_order="left")
    copy_rows(session, new.select(*KEYS[table], *MEASURES), into=table)
    return frame.join(there, on=key, how="semi", maintain_order="left")


def _upsert_postgresql(session: Session, table: str, frame: pl.DataFrame) -> None:
    if frame.is_empty():
        return
    columns, run = (*KEYS[table], *MEASURES), session.connection().exec_driver_sql
    run(f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_{table} (LIKE {table}) ON COMMIT DROP")
    run(f"TRUNCATE staged_{table}")
    copy_rows(session, frame.select(columns), into=f"staged_{table}")
    listed = ", ".join(columns)
    run(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM staged_{table} ON CONFLICT {_conflict(table)}")
