"""What solve gives back: a Solution (orders, flows, unmet demand, shares, what binds) or why there is
none."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from optimizer.codes import Rule
from optimizer.problem import Quantity


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


def relative_gap(objective: float, bound: float) -> float:
    """By what part of its cost a plan may be dearer than the best: 0 where it costs nothing."""
    return max(0.0, objective - bound) / objective if objective > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A plan that check accepts. gap is relative_gap(objective, bound); seconds is wall clock.

    limit names what stopped the search early ("time" or "cancelled"), or is None: a plan stopped early may
    differ next time.
    """

    status: str
    objective: float
    bound: float
    gap: float
    seconds: float
    seed: int
    cost: Cost
    orders: tuple[Order, ...]
    flows: tuple[Flow, ...]
    unmet: tuple[Unmet, ...] = ()
    late: tuple[Late, ...] = ()
    shares: tuple[Share, ...] = ()
    binding: tuple[Binding, ...] = ()
    relief: tuple[dict[str, Any], ...] = ()
    limit: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The PLAN document. All but "seconds" is the same for the same problem, settings and seed."""
        document = asdict(self)
        document["flows"] = [
            {"sku": f.sku, "from": f.source, "to": f.target, "week": f.week, "quantity": f.quantity}
            for f in self.flows
        ]
        for name in ("orders", "unmet", "late", "shares", "binding", "relief"):
            document[name] = list(document[name])
        return document

    @classmethod
    def from_json(cls, data: Any) -> Solution:
        """Read a PLAN document. Raises ProblemError with path and reason when it is not one."""
        from optimizer.plan_reading import read_solution

        return read_solution(data)


@dataclass(frozen=True, kw_only=True)
class Infeasible:
    """No plan exists: conflict lists the clashing rules in words, lowest_share the best top share in reach.

    rules are the same rules as codes with ids and numbers, one group a clash: none of a group can be left
    out. relaxations are single changes, each with the cost of the plan it was verified by, cheapest first.
    """

    conflict: tuple[str, ...]
    rules: tuple[tuple[dict[str, Any], ...], ...] = ()
    relaxations: tuple[dict[str, Any], ...] = ()
    lowest_share: float | None = None
    status: str = "infeasible"

    def to_json(self) -> dict[str, Any]:
        """The PLAN document of an infeasible problem."""
        return {
            "status": self.status,
            "conflict": list(self.conflict),
            "rules": [list(group) for group in self.rules],
            "relaxations": list(self.relaxations),
            "lowest_share": self.lowest_share,
        }


@dataclass(frozen=True, kw_only=True)
class Settings:
    """gap: stop when proven within it; time_limit: seconds of wall clock, a safety net, not a stopping
    rule. state: path of a file in which a long search keeps what it worked out, to go on from if it is
    killed; None: it keeps nothing."""

    gap: float = 0.01
    time_limit: float = 300.0
    threads: int = 1
    seed: int = 0
    state: str | None = None
