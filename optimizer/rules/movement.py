"""The checker's rules of moving goods: what leaves, what waits in warehouses, what comes to the regions."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer.form.errors import BrokenRule
from optimizer.form.problem import Problem, Quantity
from optimizer.rules.book import TOLERANCE, Book, above, settle, within
from optimizer.rules.limits import limits, locked_flows, locked_volume
from optimizer.rules.matching import Arrival, Match, Need, match


def check_flows(problem: Problem, plan: Book) -> None:
    """No more leaves a supplier than was ordered for that week, and locked goods go where they were
    promised."""
    leaving: dict[tuple[str, str, int], Quantity] = defaultdict(int)
    for (sku, source, target, week), units in plan.flows.items():
        if source in problem.supplier_of:
            if (source, sku) not in problem.alternatives:
                raise BrokenRule("unknown_id", f"flow {sku} {source}->{target}", "there is no such offer")
            leaving[source, sku, week] += units
        elif not 0 <= week < problem.weeks:
            raise BrokenRule(
                "horizon", f"flow {sku} {source}->{target}/week {week}", "is outside the horizon"
            )
    ready: dict[tuple[str, str, int], Quantity] = defaultdict(int)
    for (number, week), units in plan.lots(problem).items():
        offer = problem.offers[number]
        ready[offer.supplier, offer.sku, week + offer.lead_weeks] += units
    for (supplier, sku, week), units in leaving.items():
        if above(problem, units, ready[supplier, sku, week]):
            reason = f"{units} leave, {ready[supplier, sku, week]} are ordered to be ready then"
            raise BrokenRule("supply", f"{supplier}/{sku}/week {week}", reason)
    for (sku, supplier, to, week), units in locked_flows(problem).items():
        if units and above(problem, units, plan.flows.get((sku, supplier, to, week), 0)):
            raise BrokenRule(
                "locked", f"{sku} {supplier}->{to}/week {week}", f"{units} locked units don't go"
            )


def check_lanes(problem: Problem, plan: Book) -> float:
    """Capacity, minimum and single source of the lanes; returns what using them costs beside their units."""
    volume: dict[tuple[str, str, int], float] = defaultdict(float)
    for (sku, source, target, week), units in plan.flows.items():
        volume[source, target, week] += units * problem.sku_of[sku].volume
    facts = locked_volume(problem)
    for key, limit in limits(problem).lane.items():
        within("lane_capacity", f"{key[0]}->{key[1]}/week {key[2]}", volume.get(key, 0.0), limit)
    for (source, target, week), used in volume.items():
        lane = problem.lane_of[source, target]
        fresh = used - facts.get((source, target, week), 0.0)
        if fresh > TOLERANCE and used < lane.minimum - TOLERANCE * max(1.0, lane.minimum):
            where = f"{source}->{target}/week {week}"
            raise BrokenRule("lane_minimum", where, f"{used:g} is below the minimum {lane.minimum:g}")
    _check_single_sources(problem, {key[:2] for key in volume}, {key[:2] for key, v in facts.items() if v})
    return math.fsum(problem.lane_of[source, target].fixed_cost for source, target, _ in sorted(volume))


def _check_single_sources(problem: Problem, used: set[tuple[str, str]], facts: set[tuple[str, str]]) -> None:
    """Locked orders may come over several lanes; then nothing else may come over another."""
    for region in problem.regions:
        lanes = {lane for lane in used if lane[1] == region.id}
        if region.single_source and len(lanes) > 1 and not lanes <= facts:
            sources = ", ".join(sorted(source for source, _ in lanes))
            raise BrokenRule("single_source", region.id, f"is served from {sources}")


def check_warehouses(problem: Problem, plan: Book) -> float:
    """Balance, inbound, storage and throughput; returns the holding cost in warehouses."""
    change: dict[tuple[str, str, int], Quantity] = defaultdict(int)
    inbound: dict[tuple[str, int], float] = defaultdict(float)
    leaving: dict[str, float] = defaultdict(float)
    for one in problem.stock:
        change[one.warehouse, one.sku, one.week] += one.quantity
    for (sku, source, target, week), units in plan.flows.items():
        arrives = week + problem.lane_of[source, target].lead_weeks
        if target in problem.warehouse_of and arrives < problem.weeks:
            change[target, sku, arrives] += units
            inbound[target, arrives] += units * problem.sku_of[sku].volume
        if source in problem.warehouse_of:
            change[source, sku, week] -= units
            leaving[source] += units * problem.sku_of[sku].volume
    holding, stored = _inventory(problem, change)
    allowed = limits(problem)
    for (warehouse, week), limit in allowed.inbound.items():
        within("inbound", f"{warehouse}/week {week}", inbound[warehouse, week], limit)
    for (warehouse, week), limit in allowed.storage.items():
        within("storage", f"{warehouse}/week {week}", stored[warehouse, week], limit)
    for warehouse, limit in allowed.throughput.items():
        within("throughput", warehouse, leaving[warehouse], limit)
    return holding


def _inventory(
    problem: Problem, change: dict[tuple[str, str, int], Quantity]
) -> tuple[float, dict[tuple[str, int], float]]:
    stored: dict[tuple[str, int], float] = defaultdict(float)
    costs = []
    for warehouse, sku in sorted({(warehouse, sku) for warehouse, sku, _ in change}):
        there: Quantity = 0
        most: Quantity = 0
        item = problem.sku_of[sku]
        for week in range(problem.weeks):
            there += change.get((warehouse, sku, week), 0)
            most = max(most, there)
            if above(problem, -there, 0) and -there > (TOLERANCE * most if problem.continuous else 0):
                where = f"{warehouse}/{sku}/week {week}"
                raise BrokenRule("warehouse_balance", where, f"{-there} units leave that are not there")
            stored[warehouse, week] += max(there, 0) * item.volume
            costs.append(max(there, 0) * item.holding_cost)
    return math.fsum(costs), stored


def deliveries(problem: Problem, plan: Book) -> dict[tuple[str, str], Match]:
    """By (sku, region): how arrivals serve demand. Raises BrokenRule if they can't serve what is not
    unmet."""
    locked = locked_flows(problem)
    arrivals: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
    for (sku, source, target, week), units in plan.flows.items():
        if target in problem.warehouse_of:
            continue
        arrives = week + problem.lane_of[source, target].lead_weeks
        wait = problem.sku_of[sku].holding_cost
        fixed = locked.get((sku, source, target, week), 0)
        if fixed:
            arrivals[sku, target].append(
                Arrival(week=arrives, units=settle(problem, fixed), locked=True, wait_cost=wait)
            )
        if above(problem, units, fixed):
            arrivals[sku, target].append(Arrival(week=arrives, units=settle(problem, units - fixed)))
    needs = _needs(problem, plan)
    matches = {}
    for key in sorted(set(needs) | set(arrivals)):
        matches[key] = found = match(arrivals.get(key, []), needs.get(key, []))
        most = sum(one.units for one in needs.get(key, [])) if problem.continuous else 0
        if above(problem, found.left, 0) and found.left > TOLERANCE * most:
            reason = f"{found.left} units don't fit between what comes and what the demand still needs"
            raise BrokenRule("delivery", f"{key[0]}/{key[1]}", reason)
    return matches


def _needs(problem: Problem, plan: Book) -> dict[tuple[str, str], list[Need]]:
    needs: dict[tuple[str, str], list[Need]] = defaultdict(list)
    for one in problem.demand:
        short = plan.unmet.get((one.sku, one.region, one.week), 0)
        if above(problem, short, one.quantity):
            where = f"{one.sku}/{one.region}/week {one.week}"
            raise BrokenRule("unmet", where, f"{short} unmet of {one.quantity}")
        last = problem.weeks - 1
        if one.max_late_weeks is not None:
            last = min(last, one.week + one.max_late_weeks)
        if above(problem, one.quantity, short):
            need = Need(
                week=one.week,
                units=settle(problem, one.quantity - short),
                late_cost=one.late_cost,
                last_week=last,
            )
            needs[one.sku, one.region].append(need)
    return needs
