"""A plan made to fit again after 5 % of its lines were declined: seconds, units moved, and the proven gap.

    python benchmarks/replan.py [--skus 1000] [--plan PLAN.json | --rule] [--threads 2] [--churn 1.0]

Without a plan one is made first, which takes as long as planning does; --rule makes it by the planner's rule.
The supplier with the most lines declines them, then the next, until 5 % of all lines are declined. Everything
else is wanted unchanged: churn costs a part of the mean unit price for each unit.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.allocation_scale import cpu_seconds, problem
from optimizer import Infeasible, Locked, Problem, Settings, Solution, by_rule, check, replan, solve

DECLINED = 0.05
Key = tuple[str, str, int]


def declined_lines(plan: Solution) -> list[Key]:
    """Lines of the supplier with most of them, then of the next, until there are enough."""
    lines: dict[str, list[Key]] = defaultdict(list)
    for one in plan.orders:
        lines[one.supplier].append((one.supplier, one.sku, one.week))
    wanted = round(DECLINED * len(plan.orders))
    ranked = [key for supplier in sorted(lines, key=lambda s: (-len(lines[s]), s)) for key in lines[supplier]]
    return ranked[:wanted]


def changed(made: Problem, plan: Solution, gone: list[Key], churn: float) -> Problem:
    """Without the offers of the declined lines, and with the rest of the plan wanted again."""
    pairs = {(supplier, sku) for supplier, sku, _ in gone}
    lane = {(one.sku, one.source): one.target for one in plan.flows}
    previous = tuple(
        Locked(supplier=o.supplier, sku=o.sku, week=o.week, to=lane[o.sku, o.supplier], quantity=o.quantity)
        for o in plan.orders
        if (o.sku, o.supplier) in lane
    )
    offers = tuple(one for one in made.offers if (one.supplier, one.sku) not in pairs)
    return replace(made, offers=offers, previous=previous, churn_cost=churn)


def lost_units(before: Solution, after: Solution, gone: set[tuple[str, str]]) -> tuple[int, int]:
    """Units of the plan before that are not ordered again: all, and those that nobody could keep."""
    again = {(one.supplier, one.sku, one.week): one.quantity for one in after.orders}
    lost = must = 0
    for one in before.orders:
        lost += max(0, one.quantity - again.get((one.supplier, one.sku, one.week), 0))
        must += one.quantity if (one.supplier, one.sku) in gone else 0
    return lost, must


def main() -> None:
    """Print the figures of one change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, default=1_000)
    parser.add_argument("--suppliers", type=int, default=50)
    parser.add_argument("--warehouses", type=int, default=20)
    parser.add_argument("--plan", type=Path, help="a plan of that problem, so that none need be made")
    parser.add_argument("--rule", action="store_true", help="start from the planner's rule")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--churn", type=float, default=1.0, help="parts of the mean unit price")
    options = parser.parse_args()
    made = problem(options.skus, suppliers=options.suppliers, warehouses=options.warehouses)
    settings = Settings(threads=options.threads, time_limit=1e6)
    if options.rule:
        plan = by_rule(made)
    elif options.plan is None:
        answer = solve(made, settings)
        if isinstance(answer, Infeasible):
            raise SystemExit("\n".join(answer.conflict))
        plan = answer
    else:
        plan = Solution.from_json(json.loads(options.plan.read_text(encoding="utf-8")))
    gone = declined_lines(plan)
    price = float(np.mean([one.unit_price for one in plan.orders]))
    after = changed(made, plan, gone, options.churn * price)
    wall, spent = time.perf_counter(), cpu_seconds()
    found = replan(after, plan, settings, before=made)
    wall, spent = time.perf_counter() - wall, cpu_seconds() - spent
    check(after, found.solution)
    lost, must = lost_units(plan, found.solution, {(supplier, sku) for supplier, sku, _ in gone})
    solution = found.solution
    short = [sum(one.quantity for one in each.unmet) for each in (plan, solution)]
    without = (solution.objective - solution.cost.churn - solution.bound) / solution.objective
    print(
        f"{options.skus} SKUs, {len(plan.orders)} lines, {len(gone)} declined by "
        f"{len({one[0] for one in gone})} suppliers\n"
        f"planned anew: {len(found.skus)} SKUs in {wall:.1f} s, {spent:.1f} CPU s\n"
        f"moved: {lost} units; {must} had to ({lost / max(must, 1):.3f} times)\n"
        f"gap before {plan.gap:.2%}, after {solution.gap:.2%} of the whole with churn, "
        f"{without:.2%} without; {found.slack / solution.objective:.2%} as long as the others stay\n"
        f"unmet before {short[0]}, after {short[1]}"
    )


if __name__ == "__main__":
    main()
