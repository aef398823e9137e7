"""A person's word on a cluster of suspects: bots or brushing, or people who count."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import NotFound
from app.stages.demand.models import Exclusion, Signal, Suspect
from app.stages.demand.operations import limits, superseding
from app.stages.demand.operations.moving import AT_ONCE, move
from app.stages.demand.rules import COUNTING, Reason
from app.stages.demand.rules.reviewing import REVIEW


def confirm_cluster(session: Session, *, actor: Actor, cluster: str, now: dt.datetime) -> int:
    """These pledges are no people's: exclude them by hand; returns how many. No rule takes them back.

    Raises:
        NotFound: `cluster_unknown`, when nothing of it counts and waits for a word any more.
    """
    actor.must_be(Role.MERCHANDISER)
    found = _taken(session, cluster)
    move(session, ids=[one.signal_id for one in found], reason=Reason.SUSPECTED)
    _record_each(session, found, created_by=actor.name, now=now)
    _record(session, actor, "cluster.confirmed", found, now)
    return len(found)


def dismiss_cluster(session: Session, *, actor: Actor, cluster: str, now: dt.datetime) -> int:
    """These pledges are people's and count; returns how many. No rule excludes them afterwards.

    Kept as the rule's suspicion that a person undid, which is what it is.

    Raises:
        NotFound: `cluster_unknown`, when nothing of it counts and waits for a word any more.
    """
    actor.must_be(Role.MERCHANDISER)
    found = _taken(session, cluster)
    _record_each(session, found, created_by=REVIEW, undone_by=actor.name, now=now)
    _record(session, actor, "cluster.dismissed", found, now)
    return len(found)


def reopen_cluster(session: Session, *, actor: Actor, cluster: str, now: dt.datetime) -> int:
    """Take a word on a cluster back: its pledges count and wait for a word again; returns how many.

    What somebody decided of one of them since stands.

    Raises:
        NotFound: `cluster_undecided`, when no word on it is in force.
    """
    actor.must_be(Role.MERCHANDISER)
    confirmed = Exclusion.undone_at.is_(None)
    dismissed = (Exclusion.created_by == REVIEW) & (Exclusion.undone_by != REVIEW)
    query = select(Exclusion).where(Exclusion.cluster == cluster, confirmed | dismissed)
    words = session.scalars(query.order_by(Exclusion.id).with_for_update()).all()
    if not words:
        raise NotFound("cluster_undecided", "No word on this cluster is in force; load the list again.")
    confirming = [one.signal_id for one in words if one.undone_at is None]
    for one in words:
        one.undone_by, one.undone_at = REVIEW, now
    session.flush()
    move(session, ids=confirming, reason=None)
    again = [_suspect(session, one, now=now) for one in words]
    session.add_all(again)
    session.flush()
    _record(session, actor, "cluster.reopened", again, now)
    return len(again)


def _suspect(session: Session, word: Exclusion, *, now: dt.datetime) -> Suspect:
    campaign = session.scalars(select(Signal.campaign_id).where(Signal.id == word.signal_id)).one()
    known = session.get(Suspect, word.signal_id)
    if known is not None:
        return known
    assert campaign is not None and word.cluster is not None
    return Suspect(
        signal_id=word.signal_id,
        campaign_id=campaign,
        cluster=word.cluster,
        score=word.evidence["score"],
        evidence=word.evidence,
        judged_at=now,
    )


def _taken(session: Session, cluster: str) -> list[Suspect]:
    """The suspects of a cluster that still count, off the list, their signals locked in key order."""
    found = session.scalars(
        select(Suspect).where(Suspect.cluster == cluster).order_by(Suspect.signal_id)
    ).all()
    counting: set[int] = set()
    ids = [one.signal_id for one in found]
    for start in range(0, len(ids), AT_ONCE):
        locked = select(Signal.id, Signal.reason).where(Signal.id.in_(ids[start : start + AT_ONCE]))
        rows = session.execute(locked.order_by(Signal.id).with_for_update())
        counting |= {signal_id for signal_id, reason in rows if reason in COUNTING}
    left = [one for one in found if one.signal_id in counting]
    gone = session.execute(
        delete(Suspect).where(Suspect.cluster == cluster), execution_options={"synchronize_session": False}
    )
    if not left or not getattr(gone, "rowcount", 0):
        raise NotFound(
            "cluster_unknown", "Nothing of this cluster waits for a word any more; load the list again."
        )
    return left


def _record_each(
    session: Session, found: list[Suspect], *, created_by: str, undone_by: str | None = None, now: dt.datetime
) -> None:
    rows = [
        {
            "signal_id": one.signal_id,
            "reason": Reason.SUSPECTED.value,
            "evidence": one.evidence,
            "created_by": created_by,
            "created_at": now,
            "undone_by": undone_by,
            "undone_at": now if undone_by else None,
            "cluster": one.cluster,
        }
        for one in found
    ]
    session.execute(insert(Exclusion), rows)


def _record(session: Session, actor: Actor, action: str, found: list[Suspect], now: dt.datetime) -> None:
    first = found[0]
    query = select(Signal.campaign_id, Signal.buyer).where(Signal.id.in_([one.signal_id for one in found]))
    buyers = [(int(campaign), buyer) for campaign, buyer in session.execute(query) if campaign and buyer]
    superseding.decide_of_buyers(session, buyers=buyers, now=now)
    limits.decide_of_buyers(session, buyers=buyers, now=now)
    data = {"signals": len(found), **first.evidence}
    subject = f"cluster:{first.cluster}"
    audit.record(session, actor=actor, action=action, subject=subject, data=data, now=now)
