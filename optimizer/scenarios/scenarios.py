"""what_if: the same problem with something otherwise, planned and held against the base plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from optimizer.form.clock import Clock, Told
from optimizer.form.errors import Cancelled, ProblemError
from optimizer.form.plan import Infeasible, Settings, Solution
from optimizer.form.problem import Problem
from optimizer.form.reports import report
from optimizer.scenarios.changes import Change, change_from_json, change_to_json
from optimizer.search.solving import solve
from optimizer.search.team import Heard, Team, told

# Named changes that hold together in one scenario.
Scenario = Sequence[Change]
# The settings of each scenario, and the plan it starts from.
Subject = tuple[Settings, Solution]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A plan against the base plan: what changed by how much. Money in currency units, shares of units.

    moved: units that another supplier makes than in the base, or makes more of. shares: for every supplier of
    either plan its share of all units before and after.
    """

    cost: float
    parts: dict[str, float]
    moved: int
    unmet: int
    late: int
    shares: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One scenario: its changes, the checked plan or why there is none, and the difference to the base."""

    changes: tuple[Change, ...]
    answer: Solution | Infeasible
    difference: Difference | None

    def to_json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "changes": [change_to_json(one) for one in self.changes],
            "plan": self.answer.to_json(),
            "difference": None if self.difference is None else asdict(self.difference),
        }


def what_if(
    problem: Problem,
    changes: Sequence[Change | Scenario],
    settings: Settings | None = None,
    *,
    base: Solution | None = None,
    progress: Told | None = None,
) -> tuple[Outcome, ...]:
    """Plan each scenario of changes (one change, or several that hold together), in the order asked.

    base is the plan of the unchanged problem; without it it is planned first. Every scenario is searched from
    it and from nothing else. settings.threads scenarios are planned at a time, in processes of their own: the
    plans are the same whatever that number is. A scenario that changes nothing is the base plan. progress is
    told after every plan and about twice a second; if it returns False or raises Cancelled, the first
    scenarios are given back, as far as they were planned.

    Raises ProblemError when a change names what is not there, or the base problem has no plan; Cancelled
    where no scenario was planned yet; SolverError when a process keeps dying.
    """
    asked = replace(settings or Settings(), state=None)
    scenarios = [tuple(one) if isinstance(one, Sequence) else (one,) for one in changes]
    problems = [changed(problem, one) for one in scenarios]
    clock = Clock()
    tell = clock.listen(progress)
    outcomes: list[Outcome] = []

    def beat() -> None:
        tell(report("scenarios", len(outcomes), len(problems)))
        if clock.cancelled:
            raise Cancelled

    try:
        beat()
        known = base or _base(problem, asked, beat)
        for scenario, answer in zip(scenarios, _answers(problem, problems, known, asked, beat), strict=True):
            beat()  # what was cut short is no answer
            other = None if isinstance(answer, Infeasible) else difference(known, answer)
            outcomes.append(Outcome(changes=scenario, answer=answer, difference=other))
        beat()
    except Cancelled:
        if problems and not outcomes:
            raise
    return tuple(outcomes)


def _base(problem: Problem, settings: Settings, beat: Callable[[], object]) -> Solution:
    found = solve(problem, settings, progress=lambda _: beat())
    if isinstance(found, Infeasible):
        raise ProblemError("$", "the base problem has no plan: " + "; ".join(found.conflict))
    return found


def _answers(
    problem: Problem,
    problems: Sequence[Problem],
    base: Solution,
    settings: Settings,
    beat: Callable[[], object],
) -> Iterator[Solution | Infeasible]:
    """The plan of each problem: several at a time on one thread each, or one on all threads."""
    changed_ones = sum(one != problem for one in problems)
    several = changed_ones > 1 and settings.threads > 1
    mine = replace(settings, threads=1) if several else settings
    with Team((mine, base), size=settings.threads if several else 1, heard=beat) as team:
        asked = [None if one == problem else team.ask(_planned, one) for one in problems]
        for number in asked:
            yield base if number is None else team.answer(number)


def _planned(subject: Subject, problem: Problem, heard: Heard) -> Solution | Infeasible:
    settings, base = subject
    return solve(problem, settings, start=base, progress=told(heard))


def changed(problem: Problem, scenario: Scenario) -> Problem:
    """The problem with all changes of a scenario, one after the other."""
    for one in scenario:
        problem = one.apply(problem)
    return problem


def difference(base: Solution, other: Solution) -> Difference:
    """What another plan costs, leaves unmet and moves against the base."""
    before, after = _units(base), _units(other)
    parts = asdict(base.cost)
    return Difference(
        cost=other.objective - base.objective,
        parts={name: value - parts[name] for name, value in asdict(other.cost).items()},
        moved=sum(max(0, units - before.get(key, 0)) for key, units in after.items()),
        unmet=sum(one.quantity for one in other.unmet) - sum(one.quantity for one in base.unmet),
        late=sum(one.quantity for one in other.late) - sum(one.quantity for one in base.late),
        shares=_shares(before, after),
    )


def _units(plan: Solution) -> dict[tuple[str, str], int]:
    units: dict[tuple[str, str], int] = defaultdict(int)
    for one in plan.orders:
        units[one.supplier, one.sku] += one.quantity
    return dict(units)


def _shares(
    before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]
) -> tuple[dict[str, Any], ...]:
    def by_supplier(units: dict[tuple[str, str], int]) -> dict[str, float]:
        total = sum(units.values()) or 1
        found: dict[str, int] = defaultdict(int)
        for (supplier, _), count in units.items():
            found[supplier] += count
        return {name: count / total for name, count in found.items()}

    was, now = by_supplier(before), by_supplier(after)
    return tuple(
        {"supplier": name, "before": was.get(name, 0.0), "after": now.get(name, 0.0)}
        for name in sorted(was.keys() | now.keys())
    )


__all__ = ["Difference", "Outcome", "Scenario", "change_from_json", "changed", "difference", "what_if"]
