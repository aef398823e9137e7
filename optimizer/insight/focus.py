"""What a plan would cost if something were otherwise.

Explaining asks "what if" many times; solving a large problem anew each time would take hours. So a question
is solved for the SKUs it is about, the answer is put back among the others, and the checker prices the whole:
a figure is the difference of two complete plans that keep all rules.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimizer.form.clock import Clock
from optimizer.form.errors import BrokenRule, ProblemError
from optimizer.form.plan import Cost, Infeasible, Settings, Solution
from optimizer.form.problem import Problem
from optimizer.model.duals import Named, name_of, shadow_prices
from optimizer.model.item import compile_item
from optimizer.model.likely import relaxation
from optimizer.model.network import Network, network
from optimizer.rules.book import Book, book
from optimizer.rules.checking import check_quantities
from optimizer.rules.selection import spread_caps
from optimizer.search.neighbourhood import around, part_of
from optimizer.search.workers import Crew

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
class Draft:
    """Quantities of a whole plan for a changed problem, which no checker has seen."""

    problem: Problem
    book: Book

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


@dataclass(frozen=True, kw_only=True)
class Answer(Draft):
    """A whole plan for a changed problem, and what the checker says it costs."""

    cost: Cost


class Questions:
    """Asks what a plan would cost if something were otherwise. heard is called before each question and may
    raise to stop."""

    def __init__(
        self,
        problem: Problem,
        solution: Solution,
        settings: Settings,
        solve: Solve,
        *,
        heard: Callable[[], object] = lambda: None,
    ) -> None:
        self.problem = spread_caps(problem)
        self.plan = book(self.problem, solution)
        self.whole = size(problem) <= SMALL
        self.every = frozenset(one.id for one in problem.skus)
        self._solve = solve
        self._heard = heard
        self._settings = replace(
            settings, gap=0.0 if self.whole else min(settings.gap, 1e-4), threads=1, state=None
        )
        self._paid: dict[str, dict[Named, float]] = {}
        self._base: dict[frozenset[str], Answer] = {}
        self._prices: dict[frozenset[str], dict[Named, float]] = {}

    def base(self, skus: frozenset[str]) -> Answer:
        """The plan as it is, with these SKUs solved once more: what an answer about them is held against."""
        skus = self.about(skus)
        if skus not in self._base:
            known = self.known
            again = self.ask(lambda problem: problem, skus)
            self._base[skus] = known if again is None or again.cost.total >= known.cost.total else again
        return self._base[skus]

    @cached_property
    def known(self) -> Answer:
        """The plan as it is."""
        cost = check_quantities(self.problem, self.plan)
        return Answer(problem=self.problem, book=self.plan, cost=cost)

    def as_things_are(self, answer: Answer, skus: frozenset[str]) -> None:
        """Where the answer's plan needs no change and is cheaper than the base, it is the base."""
        known = self.priced(Draft(problem=self.problem, book=answer.book))
        if known is not None and known.cost.total < self.base(skus).cost.total:
            self._base[self.about(skus)] = known

    def about(self, skus: frozenset[str]) -> frozenset[str]:
        """The SKUs that are solved for a question about some: all of a small problem."""
        return self.every if self.whole else skus

    def shadow_price(self, row: Named, skus: frozenset[str]) -> float:
        """What one more of a shared row's room is worth at the margin, as the quantities of these SKUs see
        it."""
        skus = self.about(skus)
        if skus not in self._prices:
            plan = self.base(skus).book
            part = self._net if self.whole else part_of(self._net, plan, skus)[0]
            self._prices[skus] = shadow_prices(part, plan)
        return near(self._prices[skus].get(row, 0.0))

    def part(self, skus: Sequence[str]) -> Network:
        """The network of some SKUs with the room that the plan of the others leaves."""
        return part_of(self._net, self.plan, skus)[0]

    def keenest(self, row: Named, skus: Sequence[str]) -> str:
        """The SKU whose relaxation, within what the others leave, pays most for one more of a shared row's
        room; the first of those that pay the same."""
        return max(skus, key=lambda sku: self._pays(sku).get(row, 0.0))

    def _pays(self, sku: str) -> dict[Named, float]:
        if sku not in self._paid:
            part = self.part([sku])
            _, prices = relaxation(part, compile_item(part, part.problem.sku_of[sku]))
            rows = np.flatnonzero(prices)
            self._paid[sku] = {name_of(*self._net.coupling.names[at]): float(prices[at]) for at in rows}
        return self._paid[sku]

    @cached_property
    def _net(self) -> Network:
        return network(self.problem)

    def ask(self, change: Change, skus: frozenset[str]) -> Answer | None:
        """The best plan found for the changed problem, or None when there is none that keeps all rules."""
        return self.priced(self.drafted(change, skus))

    def drafted(self, change: Change, skus: frozenset[str]) -> Draft | None:
        """As ask, before the checker has seen it."""
        self._heard()
        skus = self.about(skus)
        try:
            changed = change(self.problem)
            found = self._planned(changed) if self.whole else self._around(changed, skus)
        except (BrokenRule, ProblemError):
            return None  # a wide cap or a fact stands against it: no figure is better than a wrong one
        return None if found is None else Draft(problem=changed, book=found)

    def priced(self, draft: Draft | None) -> Answer | None:
        """What the checker says of it; None where it breaks a rule."""
        if draft is None:
            return None
        try:
            cost = check_quantities(draft.problem, draft.book)
            return Answer(problem=draft.problem, book=draft.book, cost=cost)
        except BrokenRule:
            return None

    def _planned(self, problem: Problem) -> Book | None:
        answer = self._solve(problem, self._settings)
        return None if isinstance(answer, Infeasible) else book(problem, answer)

    def _around(self, problem: Problem, skus: frozenset[str]) -> Book | None:
        """The SKUs planned anew around the others, whose plan may be of another numbering of offers."""
        clock = Clock(limit=self._settings.time_limit)
        net = network(problem)
        tell = clock.listen(None)
        found = around(
            net, self.plan, sorted(skus), self._settings, tell=tell, clock=clock, crew=Crew(), likely=True
        )
        return None if found is None else found.book


def near(value: float) -> float:
    """Money to a ten-thousandth, so that noise of the last digits is not told."""
    return 0.0 if math.isclose(value, 0.0, abs_tol=5e-5) else round(value, 4)
