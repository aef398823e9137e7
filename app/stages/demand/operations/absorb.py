"""Rows of a file into the demand pool: signals, what is known already, roll-ups, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial

import polars as pl
from sqlalchemy.orm import Session

from app.core.access import Actor
from app.stages.demand.operations import corrections, gates, known, rollups, storing, tolerances
from app.stages.demand.operations.bulk import Packed, map_ahead, on_sqlite
from app.stages.demand.operations.codes import Known, refusals
from app.stages.imports import operations as imports
from app.stages.imports import readers
from app.stages.imports.queries import BatchFact
from app.stages.imports.rules import Checked

KEPT = ("row", "sku", *storing.COLUMNS, *storing.TRACES, *tolerances.TOLERANCE)
"""What is needed of a row once its codes are ids."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A checked block, and the codes the database knows.

    `ahead`: whether its rows are worth to be packed before it is known that they are new.
    """

    block: readers.Block
    checked: Checked
    codes: Known
    ahead: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A block ready for the table: `first` rows with each identity, in order, and `repeated` ones.

    `packed` and `changes` are of all `first` rows, to be used where all of them are new.
    """

    headings: dict[str, str]
    read: int
    last_row: int
    first: pl.DataFrame
    repeated: pl.DataFrame
    rejects: pl.DataFrame
    packed: Packed | None
    changes: pl.DataFrame | None


def prepared(
    one: Coming, *, channel_id: int, batch_id: int, next_ids: Callable[[int], pl.Series] | None
) -> Prepared:
    """A checked block with its codes as ids, made ready for the table; in any thread.

    Args:
        next_ids: takes as many ids on PostgreSQL. They are needed before the rows are written.
    """
    block, checked, sqlite = one.block, one.checked, next_ids is None
    rows, unknown = one.codes.resolve(checked.rows, block.headings)
    ours = pl.lit(channel_id, pl.Int64).alias("channel_id"), pl.lit(batch_id, pl.Int64).alias("batch_id")
    rows = rows.with_columns(ours).select(KEPT)
    new = rows["external_id"].is_first_distinct()
    first = storing.in_order(rows if new.all() else rows.filter(new), sqlite=sqlite)
    if next_ids is not None and one.ahead:
        first = first.with_columns(next_ids(first.height))
    return Prepared(
        headings=block.headings,
        read=block.height,
        last_row=block.last_row,
        first=first,
        repeated=rows.filter(~new),
        rejects=pl.concat([checked.rejects, unknown, _refused(block, checked.rejects.schema)]),
        packed=storing.pack_new(first, sqlite=sqlite) if one.ahead else None,
        changes=rollups.changes(first) if one.ahead else None,
    )


def _refused(block: readers.Block, schema: pl.Schema) -> pl.DataFrame:
    lines = [(one.row, one.column, one.code, one.sentence) for one in block.refused]
    return pl.DataFrame(lines, schema=schema, orient="row")


class Absorbing:
    """A chunk on its way into the pool, block by block."""

    def __init__(
        self, session: Session, *, channel_id: int, batch_id: int, actor: Actor, now: dt.datetime
    ) -> None:
        self._session = session
        self._channel_id = channel_id
        self._batch_id = batch_id
        self._actor = actor
        self._now = now
        if not on_sqlite(session):  # triggers look at all rows of a block, which would go through a file
            session.connection().exec_driver_sql("SET LOCAL work_mem = '64MB'")
        self._changes: list[pl.DataFrame] = []
        self._counts = dict.fromkeys(("last_row", "read", "accepted", "duplicate", "rejected"), 0)

    def prepared(
        self, blocks: Iterable[tuple[readers.Block, Checked, Known]]
    ) -> Generator[Prepared, None, None]:
        """The blocks, each prepared in another thread while the one before it is stored."""
        coming = (
            Coming(block, checked, codes, ahead=self._seem_new(checked.rows))
            for block, checked, codes in blocks
        )
        ready = partial(
            prepared,
            channel_id=self._channel_id,
            batch_id=self._batch_id,
            next_ids=None if on_sqlite(self._session) else self._next_ids,
        )
        return map_ahead(ready, coming)

    def _next_ids(self, count: int) -> pl.Series:
        """By a connection of its own, as ours writes the rows before; a sequence is of no transaction."""
        with self._session.get_bind().engine.connect() as connection:
            return storing.next_ids(connection, count)

    def _seem_new(self, rows: pl.DataFrame) -> bool:
        """Whether the first of them is new: mostly all of a block are, or none."""
        first = rows["external_id"].head(1)
        return not len(first) or known.ids(self._session, first, channel_id=self._channel_id).is_empty()

    def take(self, block: Prepared) -> None:
        signals, conflicts, duplicates = self._store(block)
        all_new = signals.height == block.first.height
        counted = block.changes if all_new else None
        self._changes.append(rollups.changes(signals) if counted is None else counted)
        if duplicates.height:
            self._changes.append(rollups.duplicates(duplicates))
        rejects = pl.concat([block.rejects, conflicts]).sort("row")
        imports.reject_rows(self._session, batch_id=self._batch_id, rejects=rejects)
        self._counts["last_row"] = block.last_row
        self._counts["read"] += block.read
        self._counts["accepted"] += signals.height
        self._counts["duplicate"] += duplicates.height
        self._counts["rejected"] += rejects.height

    def close(self, *, seconds: float) -> BatchFact:
        """Add all of it to the roll-ups, and mark it as done."""
        rollups.add(self._session, self._changes)
        return imports.count_rows(self._session, batch_id=self._batch_id, seconds=seconds, **self._counts)

    def _store(self, block: Prepared) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Insert what is new. Returns new signals, refusals of conflicting rows, and duplicates."""
        first, shut = self._taken(block.first, block.headings)
        repeated, shut_again = self._taken(block.repeated, block.headings)
        # a block that was not packed begins with a known row: then mostly all of it is known
        all_known = block.packed is None and bool(self._same(first).all())
        signals = storing.insert_new(
            self._session, first.clear() if all_known else first, packed=block.packed
        )
        storing.insert_traces(self._session, signals)
        tolerances.insert_new(self._session, signals)
        storing.insert_exclusions(self._session, signals, actor=self._actor, now=self._now)
        again = repeated
        if not all_known and signals.height < first.height:
            there = first.join(signals.select("row"), on="row", how="anti")
            again = pl.concat([there.select(repeated.columns), repeated])
        same = self._same(again)
        known_rows = first.select(repeated.columns) if all_known else repeated.clear()
        heading = block.headings.get("external_id", "external_id")
        sentence = pl.lit(
            f"{heading}: this order line is known already with other content; nothing was overwritten. "
            "Send a correction under a new id, or correct the export."
        )
        other = again.filter(~same)
        conflicts = refusals(other, heading, "identity_conflict", sentence)
        return signals, pl.concat([conflicts, shut, shut_again]), pl.concat([known_rows, again.filter(same)])

    def _same(self, rows: pl.DataFrame) -> pl.Series:
        """For each row: does the table have it, with the same content?"""
        as_stored = corrections.as_stored(self._session, rows, channel_id=self._channel_id)
        as_stored = tolerances.as_moved(self._session, as_stored, channel_id=self._channel_id)
        same = known.same_content(self._session, as_stored, channel_id=self._channel_id)
        return same & tolerances.same(self._session, rows, channel_id=self._channel_id)

    def _taken(self, rows: pl.DataFrame, headings: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows that their campaigns take, and refusals of the others."""
        shut = gates.refused(self._session, rows, channel_id=self._channel_id)
        refused = [refusals(rows.clear(), "", "", pl.lit(""))]
        for code, sentence in gates.SENTENCES.values():
            field = sentence.split(":")[0]
            theirs = shut.filter(pl.col("refusal") == code)
            refused.append(refusals(theirs, headings.get(field, field), code, pl.lit(sentence)))
        if shut.height:
            rows = rows.join(shut, on="row", how="anti", maintain_order="left")
        return rows, pl.concat(refused)
