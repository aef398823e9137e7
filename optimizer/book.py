"""A plan's quantities by key, read from a Solution before any rule is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from optimizer.errors import BrokenRule
from optimizer.plan import Solution
from optimizer.problem import Problem

TOLERANCE = 1e-6
Key = TypeVar("Key")


@dataclass(frozen=True, kw_only=True)
class Book:
    """A plan's quantities by key, each key seen once and every id known."""

    orders: dict[tuple[str, str, int], int]
    flows: dict[tuple[str, str, str, int], int]
    unmet: dict[tuple[str, str, int], int]


def book(problem: Problem, solution: Solution) -> Book:
    """The plan's quantities by key. Raises BrokenRule for unknown ids, repeated keys and odd quantities."""
    orders: dict[tuple[str, str, int], int] = {}
    for one in solution.orders:
        where = f"order {one.supplier}/{one.sku}/week {one.week}"
        if (one.supplier, one.sku) not in problem.offer_of:
            raise BrokenRule("unknown_id", where, "there is no such offer")
        _put(orders, (one.supplier, one.sku, one.week), one.quantity, where)
    flows: dict[tuple[str, str, str, int], int] = {}
    for flow in solution.flows:
        where = f"flow {flow.sku} {flow.source}->{flow.target}/week {flow.week}"
        if flow.sku not in problem.sku_of or (flow.source, flow.target) not in problem.lane_of:
            raise BrokenRule("unknown_id", where, "there is no such SKU or lane")
        _put(flows, (flow.sku, flow.source, flow.target, flow.week), flow.quantity, where)
    demands = {(one.sku, one.region, one.week) for one in problem.demand}
    unmet: dict[tuple[str, str, int], int] = {}
    for short in solution.unmet:
        where = f"unmet {short.sku}/{short.region}/week {short.week}"
        if (short.sku, short.region, short.week) not in demands:
            raise BrokenRule("unknown_id", where, "there is no such demand")
        _put(unmet, (short.sku, short.region, short.week), short.quantity, where)
    return Book(orders=orders, flows=flows, unmet=unmet)


def _put(into: dict[Key, int], key: Key, units: int, where: str) -> None:
    if isinstance(units, bool) or not isinstance(units, int) or units <= 0:
        raise BrokenRule("quantity", where, f"must be a whole number above 0, not {units!r}")
    if key in into:
        raise BrokenRule("quantity", where, "is listed twice")
    into[key] = units


def within(rule: str, where: str, used: float, limit: float) -> None:
    if used > limit + TOLERANCE * max(1.0, limit):
        raise BrokenRule(rule, where, f"{used:g} is above the limit {limit:g}")
