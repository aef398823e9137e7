"""Signals that were taken out of valid demand, with the evidence and who did it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, case, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.demand.models import Exclusion, Signal
from app.stages.demand.queries.expected import Scope
from app.stages.demand.queries.signals import within
from app.stages.demand.rules import BY_RULE

AT_ONCE = 500
_BY_PERSON = case(
    (Exclusion.undone_by.is_(None), ~Exclusion.created_by.startswith(BY_RULE)),
    else_=~Exclusion.undone_by.startswith(BY_RULE),
)


@dataclass(frozen=True, slots=True)
class ExclusionFact:
    """One exclusion; `undone_by` and `undone_at` are set once a person took it back."""

    id: int
    signal_id: int
    reason: str
    evidence: dict[str, Any]
    sku_id: int
    region_id: int
    quantity: int
    day: dt.date
    created_by: str
    created_at: dt.datetime
    undone_by: str | None
    undone_at: dt.datetime | None


def list_exclusions(
    session: Session,
    *,
    scope: Scope | None = None,
    reason: str | None = None,
    undone: bool = False,
    before_id: int | None = None,
    limit: int = 50,
) -> list[ExclusionFact]:
    """The newest exclusions first; `undone` selects those taken back, otherwise those in force.

    Args:
        scope: only of signals of this demand.
        before_id: the id of the last one already seen, for the next page.
    """
    query = within(_select(), scope or Scope())
    query = query.where(Exclusion.undone_at.is_not(None) if undone else Exclusion.undone_at.is_(None))
    if reason is not None:
        query = query.where(Exclusion.reason == reason)
    if before_id is not None:
        query = query.where(Exclusion.id < before_id)
    return [_fact(row) for row in session.execute(query.order_by(Exclusion.id.desc()).limit(limit))]


def get_exclusion(session: Session, *, exclusion_id: int) -> ExclusionFact:
    """One exclusion.

    Raises:
        NotFound: `exclusion_unknown`.
    """
    row = session.execute(_select().where(Exclusion.id == exclusion_id)).first()
    if row is None:
        raise NotFound(
            "exclusion_unknown", f"There is no exclusion {exclusion_id}.", exclusion_id=exclusion_id
        )
    return _fact(row)


def decided_by_person(
    session: Session, *, campaign_id: int, buyers: list[str] | Select[str | None] | None = None
) -> set[int]:
    """Signals of a campaign, or of some of its buyers, that somebody decided to count or excluded by hand."""
    query = (
        select(Exclusion.signal_id)
        .join(Signal, Signal.id == Exclusion.signal_id)
        .where(Signal.campaign_id == campaign_id, _BY_PERSON)
    )
    return set(session.scalars(query if buyers is None else query.where(Signal.buyer.in_(buyers))))


def decided_signals(session: Session, *, ids: Sequence[int]) -> set[int]:
    """Those of the signals that somebody decided to count or excluded by hand."""
    found: set[int] = set()
    for start in range(0, len(ids), AT_ONCE):
        part = Exclusion.signal_id.in_(ids[start : start + AT_ONCE])
        found.update(session.scalars(select(Exclusion.signal_id).where(part, _BY_PERSON)))
    return found


def excluded_by_person(session: Session, *, signal_id: int) -> bool:
    """Is the exclusion of this signal that is in force somebody's, and no rule's?"""
    in_force = Exclusion.signal_id == signal_id, Exclusion.undone_at.is_(None)
    by = session.scalar(select(Exclusion.created_by).where(*in_force))
    return by is not None and not by.startswith(BY_RULE)


def _select() -> Select[Any]:
    return select(
        Exclusion.id,
        Exclusion.signal_id,
        Exclusion.reason,
        Exclusion.evidence,
        Signal.sku_id,
        Signal.region_id,
        Signal.quantity,
        Signal.day,
        Exclusion.created_by,
        Exclusion.created_at,
        Exclusion.undone_by,
        Exclusion.undone_at,
    ).join(Signal, Signal.id == Exclusion.signal_id)


def _fact(row: Row[Any]) -> ExclusionFact:
    return ExclusionFact(*tuple(row))
