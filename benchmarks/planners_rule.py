"""What planning saves against a planner's rule: the cheapest supplier with room first, then the next.

    [DATABASE_URL=…] python benchmarks/planners_rule.py [--seeds 20] [--skus 6] [--gap 0.02] [--time-limit 60]

Generated problems, one a seed, each planned both ways and checked; with DATABASE_URL also the problem of the
last plan stored there, against that plan. A search that the time limit cuts gives the best plan so far.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.allocation_scale import problem
from optimizer import Problem, Settings, Solution, by_rule, check, solve


def compared(name: str, made: Problem, plan: Solution) -> float:
    """Print one line, and give what the plan saves of what the rule's plan costs."""
    rule = by_rule(made)
    check(made, rule)
    saved = 1.0 - check(made, plan).total / rule.objective
    unmet = [sum(one.quantity for one in each.unmet) for each in (rule, plan)]
    money = [each.objective - each.cost.short for each in (rule, plan)]
    print(
        f"{name:>8} {len(made.skus):>6} {rule.objective:>14.2f} {plan.objective:>14.2f} {saved:>8.1%} "
        f"{1 - money[1] / money[0]:>9.1%} {unmet[0]:>7} {unmet[1]:>7} {plan.gap:>7.2%}",
        flush=True,
    )
    return saved


def stored(url: str) -> tuple[Problem, Solution]:
    """The problem and the plan of the last run in a database."""
    from sqlalchemy import func, select

    from app.core.db import Database
    from app.stages.allocation.models import PlanDocument
    from app.stages.allocation.operations.explaining import load_plan

    with Database(url).reading() as session:
        last = session.scalar(select(func.max(PlanDocument.run_id)))
        if last is None:
            raise SystemExit("This database holds no plan with its problem; run a planning cycle first.")
        kept = load_plan(session, run_id=last)
    return kept.problem, kept.solution


def main() -> None:
    """Print one line a problem and the mean saving."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--skus", type=int, default=6)
    parser.add_argument("--gap", type=float, default=0.02)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds of one plan")
    options = parser.parse_args()
    print(
        f"{'problem':>8} {'SKUs':>6} {'rule':>14} {'plan':>14} {'saving':>8} {'no short':>9} {'unmet':>7} "
        f"{'unmet':>7} {'gap':>7}"
    )
    if url := os.environ.get("DATABASE_URL"):
        compared("stored", *stored(url))
    saved = []
    for seed in range(options.seeds):
        made = problem(options.skus, seed=seed, suppliers=4, warehouses=2, regions=4, sold_in=2)
        plan = solve(made, Settings(gap=options.gap, time_limit=options.time_limit))
        assert isinstance(plan, Solution)
        saved.append(compared(f"seed {seed}", made, plan))
    if saved:
        print(f"mean saving {np.mean(saved):.1%}, least {min(saved):.1%}, most {max(saved):.1%}")


if __name__ == "__main__":
    main()
