"""Keeping what became of a file: its batch, chunk by chunk, and its rejected rows; and files in parts."""

from __future__ import annotations

import datetime as dt
import re
import secrets as random

import polars as pl
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.imports import queries
from app.stages.imports.models import ImportBatch, RejectedRow, Upload, UploadPart
from app.stages.imports.queries import BatchFact, UploadFact, get_batch
from app.stages.imports.rules import BatchState

MOST_REJECTS_AT_ONCE = 10_000
MOST_UPLOADS = 20
"""Open uploads of one account."""
LIFETIME = dt.timedelta(days=1)
"""How long an upload waits for its next part."""


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


def begin_upload(
    session: Session,
    *,
    file_name: str,
    channel: str,
    mapping: str,
    size: int,
    digest: str | None,
    largest: int,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Let a file come in parts; returns the id of the upload.

    Args:
        size: bytes of the whole file.
        digest: SHA-256 of the whole file in hex, where the sender knows it; it is compared before the import.
        largest: bytes an upload may have.

    Raises:
        RuleBroken: `mapping_unknown`, `upload_size`, `upload_digest`.
        Conflict: `uploads_open`, when too many of this actor's have not come to their end.
    """
    actor.must_be(Role.MERCHANDISER)
    queries.mapping(mapping)
    if not 0 < size <= largest:
        raise RuleBroken("upload_size", f"A file has 1 to {largest:,} bytes; not {size:,}.", field="file")
    if digest is not None and not re.fullmatch("[0-9a-f]{64}", digest):
        raise RuleBroken("upload_digest", "A SHA-256 has 64 of the digits 0 to 9 and a to f.")
    mine = select(func.count()).where(Upload.owner == actor.name, Upload.state == "open")
    if (session.scalar(mine) or 0) >= MOST_UPLOADS:
        raise Conflict("uploads_open", f"{MOST_UPLOADS} uploads of yours are open; finish or drop one first.")
    upload = Upload(
        id=random.token_hex(16),
        owner=actor.name,
        file_name=file_name,
        channel=channel,
        mapping=mapping,
        size=size,
        received=0,
        digest=digest,
        state="open",
        expires_at=now + LIFETIME,
    )
    session.add(upload)
    session.flush()
    return upload.id


def check_part(upload: UploadFact, *, start: int) -> None:
    """Refuse a part before it is read that `take_part` would refuse.

    Raises:
        Conflict: `upload_offset`, `upload_ended`.
    """
    if upload.state != "open":
        raise Conflict("upload_ended", "All of this upload has come already.", received=upload.received)
    if start != upload.received:
        raise Conflict(
            "upload_offset", f"Go on at byte {upload.received} of {upload.size}.", received=upload.received
        )


def take_part(
    session: Session, *, upload_id: str, start: int, size: int, name: str, actor: Actor, now: dt.datetime
) -> UploadFact:
    """Count a part that lies sealed under `name`: only the one that begins where the file ends so far.

    Raises:
        NotFound: `upload_unknown`; also where it is somebody else's.
        Conflict: `upload_offset`, with `received` in its data; `upload_ended`.
    """
    upload = _upload(session, upload_id, actor)
    check_part(queries.upload_fact(upload), start=start)
    if start + size > upload.size:
        raise Conflict(
            "upload_offset", f"The file has only {upload.size} bytes, as was told.", received=upload.received
        )
    if size:
        session.add(UploadPart(upload_id=upload_id, start=start, size=size, name=name))
    upload.received += size
    upload.expires_at = now + LIFETIME
    if upload.received == upload.size:
        upload.state = "complete"
    session.flush()
    return queries.upload_fact(upload)


def give_to_job(session: Session, *, upload_id: str, job_id: int) -> None:
    """Remember which job imports the upload."""
    session.execute(update(Upload).where(Upload.id == upload_id).values(job_id=job_id))


def close_upload(
    session: Session, *, upload_id: str, batch_id: int | None, failure: str | None, now: dt.datetime
) -> None:
    """Its file was imported as a batch, or can't be; either way its parts are needed no more."""
    state = "imported" if failure is None else "failed"
    told = {"state": state, "batch_id": batch_id, "failure": failure, "expires_at": now + LIFETIME}
    session.execute(update(Upload).where(Upload.id == upload_id).values(**told))
    session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))


def drop_upload(session: Session, *, upload_id: str, actor: Actor) -> None:
    """Forget an upload that is open.

    Raises:
        NotFound: `upload_unknown`.
        Conflict: `upload_ended`.
    """
    upload = _upload(session, upload_id, actor)
    if upload.state == "complete":
        raise Conflict("upload_ended", "All of this upload has come already; stop its job instead.")
    session.execute(delete(Upload).where(Upload.id == upload_id))


def drop_expired_uploads(session: Session, *, now: dt.datetime) -> list[str]:
    """Forget uploads whose time is over; returns their ids. One that waits for its job stays."""
    over = delete(Upload).where(Upload.expires_at <= now, Upload.state != "complete").returning(Upload.id)
    return list(session.scalars(over))


def _upload(session: Session, upload_id: str, actor: Actor) -> Upload:
    """Locked, so that of two parts of one place one counts."""
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None or upload.owner != actor.name:
        raise NotFound("upload_unknown", "There is no such upload of yours; begin another.")
    return upload
