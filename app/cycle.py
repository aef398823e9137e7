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

from app.core.access import Actor
from app.core.config import Config
from app.core.db import Database
from app.core.errors import Conflict, RuleBroken
from app.core.jobs import JobCancelled, Progress
from app.questions import seen_landings
from app.stages.alerts import operations as alerts
from app.stages.alerts import queries as alerted
from app.stages.allocation import operations as allocation
from app.stages.allocation import queries as plans
from app.stages.allocation.queries import PlanFact
from app.stages.allocation.rules import Commitments, Firm, PlanSettings, monday
from app.stages.confirmation import operations as confirmation
from app.stages.confirmation import queries as lines
from app.stages.demand import operations as demand
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
                today=_today(config, now),
                actor=actor,
                now=now(),
            )
        if solution.limit == allocation.CANCELLED:
            raise JobCancelled("the best plan so far is kept", result={"allocation_run_id": plan.run_id})
    return plan


def _today(config: Config, now: Clock) -> dt.date:
    return now().astimezone(ZoneInfo(config.timezone)).date()


def _holds(session: Session, config: Config, plan: PlanFact, now: Clock) -> bool:
    """Whether suppliers go by a plan: it is of the week of the plan that holds, or of a later one reached.

    So one that was made ahead holds from the turn of its week on that finds it again.
    """
    today = _today(config, now)
    current = plans.latest_plan(session, today=today)
    return current is not None and (
        plan.first_week == current.first_week or current.first_week < plan.first_week <= monday(today)
    )


def _ask(
    db: Database, config: Config, plan: PlanFact, actor: Actor, now: Clock, watch: _Watch
) -> confirmation.IssueFact | None:
    """Ask suppliers for a plan that holds; for any other nobody is asked, and what was asked stays."""
    with watch.phase("plan"), db.transaction() as session:
        if not _holds(session, config, plan, now):
            return None
        wanted = plans.plan_lines(session, run_id=plan.run_id)
        allocation.mark_asked(session, run_id=plan.run_id, now=now())
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
