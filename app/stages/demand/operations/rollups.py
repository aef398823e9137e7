"""Roll-ups: what a set of signals adds to (or takes from) the cells, and adding it."""

from __future__ import annotations

import polars as pl
from sqlalchemy.orm import Session

from app.core.db import copy_rows
from app.stages.demand.operations.bulk import insert_rows
from app.stages.demand.rules import Reason

MEASURES = ("signals", "units", "raw_units", "valid_units", "amount_minor")
KEYS = {
    "demand_day": ("sku_id", "region_id", "day", "channel_id", "reason"),
    "campaign_day": ("campaign_id", "day", "sku_id", "region_id", "reason"),
}
MOST_WAITING = 2_000_000
"""Cells kept in memory before they are written: about 200 MB."""

Cells = dict[str, pl.DataFrame]


def cells(signals: pl.DataFrame, *, sign: int = 1) -> Cells:
    """The cells of both roll-ups that these signals add up to; `sign` −1 takes them away.

    Args:
        signals: channel_id, campaign_id, sku_id, region_id, day, reason, quantity, unit_price_minor.
    """
    quantity, counts = pl.col("quantity"), pl.col("reason").is_in([Reason.VALID.value, Reason.RETURNED.value])
    return _grouped(
        signals,
        {
            "signals": pl.len().cast(pl.Int64) * sign,
            "units": quantity.sum() * sign,
            "raw_units": quantity.clip(lower_bound=0).sum() * sign,
            "valid_units": quantity.filter(counts).sum() * sign,
            "amount_minor": (quantity * pl.col("unit_price_minor")).sum() * sign,
        },
    )


def duplicate_cells(signals: pl.DataFrame) -> Cells:
    """What was received again: raw units that the first step of the waterfall takes out."""
    nothing = pl.lit(0, dtype=pl.Int64)
    return _grouped(
        signals.with_columns(pl.lit(Reason.DUPLICATE.value).alias("reason")),
        {
            "signals": pl.len().cast(pl.Int64),
            "units": nothing,
            "raw_units": pl.col("quantity").clip(lower_bound=0).sum(),
            "valid_units": nothing,
            "amount_minor": nothing,
        },
    )


def _grouped(signals: pl.DataFrame, measures: dict[str, pl.Expr]) -> Cells:
    named = [measure.alias(name) for name, measure in measures.items()]
    return {
        table: signals.filter(pl.col(key[0]).is_not_null()).group_by(key).agg(named)
        for table, key in KEYS.items()
    }


def add(session: Session, changes: Cells) -> None:
    """Add cells to the roll-ups, in key order so that two writers can't lock each other out."""
    for table, frame in changes.items():
        if not frame.is_empty():
            _upsert(session, table, frame.sort(KEYS[table]))


class Waiting:
    """Cells of many blocks that are added together: a cell that several blocks touch is written once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: list[Cells] = []

    def take(self, changes: Cells) -> None:
        self._waiting.append(changes)
        if sum(frame.height for one in self._waiting for frame in one.values()) > MOST_WAITING:
            self.write()

    def write(self) -> None:
        """Add all that waits to the roll-ups."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            add(
                self._session,
                {table: _summed([one[table] for one in waiting], key) for table, key in KEYS.items()},
            )


def _summed(frames: list[pl.DataFrame], key: tuple[str, ...]) -> pl.DataFrame:
    return pl.concat(frames).group_by(key).agg(pl.col(MEASURES).sum())


def _upsert(session: Session, table: str, frame: pl.DataFrame) -> None:
    columns = (*KEYS[table], *MEASURES)
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in MEASURES)
    conflict = f"({', '.join(KEYS[table])}) DO UPDATE SET {sums}"
    if session.get_bind().dialect.name == "sqlite":
        cells = frame.with_columns(pl.col("day").dt.strftime("%Y-%m-%d"))
        insert_rows(session, cells, into=table, columns=columns, conflict=conflict)
        return
    run = session.connection().exec_driver_sql
    run(f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_{table} (LIKE {table}) ON COMMIT DROP")
    run(f"TRUNCATE staged_{table}")
    copy_rows(session, frame.select(columns), into=f"staged_{table}")
    run(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM staged_{table} "
        f"ORDER BY {', '.join(KEYS[table])} ON CONFLICT {conflict}"
    )
