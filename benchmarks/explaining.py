"""What explaining a stored plan takes, against the floor of a question: one check of a whole plan.

    DATABASE_URL=… python benchmarks/explaining.py [--most 10]

The problem and the plan are those of the last run stored there (`make demo` makes one).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.allocation_scale import cpu_seconds
from benchmarks.planners_rule import stored
from optimizer import check, explain

CHECKS = 5


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--most", type=int, default=10, help="rules, caps and, twice as many, shares asked about"
    )
    options = parser.parse_args()
    problem, plan = stored(os.environ["DATABASE_URL"])
    before = cpu_seconds()
    for _ in range(CHECKS):
        check(problem, plan)
    floor = (cpu_seconds() - before) / CHECKS
    heard: list[dict[str, Any]] = []
    before = cpu_seconds()
    found = explain(problem, plan, most=options.most, progress=heard.append)
    spent = cpu_seconds() - before
    print(
        f"{len(problem.skus)} SKUs, {len(problem.demand)} demands: {len(found.relief)} reliefs, "
        f"{len(found.caps)} caps, {len(found.why)} shares by some {len(heard)} questions "
        f"in {spent:.1f} CPU s; a question takes {spent / len(heard) / floor:.1f} times a check of the plan "
        f"({floor:.3f} s)"
    )


if __name__ == "__main__":
    main()
