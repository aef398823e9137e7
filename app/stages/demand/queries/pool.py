"""The demand pool from its roll-ups: the waterfall, days, weeks, and the proof that roll-ups equal the rows.

`since` is the first day that counts, `until` the first that no longer does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from app.core.errors import RuleBroken
from app.stages.demand.models import (
    CampaignDay,
    CampaignRegionDay,
    CampaignTotalDay,
    Channel,
    DemandDay,
    DemandSkuDay,
    DemandTotalDay,
    RollUp,
    Signal,
)
from app.stages.demand.queries import sketches
from app.stages.demand.queries.cells import Columns, counted, counted_by_sku, kind, level, received
from app.stages.demand.rules import Reason, kind_reason

LEVELS: tuple[type[RollUp], ...] = (
    DemandDay,
    DemandSkuDay,
    DemandTotalDay,
    CampaignDay,
    CampaignRegionDay,
    CampaignTotalDay,
)
MEASURES = ("signals", "units", "raw_units", "valid_units", "amount_minor")
_Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ChannelFact:
    id: int
    code: str
    currency: str


@dataclass(frozen=True, slots=True)
class WaterfallStep:
    """Units that one reason removes from raw demand, and how many signals they came from."""

    reason: str
    units: int
    signals: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """raw_units minus the units of all steps is valid_units, always. Steps stand in the waterfall's order."""

    raw_units: int
    steps: tuple[WaterfallStep, ...]
    valid_units: int


@dataclass(frozen=True, slots=True)
class DayUnits:
    day: dt.date
    raw_units: int
    valid_units: int


@dataclass(frozen=True, slots=True)
class SkuUnits:
    sku_id: int
    raw_units: int
    valid_units: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A roll-up cell that does not equal the accepted rows: (signals, units, raw, valid, amount) of both."""

    roll_up: str
    key: tuple[Any, ...]
    stored: tuple[int, ...]
    counted: tuple[int, ...]


def list_channels(session: Session) -> list[ChannelFact]:
    """All channels by code."""
    rows = session.execute(select(Channel.id, Channel.code, Channel.currency).order_by(Channel.code))
    return [ChannelFact(*row) for row in rows]


def waterfall(
    session: Session,
    *,
    campaign_id: int | None = None,
    sku_id: int | None = None,
    region_id: int | None = None,
    channel_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Waterfall:
    """From raw to valid demand, step by step; without filters, of everything.

    Raises:
        RuleBroken: `waterfall_filter` when both a campaign and a channel are given.
    """
    if campaign_id is not None and channel_id is not None:
        raise RuleBroken("waterfall_filter", "Choose a campaign or a channel, not both.")
    table = received(
        level(campaign_id=campaign_id, sku_id=sku_id, region_id=region_id, channel_id=channel_id)
    )
    query: _Query = select(
        table.reason,
        func.coalesce(func.sum(table.raw_units), 0),
        func.coalesce(func.sum(table.valid_units), 0),
        func.coalesce(func.sum(table.signals), 0),
    ).group_by(table.reason)
    query = _filter(query, table=table, sku_id=sku_id, campaign_id=campaign_id, since=since, until=until)
    if region_id is not None:
        query = query.where(table.region_id == region_id)
    if channel_id is not None:
        query = query.where(table.channel_id == channel_id)
    cells: dict[str, tuple[int, int, int]] = {}
    for told, *sums in session.execute(query):
        reason = kind_reason(told)
        before = cells.get(reason, (0, 0, 0))
        cells[reason] = (before[0] + int(sums[0]), before[1] + int(sums[1]), before[2] + int(sums[2]))
    return _waterfall(cells)


def daily_units(
    session: Session,
    *,
    sku_id: int | None = None,
    campaign_id: int | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> list[DayUnits]:
    """Raw and valid units per business day, oldest first; days without signals are left out."""
    table = received(level(campaign_id=campaign_id, sku_id=sku_id))
    query: _Query = select(table.day, func.sum(table.raw_units), func.sum(table.valid_units))
    query = _filter(query, table=table, sku_id=sku_id, campaign_id=campaign_id, since=since, until=until)
    rows = session.execute(query.group_by(table.day).order_by(table.day))
    return [DayUnits(day=row[0], raw_units=int(row[1]), valid_units=int(row[2])) for row in rows]


def latest_day(session: Session) -> dt.date | None:
    """The newest business day with a signal; None when there is none."""
    return session.scalar(select(func.max(counted(DemandTotalDay).day)))


def sku_units(
    session: Session, *, since: dt.date | None = None, until: dt.date | None = None, limit: int = 20
) -> list[SkuUnits]:
    """The SKUs with the most valid units first."""
    table = counted_by_sku(since=since, until=until)
    valid = func.sum(table.valid)
    query = select(table.sku_id, func.sum(table.raw), valid).group_by(table.sku_id)
    rows = session.execute(query.order_by(valid.desc(), table.sku_id).limit(limit))
    return [SkuUnits(sku_id=row[0], raw_units=int(row[1]), valid_units=int(row[2])) for row in rows]


def recount(session: Session) -> list[Difference]:
    """Compute every roll-up again from the accepted rows; the cells that differ, none when all is right.

    What was received again (`duplicate`) is no accepted row and is left out. Reads every signal. A sketch of
    buyers that is not theirs is a cell that differs; it has no measures.
    """
    differences = []
    for one in LEVELS:
        key = [column.name for column in one.__table__.primary_key]  # type: ignore[attr-defined]
        stored, found = _stored(session, counted(one), key), _counted(session, key)
        nothing = (0,) * len(MEASURES)
        differences += [
            Difference(one.__tablename__, cell, stored.get(cell, nothing), found.get(cell, nothing))  # type: ignore[attr-defined]
            for cell in sorted(stored.keys() | found.keys())
            if stored.get(cell, nothing) != found.get(cell, nothing)
        ]
    buyers = [Difference("campaign_buyers", day, (), ()) for day in sketches.differences(session)]
    return differences + buyers


def _filter(
    query: _Query,
    *,
    table: Columns,
    sku_id: int | None,
    campaign_id: int | None,
    since: dt.date | None,
    until: dt.date | None,
) -> _Query:
    if campaign_id is not None:
        query = query.where(table.campaign_id == campaign_id)
    if sku_id is not None:
        query = query.where(table.sku_id == sku_id)
    if since is not None:
        query = query.where(table.day >= since)
    if until is not None:
        query = query.where(table.day < until)
    return query


def _waterfall(cells: dict[str, tuple[int, int, int]]) -> Waterfall:
    steps = [
        WaterfallStep(
            reason=reason.value, units=cells[reason][0] - cells[reason][1], signals=cells[reason][2]
        )
        for reason in Reason
        if reason is not Reason.VALID and reason in cells
    ]
    return Waterfall(
        raw_units=sum(raw for raw, _, _ in cells.values()),
        steps=tuple(step for step in steps if step.signals),
        valid_units=sum(valid for _, valid, _ in cells.values()),
    )


def _stored(session: Session, table: Columns, key: Sequence[str]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    cell = [table[name] for name in key]
    sums = [func.sum(table[name]) for name in MEASURES]
    rows = session.execute(select(*cell, *sums).where(table.reason != Reason.DUPLICATE).group_by(*cell))
    return _by_cell(rows, key)


def _counted(session: Session, key: Sequence[str]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    counts = Signal.reason.in_([Reason.VALID, Reason.RETURNED])
    cell = [kind() if name == "reason" else getattr(Signal, name) for name in key]
    query = select(
        *cell,
        func.count(),
        func.sum(Signal.quantity),
        func.sum(case((Signal.quantity > 0, Signal.quantity), else_=0)),
        func.sum(case((counts, Signal.quantity), else_=0)),
        func.sum(Signal.quantity * Signal.unit_price_minor),
    )
    if "campaign_id" in key:
        query = query.where(Signal.campaign_id.is_not(None))
    return _by_cell(session.execute(query.group_by(*cell)), key)


def _by_cell(rows: Iterable[Any], key: Sequence[str]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The measures of each cell that has any."""
    width = len(key)
    found = {tuple(row[:width]): tuple(int(value) for value in row[width:]) for row in rows}
    return {cell: measures for cell, measures in found.items() if any(measures)}
