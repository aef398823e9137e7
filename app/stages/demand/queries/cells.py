"""The cells of a roll-up as they count now: what is folded, and the changes that wait."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnCollection, ColumnElement, select, union_all

from app.stages.demand.models import (
    CampaignDay,
    CampaignRegionDay,
    CampaignTotalDay,
    DemandChange,
    DemandDay,
    DemandSkuDay,
    DemandTotalDay,
    RollUp,
)

Columns = ColumnCollection[str, ColumnElement[Any]]


def counted(level: type[RollUp]) -> Columns:
    """The columns of a level, to be summed: a cell may stand there several times."""
    names = [column.name for column in level.__table__.columns]  # type: ignore[attr-defined]
    waiting = select(*(getattr(DemandChange, name) for name in names))
    if "campaign_id" in names:
        waiting = waiting.where(DemandChange.campaign_id.is_not(None))
    folded = select(*(getattr(level, name) for name in names))
    return union_all(folded, waiting).subquery().c


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
