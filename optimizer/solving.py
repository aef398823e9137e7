"""solve: one door for small and large problems; every answer passes check before it is returned."""

from __future__ import annotations

import time

from optimizer.arithmetic import clashes
from optimizer.checking import Book, check, check_quantities
from optimizer.decomposition import solve_in_parts
from optimizer.explaining import binding, lateness, shares, unmet_with_reasons
from optimizer.item import Item, compile_item
from optimizer.monolith import solve_at_once, ways
from optimizer.network import Network, network
from optimizer.picks import Pick, quantities
from optimizer.plan import Flow, Infeasible, Order, Settings, Solution
from optimizer.pricing import spends
from optimizer.problem import Problem
from optimizer.reports import Tell, report

# Below this many ways the whole problem is one model, with this many branch-and-bound nodes at most.
AT_ONCE_WAYS = 6_000
AT_ONCE_NODES = 20_000


def solve(
    problem: Problem, settings: Settings | None = None, *, progress: Tell | None = None
) -> Solution | Infeasible:
    """Plan the problem: who makes what, when, and where it goes, at the least cost found, with a proven
    bound.

    The same problem, settings and seed give the same plan but for `seconds`, whatever `threads` is, unless
    time_limit cut the search (then solution.limit is "time"). progress gets a dict with phase, done, total,
    bound, incumbent and gap after every step and may raise to cancel. Raises BrokenRule if an answer failed
    its own check (never returned), SolverError if no solver took a model.
    """
    started = time.monotonic()
    asked = settings or Settings()
    found = clashes(problem)
    if found is not None:
        return found
    net = network(problem)
    tell = progress or (lambda _: None)
    chosen, bound, timed_out = _search(net, asked, tell, started)
    solution = _solution(net, chosen, bound=bound, settings=asked, started=started, timed_out=timed_out)
    check(problem, solution)
    tell(report("done", 1, 1, bound=solution.bound, incumbent=solution.objective))
    return solution


def _search(
    net: Network, settings: Settings, tell: Tell, started: float
) -> tuple[dict[str, tuple[Item, Pick]], float, bool]:
    total = len(net.problem.skus)
    tell(report("compile", 0, total))
    if _small(net):
        items = {sku.id: compile_item(net, sku) for sku in net.problem.skus}
        if ways(items) <= AT_ONCE_WAYS:
            tell(report("at once", 0, 1))
            left = max(1.0, settings.time_limit - (time.monotonic() - started))
            chosen, bound, timed_out = solve_at_once(
                net,
                items,
                gap=min(settings.gap, 1e-4) if settings.gap else 0.0,
                seed=settings.seed,
                nodes=AT_ONCE_NODES,
                seconds=left,
            )
            if chosen is not None:
                return chosen, bound, timed_out
    return solve_in_parts(net, settings, tell, started=started)


def _small(net: Network) -> bool:
    """A rough count that avoids laying out a large problem only to see that it is large."""
    return len(net.problem.skus) <= 200 and len(net.problem.demand) <= 2_000


def _solution(
    net: Network,
    chosen: dict[str, tuple[Item, Pick]],
    *,
    bound: float,
    settings: Settings,
    started: float,
    timed_out: bool,
) -> Solution:
    plan: Book = quantities(net, chosen)
    cost = check_quantities(net.problem, plan)
    objective = cost.total
    proven = min(bound, objective)
    gap = (objective - proven) / objective if objective > 0 else 0.0
    money = spends(net.problem, plan.orders)
    return Solution(
        status="optimal" if gap <= 1e-6 else "feasible",
        objective=objective,
        bound=proven,
        gap=gap,
        seconds=time.monotonic() - started,
        seed=settings.seed,
        cost=cost,
        orders=tuple(
            Order(supplier=s, sku=k, week=t, quantity=q, unit_price=money[s, k][0] / money[s, k][1])
            for (s, k, t), q in plan.orders.items()
        ),
        flows=tuple(
            Flow(sku=k, source=a, target=b, week=t, quantity=q) for (k, a, b, t), q in plan.flows.items()
        ),
        unmet=unmet_with_reasons(net, plan, chosen),
        late=lateness(net, plan, chosen),
        shares=shares(net.problem, plan),
        binding=binding(net, plan, chosen),
        limit="time" if timed_out else None,
    )
