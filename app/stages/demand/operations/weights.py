"""Learning what commitments are worth, once for the same data."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.stages.demand.models import CommitmentWeight, WeightRun
from app.stages.demand.queries.weights import seen_conversions
from app.stages.demand.rules.weights import fingerprint, learn


def learn_weights(session: Session, *, now: dt.datetime) -> bool:
    """Learn the weights anew if what they are learnt from has changed; returns whether it has."""
    seen = seen_conversions(session, until=now)
    digest = fingerprint(seen)
    newest = session.scalar(select(WeightRun.fingerprint).order_by(WeightRun.id.desc()).limit(1))
    if newest == digest:
        return False
    run = WeightRun(fingerprint=digest, learnt_at=now)
    session.add(run)
    session.flush()
    session.execute(insert(CommitmentWeight), [{"run_id": run.id, **asdict(one)} for one in learn(seen)])
    return True
