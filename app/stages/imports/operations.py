"""Keeping what became of a file: its batch, chunk by chunk, and its rejected rows."""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, RuleBroken
from app.stages.imports.models import ImportBatch, RejectedRow
from app.stages.imports.queries import BatchFact, get_batch
from app.stages.imports.rules import BatchState

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
    """Begin to keep one file; returns its id."""
    batch = ImportBatch(
        channel=channel,
        mapping=mapping,
        file_name=file_name,
        digest=digest,
        state=BatchState.IMPORTING,
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


def count_rows(
    session: Session,
    *,
    batch_id: int,
    last_row: int,
    read: int,
    accepted: int,
    duplicate: int,
    rejected: int,
    seconds: float,
) -> BatchFact:
    """Add what became of some rows, up to `last_row` of the file; returns the batch as it is now.

    Raises:
        RuleBroken: `rows_lost` when they do not add up; a bug, and the transaction must not commit.
    """
    if read != accepted + duplicate + rejected:
        raise RuleBroken(
            "rows_lost", f"{read} rows read, but {accepted} + {duplicate} + {rejected} accounted for."
        )
    more = {
        ImportBatch.read: ImportBatch.read + read,
        ImportBatch.accepted: ImportBatch.accepted + accepted,
        ImportBatch.duplicate: ImportBatch.duplicate + duplicate,
        ImportBatch.rejected: ImportBatch.rejected + rejected,
        ImportBatch.seconds: ImportBatch.seconds + seconds,
        ImportBatch.last_row: last_row,
    }
    session.execute(
        update(ImportBatch).where(ImportBatch.id == batch_id).values(more),
        execution_options={"synchronize_session": False},
    )
    return get_batch(session, batch_id=batch_id)


def set_state(session: Session, *, batch_id: int, state: BatchState) -> None:
    """Say how far a file is. What is all there stays so."""
    session.execute(
        update(ImportBatch)
        .where(ImportBatch.id == batch_id, ImportBatch.state != BatchState.ABSORBED)
        .values(state=state.value),
        execution_options={"synchronize_session": False},
    )


def stop_import(session: Session, *, batch_id: int, actor: Actor, now: dt.datetime) -> BatchFact:
    """Ask an import to stop behind its present chunk. What came before stays; the same file again goes on.

    Raises:
        NotFound: `batch_unknown`.
        Conflict: `import_ended`, when all of it is there or it has stopped.
    """
    actor.must_be(Role.MERCHANDISER)
    batch = get_batch(session, batch_id=batch_id)
    if batch.state in (BatchState.ABSORBED, BatchState.STOPPED):
        raise Conflict("import_ended", f"Import {batch_id} is {batch.state} already.")
    set_state(session, batch_id=batch_id, state=BatchState.STOPPING)
    data = {"last_row": batch.last_row}
    subject = f"import:{batch_id}"
    audit.record(session, actor=actor, action="import.stopped", subject=subject, data=data, now=now)
    return get_batch(session, batch_id=batch_id)
