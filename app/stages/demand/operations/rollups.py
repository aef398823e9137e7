"""Roll-ups: what signals add to (or take from) the cells of every level.

What comes online, one pledge or one decision at a time, is appended as a change that waits, so that nobody
waits for a cell. Whoever adds to the cells themselves (a file, or a fold of what waits) takes them alone.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Any

import polars as pl
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from app.stages.demand.models import DemandChange
from app.stages.demand.operations import buyers
from app.stages.demand.operations.bulk import STAGED, Packed, map_ahead, on_sqlite, pack, write, write_rows
from app.stages.demand.queries.sketches import counted_sketches
from app.stages.demand.rules import Reason, cell_kind

MEASURES = ("signals", "units", "raw_units", "valid_units", "amount_minor")
KEYS = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id", "reason"),
    "demand_sku_day": ("sku_id", "day", "reason"),
    "demand_total_day": ("day", "channel_id", "reason"),
    "campaign_day": ("campaign_id", "sku_id", "day", "region_id", "reason"),
    "campaign_region_day": ("campaign_id", "region_id", "day", "reason"),
    "campaign_total_day": ("campaign_id", "day", "reason"),
    "demand_again": ("sku_id", "region_id", "day", "channel_id"),
    "demand_sku_again": ("sku_id", "day"),
    "campaign_again": ("campaign_id", "sku_id", "day", "region_id"),
}
"""The levels, each with its key; those of campaigns count only signals that belong to one."""
AGAIN = ("demand_again", "demand_sku_again", "campaign_again")
"""Levels of what was received again. Of the others only the totals count it."""
BY_TOTAL = {
    "demand_day": ("demand_total_day", ("day", "channel_id", "reason")),
    "demand_sku_day": ("demand_total_day", ("day", "reason")),
    "campaign_day": ("campaign_total_day", ("campaign_id", "day", "reason")),
    "campaign_region_day": ("campaign_total_day", ("campaign_id", "day", "reason")),
}
"""Levels with a coarser one, and what of the key it has: a cell that is there has its total there.

A cell begins with a signal more than none, and cells that lose signals had them: so what brings a new cell
either adds a signal to the total as well, or takes it from a cell, and so from a total, that is there.
"""
MANY = 2_000
"""Cells from which on it is worth to look which ones are new."""
MOST = 50_000
"""Looked at for that, of what is there."""
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
TYPES: dict[str, Any] = {**CHANGE, **dict.fromkeys(MEASURES, pl.Int64), "sketch": pl.Binary}
COLUMNS = tuple(TYPES)
FOLD_EVERY = 1_000
"""Changes that wait, after which whoever brings the next one folds them."""
ALONE = "SELECT pg_advisory_xact_lock(hashtext('roll-ups'))"
IF_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('roll-ups'))"


def changes(signals: pl.DataFrame, *, sign: int = 1) -> pl.DataFrame:
    """What these signals add up to, by the columns CHANGE; `sign` −1 takes them away.

    Args:
        signals: the columns CHANGE, with the signal's own reason, commitment, quantity and unit_price_minor;
            of new ones also the buyer.
    """
    quantity, counts = pl.col("quantity"), pl.col("reason").is_in([Reason.VALID.value, Reason.RETURNED.value])
    changed = signals.group_by(*CELL, cell_kind().alias("reason")).agg(
        signals=pl.len().cast(pl.Int64) * sign,
        units=quantity.sum() * sign,
        raw_units=quantity.clip(lower_bound=0).sum() * sign,
        valid_units=quantity.filter(counts).sum() * sign,
        amount_minor=(quantity * pl.col("unit_price_minor")).sum() * sign,
    )
    return buyers.brought(changed, signals)


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
        sketch=pl.lit(None, dtype=pl.Binary),
    )


def append(session: Session, frame: pl.DataFrame) -> None:
    """Let changes wait; they count from the caller's commit on."""
    moved = frame.filter(pl.any_horizontal(pl.col(MEASURES) != 0)).select(COLUMNS)
    if moved.is_empty():
        return
    write_rows(session, moved, into="demand_change", columns=COLUMNS)
    some = select(DemandChange.id).limit(FOLD_EVERY).subquery()
    if session.scalar(select(func.count()).select_from(some)) == FOLD_EVERY:
        fold(session)


def fold(session: Session) -> None:
    """Add what waits to the cells, unless somebody else is adding."""
    if not on_sqlite(session) and not session.scalar(text(IF_ALONE)):
        return
    _add(session, _taken(session))


def add(session: Session, frames: list[pl.DataFrame]) -> None:
    """Add changes and all that wait to the cells; others who want to, wait until the transaction ends."""
    if not on_sqlite(session):
        session.execute(text(ALONE))
    together = [one.select(COLUMNS).cast(pl.Schema(TYPES)) for one in (*frames, _taken(session))]
    _add(session, pl.concat(together))


def count_buyers(session: Session, *, campaign_id: int) -> int:
    """Unite the sketches of a campaign with those of its signals; on how many days they lacked some."""
    add(session, [])
    return buyers.unite(
        session,
        {day: [sketch] for day, sketch in counted_sketches(session, campaign_id=campaign_id).items()},
    )


def _taken(session: Session) -> pl.DataFrame:
    """The changes that wait, which wait no longer. What is not committed yet is not seen, and waits on."""
    columns = [getattr(DemandChange, name) for name in COLUMNS]
    gone = session.execute(
        delete(DemandChange).returning(*columns), execution_options={"synchronize_session": False}
    )
    rows = [tuple(row) for row in gone]
    return pl.DataFrame(rows, schema=TYPES, orient="row")


def _add(session: Session, frame: pl.DataFrame) -> None:
    """Into every level, in the order of its key; into the totals last.

    Of many changes the next level is summed and made ready while one is written.
    """
    sqlite = on_sqlite(session)
    there = {} if sqlite or frame.height < MANY else _there(session, frame)
    level = partial(_level, frame, there=there, sqlite=sqlite)
    ready = map_ahead(level, iter(KEYS)) if frame.height >= MANY else (level(table) for table in KEYS)
    with closing(ready) as levels:
        for new, others in levels:
            write(session, new)
            if others.rows:
                _merge(session, others)
    buyers.add(session, frame)


def _level(
    frame: pl.DataFrame, table: str, *, there: dict[str, pl.DataFrame], sqlite: bool
) -> tuple[Packed, Packed]:
    """Cells of one level, ready to be written; and those that must be added to what is there.

    On PostgreSQL cells of days that have none of their kind are copied, in a third of the time of an upsert.
    Mostly files bring new days. Nobody else adds cells meanwhile, and none is ever deleted.
    """
    key, measures = KEYS[table], _measures(table)
    if key[0] == "campaign_id":
        frame = frame.filter(pl.col("campaign_id").is_not_null())
    if table in BY_TOTAL or table in AGAIN:
        frame = frame.filter((pl.col("reason") == Reason.DUPLICATE.value) == (table in AGAIN))
    if frame.is_empty():
        return _NOTHING, _NOTHING
    cells = frame.group_by(key).agg(pl.col(measures).sum())
    moved = cells.filter(pl.any_horizontal(pl.col(measures) != 0)).sort(key)
    columns = (*key, *measures)
    if sqlite:
        plain = pl.lit(True)
        if table not in AGAIN:
            plain = (pl.col("reason") == Reason.VALID.value) & (pl.col("units") == pl.col("raw_units"))
        runs = moved.filter(plain), moved.filter(~plain)
        return pack(*runs, into=table, columns=columns, sqlite=True, conflict=_conflict(table)), _NOTHING
    copied = partial(pack, columns=columns, sqlite=False, ahead=False)
    if table not in there:
        return _NOTHING, copied(moved, into=f"{STAGED}{table}")
    known = there[table]
    new = moved.join(known, on=known.columns, how="anti", maintain_order="left")
    others = moved.join(known, on=known.columns, how="semi", maintain_order="left")
    return copied(new, into=table), copied(others, into=f"{STAGED}{table}")


_NOTHING = Packed("", (), 0, [], [])


def _there(session: Session, frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Of what days and kinds (of a channel, of a campaign) each level has cells already.

    Of what was received again, which cells are there: on most days something is. Levels with too many of them
    are left out.
    """
    looked = dict(BY_TOTAL)
    if (frame["reason"] == Reason.DUPLICATE.value).sum() >= MANY:
        looked |= {table: (table, KEYS[table]) for table in AGAIN}
    days = frame["day"].min(), frame["day"].max()
    there = {}
    for table, (level, key) in looked.items():
        query = f"SELECT DISTINCT {', '.join(key)} FROM {level} WHERE day BETWEEN %s AND %s LIMIT {MOST + 1}"
        found = session.connection().exec_driver_sql(query, days).cursor.fetchall()
        if len(found) <= MOST:
            schema = {name: CHANGE[name] for name in key}
            there[table] = pl.DataFrame(found, schema=schema, orient="row")
    return there


def _measures(table: str) -> tuple[str, ...]:
    return ("signals", "raw_units") if table in AGAIN else MEASURES


def _conflict(table: str) -> str:
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _measures(table))
    return f"({', '.join(KEYS[table])}) DO UPDATE SET {sums}"


def _merge(session: Session, cells: Packed) -> None:
    """Add cells to those that are there, on PostgreSQL."""
    run, staged, columns = session.connection().exec_driver_sql, cells.into, ", ".join(cells.columns)
    table = staged.removeprefix(STAGED)
    run(f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} (LIKE {table}) ON COMMIT DROP")
    run(f"TRUNCATE {staged}")
    write(session, cells)
    run(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} ON CONFLICT {_conflict(table)}")
