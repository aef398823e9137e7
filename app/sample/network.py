"""The network: what is sold, who makes it on which terms, where it is kept, and how it travels.

Ten CSV files (UTF-8, a header row, `\\n`), the product's own network template. A blank cell in a capacity
column means "not limited". Money is decimal text with two places, in CNY. Quantities are whole units.

skus.csv          sku, name, name_zh, category, volume (litres a unit, whole, ≥ 1),
                  holding_cost (money a unit and week)
suppliers.csv     supplier, name, name_zh, weekly_capacity (units over all SKUs), risk (0–1)
supply_offers.csv supplier, sku, moq (units), lot_multiple (units), lead_days (order to goods ready),
                  weekly_capacity (units of this SKU), order_cost (money an order), currency (ISO 4217)
price_breaks.csv  supplier, sku, min_quantity (the first is 0), unit_price (all units, from that quantity on)
warehouses.csv    warehouse, name, name_zh, timezone (IANA), weekly_inbound (units), storage (units)
regions.csv       region (ISO 3166-2), name, name_zh, timezone
lanes.csv         from_kind (supplier | warehouse), from, to_kind (warehouse | region), to,
                  cost_per_unit (money for a unit of volume 1, so a SKU pays it times its volume), lead_days
stock.csv         sku, warehouse, quantity (on hand at the as-of date)
calendar.csv      date, kind (promotion | holiday), name; at most one row a date and kind
bom.csv           sku, component, quantity_per (whole units of the component)
"""

from __future__ import annotations

import numpy as np
import polars as pl

from app.sample.buyers import Floats, region_mix
from app.sample.facts import Brand, Supplier, Warehouse
from app.sample.festivals import Festival
from app.sample.lanes import distance_km, lane_table
from app.sample.offers import break_table, offer_table, supply_offers

HOLDING_SHARE = 0.0045  # of the purchase price a unit and week: capital, ageing, handling
HOLDING_LITRE = 0.02  # CNY a litre and week: space
STOCKED_SKUS = 0.75
COVER_WEEKS = (1.5, 6.0)


def network_tables(
    brand: Brand, *, weekly_units: Floats, known: list[Festival], rng: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """The ten tables by file stem. `weekly_units`: units a week expected ahead, shape (SKU,)."""
    offers = supply_offers(brand, weekly_units=weekly_units, rng=rng)
    return {
        "skus": _skus(brand),
        "suppliers": pl.DataFrame([_supplier(supplier) for supplier in brand.suppliers]),
        "supply_offers": offer_table(offers),
        "price_breaks": break_table(offers),
        "warehouses": pl.DataFrame([_warehouse(warehouse) for warehouse in brand.warehouses]),
        "regions": pl.DataFrame(
            [
                {"region": r.code, "name": r.name, "name_zh": r.name_zh, "timezone": r.timezone}
                for r in brand.regions
            ]
        ),
        "lanes": lane_table(brand),
        "stock": _stock(brand, weekly_units, rng),
        "calendar": pl.DataFrame(
            [{"date": str(day.day), "kind": day.kind, "name": day.name} for day in known]
        ),
        "bom": pl.DataFrame(
            [
                {"sku": sku.code, "component": component, "quantity_per": quantity}
                for sku in brand.skus
                for component, quantity in sku.style.components.items()
            ]
        ),
    }


def _skus(brand: Brand) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "sku": sku.code,
                "name": sku.name,
                "name_zh": sku.name_zh,
                "category": sku.style.category,
                "volume": sku.style.volume,
                "holding_cost": f"{sku.cost * HOLDING_SHARE + sku.style.volume * HOLDING_LITRE:.2f}",
            }
            for sku in brand.skus
        ]
    )


def _supplier(supplier: Supplier) -> dict[str, object]:
    return {
        "supplier": supplier.code,
        "name": supplier.name,
        "name_zh": supplier.name_zh,
        "weekly_capacity": supplier.weekly_capacity,
        "risk": supplier.risk,
    }


def _warehouse(warehouse: Warehouse) -> dict[str, object]:
    return {
        "warehouse": warehouse.code,
        "name": warehouse.name,
        "name_zh": warehouse.name_zh,
        "timezone": warehouse.timezone,
        "weekly_inbound": warehouse.weekly_inbound,
        "storage": warehouse.storage,
    }


def _stock(brand: Brand, weekly_units: Floats, rng: np.random.Generator) -> pl.DataFrame:
    """A few weeks of some SKUs, spread over the warehouses as their regions buy, never quite evenly."""
    nearest = np.array(
        [
            np.argmin([distance_km(region, warehouse) for warehouse in brand.warehouses])
            for region in brand.regions
        ]
    )
    near = np.eye(len(brand.warehouses))[nearest]
    cover = rng.uniform(*COVER_WEEKS, size=len(brand.skus)) * (rng.random(len(brand.skus)) < STOCKED_SKUS)
    uneven = rng.uniform(0.6, 1.4, size=(len(brand.skus), len(brand.warehouses)))
    quantity = np.floor((weekly_units * cover)[:, None] * (region_mix(brand) @ near) * uneven).astype(int)
    return pl.DataFrame(
        [
            {"sku": sku.code, "warehouse": warehouse.code, "quantity": int(quantity[row, column])}
            for row, sku in enumerate(brand.skus)
            for column, warehouse in enumerate(brand.warehouses)
            if quantity[row, column] > 0
        ]
    )
