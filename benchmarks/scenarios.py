"""Scenarios and drawn demand of a stored plan one after the other, and in processes: CPU, wall, same answers.

    DATABASE_URL=… python benchmarks/scenarios.py [--skus 12] [--draws 10] [--threads 2]
    python benchmarks/scenarios.py --generated 24 [--seed 0]

The second line makes a problem and plans each scenario from nothing and from its plan: CPU, cost, gap.
The problem and the plan are those of the last run stored there (`make demo` makes one), or of its first SKUs.
The floor of a draw is one check of a whole plan.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.allocation_scale import cpu_seconds
from benchmarks.allocation_scale import problem as generated
from benchmarks.planners_rule import stored
from optimizer import (
    Change,
    DemandChange,
    PriceChange,
    Problem,
    Settings,
    Solution,
    SupplierOut,
    changed,
    check,
    robust,
    solve,
    what_if,
)
from optimizer.rules.selection import only
from optimizer.scenarios.placed import cost_under, placed

SPREAD = 0.2


def main() -> None:
    """Print a line for the floor, and one for each kind of work and number of processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, default=12, help="0: all")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--generated", type=int, help="so many SKUs, and no database")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.generated:
        _from_nothing_and_from_the_plan(generated(options.generated, seed=options.seed))
        return
    problem, plan = stored(os.environ["DATABASE_URL"])
    settings = Settings(gap=0.01)
    if options.skus:
        problem = only(problem, frozenset(one.id for one in problem.skus[: options.skus]))
        answer = solve(problem, settings)
        assert isinstance(answer, Solution)
        plan = answer
    draws = _draws(problem, options.draws)
    _floor(problem, plan, draws)
    first, second = (one.id for one in problem.suppliers[:2])
    changes: list[Change] = [
        SupplierOut(supplier=first),
        SupplierOut(supplier=second),
        PriceChange(factor=1.2, supplier=first),
        DemandChange(factor=1.1),
    ]
    _compare(
        f"{len(changes)} scenarios",
        lambda threads: [
            one.to_json() for one in what_if(problem, changes, replace(settings, threads=threads), base=plan)
        ],
        options.threads,
    )
    _compare(
        f"{options.draws} draws",
        lambda threads: robust(problem, draws, replace(settings, threads=threads), base=plan).to_json(),
        options.threads,
    )


def _from_nothing_and_from_the_plan(problem: Problem) -> None:
    """The supplier left out is the third largest of the plan."""
    base = _planned("the plan", problem, None)
    made: dict[str, int] = defaultdict(int)
    for one in base.orders:
        made[one.supplier] += one.quantity
    largest = sorted(made, key=lambda supplier: (-made[supplier], supplier))
    changes: dict[str, Change] = {
        "prices +10 %": PriceChange(factor=1.1),
        "demand +20 %": DemandChange(factor=1.2),
        "supplier out": SupplierOut(supplier=largest[:3][-1]),
    }
    for name, change in changes.items():
        other = changed(problem, [change])
        _planned(f"{name}, from nothing", other, None)
        _planned(f"{name}, from the plan", other, base)


def _planned(name: str, problem: Problem, start: Solution | None) -> Solution:
    before = cpu_seconds()
    found = solve(problem, Settings(gap=0.01, time_limit=36_000), start=start)
    assert isinstance(found, Solution)
    spent = cpu_seconds() - before
    print(f"{name:>28}: {spent:7.1f} CPU s, cost {found.objective:.0f}, gap {found.gap:.2%}", flush=True)
    return found


def _draws(problem: Problem, count: int) -> np.ndarray:
    """Demand around what is planned for, a SKU's together, [draws, demands]."""
    random = np.random.default_rng(0)
    level = {sku.id: random.normal(1.0, SPREAD, count) for sku in problem.skus}
    units = [np.maximum(0.0, level[one.sku]) * one.quantity for one in problem.demand]
    return np.rint(np.array(units).T).astype(np.int64)


def _floor(problem: Problem, plan: Solution, draws: np.ndarray) -> None:
    before = cpu_seconds()
    check(problem, plan)
    floor = cpu_seconds() - before
    before = cpu_seconds()
    left = placed(problem, plan)
    start = cpu_seconds() - before
    before = cpu_seconds()
    for draw in draws:
        cost_under(left, draw, Settings())
    each = (cpu_seconds() - before) / len(draws)
    print(
        f"{len(problem.skus)} SKUs, {len(problem.demand)} demands: a draw takes {each:.2f} CPU s after "
        f"{start:.2f} to place the orders, {each / floor:.0f} times a check of the plan ({floor:.3f} s)",
        flush=True,
    )


def _compare(name: str, work: Callable[[int], Any], threads: int) -> None:
    told = []
    for count in (1, threads):
        cpu, wall = cpu_seconds(), time.perf_counter()
        told.append(json.dumps(_timeless(work(count))))
        spent, took = cpu_seconds() - cpu, time.perf_counter() - wall
        print(f"{name:>14} by {count}: {spent:7.1f} CPU s {took:7.1f} s", flush=True)
    print(f"{'':>14} {'the same to the byte' if len(set(told)) == 1 else 'NOT the same'}", flush=True)


def _timeless(found: Any) -> Any:
    """Without what the clock decides."""
    if isinstance(found, dict):
        return {name: _timeless(value) for name, value in found.items() if name != "seconds"}
    return [_timeless(one) for one in found] if isinstance(found, list) else found


if __name__ == "__main__":
    main()
