"""The cells of a roll-up as they count now: what is folded, and the changes that wait."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnCollection,
    ColumnElement,
    Select,
    case,
    func,
    literal,
    select,
    union_all,
)

from app.stages.catalog.models import Sku
from app.stages.demand.models import (
    Again,
    CampaignAgain,
    CampaignBuyers,
    CampaignDay,
    CampaignRegionDay,
    CampaignTotalDay,
    DemandAgain,
    DemandChange,
    DemandDay,
    DemandSkuAgain,
    DemandSkuDay,
    DemandTotalDay,
    RollUp,
    Signal,
)
from app.stages.demand.rules import Commitment, Reason

Columns = ColumnCollection[str, ColumnElement[Any]]


def counted(level: type[RollUp] | type[CampaignBuyers]) -> Columns:
    """The columns of a level, to be summed: a cell may stand there several times.

    Only the totals count what was received again, which is no valid demand; `received` adds it to the others.
    """
    return union_all(*_counted(level, _names(level))).subquery().c


def received(level: type[RollUp]) -> Columns:
    """The same with what was received again: all raw units."""
    parts = _counted(level, names := _names(level))
    if level in AGAIN:
        parts.append(select(*(_measured(AGAIN[level], name).label(name) for name in names)))
    return union_all(*parts).subquery().c


AGAIN: dict[Any, type[Again]] = {
    DemandDay: DemandAgain,
    DemandSkuDay: DemandSkuAgain,
    CampaignDay: CampaignAgain,
    CampaignRegionDay: CampaignAgain,
}
"""Where what was received again stands, by level; the totals count it themselves."""


def _names(level: Any) -> list[str]:
    return [column.name for column in level.__table__.columns]


def _counted(level: Any, names: list[str]) -> list[Select[*tuple[Any, ...]]]:
    waiting = select(*(getattr(DemandChange, name) for name in names))
    if "campaign_id" in names:
        waiting = waiting.where(DemandChange.campaign_id.is_not(None))
    return [select(*(getattr(level, name) for name in names)), waiting]


def _measured(table: Any, name: str) -> Any:
    """A column of a level; what was received again has one reason, and no measures but rows and raw units."""
    nothing = literal(Reason.DUPLICATE.value) if name == "reason" else literal(0, BigInteger)
    return getattr(table, name, nothing)


def counted_by_sku(*, since: dt.date | None, until: dt.date | None) -> Columns:
    """Columns sku_id, raw and valid of the SKUs in some days, to be summed: each stands there several times.

    The keys of the levels begin with the SKU: as all are named, the days of each are found alone.
    """

    def summed(level: Any) -> Select[*tuple[Any, ...]]:
        raw = func.sum(level.raw_units).label("raw")
        valid = func.sum(_measured(level, "valid_units")).label("valid")
        query = select(level.sku_id, raw, valid).where(level.sku_id.in_(select(Sku.id)))
        query = query if since is None else query.where(level.day >= since)
        query = query if until is None else query.where(level.day < until)
        return query.group_by(level.sku_id)

    return union_all(summed(DemandSkuDay), summed(DemandChange), summed(DemandSkuAgain)).subquery().c


def kind() -> ColumnElement[str]:
    """The kind of cell that a signal counts in: `rules.cell_kind` for SQL."""
    told = Signal.reason.in_([Reason.VALID, Reason.INTEREST]) & (Signal.commitment != Commitment.PAID)
    return case((told, Signal.commitment), else_=Signal.reason)


def pledged_signals() -> Columns:
    """The signals of campaigns as cells of one signal each, with the channels that cells don't know."""
    counts = Signal.reason.in_([Reason.VALID, Reason.RETURNED])
    names = ("campaign_id", "channel_id", "sku_id", "region_id", "day")
    query = select(
        *(getattr(Signal, name) for name in names),
        kind().label("reason"),
        case((Signal.quantity > 0, Signal.quantity), else_=0).label("raw_units"),
        case((counts, Signal.quantity), else_=0).label("valid_units"),
        Signal.quantity.label("units"),
    )
    return query.where(Signal.campaign_id.is_not(None)).subquery().c


def level(
    *,
    campaign_id: int | None = None,
    sku_id: int | None = None,
    region_id: int | None = None,
    channel_id: int | None = None,
) -> type[RollUp]:
    """The coarsest level that tells these apart: it has the fewest cells to read."""
    if campaign_id is not None:
        if sku_id is not None:
            return CampaignDay
        return CampaignTotalDay if region_id is None else CampaignRegionDay
    if region_id is not None or (sku_id is not None and channel_id is not None):
        return DemandDay
    return DemandTotalDay if sku_id is None else DemandSkuDay
