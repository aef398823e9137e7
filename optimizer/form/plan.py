"""What solve gives back: a Solution (orders, flows, unmet demand, shares, what binds) or why there is
none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from optimizer.form.plan_reading import read_plan
from optimizer.form.plan_rows import Binding, Cost, Flow, Late, Order, ShadowPrice, Share, Unmet

__all__ = [
    "Binding",
    "Cost",
    "Flow",
    "Infeasible",
    "Late",
    "Order",
    "Settings",
    "ShadowPrice",
    "Share",
    "Solution",
    "Unmet",
    "relative_gap",
]


def relative_gap(objective: float, bound: float) -> float:
    """By what part of its cost a plan may be dearer than the best: 0 where it costs nothing."""
    return max(0.0, objective - bound) / objective if objective > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A plan that check accepts. gap is relative_gap(objective, bound); seconds is wall clock.

    limit names what stopped the search early ("time" or "cancelled"), or is None: a plan stopped early may
    differ next time. shadow_prices: where the bound was proven SKU by SKU.
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
    shadow_prices: tuple[ShadowPrice, ...] = ()
    relief: tuple[dict[str, Any], ...] = ()
    limit: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The PLAN document. All but "seconds" is the same for the same problem, settings and seed."""
        document = asdict(self)
        document["flows"] = [
            {"sku": f.sku, "from": f.source, "to": f.target, "week": f.week, "quantity": f.quantity}
            for f in self.flows
        ]
        for name in ("orders", "unmet", "late", "shares", "binding", "shadow_prices", "relief"):
            document[name] = list(document[name])
        return document

    @classmethod
    def from_json(cls, data: Any) -> Solution:
        """Read a PLAN document. Raises ProblemError with path and reason when it is not one."""
        return cls(**read_plan(data))


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
