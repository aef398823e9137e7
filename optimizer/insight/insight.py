"""explain: what relief is worth, what share caps cost, and why suppliers have their shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from optimizer.form.plan import Settings, Solution
from optimizer.form.problem import Problem
from optimizer.form.reports import report
from optimizer.insight.focus import Questions
from optimizer.insight.relief import reliefs
from optimizer.insight.sharing import caps
from optimizer.insight.why import whys
from optimizer.search.solving import solve


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Plain rows, each with its code, its numbers and English words; see relief.py, sharing.py and why.py."""

    relief: tuple[dict[str, Any], ...] = ()
    caps: tuple[dict[str, Any], ...] = ()
    why: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For JSON."""
        return {name: list(rows) for name, rows in asdict(self).items()}


def explain(
    problem: Problem,
    solution: Solution,
    settings: Settings | None = None,
    *,
    most: int = 10,
    progress: Callable[[dict[str, Any]], object] | None = None,
) -> Explanation:
    """Explain a plan of the problem. Every figure is the difference of two whole plans the checker priced.

    A small problem is planned again as a whole for every question, a large one for the SKUs the question is
    about, the others staying as they are: what it finds is then reached, but perhaps not the most there is.
    Deterministic. most: how many rules, caps and shares to ask about. progress is told before every
    question and may raise to stop.
    """
    now = report("relief", 0, 1)

    def tell(state: dict[str, Any]) -> None:
        nonlocal now
        now = state
        if progress is not None:
            progress(state)

    ask = Questions(problem, solution, settings or Settings(), solve, heard=lambda: tell(now))
    relief = reliefs(ask, solution, most=most, tell=tell)
    found = caps(ask, solution, most=most, tell=tell)
    why = whys(ask, solution, most=2 * most, tell=tell)
    tell(report("explained", 1, 1))
    return Explanation(relief=tuple(relief), caps=tuple(found), why=tuple(why))
