"""Closed days as columns that need no database to be read, and the roll-ups held against them.

An archive has codes instead of ids, and nothing of buyers: who is forgotten here must not live on elsewhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.catalog.models import Region, Sku
from app.stages.demand.models import Campaign, CampaignDay, Channel, DemandDay, Signal
from app.stages.demand.queries.cells import counted
from app.stages.demand.queries.pool import MEASURES, Difference
from app.stages.demand.rules import Reason, cell_kind

ARCHIVED: dict[str, Any] = {
    "day": pl.Date,
    "channel": pl.Categorical,
    "external_id": pl.String,
    "commitment": pl.Categorical,
    "campaign": pl.Categorical,
    "sku": pl.Categorical,
    "region": pl.Categorical,
    "quantity": pl.Int32,
    "unit_price_minor": pl.Int64,
    "ordered_at": pl.Datetime("ms", "UTC"),
    "status": pl.Categorical,
    "reason": pl.Categorical,
}
ROWS_AT_ONCE = 50_000
LEVELS = {
    "demand_day": ("day", "channel", "sku", "region", "kind"),
    "campaign_day": ("day", "campaign", "sku", "region", "kind"),
}
"""The finest levels, whose sums all others are; `kind` is that of `rules.cell_kind`."""


def archived_signals(
    session: Session, *, since: dt.date, until: dt.date
) -> Iterator[tuple[dt.date, pl.DataFrame]]:
    """The signals of business days from `since` to before `until`, day by day, in blocks of one day each.

    Returns:
        the day, and up to ROWS_AT_ONCE of its rows with the columns ARCHIVED, sorted by channel and identity.
    """
    codes = (
        Signal.day,
        Channel.code,
        Signal.external_id,
        Signal.commitment,
        Campaign.code,
        Sku.code,
        Region.code,
    )
    query = (
        select(
            *codes, Signal.quantity, Signal.unit_price_minor, Signal.ordered_at, Signal.status, Signal.reason
        )
        .join(Channel, Channel.id == Signal.channel_id)
        .join(Sku, Sku.id == Signal.sku_id)
        .join(Region, Region.id == Signal.region_id)
        .outerjoin(Campaign, Campaign.id == Signal.campaign_id)
        .where(Signal.day >= since, Signal.day < until)
        .order_by(Signal.day, Signal.channel_id, Signal.external_id)
    )
    rows = session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    for part in rows.partitions():
        frame = pl.DataFrame([tuple(row) for row in part], schema=ARCHIVED, orient="row")
        for (day,), of_day in frame.group_by("day", maintain_order=True):
            yield day, of_day


def audit_archive(session: Session, *, archived: pl.LazyFrame, days: list[dt.date]) -> list[Difference]:
    """Cells of these days that are not what the archive adds up to; none when both say the same.

    Args:
        archived: the columns ARCHIVED, of these days and no others.
    """
    quantity, differences = pl.col("quantity").cast(pl.Int64), []
    counts = pl.col("reason").is_in([Reason.VALID.value, Reason.RETURNED.value])
    archived = archived.with_columns(pl.col("reason", "commitment").cast(pl.String))
    for level, key in LEVELS.items():
        rows = archived if level == "demand_day" else archived.filter(pl.col("campaign").is_not_null())
        sums = rows.group_by(*key[:-1], cell_kind().alias("kind")).agg(
            pl.len().cast(pl.Int64),
            quantity.sum().alias("units"),
            quantity.clip(lower_bound=0).sum().alias("raw"),
            quantity.filter(counts).sum().alias("valid"),
            (quantity * pl.col("unit_price_minor")).sum().alias("amount"),
        )
        found = _by_cell(sums.collect().rows(), len(key))
        stored = _stored(session, level, days)
        nothing = (0,) * len(MEASURES)
        differences += [
            Difference(level, cell, stored.get(cell, nothing), found.get(cell, nothing))
            for cell in sorted(stored.keys() | found.keys())
            if stored.get(cell, nothing) != found.get(cell, nothing)
        ]
    return differences


def _stored(session: Session, level: str, days: list[dt.date]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The cells of a level on these days by codes; what came again is no row, and no part of an archive."""
    table = counted(DemandDay if level == "demand_day" else CampaignDay)
    whose, id_ = (Channel, "channel_id") if level == "demand_day" else (Campaign, "campaign_id")
    cell = (table.day, whose.code, Sku.code, Region.code, table.reason)
    query = (
        select(*cell, *(func.sum(table[name]) for name in MEASURES))
        .join(whose, whose.id == table[id_])
        .join(Sku, Sku.id == table.sku_id)
        .join(Region, Region.id == table.region_id)
        .where(table.day >= min(days), table.day <= max(days), table.reason != Reason.DUPLICATE)
        .group_by(*cell)
    )
    wanted = set(days)
    return _by_cell([tuple(row) for row in session.execute(query) if row[0] in wanted], len(cell))


def _by_cell(rows: list[tuple[Any, ...]], width: int) -> dict[tuple[Any, ...], tuple[int, ...]]:
    found = {row[:width]: tuple(int(value) for value in row[width:]) for row in rows}
    return {cell: measures for cell, measures in found.items() if any(measures)}
