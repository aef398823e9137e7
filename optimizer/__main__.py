"""python -m optimizer solve PROBLEM.json --out PLAN.json; python -m optimizer check PROBLEM.json PLAN.json.

Exit codes: 0 fine, 1 the plan breaks a rule or no solver took the problem, 2 invalid input, 3 infeasible.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
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
    SolverError,
    StateError,
    check,
    explain,
    solve,
)
from optimizer.insight.focus import size

# Problems up to this size are explained unasked: it takes moments.
EXPLAINED = 1_000
# Files above this many bytes are refused unread: some hundred thousand SKUs fit in fewer.
LARGEST_FILE = 2**32


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
    except (BrokenRule, SolverError) as error:
        print(f"no plan could be made: {error}", file=sys.stderr)
        return 1
    except StateError as error:
        print(f"state: {error}", file=sys.stderr)
        return 2


def _alone() -> None:
    """Solvers now and then write lines of their own to file descriptor 1: from here on nobody reads those,
    and stdout has only what this program says."""
    sys.stdout.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m optimizer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("solve", help="plan a problem")
    one.add_argument("problem", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--gap", type=_at_least(0.0), default=Settings.gap)
    one.add_argument("--time-limit", type=_at_least(0.0), default=Settings.time_limit)
    one.add_argument("--threads", type=_whole(1), default=Settings.threads)
    one.add_argument("--seed", type=_whole(0), default=Settings.seed)
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


def _at_least(least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not least <= value < math.inf:
            raise ValueError
        return value

    return number


def _whole(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value < 2**31:
            raise ValueError
        return value

    return number


def _load(path: Path) -> Any:
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise ProblemError(str(path), f"has {size} bytes, more than {LARGEST_FILE}")
        text = path.read_text(encoding="utf-8")
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_no_key_twice)
    except OSError as error:
        raise ProblemError(str(path), f"can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ProblemError):
            raise
        raise ProblemError(str(path), f"is not JSON: {error}") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))
        raise ProblemError(twice, "is given twice in one object")
    return found


def _refuse_constant(name: str) -> float:
    raise ProblemError("$", f"{name} is not a number")


def _solve(problem: Problem, options: argparse.Namespace) -> int:
    _writable(options.out)
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


def _writable(path: Path) -> None:
    """Found out before the search, not after it."""
    there = path.exists()
    try:
        path.open("a").close()
    except OSError as error:
        raise ProblemError(str(path), f"can't be written: {error.strerror}") from error
    if not there:
        path.unlink()


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
    _alone()
    sys.exit(main())
