"""How many stand behind a figure: where they are few, it is not for everybody's eyes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.stages.demand.models import DemandDay, Signal
from app.stages.demand.rules import Reason

FEWEST_BUYERS = 5
"""A cell of fewer buyers is not shown to a supplier."""
ENOUGH_SIGNALS = 2_000
"""So many signals are taken for enough buyers: who they are is not read one by one."""
SKUS_AT_ONCE = 500


def few_buyers(session: Session, *, cells: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the cells (SKU, region) that fewer than five buyers have ordered so far.

    Every signal without a buyer counts as a buyer of its own. One pass over the signals of the SKUs.
    """
    skus = sorted({sku_id for sku_id, _ in cells})
    enough: set[tuple[int, int]] = set()
    for start in range(0, len(skus), SKUS_AT_ONCE):
        some = skus[start : start + SKUS_AT_ONCE]
        day = DemandDay
        busy = (
            select(day.sku_id, day.region_id).where(day.sku_id.in_(some)).group_by(day.sku_id, day.region_id)
        )
        enough |= _pairs(session, busy.having(func.sum(day.signals) >= ENOUGH_SIGNALS))
        left = sorted({sku_id for sku_id, region_id in set(cells) - enough if sku_id in some})
        known, nobody = func.count(Signal.buyer.distinct()), func.count() - func.count(Signal.buyer)
        ordered = select(Signal.sku_id, Signal.region_id).where(
            Signal.sku_id.in_(left), Signal.reason == Reason.VALID
        )
        ordered = ordered.group_by(Signal.sku_id, Signal.region_id)
        enough |= _pairs(session, ordered.having(known + nobody >= FEWEST_BUYERS))
    return set(cells) - enough


def _pairs(session: Session, query: Select[int, int]) -> set[tuple[int, int]]:
    return {(row[0], row[1]) for row in session.execute(query)}
