"""The rows of an allocation problem, as frozen values; what they mean stands in optimizer/form/problem.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEMA = "allocation/1"
Weekly = tuple[float, ...]
# A whole number, or any number in a continuous problem.
Quantity = Any
# (material id, units per unit), in order.
Recipe = tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """capacity: use per order week (one value a week) or None; horizon_capacity: use over all weeks or
    None."""

    id: str
    award_cost: float = 0.0
    capacity: Weekly | None = None
    horizon_capacity: float | None = None
    risk: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """storage: volume at each week's end; inbound: volume arriving each week; throughput: volume leaving over
    all weeks; None is no limit."""

    id: str
    award_cost: float = 0.0
    storage: Weekly | None = None
    inbound: Weekly | None = None
    throughput: float | None = None


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where demand is. single_source: everything comes from one supplier or one warehouse."""

    id: str
    single_source: bool = False


@dataclass(frozen=True, kw_only=True)
class Sku:
    """min_sources: if anything new is ordered of this SKU, at least so many suppliers share it."""

    id: str
    category: str | None = None
    materials: Recipe = ()
    volume: float = 1.0
    holding_cost: float = 0.0
    min_sources: int = 1


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One supplier's terms for one SKU. breaks: ((from quantity, unit price), ...), rising from 0.

    max is the largest order of one week; week_capacity the units of this offer each order week; None is no
    limit. recipe: what a unit takes of materials; None is what the SKU says.
    """

    supplier: str
    sku: str
    recipe: Recipe | None = None
    capacity_use: float = 1.0
    moq: Quantity = 0
    multiple: Quantity = 1
    max: Quantity | None = None
    lead_weeks: int = 0
    order_cost: float = 0.0
    award_cost: float = 0.0
    setup_capacity: float = 0.0
    price_mode: str = "all_units"
    breaks: tuple[tuple[Quantity, float], ...] = ((0, 0.0),)
    week_capacity: tuple[Quantity, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Material:
    """available: what all orders of a week may take of it, one value a week; None is no limit."""

    id: str
    available: Weekly | None = None


@dataclass(frozen=True, kw_only=True)
class Lane:
    """supplier -> warehouse, warehouse -> region or supplier -> region; cost per unit x volume.

    fixed_cost, capacity (volume, one value a week) and minimum (volume) count per week of departure.
    """

    source: str
    target: str
    cost: float = 0.0
    fixed_cost: float = 0.0
    lead_weeks: int = 0
    capacity: Weekly | None = None
    minimum: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Demand:
    """quantity units of sku due in region in week; max_late_weeks None: late up to the horizon's end."""

    sku: str
    region: str
    week: int
    quantity: Quantity
    late_cost: float = 0.0
    short_cost: float = 1e6
    max_late_weeks: int | None = None


@dataclass(frozen=True, kw_only=True)
class Stock:
    """quantity units of sku ready in warehouse from week on."""

    sku: str
    warehouse: str
    quantity: Quantity
    week: int = 0


@dataclass(frozen=True, kw_only=True)
class Locked:
    """An order of the previous plan, or one already promised (locked), going whole to one place.

    week may be negative: ordered before week 0. alternative: which offer of the supplier for the SKU.
    """

    supplier: str
    sku: str
    week: int
    to: str
    quantity: Quantity
    alternative: int = 0


@dataclass(frozen=True, kw_only=True)
class ShareCap:
    """A supplier's units <= max_share x the scope's demand; above it the penalty per unit, or never if hard.

    With base spend: its spend <= max_share x the spend on the scope; above it the penalty per unit of money.
    scope sku, category or material with key None means each SKU, category or material; the SKUs of a material
    are those that have it in their materials or in a recipe.
    """

    scope: str
    key: str | None = None
    base: str = "units"
    max_share: float = 0.4
    hard: bool = False
    penalty: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ProblemRows:
    """All rows of a problem; churn_cost is money a unit."""

    weeks: int
    suppliers: tuple[Supplier, ...] = ()
    warehouses: tuple[Warehouse, ...] = ()
    regions: tuple[Region, ...] = ()
    skus: tuple[Sku, ...] = ()
    offers: tuple[Offer, ...] = ()
    lanes: tuple[Lane, ...] = ()
    demand: tuple[Demand, ...] = ()
    stock: tuple[Stock, ...] = ()
    locked: tuple[Locked, ...] = ()
    share_caps: tuple[ShareCap, ...] = ()
    continuous: bool = False
    materials: tuple[Material, ...] = ()
    previous: tuple[Locked, ...] = ()
    churn_cost: float = 0.0
