"""A few SKUs of a plan on their own, within what its other SKUs leave of everything they share.

Explaining asks "what if" many times; solving a large problem anew each time would take hours. So a question
is solved for the SKUs it is about, the answer is put back among the others, and the checker prices the whole:
a figure is the difference of two complete plans that keep all rules.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from optimizer.book import Book, book
from optimizer.checking import check_quantities
from optimizer.duals import Named, shadow_prices
from optimizer.errors import BrokenRule, ProblemError
from optimizer.limits import CapRow, cap_rows
from optimizer.plan import Cost, Infeasible, Settings, Solution
from optimizer.problem import Problem, ShareCap, Warehouse, Weekly

Row = TypeVar("Row")
Change = Callable[[Problem], Problem]
Solve = Callable[[Problem, Settings], Solution | Infeasible]
# Up to so many offer-weeks x ways x demands a problem is solved anew as a whole.
SMALL = 12_000


def size(problem: Problem) -> int:
    """Ways from an order to a demand, at most: what a problem measures for explaining."""
    offers: dict[str, int] = defaultdict(int)
    demands: dict[str, int] = defaultdict(int)
    for one in problem.offers:
        offers[one.sku] += problem.weeks
    for need in problem.demand:
        demands[need.sku] += 1
    ways = len(problem.warehouses) + 1
    return ways * sum(offers[sku] * count for sku, count in demands.items())


def only(problem: Problem, skus: frozenset[str]) -> Problem:
    """The problem of some of its SKUs; share caps that count other SKUs too are left out."""

    def mine(rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(one for one in rows if one.sku in skus)  # type: ignore[attr-defined]

    changes: dict[str, Any] = {"previous": mine(problem.previous)} if hasattr(problem, "previous") else {}
    return replace(
        problem,
        skus=tuple(one for one in problem.skus if one.id in skus),
        offers=mine(problem.offers),
        demand=mine(problem.demand),
        stock=mine(problem.stock),
        locked=mine(problem.locked),
        share_caps=_own_caps(problem, skus),
        **changes,
    )


def spread_caps(problem: Problem) -> Problem:
    """The same problem with one share cap a key instead of one for each SKU or category."""
    return replace(problem, share_caps=tuple(replace(row.cap, key=row.key) for row in _all_caps(problem)))


def _own_caps(problem: Problem, skus: frozenset[str]) -> tuple[ShareCap, ...]:
    return tuple(replace(row.cap, key=row.key) for row in _all_caps(problem) if row.skus <= skus)


def _all_caps(problem: Problem) -> list[CapRow]:
    return [*cap_rows(problem), *cap_rows(problem, "spend")]


def focus(problem: Problem, plan: Book, skus: frozenset[str]) -> Problem:
    """The problem of some SKUs within what the plan's other SKUs leave of capacities, docks and storage."""
    if all(one.id in skus for one in problem.skus):
        return problem
    used = _Uses(problem, plan, skus)
    suppliers = tuple(
        replace(
            one,
            award_cost=0.0 if one.id in used.suppliers else one.award_cost,
            capacity=used.rest(one.capacity, used.capacity, one.id),
            horizon_capacity=None
            if one.horizon_capacity is None
            else max(0.0, one.horizon_capacity - used.horizon[one.id]),
        )
        for one in problem.suppliers
    )
    warehouses = tuple(_rest_of(one, used) for one in problem.warehouses)
    return replace(only(problem, skus), suppliers=suppliers, warehouses=warehouses)


def _rest_of(one: Warehouse, used: _Uses) -> Warehouse:
    return replace(
        one,
        inbound=used.rest(one.inbound, used.inbound, one.id),
        storage=used.rest(one.storage, used.storage, one.id),
    )


class _Uses:
    """What the plan's SKUs other than these use of everything shared."""

    def __init__(self, problem: Problem, plan: Book, skus: frozenset[str]) -> None:
        self.suppliers: set[str] = set()
        self.capacity: dict[tuple[str, int], float] = defaultdict(float)
        self.horizon: dict[str, float] = defaultdict(float)
        self.inbound: dict[tuple[str, int], float] = defaultdict(float)
        self.storage: dict[tuple[str, int], float] = defaultdict(float)
        for (supplier, sku, week), units in plan.orders.items():
            if sku not in skus:
                use = units * problem.offer_of[supplier, sku].capacity_use
                self.suppliers.add(supplier)
                self.capacity[supplier, week] += use
                self.horizon[supplier] += use if week >= 0 else 0.0
        self._move(problem, plan, skus)

    def _move(self, problem: Problem, plan: Book, skus: frozenset[str]) -> None:
        change: dict[tuple[str, int], float] = defaultdict(float)
        for one in problem.stock:
            if one.sku not in skus:
                change[one.warehouse, one.week] += one.quantity * problem.sku_of[one.sku].volume
        for (sku, source, target, week), units in plan.flows.items():
            if sku in skus:
                continue
            volume = units * problem.sku_of[sku].volume
            if target in problem.warehouse_of:
                arrives = week + problem.lane_of[source, target].lead_weeks
                self.inbound[target, arrives] += volume
                change[target, arrives] += volume
            if source in problem.warehouse_of:
                change[source, week] -= volume
        for house in problem.warehouses:
            there = 0.0
            for week in range(problem.weeks):
                there += change[house.id, week]
                self.storage[house.id, week] = there

    @staticmethod
    def rest(limit: Weekly | None, used: dict[tuple[str, int], float], place: str) -> Weekly | None:
        if limit is None:
            return None
        return tuple(max(0.0, value - used[place, week]) for week, value in enumerate(limit))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole plan for a changed problem: its quantities, and what the checker says it costs."""

    book: Book
    cost: Cost

    def units(self, skus: frozenset[str]) -> dict[str, int]:
        """Units of these SKUs by supplier."""
        found: dict[str, int] = defaultdict(int)
        for (supplier, sku, _), units in self.book.orders.items():
            if sku in skus:
                found[supplier] += units
        return dict(found)

    def unmet(self) -> int:
        """Units never delivered."""
        return sum(self.book.unmet.values())


class Questions:
    """Asks what a plan would cost if something were otherwise."""

    def __init__(self, problem: Problem, solution: Solution, settings: Settings, solve: Solve) -> None:
        self.problem = spread_caps(problem)
        self.plan = book(self.problem, solution)
        self.whole = size(problem) <= SMALL
        self.every = frozenset(one.id for one in problem.skus)
        self._solve = solve
        self._settings = replace(
            settings, gap=0.0 if self.whole else min(settings.gap, 1e-4), threads=1, state=None
        )
        self._base: dict[frozenset[str], Answer] = {}
        self._prices: dict[frozenset[str], dict[Named, float]] = {}

    def base(self, skus: frozenset[str]) -> Answer:
        """The plan as it is, with these SKUs solved once more: what an answer about them is held against."""
        skus = self.about(skus)
        if skus not in self._base:
            known = Answer(book=self.plan, cost=check_quantities(self.problem, self.plan))
            again = self.ask(lambda problem: problem, skus)
            self._base[skus] = known if again is None or again.cost.total >= known.cost.total else again
        return self._base[skus]

    def about(self, skus: frozenset[str]) -> frozenset[str]:
        """The SKUs that are solved for a question about some: all of a small problem."""
        return self.every if self.whole else skus

    def shadow_price(self, row: Named, skus: frozenset[str]) -> float:
        """What one more of a shared row's room is worth at the margin, as the quantities of these SKUs see
        it."""
        skus = self.about(skus)
        if skus not in self._prices:
            plan = self.base(skus).book
            self._prices[skus] = shadow_prices(focus(self.problem, self.plan, skus), plan)
        return near(self._prices[skus].get(row, 0.0))

    def ask(self, change: Change, skus: frozenset[str]) -> Answer | None:
        """The best plan found for the changed problem, or None when there is none that keeps all rules."""
        skus = self.about(skus)
        try:
            changed = change(self.problem)
            answer = self._solve(focus(changed, self.plan, skus), self._settings)
            if isinstance(answer, Infeasible):
                return None
            merged = self._merge(answer, skus)
            return Answer(book=merged, cost=check_quantities(changed, merged))
        except (BrokenRule, ProblemError):
            return None  # a wide cap or a fact stands against it: no figure is better than a wrong one

    def _merge(self, answer: Solution, skus: frozenset[str]) -> Book:
        orders = {key: units for key, units in self.plan.orders.items() if key[1] not in skus}
        flows = {key: units for key, units in self.plan.flows.items() if key[0] not in skus}
        unmet = {key: units for key, units in self.plan.unmet.items() if key[0] not in skus}
        split = {key: parts for key, parts in self.plan.split.items() if key[1] not in skus}
        new = book(self.problem, answer)
        orders |= new.orders
        split |= new.split
        flows |= {(one.sku, one.source, one.target, one.week): one.quantity for one in answer.flows}
        unmet |= {(one.sku, one.region, one.week): one.quantity for one in answer.unmet}
        return Book(
            orders=dict(sorted(orders.items())),
            flows=dict(sorted(flows.items())),
            unmet=dict(sorted(unmet.items())),
            split=split,
        )


def near(value: float) -> float:
    """Money to a ten-thousandth, so that noise of the last digits is not told."""
    return 0.0 if math.isclose(value, 0.0, abs_tol=5e-5) else round(value, 4)
