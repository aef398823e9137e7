"""Absorbing an order file into the demand pool: every row once, roll-ups in the same transaction."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.jobs import Progress
from app.stages.demand.operations import (
    caps,
    corrections,
    gates,
    limits,
    rollups,
    storing,
    superseding,
    suspicion,
    tolerances,
)
from app.stages.demand.operations.bulk import map_ahead, one_ahead
from app.stages.demand.operations.codes import Codes, Known, refusals
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.rules.suspicion import EXCLUDED_FROM
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
    """Absorb a file in the caller's transaction: all of it, or nothing when it can't be used.

    A row is accepted; or it is a duplicate, when its channel and external id are known with the same content;
    or it is rejected with row, column, code and sentence. The same file again changes nothing.

    Args:
        channel: the channel's code; a new one is created, with the mapping's currency or else `currency`.
        timezone: of regions that are created as drafts.
        suspicion_precision: from which score on suspected pledges are excluded without asking.

    Raises:
        RuleBroken: the file, the mapping or the channel can't be used; nothing is stored.
    """
    actor.must_be(Role.MERCHANDISER)
    started = time.perf_counter()
    plan = batches.mapping(mapping)
    digest = readers.digest(path)
    here = take_turn(session, channel=channel, currency=plan.constants.get("currency", currency), now=now)
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
    absorbed = _Absorbing(session, here.id, batch_id, actor, now)
    codes = Codes(session, plan, timezone=timezone)
    blocks = readers.read(path, file_name=file_name, mapping=plan)
    checked = one_ahead(_checked(blocks, plan, channel=channel, currency=here.currency, key=pseudonym_key))
    ready = ((block, found, codes.known(found.rows)) for block, found in checked)
    for prepared in map_ahead(_prepared, ready):
        absorbed.take(prepared)
        if progress is not None:
            progress("importing", absorbed.fact.read, 0)
    absorbed.cells.write()
    corrections.settle(session, channel_id=here.id, actor=actor, now=now)
    suspicion.decide_of_file(
        session, batch_id=batch_id, channel_id=here.id, precision=suspicion_precision, now=now
    )
    superseding.decide_of_file(session, batch_id=batch_id, now=now)
    limits.decide_of_file(session, batch_id=batch_id, now=now)
    caps.decide_of_file(session, batch_id=batch_id, now=now)
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
    blocks: Iterator[readers.Block], mapping: Mapping, *, channel: str, currency: str, key: bytes
) -> Iterator[tuple[readers.Block, Checked]]:
    for block in blocks:
        checked = check(
            block.rows,
            mapping,
            block.headings,
            currency=currency,
            key=key,
            channel=channel,
            rounds=block.rounds,
        )
        yield block, checked


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A block ready for the table: `first` rows with each identity, sorted by it, and `repeated` ones."""

    headings: dict[str, str]
    read: int
    first: pl.DataFrame
    repeated: pl.DataFrame
    rejects: pl.DataFrame


def _prepared(one: tuple[readers.Block, Checked, Known]) -> _Prepared:
    block, checked, known = one
    rows, unknown = known.resolve(checked.rows, block.headings)
    new = rows["external_id"].is_first_distinct()
    return _Prepared(
        headings=block.headings,
        read=block.rows.height + len(block.refused),
        first=rows.filter(new).sort("external_id"),
        repeated=rows.filter(~new),
        rejects=pl.concat([checked.rejects, unknown, _refused(block, checked.rejects.schema)]),
    )


def _refused(block: readers.Block, schema: pl.Schema) -> pl.DataFrame:
    lines = [(one.row, one.column, one.code, one.sentence) for one in block.refused]
    return pl.DataFrame(lines, schema=schema, orient="row")


class _Absorbing:
    """One file on its way into the pool, block by block."""

    def __init__(
        self, session: Session, channel_id: int, batch_id: int, actor: Actor, now: dt.datetime
    ) -> None:
        self.fact = ImportFact(batch_id, 0, 0, 0, 0, 0.0)
        self._session = session
        self._channel_id = channel_id
        self._actor = actor
        self._now = now
        self.cells = rollups.Waiting(session)

    def take(self, block: _Prepared) -> None:
        signals, conflicts, duplicates = self._store(block)
        self.cells.take(rollups.changes(signals))
        self.cells.take(rollups.duplicates(duplicates))
        rejects = pl.concat([block.rejects, conflicts]).sort("row")
        imports.reject_rows(self._session, batch_id=self.fact.batch_id, rejects=rejects)
        self.fact = replace(
            self.fact,
            read=self.fact.read + block.read,
            accepted=self.fact.accepted + signals.height,
            duplicate=self.fact.duplicate + duplicates.height,
            rejected=self.fact.rejected + rejects.height,
        )

    def _store(self, block: _Prepared) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Insert what is new. Returns new signals, refusals of conflicting rows, and duplicates."""
        first, shut = self._taken(self._ours(block.first), block.headings)
        repeated, shut_again = self._taken(self._ours(block.repeated), block.headings)
        signals = storing.insert_new(self._session, first)
        storing.insert_traces(self._session, signals)
        tolerances.insert_new(self._session, signals)
        storing.insert_exclusions(self._session, signals, actor=self._actor, now=self._now)
        known = (
            first.join(signals.select("row"), on="row", how="anti")
            if signals.height < first.height
            else first.clear()
        )
        again = pl.concat([known, repeated])
        as_stored = corrections.as_stored(self._session, again, channel_id=self._channel_id)
        as_stored = tolerances.as_moved(self._session, as_stored, channel_id=self._channel_id)
        same = storing.same_content(self._session, as_stored, channel_id=self._channel_id)
        same &= tolerances.same(self._session, again, channel_id=self._channel_id)
        heading = block.headings.get("external_id", "external_id")
        sentence = pl.lit(
            f"{heading}: this order line is known already with other content; nothing was overwritten. "
            "Send a correction under a new id, or correct the export."
        )
        other = again.filter(~same)
        conflicts = refusals(other, heading, "identity_conflict", sentence)
        return signals, pl.concat([conflicts, shut, shut_again]), again.filter(same)

    def _taken(self, rows: pl.DataFrame, headings: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows that their campaigns take, and refusals of the others."""
        shut = gates.refused(self._session, rows, channel_id=self._channel_id)
        refused = [refusals(rows.clear(), "", "", pl.lit(""))]
        for code, sentence in gates.SENTENCES.values():
            field = sentence.split(":")[0]
            theirs = shut.filter(pl.col("refusal") == code)
            refused.append(refusals(theirs, headings.get(field, field), code, pl.lit(sentence)))
        return rows.join(shut, on="row", how="anti", maintain_order="left"), pl.concat(refused)

    def _ours(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(
            pl.lit(self._channel_id).alias("channel_id"), pl.lit(self.fact.batch_id).alias("batch_id")
        )
