"""No plan: keeping why, and the merchandiser's decision about it, which can be taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.allocation import queries, rules
from app.stages.allocation.models import PlanRefusal
from app.stages.allocation.operations.limits import set_limit
from app.stages.allocation.operations.runs import FrozenProblem
from app.stages.allocation.queries import RefusalFact
from app.stages.allocation.translate import in_minor


def keep_refusal(
    session: Session, *, frozen: FrozenProblem, why: Mapping[str, Any], actor: Actor, now: dt.datetime
) -> RefusalFact:
    """Keep why these inputs have no plan; inputs that were refused before keep that record.

    Args:
        why: the data of the refusal plan_infeasible.
    """
    known = session.scalar(select(PlanRefusal).where(PlanRefusal.problem_digest == frozen.digest))
    if known is not None and known.decided_at is None:
        return queries.get_refusal(session, refusal_id=known.id)
    if known is not None:  # decided, taken back, and met again: the decision is open once more
        known.decision = known.decided_by = known.decided_at = None
        known.created_at = now
        session.flush()
        return queries.get_refusal(session, refusal_id=known.id)
    row = PlanRefusal(
        as_of=frozen.as_of,
        currency=frozen.currency,
        problem_digest=frozen.digest,
        clashes=why["rules"],
        relaxations=[in_minor(one, frozen.minor_per_unit, ("cost",)) for one in why["relaxations"]],
        lowest_share=why["lowest_share"],
        created_by=actor.name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return queries.get_refusal(session, refusal_id=row.id)


def decide(session: Session, *, refusal_id: int, code: str, actor: Actor, now: dt.datetime) -> RefusalFact:
    """Take one of the ways out: it sets the limits it names, from the next plan on.

    Raises:
        NotFound: refusal_unknown.
        Conflict: refusal_decided, when somebody was faster.
        RuleBroken: relaxation_unknown, when this way out is none that sets a limit.
    """
    actor.must_be(Role.MERCHANDISER)
    row = _row(session, refusal_id)
    if row.decided_at is not None:
        raise Conflict("refusal_decided", "This was decided already. Take it back first.", refusal_id=row.id)
    way = next((one for one in row.relaxations if one["code"] == code), None)
    before = queries.limits(session)
    after = rules.relaxed(before, way) if way else ()
    if not after:
        raise RuleBroken("relaxation_unknown", "Choose one of the ways out that sets a limit.", given=code)
    scopes = {(limit.scope, limit.base) for limit in after}
    row.decision = {
        "code": code,
        "before": [asdict(limit) for limit in before if (limit.scope, limit.base) in scopes],
        "after": [asdict(limit) for limit in after],
    }
    row.decided_by, row.decided_at = actor.name, now
    _set(session, after, actor=actor, now=now)
    _record(session, "refusal.decided", row, actor=actor, now=now)
    return queries.get_refusal(session, refusal_id=row.id)


def take_back(session: Session, *, refusal_id: int, actor: Actor, now: dt.datetime) -> RefusalFact:
    """Set the limits as they were before the decision.

    Raises:
        NotFound: refusal_unknown.
        Conflict: refusal_open, when nothing was decided; limits_moved, when a limit was set since.
    """
    actor.must_be(Role.MERCHANDISER)
    row = _row(session, refusal_id)
    if row.decision is None:
        raise Conflict(
            "refusal_open", "Nothing was decided here that could be taken back.", refusal_id=row.id
        )
    now_set = [asdict(limit) for limit in queries.limits(session)]
    if any(limit not in now_set for limit in row.decision["after"]):
        raise Conflict(
            "limits_moved", "The limits were set anew since. Set them on their own page.", refusal_id=row.id
        )
    before = [
        rules.Limit(**limit | {"scope": rules.Scope(limit["scope"]), "base": rules.Base(limit["base"])})
        for limit in row.decision["before"]
    ]
    _set(session, before, actor=actor, now=now)
    _record(session, "refusal.taken_back", row, actor=actor, now=now)
    row.decision = row.decided_by = row.decided_at = None
    session.flush()
    return queries.get_refusal(session, refusal_id=row.id)


def _row(session: Session, refusal_id: int) -> PlanRefusal:
    row = session.get(PlanRefusal, refusal_id, with_for_update=True)
    if row is None:
        raise NotFound("refusal_unknown", f"There is no refusal {refusal_id}.", refusal_id=refusal_id)
    return row


def _set(session: Session, limits: Sequence[rules.Limit], *, actor: Actor, now: dt.datetime) -> None:
    for limit in limits:
        set_limit(session, limit=limit, actor=actor, now=now)


def _record(session: Session, action: str, row: PlanRefusal, *, actor: Actor, now: dt.datetime) -> None:
    data = {"way_out": (row.decision or {}).get("code"), "problem_digest": row.problem_digest}
    audit.record(session, actor=actor, action=action, subject=f"refusal:{row.id}", data=data, now=now)
