"""A small network as plain values: two SKUs, three suppliers, one warehouse, two regions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from app.stages.allocation.rules import DEFAULT_LIMITS, Commitments, PlanSettings
from app.stages.allocation.translate import Inputs
from app.stages.catalog.queries import (
    BreakFact,
    LaneFact,
    Network,
    OfferFact,
    RegionFact,
    SkuFact,
    SupplierFact,
    WarehouseFact,
)

MONDAY = dt.date(2026, 11, 23)


def week(index: int) -> dt.date:
    return MONDAY + dt.timedelta(weeks=index)


def offer(id_: int, supplier: int, sku: int, price: int, **terms: Any) -> OfferFact:
    """An offer of one week's lead at one price, unless the terms say otherwise."""
    base = OfferFact(id_, supplier, sku, 1, 1, 7, None, 0, (BreakFact(0, price),))
    return replace(base, **terms)


def network(*offers: OfferFact) -> Network:
    """Suppliers 1–3 reach warehouse 1 (one week), which reaches regions 1 and 2 (one week)."""
    into = [LaneFact(id_, id_, None, 1, None, 50, 7) for id_ in (1, 2, 3)]
    direct = [LaneFact(4, 1, None, None, 1, 300, 7)]
    out = [LaneFact(4 + id_, None, 1, None, id_, 80, 7) for id_ in (1, 2)]
    return Network(
        skus=(
            SkuFact(1, "MUG", "Mug", None, "home", 1, 10, True, "active"),
            SkuFact(2, "BAG", "Bag", None, "bags", 1, 10, True, "active"),
        ),
        suppliers=tuple(SupplierFact(id_, f"S{id_}", f"S{id_}", None, None, 0.0) for id_ in (1, 2, 3)),
        offers=offers or (offer(1, 1, 1, 900), offer(2, 2, 1, 950), offer(3, 3, 1, 990)),
        warehouses=(WarehouseFact(1, "CAN", "Guangzhou", None, "Asia/Shanghai", None, None),),
        regions=tuple(
            RegionFact(id_, f"R{id_}", f"R{id_}", None, "Asia/Shanghai", "active") for id_ in (1, 2)
        ),
        lanes=(*into, *direct, *out),
    )


def inputs(**changes: Any) -> Inputs:
    """100 units of MUG wanted in region 1 in week 4, nothing in stock, nothing confirmed."""
    base = Inputs(
        network=network(),
        forecast={(1, 1): {week(4): 100}},
        pledged={},
        on_hand={},
        commitments=Commitments(),
        limits=DEFAULT_LIMITS,
        settings=PlanSettings(weeks=8),
        as_of=MONDAY + dt.timedelta(days=2),
        minor_per_unit=100,
    )
    return replace(base, **changes)
