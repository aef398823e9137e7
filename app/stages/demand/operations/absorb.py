"""Absorbing an order file into the demand pool: every row once, roll-ups in the same transaction."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.errors import RuleBroken
from app.core.jobs import Progress
from app.stages.demand.models import Channel
from app.stages.demand.operations import corrections, limits, rollups, storing
from app.stages.demand.operations.bulk import one_ahead
from app.stages.demand.operations.codes import Codes, refusals
from app.stages.imports import operations as imports
from app.stages.imports import queries as batches
from app.stages.imports import readers
from app.stages.imports.rules import Checked, Mapping, check

REJECTED = ("row", "column", "code", "sentence")


@dataclass(frozen=True, slots=True)
class ImportFact:
    """What became of a file: read = accepted + duplicate + rejected. `unchanged`: it was imported before."""

    batch_id: int
    read: int
    accepted: int
    duplicate: int
    rejected: int
    seconds: float
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class _Channel:
    id: int
    code: str
    currency: str


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
    progress: Progress | None = None,
) -> ImportFact:
    """Absorb a file in the caller's transaction: all of it, or nothing when it can't be used.

    A row is accepted; or it is a duplicate, when its channel and external id are known with the same content;
    or it is rejected with row, column, code and sentence. The same file again changes nothing.

    Args:
        channel: the channel's code; a new one is created, with the mapping's currency or else `currency`.
        timezone: of regions that are created as drafts.

    Raises:
        RuleBroken: the file, the mapping or the channel can't be used; nothing is stored.
    """
    actor.must_be(Role.MERCHANDISER)
    started = time.perf_counter()
    plan = batches.mapping(mapping)
    digest = readers.digest(path)
    here = _channel(session, code=channel, currency=plan.constants.get("currency", currency), now=now)
    known = batches.find_batch(session, channel=channel, mapping=mapping, digest=digest)
    if known is not None:
        return ImportFact(
            known.id,
            known.read,
            known.accepted,
            known.duplicate,
            known.rejected,
            known.seconds,
            unchanged=True,
        )
    batch_id = imports.open_batch(
        session, channel=channel, mapping=mapping, file_name=file_name, digest=digest, actor=actor, now=now
    )
    absorbed = _Absorbing(session, plan, here, batch_id, actor, now, timezone)
    blocks = readers.read(path, file_name=file_name, mapping=plan)
    for block, checked in one_ahead(_checked(blocks, plan, here, key=pseudonym_key)):
        absorbed.take(block, checked)
        if progress is not None:
            progress("importing", absorbed.fact.read, 0)
    absorbed.cells.write()
    corrections.settle(session, channel_id=here.id, actor=actor, now=now)
    limits.apply(session, batch_id=batch_id, now=now)
    fact = replace(absorbed.fact, seconds=round(time.perf_counter() - started, 3))
    imports.close_batch(
        session,
        batch_id=batch_id,
        read=fact.read,
        accepted=fact.accepted,
        duplicate=fact.duplicate,
        rejected=fact.rejected,
        seconds=fact.seconds,
    )
    return fact


def _checked(
    blocks: Iterator[readers.Block], mapping: Mapping, channel: _Channel, *, key: bytes
) -> Iterator[tuple[readers.Block, Checked]]:
    for block in blocks:
        checked = check(
            block.rows,
            mapping,
            block.headings,
            currency=channel.currency,
            key=key,
            channel=channel.code,
            rounds=block.rounds,
        )
        yield block, checked


def _channel(session: Session, *, code: str, currency: str, now: dt.datetime) -> _Channel:
    """The channel, made if it is new, and locked: its files are absorbed one after the other."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", code):
        raise RuleBroken(
            "channel_invalid",
            f"A channel's code has letters, digits, dots and dashes, at most 40; not {code[:60]!r}.",
        )
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    new = insert(Channel).values(code=code, currency=currency, created_at=now)
    session.execute(new.on_conflict_do_nothing(index_elements=["code"]))
    row = session.execute(
        select(Channel.id, Channel.code, Channel.currency).where(Channel.code == code).with_for_update()
    ).one()
    return _Channel(*row)


class _Absorbing:
    """One file on its way into the pool, block by block."""

    def __init__(
        self,
        session: Session,
        mapping: Mapping,
        channel: _Channel,
        batch_id: int,
        actor: Actor,
        now: dt.datetime,
        timezone: str,
    ) -> None:
        self.fact = ImportFact(batch_id, 0, 0, 0, 0, 0.0)
        self._session = session
        self._channel = channel
        self._actor = actor
        self._now = now
        self.cells = rollups.Waiting(session)
        self._codes = Codes(session, mapping, timezone=timezone)

    def take(self, block: readers.Block, checked: Checked) -> None:
        rows, unknown = self._codes.resolve(checked.rows, block.headings)
        signals, conflicts, duplicates = self._store(rows, block.headings)
        self.cells.take(rollups.cells(signals))
        self.cells.take(rollups.duplicate_cells(duplicates))
        rejects = pl.concat([checked.rejects, unknown, conflicts])
        imports.reject_rows(self._session, batch_id=self.fact.batch_id, rejects=_with_refused(rejects, block))
        self.fact = replace(
            self.fact,
            read=self.fact.read + block.rows.height + len(block.refused),
            accepted=self.fact.accepted + signals.height,
            duplicate=self.fact.duplicate + duplicates.height,
            rejected=self.fact.rejected + rejects.height + len(block.refused),
        )

    def _store(
        self, rows: pl.DataFrame, headings: dict[str, str]
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Insert what is new. Returns new signals, refusals of conflicting rows, and duplicates."""
        rows = rows.with_columns(
            pl.lit(self._channel.id).alias("channel_id"), pl.lit(self.fact.batch_id).alias("batch_id")
        )
        new = rows["external_id"].is_first_distinct()
        first, repeated = rows.filter(new).sort("external_id"), rows.filter(~new)
        signals = storing.insert_new(self._session, first)
        storing.insert_exclusions(self._session, signals, actor=self._actor, now=self._now)
        known = (
            first.join(signals.select("row"), on="row", how="anti")
            if signals.height < first.height
            else first.clear()
        )
        again = pl.concat([known, repeated])
        as_stored = corrections.as_stored(self._session, again, channel_id=self._channel.id)
        same = storing.same_content(self._session, as_stored, channel_id=self._channel.id)
        heading = headings.get("external_id", "external_id")
        sentence = pl.lit(
            f"{heading}: this order line is known already with other content; nothing was overwritten. "
            "Send a correction under a new id, or correct the export."
        )
        other = again.filter(~same)
        return signals, refusals(other, heading, "identity_conflict", sentence), again.filter(same)


def _with_refused(rejects: pl.DataFrame, block: readers.Block) -> pl.DataFrame:
    lines = [(one.row, one.column, one.code, one.sentence) for one in block.refused]
    return pl.concat([rejects, pl.DataFrame(lines, schema=rejects.schema, orient="row")]).sort("row")
