"""What a plan would cost if something were otherwise.

Explaining asks "what if" many times; solving a large problem anew each time would take hours. So a question
is solved for the SKUs it is about, the answer is put back among the others, and the checker prices the whole:
a figure is the difference of two complete plans that keep all rules.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from optimizer.book import Book, book
from optimizer.checking import check_quantities
from optimizer.clock import Clock
from optimizer.duals import Named, shadow_prices
from optimizer.errors import BrokenRule, ProblemError
from optimizer.neighbourhood import around, part_of
from optimizer.network import network
from optimizer.plan import Cost, Infeasible, Settings, Solution
from optimizer.problem import Problem
from optimizer.selection import spread_caps
from optimizer.workers import Crew

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
            net = network(self.problem)
            part = net if self.whole else part_of(net, plan, skus)[0]
            self._prices[skus] = shadow_prices(part, plan)
        return near(self._prices[skus].get(row, 0.0))

    def ask(self, change: Change, skus: frozenset[str]) -> Answer | None:
        """The best plan found for the changed problem, or None when there is none that keeps all rules."""
        skus = self.about(skus)
        try:
            changed = change(self.problem)
            found = self._planned(changed) if self.whole else self._around(changed, skus)
            return None if found is None else Answer(book=found, cost=check_quantities(changed, found))
        except (BrokenRule, ProblemError):
            return None  # a wide cap or a fact stands against it: no figure is better than a wrong one

    def _planned(self, problem: Problem) -> Book | None:
        answer = self._solve(problem, self._settings)
        return None if isinstance(answer, Infeasible) else book(problem, answer)

    def _around(self, problem: Problem, skus: frozenset[str]) -> Book | None:
        """The SKUs planned anew around the others, whose plan may be of another numbering of offers."""
        clock = Clock(limit=self._settings.time_limit)
        net = network(problem)
        tell = clock.listen(None)
        found = around(net, self.plan, skus, self._settings, tell=tell, clock=clock, crew=Crew())
        return None if found is None else found.book


def near(value: float) -> float:
    """Money to a ten-thousandth, so that noise of the last digits is not told."""
    return 0.0 if math.isclose(value, 0.0, abs_tol=5e-5) else round(value, 4)
