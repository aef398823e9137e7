"""Excluding a signal by hand or by rule, and counting an excluded one again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.demand.models import Exclusion, Signal
from app.stages.demand.operations.moving import AT_ONCE, move
from app.stages.demand.rules import COUNTING, EXCLUDING, Reason


def undo_exclusion(session: Session, *, actor: Actor, exclusion_id: int, now: dt.datetime) -> None:
    """Count an excluded signal again; no rule excludes it a second time.

    Units that were ordered are valid demand again, units that came back are returned again, interest is
    interest again.

    Raises:
        NotFound: there is no such exclusion.
        Conflict: it was undone already.
    """
    actor.must_be(Role.MERCHANDISER)
    exclusion = session.get(Exclusion, exclusion_id, with_for_update=True)
    if exclusion is None:
        raise NotFound("exclusion_unknown", f"There is no exclusion {exclusion_id}.")
    if exclusion.undone_at is not None:
        raise Conflict(
            "exclusion_undone", f"Exclusion {exclusion_id} was undone already by {exclusion.undone_by}."
        )
    move(session, ids=[exclusion.signal_id], reason=None)
    exclusion.undone_by, exclusion.undone_at = actor.name, now
    _record(session, actor, "exclusion.undone", exclusion.signal_id, {"reason": exclusion.reason}, now)


def exclude_signal(
    session: Session, *, actor: Actor, signal_id: int, reason: str, evidence: dict[str, Any], now: dt.datetime
) -> int:
    """Take a signal that counts out of valid demand; returns the id of the exclusion.

    Raises:
        NotFound: there is no such signal.
        RuleBroken: the reason is none that excludes, or the signal does not count now.
    """
    actor.must_be(Role.MERCHANDISER)
    if reason not in {one.value for one in EXCLUDING}:
        raise RuleBroken("reason_unknown", f"{reason!r} is no reason to exclude a signal.")
    current = session.scalar(select(Signal.reason).where(Signal.id == signal_id).with_for_update())
    if current is None:
        raise NotFound("signal_unknown", f"There is no signal {signal_id}.")
    if current not in COUNTING:
        raise RuleBroken("signal_not_valid", f"Signal {signal_id} is no valid demand already: {current}.")
    move(session, ids=[signal_id], reason=Reason(reason))
    exclusion = Exclusion(
        signal_id=signal_id, reason=reason, evidence=evidence, created_by=actor.name, created_at=now
    )
    session.add(exclusion)
    session.flush()
    _record(session, actor, "signal.excluded", signal_id, {"reason": reason, **evidence}, now)
    return exclusion.id


def exclude_by_rule(
    session: Session, *, evidence: Mapping[int, dict[str, Any]], reason: Reason, rule: str, now: dt.datetime
) -> None:
    """Take signals out of valid demand, each with its evidence; what another rule held against them ends."""
    if not evidence:
        return
    end_exclusions(session, ids=list(evidence), rule=rule, now=now)
    move(session, ids=list(evidence), reason=reason)
    rows = [
        {"signal_id": one, "reason": reason, "evidence": why, "created_by": rule, "created_at": now}
        for one, why in evidence.items()
    ]
    session.execute(insert(Exclusion), rows)


def take_back(session: Session, *, ids: Sequence[int], rule: str, now: dt.datetime) -> None:
    """Count signals again that a rule excluded and would not exclude now."""
    if ids:
        end_exclusions(session, ids=ids, rule=rule, now=now)
        move(session, ids=ids, reason=None)


def end_exclusions(session: Session, *, ids: Sequence[int], rule: str, now: dt.datetime) -> None:
    """End by rule what is in force, so that rules look at these signals again."""
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        ended = update(Exclusion).where(Exclusion.signal_id.in_(part), Exclusion.undone_at.is_(None))
        session.execute(
            ended.values(undone_by=rule, undone_at=now), execution_options={"synchronize_session": False}
        )


def _record(
    session: Session, actor: Actor, action: str, signal_id: int, data: dict[str, Any], now: dt.datetime
) -> None:
    audit.record(session, actor=actor, action=action, subject=f"signal:{signal_id}", data=data, now=now)
