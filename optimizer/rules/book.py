"""A plan's quantities by key, read from a Solution before any rule is looked at."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TypeVar

from optimizer.form.errors import BrokenRule
from optimizer.form.plan import Solution
from optimizer.form.problem import Problem, Quantity

TOLERANCE = 1e-6
GRAIN = 2.0**-20
Key = TypeVar("Key")
OrderKey = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True)
class Book:
    """A plan's quantities by key, each key seen once and every id known.

    orders are by (supplier, sku, week); split says for some of them how much each alternative offer has, the
    others are all of the first one.
    """

    orders: dict[OrderKey, Quantity]
    flows: dict[tuple[str, str, str, int], Quantity]
    unmet: dict[tuple[str, str, int], Quantity]
    split: dict[OrderKey, dict[int, Quantity]] = field(default_factory=dict)

    def lots(self, problem: Problem) -> dict[tuple[int, int], Quantity]:
        """Units by (number of the offer, week)."""
        found = {}
        for (supplier, sku, week), units in self.orders.items():
            numbers = problem.alternatives[supplier, sku]
            for alternative, some in self.split.get((supplier, sku, week), {0: units}).items():
                found[numbers[alternative], week] = some
        return found


def book(problem: Problem, solution: Solution) -> Book:
    """The plan's quantities by key. Raises BrokenRule for unknown ids, repeated keys and odd quantities."""
    split: dict[OrderKey, dict[int, Quantity]] = defaultdict(dict)
    whole = not problem.continuous
    for one in solution.orders:
        where = f"order {one.supplier}/{one.sku}/week {one.week}"
        if not 0 <= one.alternative < len(problem.alternatives.get((one.supplier, one.sku), ())):
            raise BrokenRule("unknown_id", where, "there is no such offer")
        _put(split[one.supplier, one.sku, one.week], one.alternative, one.quantity, where, whole=whole)
    flows: dict[tuple[str, str, str, int], Quantity] = {}
    for flow in solution.flows:
        where = f"flow {flow.sku} {flow.source}->{flow.target}/week {flow.week}"
        if flow.sku not in problem.sku_of or (flow.source, flow.target) not in problem.lane_of:
            raise BrokenRule("unknown_id", where, "there is no such SKU or lane")
        _put(flows, (flow.sku, flow.source, flow.target, flow.week), flow.quantity, where, whole=whole)
    demands = {(one.sku, one.region, one.week) for one in problem.demand}
    unmet: dict[tuple[str, str, int], Quantity] = {}
    for short in solution.unmet:
        where = f"unmet {short.sku}/{short.region}/week {short.week}"
        if (short.sku, short.region, short.week) not in demands:
            raise BrokenRule("unknown_id", where, "there is no such demand")
        _put(unmet, (short.sku, short.region, short.week), short.quantity, where, whole=whole)
    orders = {key: sum(parts.values()) for key, parts in split.items()}
    return Book(orders=orders, flows=flows, unmet=unmet, split=dict(split))


def _put(into: dict[Key, Quantity], key: Key, units: Quantity, where: str, *, whole: bool) -> None:
    if isinstance(units, bool) or not isinstance(units, int if whole else int | float) or not units > 0:
        kind = "whole number" if whole else "number"
        raise BrokenRule("quantity", where, f"must be a {kind} above 0, not {units!r}")
    if not math.isfinite(units):
        raise BrokenRule("quantity", where, f"must be finite, not {units!r}")
    if key in into:
        raise BrokenRule("quantity", where, "is listed twice")
    into[key] = units


def within(rule: str, where: str, used: float, limit: float) -> None:
    if used > limit + TOLERANCE * max(1.0, limit):
        raise BrokenRule(rule, where, f"{used:g} is above the limit {limit:g}")


def above(problem: Problem, units: Quantity, limit: Quantity) -> bool:
    """Whether units exceed limit: exact in whole units, within a tolerance in a continuous problem."""
    slack = TOLERANCE * max(1.0, abs(limit)) if problem.continuous else 0
    return bool(units > limit + slack)


def settle(problem: Problem, units: Quantity) -> Quantity:
    """In a continuous problem units to the nearest 2^-20, so that sums and differences are exact."""
    return round(units / GRAIN) * GRAIN if problem.continuous else units
