"""The whole problem as one model, with a planner's plan to fall back on where the search is stopped early."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.form.clock import Clock, Tell, never
from optimizer.form.reports import report
from optimizer.model.item import Item
from optimizer.model.monolith import Question
from optimizer.model.network import Network
from optimizer.model.parts import Effort
from optimizer.model.picks import Pick, quantities
from optimizer.rules.checking import check_quantities
from optimizer.search.child import answers, answers_apart
from optimizer.search.closing import has_rules
from optimizer.search.found import Found
from optimizer.search.greedy import greedy_plan
from optimizer.search.repair import Plan

Chosen = Mapping[str, tuple[Item, Pick]]
# From so many ways on a search that somebody listens to is in a process of its own, which can be stopped.
APART_WAYS = 1_500


def at_once(net: Network, asked: Question, tell: Tell, clock: Clock, *, size: int) -> Found | None:
    """The plan by SKU, its proven bound and whether the clock cut the search; None: no plan was found."""
    found: Found | None = None
    start = None if has_rules(net.problem) else greedy_plan(net, Effort(seed=asked.seed), deadline=never())
    best = None if start is None else _cost(net, _of(start))
    told = report("at once", 0, 1, incumbent=best)
    tell(told)
    apart = clock.listened and size > APART_WAYS

    def repeat() -> None:
        tell(told)

    search = answers_apart(net.problem, asked, clock=clock, tell=repeat) if apart else answers(net, asked)
    late = True
    for one in search:
        late = one.timed_out
        if one.chosen is not None:
            found = Found(chosen=one.chosen, bound=one.bound, late=one.timed_out)
            told = report("at once", 0, 1, bound=one.bound, incumbent=_cost(net, one.chosen))
            tell(told)
        if clock.cancelled:
            break
    stopped = clock.cancelled or clock.until(1.0).passed()
    if found is None and start is not None and stopped:
        return Found(chosen=_of(start), bound=0.0, late=late)
    return found


def _cost(net: Network, chosen: Chosen) -> float:
    return check_quantities(net.problem, quantities(net, chosen)).total


def _of(plan: Plan) -> Chosen:
    chosen = {}
    for sku, one in plan.parts.items():
        assert one.pick is not None
        chosen[sku] = plan.item(sku), one.pick
    return chosen
