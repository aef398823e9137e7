"""What a counter-offer would do to a stored plan, before anybody takes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

import optimizer
from app.core.jobs import Progress
from app.stages.allocation import queries
from app.stages.allocation.operations.explaining import KeptPlan, load_plan
from app.stages.allocation.operations.runs import minor_per_unit, plan_progress
from app.stages.allocation.rules import Firm, monday, week_index
from app.stages.allocation.translate import (
    CounterCase,
    accepted,
    counter_in_minor,
    mean_price,
    node_names,
    refused,
    with_base,
)
from app.stages.catalog import queries as catalog

LONGEST_SECONDS = 120.0
"""Of each of the two plans: somebody waits for them. The best one found by then is told."""
Told = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class CounterQuestion:
    """A stored plan and a counter-offer in its terms. charge_minor: what a changed unit counts as, if set."""

    kept: KeptPlan
    first: dt.date
    case: CounterCase
    charge_minor: int | None


def load_counter(
    session: Session,
    *,
    run_id: int,
    offered: Firm,
    order_week: dt.date,
    asked: int,
    confirmed: Sequence[Firm],
    declined: Iterable[tuple[int, int]],
    today: dt.date,
) -> CounterQuestion:
    """The plan that asked, and the counter-offer as it knows places and weeks.

    Args:
        offered: the line at the supplier's terms.
        order_week: the week that the plan ordered it in; asked: the units it asked for.
        confirmed: lines of this plan and SKU that are confirmed by now, at the terms they stand to.
        declined: (supplier, SKU) pairs that are asked nothing for now.

    Raises:
        NotFound: plan_unknown or plan_undocumented.
    """
    kept = load_plan(session, run_id=run_id)
    fact = queries.get_plan(session, run_id=run_id)
    first = fact.first_week
    network = catalog.network(session)
    nodes = node_names(network)
    code = {sku.id: sku.code for sku in network.skus}

    def locked(one: Firm) -> optimizer.Locked | None:
        return _locked(kept.problem, one, nodes=nodes, sku=code[one.sku_id], first=first)

    case = CounterCase(
        supplier=nodes["supplier", offered.supplier_id],
        sku=code[offered.sku_id],
        asked_week=week_index(order_week, first=first),
        asked=asked,
        promised=locked(offered),
        firm=tuple(found for one in confirmed if (found := locked(one))),
        aside=frozenset(nodes["supplier", supplier] for supplier, sku in declined if sku == offered.sku_id),
        gone=max(week_index(monday(today), first=first), 0),
    )
    charge = queries.plan_settings(session).churn_minor
    return CounterQuestion(kept=kept, first=first, case=case, charge_minor=charge)


def compute_counter(
    question: CounterQuestion, *, threads: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """The plan as it stands, with the counter-offer taken, and with it refused; no transaction open.

    Only what no longer fits is planned again, the other SKUs keep their orders. A changed unit counts as what
    was set, or, so that nothing moves for next to nothing, as a hundredth of what the SKU's units cost, which
    is not told.
    """
    kept, case = question.kept, question.case
    unit = minor_per_unit(kept.currency)
    charge = mean_price(kept.solution, case.sku) / 100
    if question.charge_minor is not None:
        charge = question.charge_minor / unit
    problem = with_base(kept.problem, kept.solution, charge)
    limit = min(kept.settings.time_limit, LONGEST_SECONDS)
    settings = replace(kept.settings, threads=threads, time_limit=limit)
    told = plan_progress("counter", unit, progress)
    changed = [change(problem) for change in (accepted(case, kept.solution), refused(case))]
    answers = [_replanned(one, kept, settings, told) for one in changed]
    charged = question.charge_minor is not None
    found = counter_in_minor(
        kept.solution, answers, sku=case.sku, first=question.first, unit=unit, charged=charged
    )
    return {**found, "run_id": kept.run_id, "supplier": case.supplier, "currency": kept.currency}


def _replanned(
    problem: optimizer.Problem, kept: KeptPlan, settings: optimizer.Settings, told: Told | None
) -> optimizer.Solution | None:
    """The plan made to fit the problem; None where none was found around the rest."""
    try:
        return optimizer.replan(problem, kept.solution, settings, before=kept.problem, progress=told).solution
    except optimizer.ProblemError:
        return None


def _locked(
    problem: optimizer.Problem, one: Firm, *, nodes: dict[tuple[str, int], str], sku: str, first: dt.date
) -> optimizer.Locked | None:
    """The line in the problem's terms; None where it comes after the horizon, or its lane is no more."""
    supplier = nodes["supplier", one.supplier_id]
    to = nodes["region", one.region_id] if one.region_id else nodes["warehouse", one.warehouse_id or 0]
    lane, offer = problem.lane_of.get((supplier, to)), problem.offer_of.get((supplier, sku))
    arrival = week_index(one.arrival_week, first=first)
    if lane is None or offer is None or arrival < 0:
        return None
    week = arrival - lane.lead_weeks - offer.lead_weeks
    if week >= problem.weeks:
        return None
    return optimizer.Locked(supplier=supplier, sku=sku, week=week, to=to, quantity=one.quantity)
