"""The rows of a plan, as frozen values: orders, flows, demand not met or late, shares, what binds, cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from optimizer.form.codes import Rule, Shared
from optimizer.form.problem_rows import Quantity


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of a plan in floating currency units, part by part."""

    purchase: float = 0.0
    award: float = 0.0
    order: float = 0.0
    freight: float = 0.0
    holding: float = 0.0
    late: float = 0.0
    short: float = 0.0
    risk: float = 0.0
    share: float = 0.0
    churn: float = 0.0

    @property
    def total(self) -> float:
        """The sum of all parts: the objective."""
        return float(sum(asdict(self).values()))


@dataclass(frozen=True, kw_only=True, order=True)
class Order:
    """quantity of sku asked of supplier in week (locked units included) at the mean unit_price of the offer.

    alternative says which offer it is, where the supplier has several for the SKU.
    """

    supplier: str
    sku: str
    week: int
    quantity: Quantity
    unit_price: float
    alternative: int = 0


@dataclass(frozen=True, kw_only=True, order=True)
class Flow:
    """quantity of sku leaving source for target in week."""

    sku: str
    source: str
    target: str
    week: int
    quantity: Quantity


@dataclass(frozen=True, kw_only=True, order=True)
class Unmet:
    """Demand (of the week it was due) that is never delivered. reason is a code, numbers what decided it."""

    sku: str
    region: str
    week: int
    quantity: Quantity
    reason: str = ""
    numbers: dict[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True, order=True)
class Late:
    """Demand delivered weeks_late after its week, with the same reason codes as Unmet."""

    sku: str
    region: str
    week: int
    weeks_late: int
    quantity: Quantity
    reason: str = ""
    numbers: dict[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True)
class Share:
    """share and hhi are of what is ordered in the scope (or spent on it); demand_share is of the scope's
    demand in units (or the same as share). units and spend are the supplier's, over the horizon."""

    scope: str
    key: str | None
    base: str
    supplier: str
    units: Quantity
    share: float
    demand_share: float
    hhi: float
    spend: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A rule that holds the plan back: used against limit, in the unit of the rule."""

    rule: Rule
    ids: dict[str, Any]
    used: float
    limit: float
    forced: bool = False


@dataclass(frozen=True, kw_only=True)
class ShadowPrice:
    """What a unit of a limit that SKUs share is worth where the bound was proven, in currency units."""

    rule: Shared
    ids: dict[str, Any]
    price: float
