"""The alerts that are open, the weightiest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.stages.alerts.models import Alert
from app.stages.alerts.rules import AlertState


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFact:
    """One cause. `data` holds its numbers; the screen makes the sentence. `weight` is the units at stake."""

    id: int
    cause: str
    kind: str
    owner: str
    state: str
    weight: float
    data: dict[str, Any]
    opened_at: dt.datetime
    seen_at: dt.datetime
    closed_at: dt.datetime | None


def open_alerts(
    session: Session,
    *,
    owner: str | None = None,
    kind: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[AlertFact]:
    """Open alerts, the weightiest first; `owner` is a role."""
    query = select(*_COLUMNS).where(Alert.state == AlertState.OPEN)
    if owner is not None:
        query = query.where(Alert.owner == owner)
    if kind is not None:
        query = query.where(Alert.kind == kind)
    query = query.order_by(Alert.weight.desc(), Alert.id).limit(limit).offset(offset)
    return [AlertFact(**row) for row in session.execute(query).mappings()]


def count_open(session: Session, *, owner: str | None = None) -> int:
    query = select(func.count()).select_from(Alert).where(Alert.state == AlertState.OPEN)
    if owner is not None:
        query = query.where(Alert.owner == owner)
    return session.execute(query).scalar_one()


def count_open_by_kind(session: Session) -> dict[str, int]:
    """How many open alerts there are of each kind that has some."""
    query = select(Alert.kind, func.count()).where(Alert.state == AlertState.OPEN).group_by(Alert.kind)
    return {kind: int(count) for kind, count in session.execute(query.order_by(Alert.kind))}


def states(session: Session, *, kinds: Collection[str]) -> dict[str, AlertState]:
    """The state of every alert of these kinds, by cause."""
    query = select(Alert.cause, Alert.state).where(Alert.kind.in_(kinds))
    return {cause: AlertState(state) for cause, state in session.execute(query)}


_COLUMNS = [getattr(Alert, field) for field in AlertFact.__dataclass_fields__]
