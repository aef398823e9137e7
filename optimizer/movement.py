"""The checker's rules of moving goods: what leaves, what waits in warehouses, what comes to the regions."""

from __future__ import annotations

import math
from collections import defaultdict

from optimizer.book import Book, within
from optimizer.errors import BrokenRule
from optimizer.limits import limits, locked_flows
from optimizer.matching import Arrival, Match, Need, match
from optimizer.problem import Problem


def check_flows(problem: Problem, plan: Book) -> None:
    """No more leaves a supplier than was ordered for that week, and locked goods go where they were
    promised."""
    leaving: dict[tuple[str, str, int], int] = defaultdict(int)
    for (sku, source, target, week), units in plan.flows.items():
        if source in problem.supplier_of:
            lead = problem.offer_of.get((source, sku))
            if lead is None:
                raise BrokenRule("unknown_id", f"flow {sku} {source}->{target}", "there is no such offer")
            leaving[source, sku, week - lead.lead_weeks] += units
        elif not 0 <= week < problem.weeks:
            raise BrokenRule(
                "horizon", f"flow {sku} {source}->{target}/week {week}", "is outside the horizon"
            )
    for (supplier, sku, week), units in leaving.items():
        ordered = plan.orders.get((supplier, sku, week), 0)
        if units > ordered:
            raise BrokenRule(
                "supply", f"{supplier}/{sku}/week {week}", f"{units} leave, {ordered} are ordered"
            )
    for (sku, supplier, to, week), units in locked_flows(problem).items():
        if units and plan.flows.get((sku, supplier, to, week), 0) < units:
            raise BrokenRule(
                "locked", f"{sku} {supplier}->{to}/week {week}", f"{units} locked units don't go"
            )


def check_warehouses(problem: Problem, plan: Book) -> float:
    """Balance, inbound and storage; returns the holding cost in warehouses."""
    change: dict[tuple[str, str, int], int] = defaultdict(int)
    inbound: dict[tuple[str, int], float] = defaultdict(float)
    for one in problem.stock:
        change[one.warehouse, one.sku, one.week] += one.quantity
    for (sku, source, target, week), units in plan.flows.items():
        arrives = week + problem.lane_of[source, target].lead_weeks
        if target in problem.warehouse_of and arrives < problem.weeks:
            change[target, sku, arrives] += units
            inbound[target, arrives] += units * problem.sku_of[sku].volume
        if source in problem.warehouse_of:
            change[source, sku, week] -= units
    holding, stored = _inventory(problem, change)
    allowed = limits(problem)
    for (warehouse, week), limit in allowed.inbound.items():
        within("inbound", f"{warehouse}/week {week}", inbound[warehouse, week], limit)
    for (warehouse, week), limit in allowed.storage.items():
        within("storage", f"{warehouse}/week {week}", stored[warehouse, week], limit)
    return holding


def _inventory(
    problem: Problem, change: dict[tuple[str, str, int], int]
) -> tuple[float, dict[tuple[str, int], float]]:
    stored: dict[tuple[str, int], float] = defaultdict(float)
    costs = []
    for warehouse, sku in sorted({(warehouse, sku) for warehouse, sku, _ in change}):
        there = 0
        item = problem.sku_of[sku]
        for week in range(problem.weeks):
            there += change.get((warehouse, sku, week), 0)
            if there < 0:
                where = f"{warehouse}/{sku}/week {week}"
                raise BrokenRule("warehouse_balance", where, f"{-there} units leave that are not there")
            stored[warehouse, week] += there * item.volume
            costs.append(there * item.holding_cost)
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
            arrivals[sku, target].append(Arrival(week=arrives, units=fixed, locked=True, wait_cost=wait))
        if units > fixed:
            arrivals[sku, target].append(Arrival(week=arrives, units=units - fixed))
    needs = _needs(problem, plan)
    matches = {}
    for key in sorted(set(needs) | set(arrivals)):
        matches[key] = found = match(arrivals.get(key, []), needs.get(key, []))
        if found.left:
            reason = f"{found.left} units don't fit between what comes and what the demand still needs"
            raise BrokenRule("delivery", f"{key[0]}/{key[1]}", reason)
    return matches


def _needs(problem: Problem, plan: Book) -> dict[tuple[str, str], list[Need]]:
    needs: dict[tuple[str, str], list[Need]] = defaultdict(list)
    for one in problem.demand:
        short = plan.unmet.get((one.sku, one.region, one.week), 0)
        if short > one.quantity:
            where = f"{one.sku}/{one.region}/week {one.week}"
            raise BrokenRule("unmet", where, f"{short} unmet of {one.quantity}")
        last = problem.weeks - 1
        if one.max_late_weeks is not None:
            last = min(last, one.week + one.max_late_weeks)
        if one.quantity > short:
            need = Need(week=one.week, units=one.quantity - short, late_cost=one.late_cost, last_week=last)
            needs[one.sku, one.region].append(need)
    return needs
