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
  supplier; goods that fill a lane up to its minimum and serve nobody stay in their warehouse.
* Locked orders are facts: they stand even above a capacity, MOQ or cap; the rest respects what remains.
* churn_cost is paid for each unit of the previous plan that is not ordered again from the same supplier in
  the same week; changing only where it goes is no churn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from optimizer.form.problem_rows import (
    Demand,
    Lane,
    Locked,
    Material,
    Offer,
    ProblemRows,
    Quantity,
    Recipe,
    Region,
    ShareCap,
    Sku,
    Stock,
    Supplier,
    Warehouse,
    Weekly,
)
from optimizer.form.reading import read_rows, write_rows
from optimizer.form.validation import validate

__all__ = [
    "Demand",
    "Lane",
    "Locked",
    "Material",
    "Offer",
    "Problem",
    "Quantity",
    "Recipe",
    "Region",
    "ShareCap",
    "Sku",
    "Stock",
    "Supplier",
    "Warehouse",
    "Weekly",
]


@dataclass(frozen=True, kw_only=True)
class Problem(ProblemRows):
    """One allocation problem. Built only when consistent; raises ProblemError otherwise."""

    supplier_of: dict[str, Supplier] = field(init=False, repr=False, compare=False)
    warehouse_of: dict[str, Warehouse] = field(init=False, repr=False, compare=False)
    region_of: dict[str, Region] = field(init=False, repr=False, compare=False)
    sku_of: dict[str, Sku] = field(init=False, repr=False, compare=False)
    offer_of: dict[tuple[str, str], Offer] = field(init=False, repr=False, compare=False)
    lane_of: dict[tuple[str, str], Lane] = field(init=False, repr=False, compare=False)
    alternatives: dict[tuple[str, str], tuple[int, ...]] = field(init=False, repr=False, compare=False)
    derived: dict[str, Any] = field(init=False, repr=False, compare=False)  # worked out when first asked for

    def __post_init__(self) -> None:
        validate(self)
        for name, value in {
            "supplier_of": {one.id: one for one in self.suppliers},
            "warehouse_of": {one.id: one for one in self.warehouses},
            "region_of": {one.id: one for one in self.regions},
            "sku_of": {one.id: one for one in self.skus},
            "offer_of": {(one.supplier, one.sku): one for one in reversed(self.offers)},
            "alternatives": _alternatives(self.offers),
            "lane_of": {(one.source, one.target): one for one in self.lanes},
            "derived": {},
        }.items():
            object.__setattr__(self, name, value)

    def recipe(self, offer: Offer) -> Recipe:
        """What a unit of the offer takes of materials."""
        return self.sku_of[offer.sku].materials if offer.recipe is None else offer.recipe

    @classmethod
    def from_json(cls, data: Any) -> Problem:
        """Build from the parsed JSON of schema "allocation/1". Raises ProblemError with path and reason."""
        return cls(**vars(read_rows(data)))

    def to_json(self) -> dict[str, Any]:
        """The same problem as a JSON document of schema "allocation/1"."""
        return write_rows(self)


def _alternatives(offers: tuple[Offer, ...]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Positions in offers by (supplier, SKU)."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(offers):
        found.setdefault((one.supplier, one.sku), []).append(number)
    return {key: tuple(numbers) for key, numbers in found.items()}
