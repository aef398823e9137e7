"""Letting a pledge count as its corrections say: in every roll-up, with limits and caps decided again."""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.stages.demand import rules
from app.stages.demand.models import Signal
from app.stages.demand.operations import caps, exclusions, limits, moving, rollups, storing, superseding
from app.stages.demand.operations.hearing import Said
from app.stages.demand.queries.exclusions import excluded_by_person
from app.stages.demand.queries.pledges import PledgeFact
from app.stages.demand.rules import COUNTING, EXCLUDING, Reason, SignalFacts


def count_as(
    session: Session,
    pledge: PledgeFact,
    *,
    before: Said | None = None,
    after: Said,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Let the pledge count as `after` says, in every roll-up, with the limit of its buyer decided again."""
    before = before or Said(pledge.quantity, pledge.status)
    if before == after:
        return
    if pledge.quantity != after.quantity:
        _resize(session, pledge.id, quantity=after.quantity)
    reason = _reason(session, pledge, before=_classified(pledge, before), after=_classified(pledge, after))
    if reason != pledge.reason:
        _exclude_or_count(session, pledge, reason=reason, status=after.status, actor=actor, now=now)
    if pledge.buyer is not None:
        superseding.decide_of_buyers(session, buyers=[(pledge.campaign_id, pledge.buyer)], now=now)
    if pledge.campaign_id is not None and pledge.buyer is not None:
        limits.decide_of_buyers(session, buyers=[(pledge.campaign_id, pledge.buyer)], now=now)
    if pledge.campaign_id is not None:
        caps.decide(session, campaigns=[pledge.campaign_id], now=now)


def _classified(pledge: PledgeFact, said: Said) -> Reason:
    price, commitment = pledge.unit_price_minor, pledge.commitment
    return rules.classify(SignalFacts(pledge.goods, said.status, said.quantity, price, commitment))


def _reason(session: Session, pledge: PledgeFact, *, before: Reason, after: Reason) -> Reason:
    """The reason after a correction; what somebody excluded by hand stays excluded."""
    by_rule = (
        Reason.SUPERSEDED,
        Reason.UNPAID,
        Reason.OVER_LIMIT,
        Reason.SUSPECTED,
        Reason.OVER_CAP,
    )
    current = Reason(pledge.reason)
    if before == after or current not in (before, *by_rule, *COUNTING):
        return current
    if current in by_rule and excluded_by_person(session, signal_id=pledge.id):
        return current
    return after


def _resize(session: Session, signal_id: int, *, quantity: int) -> None:
    columns = [getattr(Signal, name) for name in moving.COLUMNS]
    row = session.execute(select(*columns).where(Signal.id == signal_id)).one()
    signal = pl.DataFrame([tuple(row)], schema=moving.COLUMNS, orient="row")
    resized = signal.with_columns(pl.lit(quantity).cast(pl.Int64).alias("quantity"))
    rollups.append(session, pl.concat([rollups.changes(signal, sign=-1), rollups.changes(resized)]))
    session.execute(
        update(Signal).where(Signal.id == signal_id).values(quantity=quantity),
        execution_options={"synchronize_session": False},
    )


def _exclude_or_count(
    session: Session, pledge: PledgeFact, *, reason: Reason, status: str, actor: Actor, now: dt.datetime
) -> None:
    """Move the signal; its old exclusion ends by rule, so that the limit per buyer looks at it again."""
    moving.move(session, ids=[pledge.id], reason=reason)
    exclusions.end_exclusions(session, ids=[pledge.id], rule=limits.RULE, now=now)
    if reason in EXCLUDING:
        facts = {
            "id": pledge.id,
            "reason": reason.value,
            "sku": pledge.sku,
            "status": status,
            "unit_price_minor": pledge.unit_price_minor,
        }
        storing.insert_exclusions(session, pl.DataFrame([facts]), actor=actor, now=now)
