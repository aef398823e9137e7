"""A file that came over HTTP: kept only while it is imported.

It has no name on the disk, so that nothing of it is left when the process is killed: it may name buyers.
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.datastructures import FileStorage

from app import intake
from app.core.access import Actor
from app.core.errors import RuleBroken
from app.entrypoints.door import config, db, now
from app.stages.demand.operations import ImportFact, OrderFile

LONGEST_NAME = 255


def import_upload(upload: FileStorage | None, *, channel: str, mapping: str, actor: Actor) -> ImportFact:
    """Import an order file that came with a form, or go on with it where it was left.

    Raises:
        RuleBroken: no file came, or the file can't be used; the code and sentence say why and what to do.
    """
    with _kept(upload) as (path, name):
        file = OrderFile(
            path=path,
            file_name=name,
            channel=channel,
            mapping=mapping,
            actor=actor,
            pseudonym_key=config().pseudonym_key,
            currency=config().currency,
            timezone=config().timezone,
            suspicion_precision=config().suspicion_percent / 100,
        )
        return intake.import_orders(db(), file=file, now=now)


def plain_name(sent: str) -> str:
    """A file's name to show and to store, never to open: without folders and signs that are not seen.

    A sign that turns the direction of writing would show another ending than the file has.
    """
    last = sent.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(one for one in last if unicodedata.category(one)[0] != "C" and one != "\ufffd")
    return seen.strip()[:LONGEST_NAME] or "file"


@contextmanager
def _kept(upload: FileStorage | None) -> Iterator[tuple[Path, str]]:
    if upload is None or not upload.filename:
        raise RuleBroken("file_missing", "Choose a file to import.", field="file")
    name = plain_name(upload.filename)
    with tempfile.TemporaryFile(dir=config().data_dir) as file:
        upload.save(file)
        file.flush()
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}"), name
