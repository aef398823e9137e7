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
from app.stages.catalog import operations as catalog
from app.stages.catalog import queries as catalogs
from app.stages.demand import rules
from app.stages.demand.models import Channel
from app.stages.demand.operations import limits, rollups, storing
from app.stages.demand.operations.bulk import one_ahead
from app.stages.demand.queries import campaign_ids
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
        self._mapping = mapping
        self._channel = channel
        self._actor = actor
        self._now = now
        self._timezone = timezone
        self.cells = rollups.Waiting(session)
        self._campaigns = campaign_ids(session)
        self._read_codes()

    def take(self, block: readers.Block, checked: Checked) -> None:
        self._register_unknown(checked.rows)
        rows, unknown = self._resolve(checked.rows, block.headings)
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

    def _read_codes(self) -> None:
        self._skus = catalogs.sku_ids(self._session)
        self._regions = catalogs.region_ids(self._session)
        self._not_goods = list(catalogs.not_goods_ids(self._session))

    def _register_unknown(self, rows: pl.DataFrame) -> None:
        """Draft SKUs and regions where the mapping creates them, and the one that stands for a blank region.

        Codes that are no goods are drafted always, so that postage is no reason to reject an order line.
        """
        skus = (
            rows.filter(~pl.col("sku").is_in(self._skus.keys()))
            .group_by("sku", maintain_order=True)
            .agg(pl.col("name").drop_nulls().first(), pl.col("goods").first())
        )
        regions = [
            region for region in rows["region"].unique(maintain_order=True) if region not in self._regions
        ]
        if not self._mapping.create_unknown:
            skus = skus.filter(~pl.col("goods"))
            regions = [region for region in regions if region == self._mapping.defaults.get("region")]
        if skus.height or regions:
            catalog.register_unknown(
                self._session, skus=skus.rows(), regions=regions, timezone=self._timezone
            )
            self._read_codes()

    def _resolve(self, rows: pl.DataFrame, headings: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Codes to ids; rows with a code nobody knows are refused."""
        rows = rows.with_columns(
            _ids("sku", self._skus).alias("sku_id"),
            _ids("region", {code: id_ for code, (id_, _) in self._regions.items()}).alias("region_id"),
            _ids("campaign", self._campaigns).alias("campaign_id"),
        )
        unknown = {
            "sku": pl.col("sku_id").is_null(),
            "region": pl.col("region_id").is_null(),
            "campaign": pl.col("campaign").is_not_null() & pl.col("campaign_id").is_null(),
        }
        remedy = {
            "sku": ("sku_unknown", "describe it in skus.csv, or use a mapping that creates drafts"),
            "region": ("region_unknown", "describe it in regions.csv, or use a mapping that creates drafts"),
            "campaign": ("campaign_unknown", "create the campaign first, or leave the cell blank"),
        }
        refused, fine = [], rows
        for field, fails in unknown.items():
            heading, (code, advice) = headings.get(field, field), remedy[field]
            sentence = pl.format("{}: “{}” is unknown; {}.", pl.lit(heading), pl.col(field), pl.lit(advice))
            refused.append(_refusals(fine.filter(fails), heading, code, sentence))
            fine = fine.filter(~fails)
        zones = dict(self._regions.values())
        fine = fine.with_columns(
            (pl.col("goods") & ~pl.col("sku_id").is_in(self._not_goods)).alias("goods"),
            _business_day(zones, fine["region_id"].unique().to_list()).alias("day"),
        ).with_columns(rules.reason_expression().alias("reason"))
        return fine, pl.concat(refused)

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
        same = storing.same_content(self._session, again, channel_id=self._channel.id)
        heading = headings.get("external_id", "external_id")
        sentence = pl.lit(
            f"{heading}: this order line is known already with other content; nothing was overwritten. "
            "Send a correction under a new id, or correct the export."
        )
        other = again.filter(~same)
        return signals, _refusals(other, heading, "identity_conflict", sentence), again.filter(same)


def _ids(field: str, ids: dict[str, int]) -> pl.Expr:
    return pl.col(field).replace_strict(ids, default=None, return_dtype=pl.Int64)


def _business_day(zones: dict[int, str], regions: list[int]) -> pl.Expr:
    """The day at the region's own clock."""
    day = pl.lit(None, dtype=pl.Date)
    for zone in sorted({zones[region] for region in regions}):
        here = [region for region in regions if zones[region] == zone]
        local = pl.col("ordered_at").dt.convert_time_zone(zone).dt.date()
        day = pl.when(pl.col("region_id").is_in(here)).then(local).otherwise(day)
    return day


def _refusals(rows: pl.DataFrame, column: str, code: str, sentence: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "row",
        pl.lit(column).alias("column"),
        pl.lit(code).alias("code"),
        sentence.cast(pl.String).alias("sentence"),
    )


def _with_refused(rejects: pl.DataFrame, block: readers.Block) -> pl.DataFrame:
    lines = [(one.row, one.column, one.code, one.sentence) for one in block.refused]
    return pl.concat([rejects, pl.DataFrame(lines, schema=rejects.schema, orient="row")]).sort("row")
