"""Buyers of a campaign's days: their sketches, which new signals bring and whoever adds to cells unites."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.core.db import Base
from app.stages.demand.models import CampaignBuyers
from app.stages.demand.rules.buyers import OF_DAY, sketches, united

Day = tuple[int, dt.date]
_NOBODY = pl.lit(None, dtype=pl.Binary).alias("sketch")


def brought(changes: pl.DataFrame, signals: pl.DataFrame) -> pl.DataFrame:
    """The changes that these signals make, with a column `sketch`.

    The first change of a campaign and day brings all buyers of that day. What is not new comes without its
    buyer, and brings nobody.
    """
    if "buyer" not in signals.columns or signals["campaign_id"].null_count() == signals.height:
        return changes.with_columns(_NOBODY)
    first = pl.struct(OF_DAY).is_first_distinct()
    together = changes.join(sketches(signals), on=OF_DAY, how="left", maintain_order="left")
    return together.with_columns(pl.when(first).then("sketch"))


def add(session: Session, changes: pl.DataFrame) -> None:
    """Unite what changes bring with what is there; the caller is the only one who adds."""
    coming: dict[Day, list[bytes]] = defaultdict(list)
    brought = changes.filter(pl.col("sketch").is_not_null()).select(*OF_DAY, "sketch")
    for campaign_id, day, sketch in brought.iter_rows():
        coming[campaign_id, day].append(sketch)
    unite(session, coming)


def unite(session: Session, coming: Mapping[Day, Iterable[bytes]]) -> int:
    """The same of sketches by campaign and day; returns how many days hold more now."""
    there = _there(session, coming)
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for key in sorted(coming):
        before = there.get(key, b"")
        sketch = united([before, *coming[key]])
        if sketch != before:
            rows[key in there].append({**dict(zip(OF_DAY, key, strict=True)), "sketch": sketch})
    for known, write in ((True, update(CampaignBuyers)), (False, insert(CampaignBuyers))):
        if rows[known]:
            session.execute(write, rows[known])
    return len(rows[True]) + len(rows[False])


def _there(session: Session, days: Iterable[Day]) -> dict[Day, bytes]:
    table, found = Base.metadata.tables["campaign_buyers"].c, dict[Day, bytes]()
    by_campaign: dict[int, list[dt.date]] = defaultdict(list)
    for campaign_id, day in days:
        by_campaign[campaign_id].append(day)
    for campaign_id, theirs in by_campaign.items():
        query = select(table.day, table.sketch).where(
            table.campaign_id == campaign_id, table.day.between(min(theirs), max(theirs))
        )
        found |= {(campaign_id, day): sketch for day, sketch in session.execute(query)}
    return found
