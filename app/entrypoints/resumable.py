"""Files that come in parts: sealed on the disk from the first byte, opened only to be imported.

It may name buyers, and must outlive requests and restarts; so what lies on the disk can't be read without
SECRET_KEY. A part is a file of pieces of a mebibyte, each bound to its upload, part and place.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app import intake
from app.core import sealing
from app.core.access import Actor, Role
from app.core.errors import HeadwaterError, RuleBroken
from app.core.jobs import JobCancelled, Progress
from app.entrypoints.door import Services
from app.stages.demand.operations import OrderFile
from app.stages.imports import operations as imports
from app.stages.imports import queries

PIECE = 1024 * 1024
LENGTH = 4
"""Bytes that say how long a sealed piece is."""
JOB = "import-upload"
STOPPED = "The import was stopped; what is stored of the file stays."


def keep_part(here: Services, upload_id: str, read: Callable[[int], bytes]) -> tuple[str, int, str]:
    """Seal what comes until it ends or breaks off; returns the part's name, its bytes, and their SHA-256."""
    folder = _folder(here, upload_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name, size, digest = secrets.token_hex(8), 0, hashlib.sha256()
    with (folder / name).open("xb") as file:
        for number, piece in enumerate(_pieces(read)):
            sealed = sealing.seal_part(
                piece, key=here.config.secret_key, about=_about(upload_id, name, number)
            )
            file.write(len(sealed).to_bytes(LENGTH, "big") + sealed)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return name, size, digest.hexdigest()


def drop_part(here: Services, upload_id: str, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        (_folder(here, upload_id) / name).unlink()


def drop_parts(here: Services, upload_id: str) -> None:
    shutil.rmtree(_folder(here, upload_id), ignore_errors=True)


def drop_expired(here: Services) -> int:
    """Forget uploads whose time is over, and what lies on the disk and belongs to none."""
    with here.db.transaction() as session:
        gone = imports.drop_expired_uploads(session, now=here.clock())
    for upload_id in gone:
        drop_parts(here, upload_id)
    return len(gone)


def import_upload(here: Services, upload_id: str, created_by: str, progress: Progress) -> dict[str, Any]:
    """Import a whole upload as the file it is, or go on with it where it was left.

    Raises:
        RuleBroken: `upload_changed`, when its digest is another than the sender told, and what
            `intake.import_orders` says.
        JobCancelled: somebody asked to stop; the upload is over, and what is stored of it stays.
    """
    with here.db.reading() as session:
        upload = queries.get_upload(session, upload_id=upload_id, owner=None)
        parts = queries.upload_parts(session, upload_id=upload_id)
    if upload.state != "complete":
        return {"batch": upload.batch_id}
    try:
        with _opened(here, upload, parts, progress) as path:
            file = _order_file(here, upload, path, created_by)
            fact = intake.import_orders(here.db, file=file, now=here.clock, progress=progress)
    except HeadwaterError as refused:
        _close(here, upload_id, batch_id=refused.data.get("batch_id"), failure=refused.sentence)
        raise
    except JobCancelled:
        _close(here, upload_id, batch_id=None, failure=STOPPED)
        raise
    _close(here, upload_id, batch_id=fact.batch_id, failure=STOPPED if fact.stopped else None)
    if fact.stopped:
        raise JobCancelled(STOPPED, result={"batch": fact.batch_id})
    return {"batch": fact.batch_id}


def _order_file(here: Services, upload: queries.UploadFact, path: Path, created_by: str) -> OrderFile:
    return OrderFile(
        path=path,
        file_name=upload.file_name,
        channel=upload.channel,
        mapping=upload.mapping,
        actor=Actor(created_by, Role.MERCHANDISER),
        pseudonym_key=here.config.pseudonym_key,
        currency=here.config.currency,
        timezone=here.config.timezone,
        suspicion_precision=here.config.suspicion_percent / 100,
    )


def _close(here: Services, upload_id: str, *, batch_id: int | None, failure: str | None) -> None:
    with here.db.transaction() as session:
        imports.close_upload(
            session, upload_id=upload_id, batch_id=batch_id, failure=failure, now=here.clock()
        )
    drop_parts(here, upload_id)


@contextmanager
def _opened(
    here: Services, upload: queries.UploadFact, parts: list[tuple[int, int, str]], progress: Progress
) -> Iterator[Path]:
    """The whole file, without a name on the disk."""
    digest = hashlib.sha256()
    with tempfile.TemporaryFile(dir=here.config.data_dir) as file:
        for start, _, name in parts:
            progress("unpacking", start // PIECE, upload.size // PIECE)
            for piece in _unsealed(here, upload.id, name):
                file.write(piece)
                digest.update(piece)
        file.flush()
        if upload.digest is not None and digest.hexdigest() != upload.digest:
            raise RuleBroken("upload_changed", "What came is not the file that was told; upload it again.")
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")


def _unsealed(here: Services, upload_id: str, name: str) -> Iterator[bytes]:
    try:
        with (_folder(here, upload_id) / name).open("rb") as file:
            number = 0
            while length := file.read(LENGTH):
                sealed = file.read(int.from_bytes(length, "big"))
                about = _about(upload_id, name, number)
                yield sealing.open_part(sealed, key=here.config.secret_key, about=about)
                number += 1
    except FileNotFoundError:
        raise RuleBroken(
            "upload_lost", "A part of this upload is gone from the disk; upload it again."
        ) from None


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Whole pieces and the rest; a sender that breaks off ends it."""
    piece = b""
    with contextlib.suppress(BrokenOff):
        while more := read(PIECE - len(piece)):
            piece += more
            if len(piece) == PIECE:
                yield piece
                piece = b""
    if piece:
        yield piece


class BrokenOff(Exception):
    """The sender is gone."""


def _about(upload_id: str, name: str, number: int) -> str:
    return f"{upload_id}/{name}/{number}"


def _folder(here: Services, upload_id: str) -> Path:
    return here.config.data_dir / "uploads" / upload_id
