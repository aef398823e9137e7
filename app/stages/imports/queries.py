"""What was received, what was kept out, and how files can be read."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound, RuleBroken
from app.stages.imports.models import ImportBatch, RejectedRow, Upload, UploadPart
from app.stages.imports.rules import Mapping, parse_mapping

FOLDER = Path(__file__).parent / "mappings"


@dataclass(frozen=True, slots=True)
class BatchFact:
    """One file of one channel, up to its row `last_row`; read = accepted + duplicate + rejected."""

    id: int
    channel: str
    mapping: str
    file_name: str
    state: str
    last_row: int
    read: int
    accepted: int
    duplicate: int
    rejected: int
    seconds: float
    created_by: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class RejectedFact:
    """Why one row was kept out; `column` is its heading, empty where the whole line is at fault."""

    row: int
    column: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class MappingFact:
    name: str
    title: str
    create_unknown: bool


def list_batches(session: Session, *, limit: int = 50, before_id: int | None = None) -> list[BatchFact]:
    """Imported files, newest first; `before_id` is the last one already seen."""
    query = select(*_BATCH).order_by(ImportBatch.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(ImportBatch.id < before_id)
    return [BatchFact(*row) for row in session.execute(query)]


def get_batch(session: Session, *, batch_id: int) -> BatchFact:
    """One imported file. Raises NotFound."""
    row = session.execute(select(*_BATCH).where(ImportBatch.id == batch_id)).one_or_none()
    if row is None:
        raise NotFound("batch_unknown", f"There is no import {batch_id}.", batch_id=batch_id)
    return BatchFact(*row)


def find_batch(session: Session, *, channel: str, mapping: str, digest: str) -> BatchFact | None:
    """The import of exactly this file, if there is one."""
    of_file = (ImportBatch.channel == channel, ImportBatch.mapping == mapping, ImportBatch.digest == digest)
    row = session.execute(select(*_BATCH).where(*of_file)).one_or_none()
    return BatchFact(*row) if row else None


def rejected_rows(
    session: Session, *, batch_id: int, after_row: int = -1, limit: int | None = None
) -> list[RejectedFact]:
    """Rows kept out of one file, in its order."""
    columns = (RejectedRow.row, RejectedRow.column, RejectedRow.code, RejectedRow.sentence)
    query = select(*columns).where(RejectedRow.batch_id == batch_id, RejectedRow.row > after_row)
    rows = session.execute(query.order_by(RejectedRow.row, RejectedRow.id).limit(limit))
    return [RejectedFact(*row) for row in rows]


def mappings(*, of_events: bool = False) -> list[MappingFact]:
    """The mappings a file can be read with, or events, by name."""
    names = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return [
        MappingFact(name, mapping(name).title, mapping(name).create_unknown)
        for name in names
        if (mapping(name).event is not None) == of_events
    ]


@cache
def mapping(name: str) -> Mapping:
    """One mapping. Raises RuleBroken `mapping_unknown`, naming those there are."""
    known = {path.stem: path for path in FOLDER.glob("*.toml")}
    if name not in known:
        raise RuleBroken(
            "mapping_unknown",
            f"There is no mapping {name[:60]!r}; choose one of {', '.join(sorted(known))}.",
            known=sorted(known),
        )
    return parse_mapping(name, tomllib.loads(known[name].read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class UploadFact:
    """A file that comes in parts; `received` bytes of `size` have come without a gap."""

    id: str
    file_name: str
    channel: str
    mapping: str
    size: int
    received: int
    digest: str | None
    state: str
    job_id: int | None
    batch_id: int | None
    failure: str | None
    expires_at: dt.datetime


def get_upload(session: Session, *, upload_id: str, owner: str | None) -> UploadFact:
    """One upload; `owner` None is the worker. Raises NotFound `upload_unknown`."""
    upload = session.get(Upload, upload_id)
    if upload is None or owner not in (None, upload.owner):
        raise NotFound("upload_unknown", "There is no such upload of yours; begin another.")
    return upload_fact(upload)


def upload_fact(upload: Upload) -> UploadFact:
    return UploadFact(*(getattr(upload, name) for name in UploadFact.__dataclass_fields__))


def upload_parts(session: Session, *, upload_id: str) -> list[tuple[int, int, str]]:
    """Start, size and name of the parts that count, in their order."""
    columns = (UploadPart.start, UploadPart.size, UploadPart.name)
    query = select(*columns).where(UploadPart.upload_id == upload_id).order_by(UploadPart.start)
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


_BATCH = [getattr(ImportBatch, field) for field in BatchFact.__dataclass_fields__]
