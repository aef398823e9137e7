"""Order files in, a transaction for each chunk: what is stored of a file stays, and the same file goes on.

A file of one chunk is all there or not at all. A longer one that is stopped, killed or broken somewhere keeps
the chunks before that.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from app.core.db import Database
from app.core.errors import HeadwaterError
from app.core.jobs import JobCancelled, Progress
from app.stages.demand.operations import ImportFact, Importing, OrderFile

MADE_BETWEEN_COLLECTIONS = 50_000
"""Objects with others inside, after which Python looks for rings among them. Rows on their way are long lists
without any, which it would look through every 700: a twentieth of an import."""


def import_orders(
    db: Database, *, file: OrderFile, now: Callable[[], dt.datetime], progress: Progress | None = None
) -> ImportFact:
    """Absorb a file, or go on with it where it was left.

    Args:
        progress: told the rows read so far, after each chunk. It may raise JobCancelled; that, Ctrl-C and
            `stop_import` end the import between two chunks.

    Raises:
        RuleBroken: the file, the mapping or the channel can't be used. The sentence says what is kept.
        Conflict: `import_running`, when somebody else imports the same file now; `channel_changed`.
    """
    with db.reading() as session:
        importing = Importing(session, file)
    if importing.unchanged is not None:
        return importing.unchanged
    try:
        with _seldom_collecting():
            return _chunk_by_chunk(db, importing, now=now, progress=progress)
    except (JobCancelled, KeyboardInterrupt):
        stopped = _stop(db, importing)
        if stopped is None:
            raise
        return stopped
    except HeadwaterError as refused:
        kept = _stop(db, importing) if refused.code != "import_running" else None
        if kept is not None:
            refused.data |= {"batch_id": kept.batch_id, "kept_rows": kept.read}
            refused.sentence += f" The {kept.read:,} rows before that are kept as import {kept.batch_id}."
        raise


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Of the whole process, while a file comes in; then as it was."""
    before = gc.get_threshold()
    gc.set_threshold(MADE_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _chunk_by_chunk(
    db: Database,
    importing: Importing,
    *,
    now: Callable[[], dt.datetime],
    progress: Progress | None,
) -> ImportFact:
    """The file is closed in the transaction of its last chunk."""
    with closing(importing.chunks()) as chunks:
        chunk = next(chunks, None)
        while True:
            with db.transaction() as session:
                if chunk is not None:
                    fact = importing.take(session, chunk, now=now())
                    if fact.unchanged or fact.stopped:
                        return fact
                    chunk = next(chunks, None)
                if chunk is None:
                    return importing.finish(session, now=now())
            if progress is not None:
                progress("importing", fact.read, 0)


def _stop(db: Database, importing: Importing) -> ImportFact | None:
    with db.transaction() as session:
        return importing.stop(session)
