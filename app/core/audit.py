"""The audit log: append-only and hash-chained, so that a removed or altered entry shows."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.access import Actor
from app.core.db import Base, BigId, UtcDateTime


class AuditEntry(Base):
    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(60), index=True)
    subject: Mapped[str] = mapped_column(String(120), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)


FIRST = "0" * 64
"""What the first entry points back to."""


def record(
    session: Session, *, actor: Actor, action: str, subject: str, data: dict[str, Any], now: dt.datetime
) -> None:
    """Append one entry in the caller's transaction.

    `previous_hash` is unique, so two writers can't both continue from the same entry: on PostgreSQL an
    advisory lock makes them take turns (SQLite has one writer anyway).
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('audit_entry'))"))
    session.flush()
    previous = session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)) or FIRST
    entry = AuditEntry(
        at=now, actor=actor.name, action=action, subject=subject, data=data, previous_hash=previous, hash=""
    )
    entry.hash = entry_hash(entry)
    session.add(entry)
    session.flush()


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the entry's content and the hash before it."""
    content = [
        entry.previous_hash,
        entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.subject,
        entry.data,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditFact:
    id: int
    at: dt.datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]


def entries(session: Session, *, before_id: int | None = None, limit: int = 50) -> list[AuditFact]:
    """The newest entries first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return [
        AuditFact(entry.id, entry.at, entry.actor, entry.action, entry.subject, entry.data)
        for entry in session.scalars(query)
    ]


def first_broken(session: Session) -> int | None:
    """The id of the first entry whose hash or link does not hold; None when the whole chain does."""
    previous = FIRST
    with session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)) as log:
        for entry in log:
            if entry.previous_hash != previous or entry.hash != entry_hash(entry):
                return entry.id
            previous = entry.hash
    return None
