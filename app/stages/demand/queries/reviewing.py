"""The review list: clusters that wait for a person's word, and how often people agreed with the rules."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.demand.models import Campaign, Exclusion, Signal, Suspect
from app.stages.demand.rules import BY_RULE, COUNTING, Reason
from app.stages.demand.rules.reviewing import LATEST, REVIEW, Reviewed, cluster_key


@dataclass(frozen=True, slots=True)
class ClusterFact:
    """Pledges that count and look alike; `evidence` says why they are suspected."""

    key: str
    campaign_id: int
    campaign: str
    campaign_zh: str | None
    score: float
    signals: int
    units: int
    regions: int
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DecidedFact:
    """A word on a cluster that is in force and can be taken back."""

    key: str
    rule: str
    excluded: bool
    signals: int
    decided_by: str
    decided_at: dt.datetime
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReviewList:
    """Clusters to decide on today, the most doubtful units first; `waiting` counts all there are.

    `decided` are the latest words, which can be taken back.
    `decided_today` is how many were decided since midnight, of `a_day` that anybody should be asked for.
    """

    clusters: tuple[ClusterFact, ...]
    waiting: int
    decided_today: int
    a_day: int
    precision: Reviewed
    decided: tuple[DecidedFact, ...]


def list_reviews(session: Session, *, a_day: int, since: dt.datetime) -> ReviewList:
    """What a person should decide on now.

    Args:
        a_day: how many clusters a day anybody is asked for.
        since: the beginning of today.
    """
    words = _words(session)
    today = len({key for key, _, _, at in words if at >= since})
    clusters = _clusters(session)
    return ReviewList(
        clusters=tuple(clusters[: max(0, a_day - today)]),
        waiting=len(clusters),
        decided_today=today,
        a_day=a_day,
        precision=_sum(words),
        decided=_decided(session),
    )


def count_reviews(session: Session) -> int:
    """How many clusters wait for a word."""
    return session.scalar(_counting(select(func.count(func.distinct(Suspect.cluster))))) or 0


def reviewed_rules(session: Session) -> dict[str, Reviewed]:
    """For each rule, what people said of its latest clusters."""
    by_rule: dict[str, list[tuple[str, str, bool, dt.datetime]]] = defaultdict(list)
    for word in _words(session):
        by_rule[word[1]].append(word)
    return {rule: _sum(words) for rule, words in by_rule.items()}


def _counting(query: Any) -> Any:
    return query.join(Signal, Signal.id == Suspect.signal_id).where(Signal.reason.in_(COUNTING))


def _clusters(session: Session) -> list[ClusterFact]:
    query = select(Suspect, Signal.quantity, Signal.region_id, Campaign.name, Campaign.name_zh).join(
        Campaign, Campaign.id == Suspect.campaign_id
    )
    rows = session.execute(_counting(query).order_by(Suspect.cluster, Suspect.signal_id))
    grouped: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row[0].cluster].append(row)
    facts = [_fact(rows) for rows in grouped.values()]
    return sorted(facts, key=lambda one: (-one.score * one.units, one.key))


def _fact(rows: list[Any]) -> ClusterFact:
    first: Suspect = rows[0][0]
    return ClusterFact(
        key=first.cluster,
        campaign_id=first.campaign_id,
        campaign=rows[0][3],
        campaign_zh=rows[0][4],
        score=first.score,
        signals=len(rows),
        units=sum(row[1] for row in rows),
        regions=len({row[2] for row in rows}),
        evidence=first.evidence,
    )


def _decided(session: Session, *, latest: int = 10) -> tuple[DecidedFact, ...]:
    told = (Exclusion.undone_at.is_(None)) | (
        (Exclusion.created_by == REVIEW) & (Exclusion.undone_by != REVIEW)
    )
    newest = (
        select(func.max(Exclusion.id).label("id"), func.count().label("signals"))
        .where(Exclusion.cluster.is_not(None), told)
        .group_by(Exclusion.cluster)
        .order_by(func.max(Exclusion.id).desc())
        .limit(latest)
        .subquery()
    )
    query = select(Exclusion, newest.c.signals).join(newest, newest.c.id == Exclusion.id)
    return tuple(
        DecidedFact(
            key=one.cluster or "",
            rule=one.evidence["rule"],
            excluded=one.undone_at is None,
            signals=signals,
            decided_by=one.undone_by or one.created_by,
            decided_at=one.undone_at or one.created_at,
            evidence=one.evidence,
        )
        for one, signals in session.execute(query.order_by(Exclusion.id.desc()))
    )


def _words(session: Session) -> list[tuple[str, str, bool, dt.datetime]]:
    """Clusters that people decided on, the latest LATEST: key, rule, whether it was right, and when.

    To count one signal again says nothing of its whole cluster, and is not looked at.
    """
    dismissed = Exclusion.created_by == REVIEW
    confirmed = ~Exclusion.created_by.startswith(BY_RULE)
    taken_back = Exclusion.undone_by.is_not_distinct_from(REVIEW)
    query = (
        select(Exclusion)
        .where(Exclusion.reason == Reason.SUSPECTED, dismissed | confirmed, ~taken_back)
        .order_by(Exclusion.id.desc())
        .limit(LATEST * 100)
    )
    found: dict[str, tuple[str, str, bool, dt.datetime]] = {}
    for one in session.scalars(query):
        rule = one.evidence.get("rule")
        if rule is None:
            continue
        right = one.undone_by is None
        key = one.cluster or cluster_key(0, one.evidence)
        at = one.undone_at or one.created_at
        found.setdefault(key, (key, rule, right, at))
        if len(found) == LATEST:
            break
    return list(found.values())


def _sum(words: Iterable[tuple[str, str, bool, dt.datetime]]) -> Reviewed:
    right = [one[2] for one in words]
    return Reviewed(len(right), sum(right))
