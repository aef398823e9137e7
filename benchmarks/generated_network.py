"""A supply network for order history that came without one, so that a whole cycle can be measured on it.

    DATABASE_URL=… python -m benchmarks.generated_network OUT

reads the SKUs that were sold, their weekly demand and the regions from a database that holds imported orders,
and writes the template's CSV files to OUT: 12 suppliers, 6 warehouses, 2 to 5 supply offers a SKU. MOQs,
lots, price breaks and capacities grow with the SKU's demand, and capacities bind a little. The same seed and
database give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import polars as pl

from app.core.config import Config
from app.core.db import Database
from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand

SEED = 525_461
SUPPLIERS, WAREHOUSES = 12, 6
LOTS = (1, 2, 6, 12, 24, 48)
RECENT_WEEKS = 26
MEAN_VOLUME = 3.5


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold: SKUs (n,) with code, name and units a week, and the regions' codes and names."""

    skus: tuple[catalog.Name, ...]
    weekly: np.ndarray
    regions: tuple[catalog.RegionFact, ...]


def read_sold(db: Database) -> Sold:
    """SKUs of goods with a sale, by code; their units a week over the last half year of the history."""
    with db.reading() as session:
        sold = demand.weekly_units(session, until=dt.date.max)
        names = catalog.names(session).skus
        regions = tuple(catalog.list_regions(session))
    if sold.is_empty():
        raise click.ClickException("This database holds no orders; import some first.")
    positive = sold.filter(pl.col("units") > 0)
    recent = pl.col("week") > positive["week"].max() - pl.duration(weeks=RECENT_WEEKS)
    by_sku = positive.group_by("sku_id").agg(
        pl.col("units").filter(recent).sum().cast(pl.Float64) / RECENT_WEEKS
    )
    rows = sorted((names[sku_id].code, names[sku_id], units) for sku_id, units in by_sku.iter_rows())
    weekly = np.array([max(units, 0.1) for _, _, units in rows])
    return Sold(tuple(name for _, name, _ in rows), weekly, regions)


def write_network(directory: Path, sold: Sold, *, currency: str, seed: int = SEED) -> dict[str, int]:
    """Write the files of the template; returns the rows of each."""
    directory.mkdir(parents=True, exist_ok=True)
    tables = _tables(sold, currency, np.random.default_rng(seed))
    for name, table in tables.items():
        table.write_csv(directory / f"{name}.csv")
    return {name: table.height for name, table in tables.items()}


def _tables(sold: Sold, currency: str, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    suppliers = [f"S{number:02d}" for number in range(1, SUPPLIERS + 1)]
    warehouses = [f"W{number}" for number in range(1, WAREHOUSES + 1)]
    cost = np.exp(rng.normal(np.log(180), 0.8, len(sold.skus))).clip(12, 5_000)  # minor units
    offers, breaks = _offers(sold, suppliers, cost, currency, rng)
    return {
        "skus": _skus(sold, cost, rng),
        "suppliers": _suppliers(sold, suppliers, rng),
        "supply_offers": offers,
        "price_breaks": breaks,
        "warehouses": _warehouses(sold, warehouses, rng),
        "regions": pl.DataFrame(
            [{"region": one.code, "name": one.name, "timezone": one.timezone} for one in sold.regions]
        ),
        "lanes": _lanes(sold, suppliers, warehouses, rng),
        "stock": _stock(sold, warehouses, rng),
    }


def _skus(sold: Sold, cost: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "sku": [sku.code for sku in sold.skus],
            "name": [sku.name for sku in sold.skus],
            "category": [f"C{number:02d}" for number in rng.integers(1, 13, len(sold.skus))],
            "volume": rng.integers(1, 7, len(sold.skus)),
            "holding_cost": [_money(value) for value in np.maximum(cost * 0.004, 1)],
        }
    )


def _suppliers(sold: Sold, codes: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Together they can make a third more than is wanted; the largest about four times the smallest."""
    weight = np.linspace(1, 4, len(codes))
    capacity = (weight / weight.sum() * sold.weekly.sum() * 1.35).astype(int) + 50
    return pl.DataFrame(
        {
            "supplier": codes,
            "name": [f"Supplier {code}" for code in codes],
            "weekly_capacity": rng.permutation(capacity),
            "risk": [f"{value:.2f}" for value in rng.uniform(0, 0.1, len(codes))],
        }
    )


def _offers(
    sold: Sold, codes: list[str], cost: np.ndarray, currency: str, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    lead = dict(zip(codes, rng.integers(5, 26, len(codes)).tolist(), strict=True))
    offers, breaks = [], []
    for sku, weekly, price in zip(sold.skus, sold.weekly.tolist(), cost.tolist(), strict=True):
        for code in rng.choice(codes, rng.integers(2, 6), replace=False).tolist():
            lot = _lot(weekly)
            moq = _whole_lots(weekly * rng.uniform(0.3, 2.5), lot)
            offers.append(
                {
                    "supplier": code,
                    "sku": sku.code,
                    "moq": moq,
                    "lot_multiple": lot,
                    "lead_days": lead[code] + int(rng.integers(0, 6)),
                    "weekly_capacity": max(moq, _whole_lots(weekly * rng.uniform(0.8, 3.0), lot)),
                    "order_cost": _money(rng.uniform(200, 2_500)),
                    "currency": currency,
                }
            )
            breaks += _price_list(code, sku.code, moq, price * rng.uniform(0.85, 1.25), rng)
    return pl.DataFrame(offers), pl.DataFrame(breaks)


def _price_list(
    supplier: str, sku: str, moq: int, price: float, rng: np.random.Generator
) -> list[dict[str, object]]:
    steps = [(0, 1.0), (moq * 3, 0.97), (moq * 8, 0.93)][: int(rng.integers(1, 4))]
    return [
        {"supplier": supplier, "sku": sku, "min_quantity": quantity, "unit_price": _money(price * factor)}
        for quantity, factor in steps
    ]


def _lot(weekly: float) -> int:
    """About a quarter of a week's demand, in a usual pack size."""
    return max(lot for lot in LOTS if lot <= max(weekly / 4, 1))


def _whole_lots(units: float, lot: int) -> int:
    return max(int(np.ceil(units / lot)), 1) * lot


def _warehouses(sold: Sold, codes: list[str], rng: np.random.Generator) -> pl.DataFrame:
    share = rng.dirichlet([8.0] * len(codes))
    return pl.DataFrame(
        {
            "warehouse": codes,
            "name": [f"Warehouse {code}" for code in codes],
            "timezone": ["UTC"] * len(codes),
            "weekly_inbound": (share * sold.weekly.sum() * MEAN_VOLUME * 1.6).astype(int) + 100,
            "storage": (share * sold.weekly.sum() * MEAN_VOLUME * 14).astype(int) + 1_000,
        }
    )


def _lanes(sold: Sold, suppliers: list[str], warehouses: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Every supplier to every warehouse to every region."""
    ends = [("supplier", one, "warehouse", two, 14) for one in suppliers for two in warehouses]
    ends += [("warehouse", one, "region", two.code, 5) for one in warehouses for two in sold.regions]
    return pl.DataFrame(
        [
            {
                "from_kind": kind,
                "from": one,
                "to_kind": into,
                "to": two,
                "cost_per_unit": _money(rng.uniform(2, 30)),
                "lead_days": int(rng.integers(1, longest)),
            }
            for kind, one, into, two, longest in ends
        ]
    )


def _stock(sold: Sold, warehouses: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Two thirds of the SKUs have up to three weeks' demand on hand, in one to three warehouses."""
    rows = []
    for sku, weekly in zip(sold.skus, sold.weekly.tolist(), strict=True):
        if rng.random() > 2 / 3:
            continue
        for code in rng.choice(warehouses, rng.integers(1, 4), replace=False).tolist():
            rows.append({"sku": sku.code, "warehouse": code, "quantity": int(weekly * rng.uniform(0, 1)) + 1})
    return pl.DataFrame(rows)


def _money(minor: float) -> str:
    whole = max(int(minor), 1)
    return f"{whole // 100}.{whole % 100:02d}"


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seed", default=SEED, show_default=True)
def main(out: Path, seed: int) -> None:
    """Write a generated network for the orders in DATABASE_URL to OUT."""
    config = Config.from_env()
    rows = write_network(out, read_sold(Database(config.database_url)), currency=config.currency, seed=seed)
    sys.stdout.write(", ".join(f"{name} {count:,}" for name, count in rows.items()) + "\n")


if __name__ == "__main__":
    main()
