"""python -m optimizer solve PROBLEM.json --out PLAN.json; python -m optimizer check PROBLEM.json PLAN.json.

Exit codes: 0 fine, 1 the plan breaks a rule, 2 invalid input, 3 infeasible.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from optimizer import (
    BrokenRule,
    Infeasible,
    Problem,
    ProblemError,
    Settings,
    Solution,
    StateError,
    check,
    explain,
    solve,
)
from optimizer.focus import size

# Problems up to this size are explained unasked: it takes moments.
EXPLAINED = 1_000


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        problem = Problem.from_json(_load(options.problem))
        if options.command == "solve":
            return _solve(problem, options)
        return _check(problem, options)
    except ProblemError as error:
        print(f"invalid input: {error}", file=sys.stderr)
        return 2
    except StateError as error:
        print(f"state: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m optimizer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("solve", help="plan a problem")
    one.add_argument("problem", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--gap", type=float, default=Settings.gap)
    one.add_argument("--time-limit", type=float, default=Settings.time_limit)
    one.add_argument("--threads", type=int, default=Settings.threads)
    one.add_argument("--seed", type=int, default=Settings.seed)
    one.add_argument("--state", metavar="FILE", help="keep what is worked out, to go on from if killed")
    one.add_argument(
        "--explain",
        action=argparse.BooleanOptionalAction,
        help="add what relief is worth, what caps cost and why shares are as they are (default: if small)",
    )
    two = commands.add_parser("check", help="recompute a plan's cost and see that it breaks no rule")
    two.add_argument("problem", type=Path)
    two.add_argument("plan", type=Path)
    return parser


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise ProblemError(str(path), f"can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ProblemError):
            raise
        raise ProblemError(str(path), f"is not JSON: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ProblemError("$", f"{name} is not a number")


def _solve(problem: Problem, options: argparse.Namespace) -> int:
    settings = Settings(
        gap=options.gap,
        time_limit=options.time_limit,
        threads=options.threads,
        seed=options.seed,
        state=options.state,
    )
    answer = solve(problem, settings, progress=_show if sys.stderr.isatty() else None)
    document = answer.to_json()
    if isinstance(answer, Solution) and (
        size(problem) <= EXPLAINED if options.explain is None else options.explain
    ):
        document |= explain(problem, answer, settings).to_json()
    options.out.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if isinstance(answer, Infeasible):
        print("infeasible:", *answer.conflict, sep="\n  ")
        return 3
    print(f"{answer.status}: cost {answer.objective:.2f}, bound {answer.bound:.2f}, gap {answer.gap:.2%}")
    return 0


def _show(state: dict[str, Any]) -> None:
    gap = "" if state["gap"] is None else f" gap {state['gap']:.2%}"
    print(f"\r{state['phase']} {state['done']}/{state['total']}{gap}   ", end="", file=sys.stderr, flush=True)


def _check(problem: Problem, options: argparse.Namespace) -> int:
    solution = Solution.from_json(_load(options.plan))
    try:
        cost = check(problem, solution)
    except BrokenRule as error:
        print(f"broken rule: {error}", file=sys.stderr)
        return 1
    print(json.dumps({**asdict(cost), "objective": cost.total}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
