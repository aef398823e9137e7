"""Orders of the plain model (support/plain.py): lots, awards, capacity, prices and shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ortools.math_opt.python import mathopt

from optimizer import Problem
from optimizer.rules.limits import cap_rows, limits, locked_lots, previous_units
from optimizer.rules.spending import spend_excess

SOME = 1e-4
"""The least order of any number of units that makes a supplier a source."""


class Orders:
    """What is ordered, what it costs, and what of the suppliers' limits it takes."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = mathopt.Model()
        self.terms: list[Any] = []
        self.room = limits(problem)
        self.most = self._most()
        self._orders()
        self._prices()
        self._shares()

    def _most(self) -> float:
        """More units of one SKU than any plan needs of one order: all demand, each break, what is locked."""
        need = sum(one.quantity for one in self.problem.demand)
        last = max((one.breaks[-1][0] for one in self.problem.offers), default=0)
        size = max((max(one.moq, one.multiple) for one in self.problem.offers), default=0)
        return float(4 * (need + last + size) + sum(one.quantity for one in self.problem.locked) + 10)

    def _units(self) -> Any:
        return self.model.add_variable(lb=0.0, ub=self.most, is_integer=not self.problem.continuous)

    def _flag(self) -> Any:
        return self.model.add_binary_variable()

    def _any(self, flags: Iterable[Any]) -> Any:
        """A flag that is up if one of these is."""
        up = self._flag()
        for one in flags:
            self.model.add_linear_constraint(up >= one)
        return up

    def _within(self, used: Iterable[Any], limit: float) -> None:
        self.model.add_linear_constraint(mathopt.fast_sum(list(used)) <= limit)

    def _orders(self) -> None:
        problem, weeks = self.problem, range(self.problem.weeks)
        fixed = locked_lots(problem)
        self.lots: dict[tuple[int, int], Any] = {}
        self.used: dict[tuple[int, int], Any] = {}
        fresh: dict[tuple[int, int], Any] = {}
        for number, offer in enumerate(problem.offers):
            for week in sorted({*weeks, *(w for o, w in fixed if o == number)}):
                facts = fixed.get((number, week), 0)
                if week not in weeks:
                    self.lots[number, week], self.used[number, week] = facts, 1
                    continue
                more, new = self._units(), self._flag()
                whole = not problem.continuous or offer.multiple != 1
                if whole:
                    count = self.model.add_integer_variable(lb=0.0, ub=self.most)
                    self.model.add_linear_constraint(more == offer.multiple * count)
                top = min(
                    one
                    for one in (self.most, offer.max, offer.week_capacity and offer.week_capacity[week])
                    if one is not None
                )
                self.model.add_linear_constraint(more <= max(top - facts, 0) * new)
                least = max(offer.moq - facts, 0 if problem.continuous else 1)
                if problem.continuous and problem.sku_of[offer.sku].min_sources > 1:
                    least = max(least, SOME)
                self.model.add_linear_constraint(more >= least * new)
                self.lots[number, week] = facts + more
                self.used[number, week] = 1 if facts else new
                fresh[number, week] = new
        for (number, _), used in self.used.items():
            self.terms.append(problem.offers[number].order_cost * used)
        self._awards(fresh)
        self._capacity()
        self._churn()

    def _awards(self, fresh: dict[tuple[int, int], Any]) -> None:
        problem = self.problem
        by_supplier, by_offer, by_pair = defaultdict(list), defaultdict(list), defaultdict(list)
        for (number, _), used in self.used.items():
            offer = problem.offers[number]
            by_supplier[offer.supplier].append(used)
            by_offer[number].append(used)
            by_pair[offer.sku, offer.supplier].append(used)
        for supplier, flags in by_supplier.items():
            self.terms.append(problem.supplier_of[supplier].award_cost * self._any(flags))
        for number, flags in by_offer.items():
            self.terms.append(problem.offers[number].award_cost * self._any(flags))
        sources = defaultdict(list)
        for (sku, _), flags in by_pair.items():
            one = self._flag()
            self.model.add_linear_constraint(one <= mathopt.fast_sum(flags))
            sources[sku].append(one)
        for (number, _), new in fresh.items():
            sku = problem.offers[number].sku
            self.model.add_linear_constraint(
                mathopt.fast_sum(sources[sku]) >= problem.sku_of[sku].min_sources * new
            )

    def _capacity(self) -> None:
        problem = self.problem
        week_use, total_use, taken = defaultdict(list), defaultdict(list), defaultdict(list)
        for (number, week), units in self.lots.items():
            offer = problem.offers[number]
            use = offer.capacity_use * units + offer.setup_capacity * self.used[number, week]
            week_use[offer.supplier, week].append(use)
            if week >= 0:
                total_use[offer.supplier].append(use)
            for material, amount in problem.recipe(offer):
                taken[material, week].append(amount * units)
        for rows, allowed in (
            (week_use, self.room.capacity),
            (total_use, self.room.horizon),
            (taken, self.room.material),
        ):
            for key, limit in allowed.items():
                self._within(rows.get(key, ()), limit)

    def _churn(self) -> None:
        for (supplier, sku, week), before in previous_units(self.problem).items():
            now = [
                self.lots[number, week]
                for number in self.problem.alternatives.get((supplier, sku), ())
                if (number, week) in self.lots
            ]
            lost = self.model.add_variable(lb=0.0)
            self.model.add_linear_constraint(lost >= before - mathopt.fast_sum(now))
            self.terms.append(self.problem.churn_cost * lost)

    def _prices(self) -> None:
        self.spend: dict[int, Any] = {}
        totals = defaultdict(list)
        for (number, _), units in self.lots.items():
            totals[number].append(units)
        for number, parts in totals.items():
            offer = self.problem.offers[number]
            top = self.most * max(1, self.problem.weeks)
            starts = [float(start) for start, _ in offer.breaks]
            ends = [*starts[1:], top]
            segments = [(self.model.add_variable(lb=0.0), self._flag()) for _ in starts]
            if offer.price_mode == "all_units":
                self._one_price(segments, starts, ends)
            else:
                self._steps(segments, starts, ends)
            total = mathopt.fast_sum([units for units, _ in segments])
            self.model.add_linear_constraint(total == mathopt.fast_sum(parts))
            self.spend[number] = mathopt.fast_sum(
                [price * units for (_, price), (units, _) in zip(offer.breaks, segments, strict=True)]
            )
            risk = self.problem.supplier_of[offer.supplier].risk
            self.terms.append((1 + risk) * self.spend[number])

    def _one_price(self, segments: list[Any], starts: list[float], ends: list[float]) -> None:
        """All units in one segment. Below a break that raises the price one unit is missing."""
        self._within([on for _, on in segments], 1)
        for at, (units, on) in enumerate(segments):
            last = at == len(segments) - 1
            grain = 0 if last else (1e-6 if self.problem.continuous else 1)
            self.model.add_linear_constraint(units >= starts[at] * on)
            self.model.add_linear_constraint(units <= (ends[at] - grain) * on)

    def _steps(self, segments: list[Any], starts: list[float], ends: list[float]) -> None:
        """A segment is begun when the one before is full."""
        for at, (units, on) in enumerate(segments):
            self.model.add_linear_constraint(units <= (ends[at] - starts[at]) * on)
            if at + 1 < len(segments):
                self.model.add_linear_constraint(units >= (ends[at] - starts[at]) * segments[at + 1][1])

    def _shares(self) -> None:
        problem = self.problem
        firm = locked_lots(problem)
        for row in cap_rows(problem):
            for supplier in problem.supplier_of:
                keys = [
                    key
                    for key in self.lots
                    if problem.offers[key[0]].supplier == supplier and problem.offers[key[0]].sku in row.skus
                ]
                units = mathopt.fast_sum([self.lots[key] for key in keys])
                if row.cap.hard:
                    facts = float(sum(firm.get(key, 0) for key in keys))
                    self.model.add_linear_constraint(units <= max(row.free_units, facts))
                else:
                    self._above(units - row.free_units, row.cap.penalty)
        facts_above = spend_excess(problem)
        for at, row in enumerate(cap_rows(problem, "spend")):
            all_spend = mathopt.fast_sum(
                [s for n, s in self.spend.items() if problem.offers[n].sku in row.skus]
            )
            for supplier in problem.supplier_of:
                own = mathopt.fast_sum(
                    [
                        s
                        for n, s in self.spend.items()
                        if problem.offers[n].sku in row.skus and problem.offers[n].supplier == supplier
                    ]
                )
                over = own - row.cap.max_share * all_spend
                if row.cap.hard:
                    self.model.add_linear_constraint(over <= facts_above[at].get(supplier, 0.0) + 1e-9)
                else:
                    self._above(over, row.cap.penalty)

    def _above(self, units: Any, penalty: float) -> None:
        excess = self.model.add_variable(lb=0.0)
        self.model.add_linear_constraint(excess >= units)
        self.terms.append(penalty * excess)
