"""The brand as written down in `data/`: styles and SKUs, suppliers, warehouses, regions, campaigns."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

# Later variants of a style sell less than the first: the buyer of the range lists them by importance.
VARIANT_FALL = 0.82


@dataclass(frozen=True)
class Category:
    """How many units one order asks for: probabilities of 1, 2, 3 …, and the share of bulk orders."""

    quantity: tuple[float, ...]
    bulk: float


@dataclass(frozen=True)
class Style:
    """Prices in CNY a unit, volume in litres a unit; see `data/styles.toml` for the other fields."""

    code: str
    name: str
    name_zh: str
    category: str
    volume: int
    price: int
    cost: int
    popularity: float
    season_peak: int
    season_strength: float
    cold: float
    suppliers: tuple[str, ...]
    components: dict[str, int]
    variants: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Sku:
    """One variant of a style; `weight` is its part of the style's demand, not normalised."""

    code: str
    name: str
    name_zh: str
    style: Style
    weight: float
    factor: float

    @property
    def price(self) -> float:
        return round(self.style.price * self.factor)

    @property
    def cost(self) -> float:
        return self.style.cost * self.factor


@dataclass(frozen=True)
class Supplier:
    code: str
    name: str
    name_zh: str
    latitude: float
    longitude: float
    risk: str
    cost: float
    lead: int
    moq: float
    direct_km: float
    weekly_capacity: int | None = None


@dataclass(frozen=True)
class Warehouse:
    code: str
    name: str
    name_zh: str
    timezone: str
    latitude: float
    longitude: float
    weekly_inbound: int | None = None
    storage: int | None = None


@dataclass(frozen=True)
class Region:
    """Population in millions, income in thousand CNY a head and year; the place is the capital's."""

    code: str
    name: str
    name_zh: str
    timezone: str
    population: float
    income: float
    latitude: float
    longitude: float


@dataclass(frozen=True)
class CampaignFact:
    """A pre-sale, dated in days from the as-of date; see `data/campaigns.toml`."""

    slug: str
    name: str
    name_zh: str
    style: str
    closes_in: int
    window: int
    expected: int
    due_in: int
    limit: int
    deposit: float
    live_stream: float
    bots: int
    final_to_go: float = 0.0
    now_to_go: float = 0.0


@dataclass(frozen=True)
class Brand:
    categories: dict[str, Category]
    styles: tuple[Style, ...]
    suppliers: tuple[Supplier, ...]
    warehouses: tuple[Warehouse, ...]
    regions: tuple[Region, ...]
    campaigns: tuple[CampaignFact, ...]
    bargains: dict[tuple[str, str], float]
    sole: dict[str, str]

    @cached_property
    def skus(self) -> tuple[Sku, ...]:
        """Every SKU, in the order of the range; the arrays of this package follow it."""
        return tuple(sku for style in self.styles for sku in _variants(style))

    def supplier(self, code: str) -> Supplier:
        return next(supplier for supplier in self.suppliers if supplier.code == code)

    def skus_of(self, style: str) -> list[int]:
        """Positions of one style's SKUs."""
        return [position for position, sku in enumerate(self.skus) if sku.style.code == style]


def load_brand() -> Brand:
    """The facts of `data/` as values."""
    styles, network = _toml("styles.toml"), _toml("network.toml")
    return Brand(
        categories={
            name: Category(quantity=tuple(row["quantity"]), bulk=row["bulk"])
            for name, row in styles["category"].items()
        },
        styles=tuple(_style(row) for row in styles["style"]),
        suppliers=tuple(Supplier(**row) for row in network["supplier"]),
        warehouses=tuple(Warehouse(**row) for row in network["warehouse"]),
        regions=_regions(),
        campaigns=tuple(CampaignFact(**row) for row in _toml("campaigns.toml")["campaign"]),
        bargains={(row["supplier"], row["sku"]): row["factor"] for row in network["bargains"]},
        sole=network["sole"],
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def _style(row: dict[str, Any]) -> Style:
    variants = tuple(tuple(variant) for variant in row["variants"])
    return Style(**{**row, "suppliers": tuple(row["suppliers"]), "variants": variants})


def _variants(style: Style) -> list[Sku]:
    return [
        Sku(
            code=f"{style.code}-{code}",
            name=f"{style.name}, {words}",
            name_zh=f"{style.name_zh} {words_zh}",
            style=style,
            weight=VARIANT_FALL**position,
            factor=float(factor[0]) if factor else 1.0,
        )
        for position, (code, words, words_zh, *factor) in enumerate(style.variants)
    ]


def _regions() -> tuple[Region, ...]:
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_region(row) for row in csv.DictReader(file))


def _region(row: dict[str, str]) -> Region:
    return Region(
        code=row["region"],
        name=row["name"],
        name_zh=row["name_zh"],
        timezone=row["timezone"],
        population=float(row["population"]),
        income=float(row["income"]),
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
    )
