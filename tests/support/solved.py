"""The optimizer with a memory: what was solved before in this process is answered, and told, as it was then.

The same problem, settings, seed and start give the same plan, which the optimizer's own tests prove. What
stages and pages make of a plan needs no second search for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import optimizer
from optimizer import Cancelled, Infeasible, Problem, Settings, Solution

Answer = Solution | Infeasible
Told = Callable[[dict[str, Any]], Any]


class Solved:
    """Stands for `optimizer.solve`."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Answer, list[dict[str, Any]]]] = {}
        self._solve = optimizer.solve

    def __call__(
        self,
        problem: Problem,
        settings: Settings | None = None,
        *,
        start: Solution | None = None,
        progress: Told | None = None,
    ) -> Answer:
        solve = partial(self._solve, problem, settings, start=start)
        key = json.dumps([problem.to_json(), repr(settings or Settings()), repr(start), progress is None])
        known = self._known.get(key)
        if known is None:
            return self._search(key, solve, progress)
        answer, told = known
        if progress is not None and not _hears_out(progress, told):
            return solve(progress=progress)
        return answer

    def _search(self, key: str, solve: Callable[..., Answer], progress: Told | None) -> Answer:
        told: list[dict[str, Any]] = []

        def tell(report: dict[str, Any]) -> Any:
            told.append(report)
            return progress(report) if progress is not None else None

        answer = solve(progress=None if progress is None else tell)
        if isinstance(answer, Infeasible) or answer.limit is None:
            self._known[key] = answer, told
        return answer


def _hears_out(progress: Told, told: list[dict[str, Any]]) -> bool:
    """Whether the listener lets the search come to its end; another error than `Cancelled` passes through."""
    try:
        return all(progress(report) is not False for report in told)
    except Cancelled:
        return False
