"""Supply offers: one supplier's terms for one SKU, drawn around the facts of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from app.sample.buyers import Floats
from app.sample.facts import Brand, Sku, Supplier

MOQS = np.array([100, 150, 200, 250, 300, 400, 500])
LOTS = np.array([50, 25, 20, 10])
MOQ_WEEKS = 1.8  # suppliers ask for about this many weeks of the SKU's demand
OPEN_CAPACITY = 0.2  # share of offers without a weekly capacity of their own
CATEGORY_LEAD = {"coats-knitwear": 2, "shoes": 0, "bags": -3, "home-ceramics": 2}
# Part of the MOQ's multiples from which a lower price holds, and the rebate.
BREAKS = ((0, 0.0), (3, 0.03), (6, 0.06))


@dataclass(frozen=True)
class Offer:
    """Units whole; money in minor units of CNY. `breaks`: (from this quantity on, unit price)."""

    supplier: str
    sku: str
    moq: int
    lot_multiple: int
    lead_days: int
    weekly_capacity: int | None
    order_cost: int
    breaks: tuple[tuple[int, int], ...]


def supply_offers(brand: Brand, *, weekly_units: Floats, rng: np.random.Generator) -> list[Offer]:
    """Two to five offers a SKU (one, where only one supplier can make it), by SKU and supplier."""
    return [
        _offer(brand, sku, brand.supplier(code), float(weekly_units[row]), rng)
        for row, sku in enumerate(brand.skus)
        for code in _makers(brand, sku)
    ]


def offer_table(offers: list[Offer]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "supplier": offer.supplier,
                "sku": offer.sku,
                "moq": offer.moq,
                "lot_multiple": offer.lot_multiple,
                "lead_days": offer.lead_days,
                "weekly_capacity": offer.weekly_capacity,
                "order_cost": _text(offer.order_cost),
                "currency": "CNY",
            }
            for offer in offers
        ],
        infer_schema_length=None,
    )


def break_table(offers: list[Offer]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"supplier": o.supplier, "sku": o.sku, "min_quantity": quantity, "unit_price": _text(price)}
            for o in offers
            for quantity, price in o.breaks
        ]
    )


def _makers(brand: Brand, sku: Sku) -> tuple[str, ...]:
    return (brand.sole[sku.code],) if sku.code in brand.sole else sku.style.suppliers


def _offer(brand: Brand, sku: Sku, supplier: Supplier, weekly: float, rng: np.random.Generator) -> Offer:
    moq = int(MOQS[np.argmin(np.abs(MOQS - weekly * MOQ_WEEKS * supplier.moq))])
    lot = int(rng.choice(LOTS[moq % LOTS == 0]))
    lead = supplier.lead + CATEGORY_LEAD[sku.style.category] + int(rng.integers(-2, 3))
    bargain = brand.bargains.get((supplier.code, sku.code), 1.0)
    price = sku.cost * supplier.cost * rng.uniform(0.985, 1.02) * bargain
    return Offer(
        supplier=supplier.code,
        sku=sku.code,
        moq=moq,
        lot_multiple=lot,
        lead_days=int(np.clip(lead, 7, 35)),
        weekly_capacity=_capacity(moq, lot, weekly, rng),
        order_cost=int(rng.integers(15, 90)) * 1000,
        breaks=_breaks(price, moq, int(rng.integers(2, 4))),
    )


def _capacity(moq: int, lot: int, weekly: float, rng: np.random.Generator) -> int | None:
    """Whole lots, never below the MOQ; tight for some, so that it binds now and then."""
    wanted = weekly * rng.uniform(0.5, 1.8)
    if rng.random() < OPEN_CAPACITY:
        return None
    return max(moq, int(np.ceil(wanted / lot)) * lot)


def _breaks(price: float, moq: int, count: int) -> tuple[tuple[int, int], ...]:
    return tuple((moq * times, round(price * (1 - rebate) * 100)) for times, rebate in BREAKS[:count])


def _text(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
