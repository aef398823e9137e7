"""What is asked about plans and campaigns that no stage can tell alone, and is found out by planning again.

As in a turn of the cycle, a question reads in one transaction, computes with none open, and keeps what it
found in another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from app.core.access import SYSTEM
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict
from app.core.jobs import JobCancelled, Progress
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.allocation.rules import Firm, monday
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from app.stages.demand import queries as demands
from app.stages.forecasts import queries as forecast_runs

Clock = Callable[[], dt.datetime]


def explain_plan(
    db: Database, *, run_id: int, now: Clock, progress: Progress | None = None
) -> plans.ExplanationFact:
    """Find out about a stored plan what only planning again can tell, and keep it.

    Raises:
        NotFound: there is no such plan, or its documents were not kept.
    """
    with db.reading() as session:
        known = plans.explanation(session, run_id=run_id)
        if known is not None:
            return known
        kept = allocation.load_plan(session, run_id=run_id)
    found = allocation.compute_explanation(kept, progress=progress)
    with db.transaction() as session:
        return allocation.store_explanation(session, kept=kept, found=found, now=now())


def run_scenario(
    db: Database, *, config: Config, scenario_id: int, progress: Progress | None = None
) -> plans.ScenarioFact:
    """Plan a scenario that was written down, and keep what it came to; planned once, it stays.

    Raises:
        NotFound: there is no such scenario.
        JobCancelled: progress said so; what was finished of drawn demand is kept.
    """
    with db.reading() as session:
        scenario = plans.get_scenario(session, scenario_id=scenario_id)
        if scenario.result is not None:
            return scenario
        kept = allocation.load_plan(session, run_id=scenario.run_id)
        draws = allocation.load_spread(session, scenario=scenario, kept=kept)
    result = allocation.compute_scenario(
        kept, scenario=scenario, draws=draws, threads=config.worker_processes, progress=progress
    )
    with db.transaction() as session:
        allocation.store_scenario(session, scenario_id=scenario_id, result=result)
    if result.get("stopped_by") == "cancelled":
        raise JobCancelled("The scenario was stopped.", result={"scenario_id": scenario_id})
    with db.reading() as session:
        return plans.get_scenario(session, scenario_id=scenario_id)


def preview_counter(
    db: Database, *, config: Config, line_id: int, now: Clock, progress: Progress | None = None
) -> lines.PreviewFact:
    """Find out what a counter-offer would do to the plan that asked, before anybody takes it, and keep it.

    Raises:
        NotFound: there is no such line, or its plan's documents were not kept.
        Conflict: counter_settled, when it is no counter-offer any more.
    """
    with db.reading() as session:
        line = lines.supplier_line(session, actor=SYSTEM, line_id=line_id)
        known = lines.preview(session, line_id=line_id, version=line.version)
        if known is not None:
            return known
        if line.state != "countered" or line.promised_week is None or line.promised_quantity is None:
            raise Conflict("counter_settled", "This counter-offer is settled already.", line_id=line_id)
        question = allocation.load_counter(
            session,
            run_id=line.run_id,
            offered=_firm(line, line.promised_week, line.promised_quantity),
            order_week=line.order_week,
            asked=line.quantity,
            confirmed=_confirmed_since(session, line),
            declined=lines.declined(session, first_week=monday(now().date())),
            today=now().date(),
        )
    result = allocation.compute_counter(question, threads=config.worker_processes, progress=progress)
    with db.transaction() as session:
        confirmation.store_preview(session, line_id=line_id, version=line.version, result=result, now=now())
        found = lines.preview(session, line_id=line_id, version=line.version)
    assert found is not None
    return found


def _confirmed_since(session: Session, line: lines.LineFact) -> list[Firm]:
    """Lines of the same plan and SKU that suppliers have confirmed by now, at the terms they stand to."""
    found = lines.supplier_lines(
        session, actor=SYSTEM, states=["confirmed"], run_id=line.run_id, sku_id=line.sku_id
    )
    return [
        _firm(one, one.promised_week, one.promised_quantity)
        for one in found
        if one.promised_week is not None and one.promised_quantity is not None
    ]


def _firm(line: lines.LineFact, week: dt.date, units: int) -> Firm:
    return Firm(
        supplier_id=line.supplier_id,
        sku_id=line.sku_id,
        warehouse_id=line.warehouse_id,
        region_id=line.region_id,
        arrival_week=week,
        quantity=units,
    )


def seen_landings(session: Session) -> dict[int, dict[str, Any]]:
    """Where campaigns were last seen to land, as plain values to be kept with a decision."""
    kept = ("units", "median", "lo_80", "hi_80")
    return {
        id_: {"as_of": one.as_of.isoformat(), **{name: round(getattr(one, name)) for name in kept}}
        for id_, one in forecast_runs.latest_landings(session).items()
    }


def campaign_levers(
    session: Session, *, campaign_id: int, today: dt.date
) -> forecast_runs.CampaignLevers | None:
    """What a running campaign is short of, with what the plan that holds buys of it, as plain values."""
    campaign = demands.get_campaign(session, campaign_id=campaign_id)
    plan = plans.latest_plan(session, today=today)
    planned: dict[int, list[tuple[int, int, int, int]]] = {}
    for sku_id in campaign.sku_ids:
        if plan is None:
            break
        bought: dict[int, list[int]] = {}
        for line in plans.plan_lines(session, run_id=plan.run_id, sku_id=sku_id):
            sums = bought.setdefault(line.supplier_id, [0, 0, 0])
            sums[0] += line.quantity
            sums[1] += line.quantity - line.locked_quantity
            sums[2] += line.quantity * line.unit_price_minor
        planned[sku_id] = [(one, sums[0], sums[1], sums[2]) for one, sums in sorted(bought.items())]
    return forecast_runs.campaign_levers(session, campaign_id=campaign_id, planned=planned)
