"""The allocation problem as frozen values. What is wrong can't be built: ProblemError names the path.

Semantics (weeks are numbered from 0 to weeks - 1, money is floating currency units):

* An order of week t leaves its supplier in week t + lead_weeks of the offer; a lane adds its own lead_weeks.
  Goods go supplier -> warehouse -> region, or supplier -> region direct.
* Quantities are whole units; in a continuous problem they are any numbers, and only a multiple other than 1
  makes whole lots.
* moq, multiple, max and order_cost count per offer x week ordered; award costs count once if used at all (a
  warehouse: if anything comes or leaves).
* capacity and week_capacity limit the week of the order; capacity is used at capacity_use per unit and
  setup_capacity per week ordered, week_capacity counts units of that one offer.
* Several offers of one supplier for one SKU are alternatives, numbered from 0 in document order. An offer
  takes its recipe of materials, or the SKU's; available limits what the orders of a week take.
* An all-units price is set by the horizon total of that offer; an incremental price applies segment by
  segment.
* Lane cost, capacity and minimum, storage, inbound and throughput (what leaves over all weeks) are per unit x
  SKU volume; holding_cost is per unit in a warehouse at a week's end.
* A lane's capacity limits the week of departure; in every week it is used its fixed_cost is paid and at least
  its minimum goes. A single_source region is served over one lane only.
* A unit k weeks late costs k x late_cost; a unit never delivered costs short_cost instead. Nothing planned
  comes to a region before its demand is due; a locked unit that does waits there at holding_cost per week
  end.
* Units ordered beyond what leaves the supplier (a surplus bought for a MOQ or a price break) stay with the
  supplier.
* Locked orders are facts: they stand even above a capacity, MOQ or cap; the rest respects what remains.
* churn_cost is paid for each unit of the previous plan that is not ordered again from the same supplier in
  the same week; changing only where it goes is no churn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
class Problem:
    """One allocation problem. Built only when consistent; raises ProblemError otherwise."""

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
    supplier_of: dict[str, Supplier] = field(init=False, repr=False, compare=False)
    warehouse_of: dict[str, Warehouse] = field(init=False, repr=False, compare=False)
    region_of: dict[str, Region] = field(init=False, repr=False, compare=False)
    sku_of: dict[str, Sku] = field(init=False, repr=False, compare=False)
    offer_of: dict[tuple[str, str], Offer] = field(init=False, repr=False, compare=False)
    lane_of: dict[tuple[str, str], Lane] = field(init=False, repr=False, compare=False)
    alternatives: dict[tuple[str, str], tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from optimizer.validation import validate

        validate(self)
        for name, value in {
            "supplier_of": {one.id: one for one in self.suppliers},
            "warehouse_of": {one.id: one for one in self.warehouses},
            "region_of": {one.id: one for one in self.regions},
            "sku_of": {one.id: one for one in self.skus},
            "offer_of": {(one.supplier, one.sku): one for one in reversed(self.offers)},
            "alternatives": _alternatives(self.offers),
            "lane_of": {(one.source, one.target): one for one in self.lanes},
        }.items():
            object.__setattr__(self, name, value)

    def recipe(self, offer: Offer) -> Recipe:
        """What a unit of the offer takes of materials."""
        return self.sku_of[offer.sku].materials if offer.recipe is None else offer.recipe

    @classmethod
    def from_json(cls, data: Any) -> Problem:
        """Build from the parsed JSON of schema "allocation/1". Raises ProblemError with path and reason."""
        from optimizer.reading import read_problem

        return read_problem(data)

    def to_json(self) -> dict[str, Any]:
        """The same problem as a JSON document of schema "allocation/1"."""
        from optimizer.reading import write_problem

        return write_problem(self)


def _alternatives(offers: tuple[Offer, ...]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Positions in offers by (supplier, SKU)."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(offers):
        found.setdefault((one.supplier, one.sku), []).append(number)
    return {key: tuple(numbers) for key, numbers in found.items()}
