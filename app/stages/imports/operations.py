"""Keeping what became of a file: its batch and its rejected rows."""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.core.errors import RuleBroken
from app.stages.imports.models import ImportBatch, RejectedRow
from app.stages.imports.rules import BATCH_STATES

MOST_REJECTS_AT_ONCE = 10_000


def open_batch(
    session: Session,
    *,
    channel: str,
    mapping: str,
    file_name: str,
    digest: str,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Begin to keep one file; returns its id. The caller's transaction makes it all or nothing."""
    batch = ImportBatch(
        channel=channel,
        mapping=mapping,
        file_name=file_name,
        digest=digest,
        state=BATCH_STATES[0],
        created_by=actor.name,
        created_at=now,
    )
    session.add(batch)
    session.flush()
    return batch.id


def reject_rows(session: Session, *, batch_id: int, rejects: pl.DataFrame) -> None:
    """Keep rejected rows (columns row, column, code, sentence)."""
    for part in rejects.iter_slices(MOST_REJECTS_AT_ONCE):
        session.execute(
            insert(RejectedRow), [{"batch_id": batch_id, **row} for row in part.iter_rows(named=True)]
        )


def close_batch(
    session: Session,
    *,
    batch_id: int,
    read: int,
    accepted: int,
    duplicate: int,
    rejected: int,
    seconds: float,
) -> None:
    """Store the counts.

    Raises:
        RuleBroken: `rows_lost` when they do not add up; a bug, and the transaction must not commit.
    """
    if read != accepted + duplicate + rejected:
        raise RuleBroken(
            "rows_lost", f"{read} rows read, but {accepted} + {duplicate} + {rejected} accounted for."
        )
    counts = {
        "read": read,
        "accepted": accepted,
        "duplicate": duplicate,
        "rejected": rejected,
        "seconds": seconds,
    }
    session.execute(update(ImportBatch).where(ImportBatch.id == batch_id).values(counts))
