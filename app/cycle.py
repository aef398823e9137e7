"""One turn of the planning cycle: forecast → allocate → plan → alerts.

Each step freezes its inputs in one reading transaction, computes with no transaction open, and stores its
result in one writing transaction. A stored step is found again by the fingerprint of its inputs: a turn that
was killed, or is asked for twice, does no work twice and asks nobody twice.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.access import SYSTEM, Actor
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import JobCancelled, Progress
from app.stages.alerts import operations as alerts
from app.stages.alerts import queries as alerted
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Commitments, Firm, PlanSettings, monday
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.forecasts import operations as forecasts
from app.stages.forecasts import queries as forecast_runs
from app.stages.forecasts.queries import ForecastRunFact
from app.stages.forecasts.rules import HORIZON_WEEKS
from app.stages.warehouse import queries as warehouse

Clock = Callable[[], dt.datetime]
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class CycleFact:
    """What one turn came to. Money is in minor units of `currency`; `gap` is (cost − bound) ÷ cost.

    `demand_units` is wanted within the plan's weeks; `planned_units` is ordered from suppliers, what is
    confirmed already included; the rest of demand comes from stock, is on its way, or is `unmet_units`.
    A plan that does not hold is of an earlier week than the one planned for already, or of one to come: no
    supplier is asked for it, and no alert is raised.
    """

    as_of: dt.date
    demand_units: int
    series: int
    plan_cost_minor: int
    bound_minor: int
    gap: float
    currency: str
    unmet_units: int
    planned_units: int
    alerts: int
    forecast_run_id: int
    allocation_run_id: int
    plan_digest: str
    asked_lines: int
    holds: bool
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}


def run_cycle(
    db: Database,
    *,
    config: Config,
    as_of: dt.date,
    actor: Actor,
    now: Clock,
    progress: Progress | None = None,
    settings: PlanSettings | None = None,
) -> CycleFact:
    """Turn the cycle once, as of a day. Inputs that move meanwhile are read once more, and no oftener.

    Without settings of its own the plan is made with those that were set for all plans.

    Raises:
        RuleBroken: nothing can be planned, or no plan keeps all rules; the error says why.
        Conflict: the inputs moved twice while planning.
    """
    watch = _Watch(progress or (lambda *_: None))
    with db.transaction() as session:
        demand.exclude_suspected(session, precision=config.suspicion_percent / 100, now=now())
        demand.replace_spot(session, now=now())
        demand.learn_weights(session, now=now())
        demand.exclude_unpaid(session, grace=dt.timedelta(days=config.payment_grace_days), now=now())
        demand.close_due_rounds(session, now=now())
        demand.follow_votes(session, now=now())
        demand.close_due_campaigns(session, now=now(), landings=seen_landings(session))
        confirmation.expire_overdue(session, now=now())
    run = _once_more(lambda: _forecast(db, config, as_of, actor, now, watch))
    _once_more(lambda: _land(db, as_of, now, watch))
    plan = _once_more(lambda: _allocate(db, config, run, as_of, actor, now, settings, watch))
    asked = _once_more(lambda: _ask(db, config, plan, actor, now, watch))
    opened = _once_more(lambda: _alert(db, config, plan, now, watch))
    return _fact(as_of, run, plan, asked=asked, opened=opened, seconds=watch.seconds)


def run_forecast(
    db: Database,
    *,
    config: Config,
    as_of: dt.date,
    actor: Actor,
    now: Clock,
    progress: Progress | None = None,
) -> ForecastRunFact:
    """Only the first step of a turn, with the same errors."""
    watch = _Watch(progress or (lambda *_: None))
    return _once_more(lambda: _forecast(db, config, as_of, actor, now, watch))


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


def commitments(session: Session, *, as_of: dt.date) -> Commitments:
    """What suppliers have confirmed and not yet delivered, and what they declined, as plain values."""
    received = warehouse.received_by_line(session)
    firm = [
        Firm(
            supplier_id=line.supplier_id,
            sku_id=line.sku_id,
            warehouse_id=line.warehouse_id,
            region_id=line.region_id,
            arrival_week=line.arrival_week,
            quantity=line.quantity - received.get(line.line_id, 0),
        )
        for line in lines.committed(session)
    ]
    return Commitments(
        firm=tuple(line for line in firm if line.quantity > 0),
        declined=frozenset(lines.declined(session, first_week=monday(as_of))),
        limited=frozenset(lines.limited(session, first_week=monday(as_of))),
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


def _once_more(step: Callable[[], Result]) -> Result:
    """Do a step; once more from its freeze when its inputs moved while it was computed."""
    try:
        return step()
    except Conflict:
        return step()


def _forecast(
    db: Database, config: Config, as_of: dt.date, actor: Actor, now: Clock, watch: _Watch
) -> ForecastRunFact:
    with watch.phase("forecast"):
        with db.transaction() as session:
            # a turn for a day to come must not score weeks that have not been
            forecasts.score_forecasts(session, as_of=min(as_of, now().date()))
        with db.reading() as session:
            inputs = forecasts.freeze(session, as_of=as_of, horizon_weeks=HORIZON_WEEKS)
            stored = forecast_runs.find_run(session, fingerprint=inputs.fingerprint)
        if stored is not None:
            return stored
        result = forecasts.compute(inputs, processes=config.worker_processes, progress=watch.progress)
        with db.transaction() as session:
            return forecasts.store(session, inputs=inputs, result=result, actor=actor, now=now())


def _land(db: Database, as_of: dt.date, now: Clock, watch: _Watch) -> int:
    """Where each running campaign lands, redrawn as of this day."""
    with watch.phase("landings"):
        with db.reading() as session:
            inputs = forecasts.freeze_landings(session, as_of=as_of)
            drawn = forecast_runs.find_landings(session, fingerprint=inputs.fingerprint)
        if drawn:
            return len(drawn)
        result = forecasts.compute_landings(inputs)
        with db.transaction() as session:
            return forecasts.store_landings(session, inputs=inputs, result=result, now=now())


def _allocate(
    db: Database,
    config: Config,
    run: ForecastRunFact,
    as_of: dt.date,
    actor: Actor,
    now: Clock,
    settings: PlanSettings | None,
    watch: _Watch,
) -> PlanFact:
    with watch.phase("allocate"):
        with db.reading() as session:
            frozen = allocation.freeze(
                session,
                forecast_run_id=run.id,
                as_of=as_of,
                commitments=commitments(session, as_of=as_of),
                currency=config.currency,
                settings=settings or plans.plan_settings(session),
            )
            stored = plans.find_plan(session, problem_digest=frozen.digest)
        if stored is not None:
            return stored
        try:
            solution = allocation.compute(frozen, threads=config.worker_processes, progress=watch.progress)
        except RuleBroken as refusal:
            with db.transaction() as session:
                allocation.keep_refusal(session, frozen=frozen, why=refusal.data, actor=actor, now=now())
            raise
        with db.transaction() as session:
            plan = allocation.store(
                session,
                frozen=frozen,
                solution=solution,
                commitments=commitments(session, as_of=as_of),
                actor=actor,
                now=now(),
            )
        if solution.limit == allocation.CANCELLED:
            raise JobCancelled("the best plan so far is kept", result={"allocation_run_id": plan.run_id})
    return plan


def _holds(session: Session, config: Config, plan: PlanFact, now: Clock) -> bool:
    """Whether suppliers go by a plan: it is of the latest week reached, as `latest_plan` has it."""
    today = now().astimezone(ZoneInfo(config.timezone)).date()
    current = plans.latest_plan(session, today=today)
    return current is not None and current.first_week == plan.first_week


def _ask(
    db: Database, config: Config, plan: PlanFact, actor: Actor, now: Clock, watch: _Watch
) -> confirmation.IssueFact | None:
    """Ask suppliers for a plan that holds; for any other nobody is asked, and what was asked stays."""
    with watch.phase("plan"), db.transaction() as session:
        if not _holds(session, config, plan, now):
            return None
        wanted = plans.plan_lines(session, run_id=plan.run_id)
        return confirmation.issue_plans(session, run=plan, lines=wanted, actor=actor, now=now())


def _alert(db: Database, config: Config, plan: PlanFact, now: Clock, watch: _Watch) -> int:
    with watch.phase("alerts"), db.transaction() as session:
        if not _holds(session, config, plan, now):
            return alerted.count_open(session)
        return len(alerts.refresh(session, run_id=plan.run_id, now=now()))


def _fact(
    as_of: dt.date,
    run: ForecastRunFact,
    plan: PlanFact,
    *,
    asked: confirmation.IssueFact | None,
    opened: int,
    seconds: dict[str, float],
) -> CycleFact:
    return CycleFact(
        as_of=as_of,
        demand_units=plan.demand_units,
        series=run.series,
        plan_cost_minor=plan.cost_minor,
        bound_minor=plan.bound_minor,
        gap=plan.gap,
        currency=plan.currency,
        unmet_units=plan.unmet_units,
        planned_units=plan.planned_units,
        alerts=opened,
        forecast_run_id=run.id,
        allocation_run_id=plan.run_id,
        plan_digest=plan.plan_digest,
        asked_lines=asked.lines if asked else 0,
        holds=asked is not None,
        seconds={phase: round(spent, 3) for phase, spent in seconds.items()},
    )


class _Watch:
    """Reports each phase's start and end, and how long it took; a repeated phase adds up."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        self.progress(name, 0, 1)
        yield
        self.progress(name, 1, 1)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
