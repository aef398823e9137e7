"""An order file on its way into the demand pool, chunk by chunk: every row once, whatever is killed when.

A chunk is a few blocks of rows. Its signals, its roll-ups, its rejected rows and the mark of how far the file
is are stored in one transaction: it is there, or it is not. Whoever takes the file up again begins behind the
mark.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.db import renew_statistics
from app.core.errors import Conflict
from app.core.jobs import Progress
from app.stages.demand.models import Signal
from app.stages.demand.operations import caps, corrections, limits, superseding, suspicion
from app.stages.demand.operations.absorb import Absorbing
from app.stages.demand.operations.bulk import one_ahead
from app.stages.demand.operations.codes import Codes, Named
from app.stages.demand.operations.turns import must_be_channel, take_turn
from app.stages.demand.queries.pledges import ChannelCurrency, find_channel
from app.stages.demand.queries.pool import LEVELS
from app.stages.demand.rules.suspicion import EXCLUDED_FROM
from app.stages.imports import operations as imports
from app.stages.imports import queries as batches
from app.stages.imports import readers
from app.stages.imports.queries import BatchFact
from app.stages.imports.rules import BatchState, Checked, check

MANY = 50_000
"""Rows of a file from which on the database is told to look at its tables anew."""
BLOCKS_AT_ONCE = 7
"""Blocks of a chunk: half a million rows, the work of a few seconds. The first block is a small one."""


@dataclass(frozen=True, slots=True)
class ImportFact:
    """What became of a file so far: read = accepted + duplicate + rejected.

    `unchanged`: it was imported before. `stopped`: somebody asked for that; the same file again goes on.
    """

    batch_id: int
    read: int
    accepted: int
    duplicate: int
    rejected: int
    seconds: float
    unchanged: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFile:
    """A file to import, by whom and how.

    Attributes:
        channel: the channel's code; a new one is created, with the mapping's currency or else `currency`.
        timezone: of regions that are created as drafts.
        suspicion_precision: from which score on suspected pledges are excluded without asking.
    """

    path: Path
    file_name: str
    channel: str
    mapping: str
    actor: Actor
    pseudonym_key: bytes
    currency: str
    timezone: str
    suspicion_precision: float = EXCLUDED_FROM


Chunk = Iterator[tuple[readers.Block, Checked, Named]]
"""Blocks of a file and the codes they name, read and checked while those before are stored.

A chunk is used up before the next."""


def import_orders(
    session: Session,
    *,
    path: Path,
    file_name: str,
    channel: str,
    mapping: str,
    actor: Actor,
    now: dt.datetime,
    pseudonym_key: bytes,
    currency: str,
    timezone: str,
    suspicion_precision: float = EXCLUDED_FROM,
    progress: Progress | None = None,
) -> ImportFact:
    """Absorb a small file in the caller's transaction, all of it or nothing. Arguments as in OrderFile.

    Raises:
        RuleBroken: the file, the mapping or the channel can't be used; nothing is stored.
    """
    file = OrderFile(
        path=path,
        file_name=file_name,
        channel=channel,
        mapping=mapping,
        actor=actor,
        pseudonym_key=pseudonym_key,
        currency=currency,
        timezone=timezone,
        suspicion_precision=suspicion_precision,
    )
    importing = Importing(session, file)
    if importing.unchanged is not None:
        return importing.unchanged
    with closing(importing.chunks()) as chunks:
        for chunk in chunks:
            fact = importing.take(session, chunk, now=now)
            if fact.unchanged:
                return fact
            if progress is not None:
                progress("importing", fact.read, 0)
    return importing.finish(session, now=now)


class Importing:
    """One file on its way: looked at first; then its chunks are taken, in a transaction each; then closed.

    Raises:
        RuleBroken: the file, the mapping or the channel can't be used; nothing of it is stored.
    """

    def __init__(self, session: Session, file: OrderFile) -> None:
        file.actor.must_be(Role.MERCHANDISER)
        must_be_channel(file.channel)
        self._file = file
        self._plan = batches.mapping(file.mapping)
        self._digest = readers.digest(file.path)
        here = find_channel(session, code=file.channel)
        self._currency = here.currency if here else self._plan.constants.get("currency", file.currency)
        self._batch = self._found(session)
        self._begun = False
        self._clock = time.perf_counter()

    @property
    def unchanged(self) -> ImportFact | None:
        """What became of the file before, where all of it is there."""
        known = self._batch
        return _fact(known, unchanged=True) if known and known.state == BatchState.ABSORBED else None

    def chunks(self) -> Generator[Chunk, None, None]:
        """What is not stored yet; to be closed by whoever does not take all of it."""
        last_row = self._batch.last_row if self._batch else 0
        blocks = readers.read(self._file.path, file_name=self._file.file_name, mapping=self._plan)
        with closing(one_ahead(self._checked(block.behind(last_row) for block in blocks))) as checked:
            while (first := next(checked, None)) is not None:
                yield chain([first], islice(checked, BLOCKS_AT_ONCE - 1))

    def take(self, session: Session, chunk: Chunk, *, now: dt.datetime) -> ImportFact:
        """Store a chunk in the caller's transaction, unless somebody asked to stop.

        A row is accepted; or it is a duplicate, when its channel and external id are known with the same
        content; or it is rejected with row, column, code and sentence.

        Raises:
            Conflict: `import_running`, when somebody else imports the same file now; `channel_changed`.
        """
        here = self._turn(session, now=now)
        ended = self._begin(session, now=now)
        if ended is not None:
            return ended
        assert self._batch is not None
        absorbing = Absorbing(
            session, channel_id=here.id, batch_id=self._batch.id, actor=self._file.actor, now=now
        )
        codes = Codes(session, self._plan, timezone=self._file.timezone)
        ready = ((block, found, codes.known(found.rows, named)) for block, found, named in chunk)
        with closing(absorbing.prepared(ready)) as blocks:
            for block in blocks:
                absorbing.take(block)
        corrections.settle(session, channel_id=here.id, actor=self._file.actor, now=now)
        self._batch = absorbing.close(seconds=self._lap())
        return _fact(self._batch)

    def finish(self, session: Session, *, now: dt.datetime) -> ImportFact:
        """Decide what only the whole file tells, and close it: after its last chunk."""
        here = self._turn(session, now=now)
        assert self._batch is not None
        if self._batch.accepted >= MANY:
            renew_statistics(session, Signal, *LEVELS)
        batch_id, precision = self._batch.id, self._file.suspicion_precision
        suspicion.decide_of_file(session, batch_id=batch_id, channel_id=here.id, precision=precision, now=now)
        superseding.decide_of_file(session, batch_id=batch_id, now=now)
        limits.decide_of_file(session, batch_id=batch_id, now=now)
        caps.decide_of_file(session, batch_id=batch_id, now=now)
        imports.set_state(session, batch_id=batch_id, state=BatchState.ABSORBED)
        nothing = dict.fromkeys(("read", "accepted", "duplicate", "rejected"), 0)
        last_row = self._batch.last_row
        return _fact(
            imports.count_rows(session, batch_id=batch_id, last_row=last_row, seconds=self._lap(), **nothing)
        )

    def stop(self, session: Session) -> ImportFact | None:
        """Leave it at the chunks that are there; None where nothing is."""
        batch = self._found(session)
        if batch is None or batch.state == BatchState.ABSORBED:
            return None
        imports.set_state(session, batch_id=batch.id, state=BatchState.STOPPED)
        return _fact(batch, stopped=True)

    def _turn(self, session: Session, *, now: dt.datetime) -> ChannelCurrency:
        here = take_turn(session, channel=self._file.channel, currency=self._currency, now=now)
        if here.currency != self._currency:
            raise Conflict(
                "channel_changed", "This channel was made a moment ago by someone else; send again."
            )
        return here

    def _found(self, session: Session) -> BatchFact | None:
        return batches.find_batch(
            session, channel=self._file.channel, mapping=self._file.mapping, digest=self._digest
        )

    def _begin(self, session: Session, *, now: dt.datetime) -> ImportFact | None:
        """Open the batch, or see that it stands where it was left; what became of it, where it has ended."""
        found, mark = self._found(session), self._batch.last_row if self._batch else None
        if found is None:
            batch_id = imports.open_batch(
                session,
                channel=self._file.channel,
                mapping=self._file.mapping,
                file_name=self._file.file_name,
                digest=self._digest,
                actor=self._file.actor,
                now=now,
            )
            self._batch, self._begun = batches.get_batch(session, batch_id=batch_id), True
            return None
        if found.state == BatchState.ABSORBED:
            return _fact(found, unchanged=True)
        if found.last_row != mark:
            raise Conflict(
                "import_running",
                f"This file is being imported by someone else at this moment; see import {found.id}.",
                batch_id=found.id,
            )
        if self._begun and found.state != BatchState.IMPORTING:
            return self.stop(session)
        imports.set_state(session, batch_id=found.id, state=BatchState.IMPORTING)
        self._begun = True
        return None

    def _checked(self, blocks: Iterator[readers.Block]) -> Chunk:
        for block in blocks:
            if block.height == 0:
                continue
            found = check(
                block.rows,
                self._plan,
                block.headings,
                currency=self._currency,
                key=self._file.pseudonym_key,
                channel=self._file.channel,
                rounds=block.rounds,
            )
            yield block, found, Named.by(found.rows)

    def _lap(self) -> float:
        """Seconds since the last time."""
        before, self._clock = self._clock, time.perf_counter()
        return round(self._clock - before, 3)


def _fact(batch: BatchFact, *, unchanged: bool = False, stopped: bool = False) -> ImportFact:
    return ImportFact(
        batch.id,
        batch.read,
        batch.accepted,
        batch.duplicate,
        batch.rejected,
        round(batch.seconds, 3),
        unchanged=unchanged,
        stopped=stopped,
    )
