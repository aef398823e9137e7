"""solve: one door for small and large problems; every answer passes check before it is returned."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from optimizer.form.clock import Clock, Tell, Told
from optimizer.form.plan import Infeasible, Settings, Solution
from optimizer.form.problem import Problem
from optimizer.form.reports import report
from optimizer.model.item import compile_item
from optimizer.model.monolith import Question, ways
from optimizer.model.network import Network, network
from optimizer.model.picks import quantities
from optimizer.rules.arithmetic import clashes
from optimizer.rules.book import Book
from optimizer.rules.checking import check, check_quantities
from optimizer.search.at_once import at_once
from optimizer.search.closing import has_rules, keep_rules, without_rules
from optimizer.search.decomposition import solve_in_parts
from optimizer.search.found import Found
from optimizer.search.journal import Journal
from optimizer.search.relaxing import ways_out
from optimizer.search.starting import told_prices
from optimizer.search.workers import Crew
from optimizer.telling.publishing import published

# Up to this many ways the whole problem is one model, with this many branch-and-bound nodes at most.
AT_ONCE_WAYS = 6_000
AT_ONCE_NODES = 20_000
# Up to this many, when SKU by SKU leaves too large a gap, the one model is tried too, with fewer nodes.
SECOND_OPINION_WAYS = 25_000
SECOND_OPINION_NODES = 100
# Up to this many one SKU is one model of the lots that a better plan can use.
ONE_SKU_WAYS = 2_000_000


def solve(
    problem: Problem,
    settings: Settings | None = None,
    *,
    start: Solution | None = None,
    progress: Told | None = None,
    client: Any = None,
) -> Solution | Infeasible:
    """Plan the problem: who makes what, when, and where it goes, at the least cost found, with a proven
    bound.

    The same problem, settings, seed and start give the same plan but for `seconds`, whatever `threads` or
    client is, unless time_limit cut the search (then solution.limit is "time"). start: a plan of a problem
    that differs in little; a large problem is then searched from its shadow prices and from what of it still
    holds. progress gets a dict with phase, done, total, bound, incumbent and gap after every step. If it
    returns False or raises Cancelled, the best plan so far is given back (solution.limit is "cancelled");
    what else it raises passes through. client: a Dask client (`distributed.Client`) whose workers plan the
    SKUs of a large problem instead of processes of this machine. With settings.state a large problem goes on
    from what that file has.

    Raises BrokenRule if an answer failed its own check (never returned), SolverError if no solver took a
    model, StateError when the state file is no state of this problem.
    """
    asked = settings or Settings()
    clock = Clock(limit=asked.time_limit)
    if clashes(problem):
        return ways_out(problem, replace(asked, state=None), solve)
    net = network(problem)
    tell = clock.listen(progress)
    with nullcontext() if asked.state is None else Journal(Path(asked.state), problem) as journal:
        crew = Crew(threads=asked.threads, client=client, journal=journal)
        found = _search(net, asked, tell, clock, crew, start)
    limit = "cancelled" if clock.cancelled else "time" if found.late else None
    plan = quantities(net, found.chosen)
    solution = published(
        net,
        plan,
        found.chosen,
        bound=found.bound,
        shadow_prices=told_prices(net, found.prices),
        seed=asked.seed,
        seconds=clock.seconds,
        limit=limit,
    )
    check(problem, solution)
    tell(report("done", 1, 1, bound=solution.bound, incumbent=solution.objective))
    return solution


def _search(
    net: Network, settings: Settings, tell: Tell, clock: Clock, crew: Crew, start: Solution | None
) -> Found:
    tell(report("compile", 0, len(net.problem.skus)))
    items = {sku.id: compile_item(net, sku) for sku in net.problem.skus} if _small(net) else {}
    size = ways(items) if items else SECOND_OPINION_WAYS + 1
    if size <= (ONE_SKU_WAYS if len(items) == 1 else AT_ONCE_WAYS):  # one SKU has no parts
        effort = _question(settings, clock, gap=min(settings.gap, 1e-4), nodes=AT_ONCE_NODES)
        found = at_once(net, replace(effort, wide=size > SECOND_OPINION_WAYS), tell, clock, size=size)
        if found is not None:
            return found
    found = _in_parts(net, settings, tell, clock, crew, start)
    in_reach = AT_ONCE_WAYS < size <= SECOND_OPINION_WAYS and len(items) > 1
    if clock.cancelled or not in_reach or _gap(net, found) <= settings.gap:
        return found
    effort = _question(settings, clock, gap=settings.gap, nodes=SECOND_OPINION_NODES)
    other = at_once(net, effort, tell, clock, size=size)
    return found if other is None else _better(net, found, other)


def _in_parts(
    net: Network, settings: Settings, tell: Tell, clock: Clock, crew: Crew, start: Solution | None
) -> Found:
    """SKU by SKU; rules on lanes are left out for the bound and kept by closing lanes for the plan."""
    problem = net.problem
    if not has_rules(problem):
        return solve_in_parts(net, settings, tell, clock=clock, crew=crew, known=start)
    relaxed = network(without_rules(problem))
    first = found = solve_in_parts(relaxed, settings, tell, clock=clock, crew=crew, known=start)

    def again(made: Problem) -> Book:
        nonlocal found
        narrow = network(made)
        found = solve_in_parts(narrow, settings, tell, clock=clock, crew=crew)
        return quantities(narrow, found.chosen)

    keep_rules(problem, quantities(relaxed, first.chosen), again)
    return replace(first, chosen=found.chosen, late=first.late or found.late)


def _question(settings: Settings, clock: Clock, *, gap: float, nodes: int) -> Question:
    left = max(1.0, clock.until(1.0).left)
    return Question(gap=gap, seed=settings.seed, nodes=nodes, seconds=left)


def _better(net: Network, first: Found, second: Found) -> Found:
    """The cheaper plan with the higher bound and the prices that prove it, if any: each is proven alone."""
    plan = first if _cost(net, first) <= _cost(net, second) else second
    proof, other = (first, second) if first.bound >= second.bound else (second, first)
    prices = other.prices if proof.prices is None else proof.prices
    return replace(proof, chosen=plan.chosen, prices=prices, late=first.late or second.late)


def _cost(net: Network, found: Found) -> float:
    return check_quantities(net.problem, quantities(net, found.chosen)).total


def _gap(net: Network, found: Found) -> float:
    cost = _cost(net, found)
    return (cost - found.bound) / cost if cost > 0 else 0.0


def _small(net: Network) -> bool:
    """A rough count that avoids laying out a large problem only to see that it is large."""
    return len(net.problem.skus) <= 200 and len(net.problem.demand) <= 2_000
