"""One plan for demand that is not known: the candidate with the least expected cost over draws of demand.

Sample-average approximation (Kleywegt, Shapiro & Homem-de-Mello, SIAM J. Optim. 12, 2002) over a set of
candidate plans: each is planned for one level of the drawn demand, from low to high, and its orders are then
held fixed while every draw decides how its goods flow. Expected cost and CVaR are those of that sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from optimizer.form.clock import Clock, Told
from optimizer.form.errors import Cancelled, ProblemError
from optimizer.form.plan import Infeasible, Settings, Solution
from optimizer.form.problem import Problem
from optimizer.form.reports import report
from optimizer.scenarios.placed import Placed, Units, cost_under, placed, with_demand
from optimizer.search.solving import solve
from optimizer.search.team import Heard, Team, told

LEVELS = (0.3, 0.5, 0.65, 0.8, 0.9)
Levels = Sequence[tuple[float | None, Units]]
# The problem, the settings of each plan, and the plan for the demand as given, where there is one.
Subject = tuple[Problem, Settings, Solution | None]


@dataclass(frozen=True, kw_only=True)
class Robust:
    """plan keeps all rules for the demand of its level; costs are its cost under every draw, in their order.

    level None: the plan for the demand as given. cvar is the mean of the dearest part of the draws.
    tried: every candidate with its expected cost and CVaR. limit: "cancelled" where somebody stopped before
    all were tried, else None.
    """

    plan: Solution
    level: float | None
    expected: float
    cvar: float
    costs: tuple[float, ...]
    tried: tuple[dict[str, Any], ...]
    limit: str | None = None

    def to_json(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {
            "plan": self.plan.to_json(),
            "costs": list(self.costs),
            "tried": list(self.tried),
        }


def robust(
    problem: Problem,
    draws: Units,
    settings: Settings | None = None,
    *,
    tail: float = 0.9,
    caution: float = 0.0,
    base: Solution | None = None,
    start: Solution | None = None,
    progress: Told | None = None,
) -> Robust:
    """The plan with the least (1 - caution) x expected cost + caution x CVaR over the draws.

    draws: demand of every row of problem.demand, [draws, demands]. tail 0.9: CVaR is the mean of the dearest
    tenth. Flows are decided draw by draw once orders are placed; orders are not. base: the plan for the
    demand as given, where it is known; else it is planned first, from start, a plan of a problem that differs
    in little. The plans for all other levels start from it. Plans and draws are worked out in
    settings.threads processes; every draw starts from what shared room is worth to the candidate's own flows,
    so the answer is the same whatever their number.

    progress is told of draws done; if it returns False or raises Cancelled, the best of the candidates that
    met all draws by then is given back (limit is "cancelled"). Raises Cancelled where none did, ProblemError
    when no candidate has a plan, SolverError when a process keeps dying.
    """
    asked = replace(settings or Settings(), state=None)
    levels: list[tuple[float | None, Units]] = [(None, _given(problem))]
    levels += [
        (level, np.quantile(draws, level, axis=0, method="higher").astype(np.int64)) for level in LEVELS
    ]
    clock, done = Clock(), 0
    tell = clock.listen(progress)

    def beat(more: int = 0) -> None:
        nonlocal done
        done += more
        tell(report("draws", done, len(levels) * (len(draws) + 1)))
        if clock.cancelled:
            raise Cancelled

    found: list[Robust] = []
    try:
        given = base or _given_plan(problem, asked, start, beat)
        beat()  # what was cut short is no plan to judge
        with Team((problem, replace(asked, threads=1), given), size=asked.threads, heard=beat) as team:
            for level, plan, costs in _tried(team, levels, draws, beat):
                found.append(_judged(plan, level, costs, tail=tail))
    except Cancelled:
        if not found:
            raise
    if not found:
        raise ProblemError("$", "no level of the drawn demand has a plan")
    best = min(found, key=lambda one: (1 - caution) * one.expected + caution * one.cvar)
    tried = tuple({"level": one.level, "expected": one.expected, "cvar": one.cvar} for one in found)
    return replace(best, tried=tried, limit="cancelled" if clock.cancelled else None)


def _given_plan(
    problem: Problem, settings: Settings, start: Solution | None, beat: Callable[[], object]
) -> Solution | None:
    """The plan for the demand as given; None for no demand at all, or where there is no plan."""
    if not _given(problem).any():
        return None
    plan = solve(problem, settings, start=start, progress=lambda _: beat())
    return None if isinstance(plan, Infeasible) else plan


def _tried(
    team: Team, levels: Levels, draws: Units, beat: Callable[[int], object]
) -> Iterator[tuple[float | None, Solution, list[float]]]:
    """Each level that has a plan, its plan, and what that costs under every draw."""
    beat(0)
    plans = [team.ask(_planned, one) for one in levels]
    for (level, _), number in zip(levels, plans, strict=True):
        one = team.answer(number)
        beat(1)
        if one is None:
            beat(len(draws))
            continue
        plan, left = one
        costs = []
        for asked in [team.ask(_drawn, (left, draw)) for draw in draws]:
            costs.append(team.answer(asked))
            beat(1)
        yield level, plan, costs


def _planned(
    subject: Subject, level: tuple[float | None, Units], heard: Heard
) -> tuple[Solution, Placed] | None:
    """The plan for one level of demand, its orders placed; None for no demand at all, or where there is no
    plan."""
    problem, settings, given = subject
    name, units = level
    mine = problem if name is None else with_demand(problem, units)
    plan: Solution | Infeasible | None = given if name is None else None
    if name is not None and units.any():
        plan = solve(mine, settings, start=given, progress=told(heard))
    return None if plan is None or isinstance(plan, Infeasible) else (plan, placed(mine, plan))


def _drawn(subject: Subject, asked: tuple[Placed, Units], heard: Heard) -> float:
    """What a plan whose orders are placed costs under one draw."""
    if heard is not None:
        heard()
    one, draw = asked
    return cost_under(one, draw, subject[1])


def _judged(plan: Solution, level: float | None, costs: list[float], *, tail: float) -> Robust:
    dearest = sorted(costs, reverse=True)[: max(1, round((1 - tail) * len(costs)))]
    return Robust(
        plan=plan,
        level=level,
        expected=sum(costs) / len(costs),
        cvar=sum(dearest) / len(dearest),
        costs=tuple(costs),
        tried=(),
    )


def _given(problem: Problem) -> Units:
    return np.array([one.quantity for one in problem.demand], dtype=np.int64)
