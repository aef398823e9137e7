"""The plain model of a problem: every variable its semantics name, one MIP, nothing left out or tightened.

An oracle for what the search finds, written from the words in optimizer/form/problem.py; it shares no line
with optimizer/model. Only the room that facts leave is taken from the checker (optimizer/rules/limits.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import timedelta
from typing import Any

from ortools.math_opt.python import mathopt

from optimizer import Problem
from optimizer.rules.limits import locked_flows
from support.plain_orders import Orders


def cheapest(problem: Problem) -> float | None:
    """What the best plan costs, None where there is none. Raises where the solver could not prove it."""
    plain = Plain(problem)
    result = mathopt.solve(
        plain.model,
        mathopt.SolverType.GSCIP,
        params=mathopt.SolveParameters(
            relative_gap_tolerance=0.0,
            absolute_gap_tolerance=1e-7,
            threads=1,
            time_limit=timedelta(minutes=2),
        ),
    )
    reason = result.termination.reason
    if reason in (mathopt.TerminationReason.INFEASIBLE, mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED):
        return None
    if reason is not mathopt.TerminationReason.OPTIMAL:
        raise RuntimeError(str(result.termination))
    return float(result.objective_value())


class Plain(Orders):
    """Orders, and how they move: lanes, warehouses, and who is served."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._flows()
        self._warehouses()
        self._regions()
        self.model.minimize(mathopt.fast_sum(self.terms))

    def _flows(self) -> None:
        problem = self.problem
        fixed = locked_flows(problem)
        ready = defaultdict(list)
        for (number, week), units in self.lots.items():
            offer = problem.offers[number]
            ready[offer.sku, offer.supplier, week + offer.lead_weeks].append(units)
        self.flows: dict[tuple[str, str, str, int], tuple[Any, Any]] = {}  # facts, more
        for lane in problem.lanes:
            for sku in problem.skus:
                weeks = range(problem.weeks)
                if lane.source in problem.supplier_of:
                    weeks = sorted({w for k, s, w in ready if (k, s) == (sku.id, lane.source)})
                for week in weeks:
                    facts = fixed.get((sku.id, lane.source, lane.target, week), 0)
                    arrives = week + lane.lead_weeks
                    self.flows[sku.id, lane.source, lane.target, week] = (
                        facts,
                        self._units() if week >= 0 and arrives < problem.weeks else 0,
                    )
        for (sku, supplier, week), units in ready.items():
            left = [
                a + b for (k, s, _, w), (a, b) in self.flows.items() if (k, s, w) == (sku, supplier, week)
            ]
            self.model.add_linear_constraint(mathopt.fast_sum(left) - mathopt.fast_sum(units) <= 0)
        self._lanes()

    def _lanes(self) -> None:
        problem = self.problem
        trips: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
        facts_of: dict[tuple[str, str, int], float] = defaultdict(float)
        for (sku, source, target, week), (facts, more) in self.flows.items():
            volume = problem.sku_of[sku].volume
            trips[source, target, week].append(volume * more)
            facts_of[source, target, week] += volume * facts
            self.terms.append(problem.lane_of[source, target].cost * volume * (facts + more))
        used_lanes: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for key, volumes in trips.items():
            lane, facts, on = problem.lane_of[key[:2]], facts_of[key], self._flag()
            more = mathopt.fast_sum(volumes)
            self.model.add_linear_constraint(more <= self.most * 100 * on)
            self.model.add_linear_constraint(more + facts >= lane.minimum * on)
            if key in self.room.lane:
                self.model.add_linear_constraint(more + facts <= self.room.lane[key])
            self.terms.append(lane.fixed_cost * (1 if facts else on))
            used_lanes[key[:2]].append(1 if facts else on)
        self.used_lanes = used_lanes
        for region in problem.regions:
            if not region.single_source:
                continue
            into = {lane: flags for lane, flags in used_lanes.items() if lane[1] == region.id}
            firm = {key[:2] for key, facts in facts_of.items() if facts and key[1] == region.id}
            ways = {lane: self._any(flags) for lane, flags in into.items()}
            if firm:
                for lane, on in ways.items():
                    if lane not in firm:
                        self.model.add_linear_constraint(on <= 0)
            else:
                self._within(ways.values(), 1)

    def _warehouses(self) -> None:
        problem = self.problem
        change = defaultdict(list)
        coming, going = defaultdict(list), defaultdict(list)
        touched = defaultdict(list)
        for one in problem.stock:
            change[one.warehouse, one.sku, one.week].append(one.quantity)
        for (sku, source, target, week), (facts, more) in self.flows.items():
            units, volume = facts + more, problem.sku_of[sku].volume
            arrives = week + problem.lane_of[source, target].lead_weeks
            if target in problem.warehouse_of and arrives < problem.weeks:
                change[target, sku, arrives].append(units)
                coming[target, arrives].append(volume * units)
            if source in problem.warehouse_of:
                change[source, sku, week].append(-units)
                going[source].append(volume * units)
        for (source, target), flags in self.used_lanes.items():
            for place in {source, target} & set(problem.warehouse_of):
                touched[place] += flags
        stored = defaultdict(list)
        for house in problem.warehouses:
            self.terms.append(house.award_cost * self._any(touched[house.id]))
            for sku in problem.skus:
                there: list[Any] = []
                for week in range(problem.weeks):
                    there = [*there, *change[house.id, sku.id, week]]
                    left = self.model.add_variable(lb=0.0)
                    self.model.add_linear_constraint(left == mathopt.fast_sum(there))
                    stored[house.id, week].append(sku.volume * left)
                    self.terms.append(sku.holding_cost * left)
        for rows, allowed in (
            (coming, self.room.inbound),
            (stored, self.room.storage),
            (going, self.room.throughput),
        ):
            for key, limit in allowed.items():
                self._within(rows.get(key, ()), limit)

    def _regions(self) -> None:
        problem = self.problem
        serving: dict[int, list[Any]] = defaultdict(list)
        for (sku, source, target, week), (facts, more) in self.flows.items():
            if target in problem.warehouse_of:
                continue
            arrives = week + problem.lane_of[source, target].lead_weeks
            new, firm = [], []
            for number, one in enumerate(problem.demand):
                wait = arrives - one.week
                latest = math.inf if one.max_late_weeks is None else one.max_late_weeks
                if (one.sku, one.region) != (sku, target) or wait > latest or arrives >= problem.weeks:
                    continue
                if wait >= 0:
                    new.append(part := self._units())
                    serving[number].append(part)
                    self.terms.append(wait * one.late_cost * part)
                if facts:
                    firm.append(part := self._units())
                    serving[number].append(part)
                    cost = wait * one.late_cost if wait >= 0 else -wait * problem.sku_of[sku].holding_cost
                    self.terms.append(cost * part)
            if not isinstance(more, int):
                self.model.add_linear_constraint(mathopt.fast_sum(new) - more == 0)
            self._within(firm, facts)
        for number, one in enumerate(problem.demand):
            short = self._units()
            self.model.add_linear_constraint(mathopt.fast_sum([short, *serving[number]]) == one.quantity)
            self.terms.append(one.short_cost * short)
