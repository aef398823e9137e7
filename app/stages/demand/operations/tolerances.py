"""What buyers would take instead: kept with new pledges, and looked at again when they are sent again."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.stages.catalog import queries as catalog
from app.stages.demand.models import Signal, Tolerance, ToleranceFill, ToleranceSku, ToleranceStep
from app.stages.demand.operations.codes import OTHER_SKU, flexible_codes
from app.stages.demand.operations.sent import Flaw, Row
from app.stages.demand.queries.pledges import Codes, campaign_sku_codes

TOLERANCE = {"min_quantity": pl.Int64, "max_quantity": pl.Int64, "flexible_skus": pl.String}
"""What a row may say of it; null where it says nothing."""


def strangers(session: Session, rows: Mapping[int, Row], codes: Codes) -> dict[int, Flaw]:
    """Rows that name a SKU which their campaign does not have; what was refused already is not looked at."""
    told = {
        number: row.checked
        for number, row in rows.items()
        if not row.flaws and row.checked["flexible_skus"] is not None
    }
    if not told:
        return {}
    known = set(campaign_sku_codes(session))
    return {
        number: Flaw("flexible_skus", "tolerance_sku_unknown", f"flexible_skus: {OTHER_SKU}")
        for number, checked in told.items()
        for campaign_id in [codes.campaigns[checked["campaign"]]]
        for named in [checked["flexible_skus"].split("|")]
        if any((campaign_id, sku.strip()) not in known for sku in named if sku.strip())
    }


def insert_new(session: Session, signals: pl.DataFrame) -> None:
    """Keep the tolerance of new signals (with their `id`), where they say anything of it."""
    told = _told(signals)
    if told.is_empty():
        return
    rows = told.select(pl.col("id").alias("signal_id"), "min_quantity", "max_quantity")
    session.execute(insert(Tolerance), rows.to_dicts())
    flexible = told.select(pl.col("id").alias("signal_id"), flexible_codes().alias("sku"))
    named = flexible.explode("sku").drop_nulls("sku")
    ids = catalog.sku_ids(session, codes=named["sku"].unique().to_list())
    if named.height:
        session.execute(
            insert(ToleranceSku),
            [{"signal_id": signal_id, "sku_id": ids[sku]} for signal_id, sku in named.rows()],
        )


def same(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.Series:
    """For each row whose identity is known: does it contradict the tolerance that is stored?

    A row that says nothing of it, as in an export without these columns, contradicts nothing.
    """
    told = _told(rows)
    if told.is_empty():
        return pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
    stored = _stored(session, told["external_id"].unique().to_list(), channel_id)
    other = [
        number
        for number, external_id, *said in told.select(
            "row", "external_id", "min_quantity", "max_quantity", flexible_codes().alias("skus")
        ).rows()
        if stored.get(external_id, (None, None, [])) != (said[0], said[1], said[2] or [])
    ]
    return ~rows["row"].is_in(other)


def as_moved(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.DataFrame:
    """Rows whose pledge was moved to another SKU by its tolerance, with the SKU it has now."""
    filled = select(ToleranceFill.id).where(ToleranceFill.undone_at.is_(None)).limit(1)
    if rows.is_empty() or session.scalar(filled) is None:
        return rows  # as mostly; what follows may read all signals of the channel
    moves = (
        select(Signal.external_id, ToleranceStep.from_sku_id, ToleranceStep.to_sku_id)
        .join(ToleranceStep, ToleranceStep.signal_id == Signal.id)
        .join(ToleranceFill, ToleranceFill.id == ToleranceStep.fill_id)
        .where(
            Signal.channel_id == channel_id,
            ToleranceFill.undone_at.is_(None),
            ToleranceStep.from_sku_id != ToleranceStep.to_sku_id,
        )
        .order_by(ToleranceFill.id)
    )
    for external_id, was, is_now in session.execute(moves).all():
        moved = (pl.col("external_id") == external_id) & (pl.col("sku_id") == was)
        sku_id = pl.when(moved).then(is_now).otherwise("sku_id").cast(pl.Int64)
        rows = rows.with_columns(sku_id.alias("sku_id"))
    return rows


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.any_horizontal(pl.col(list(TOLERANCE)).is_not_null()))


def _stored(
    session: Session, external_ids: list[str], channel_id: int
) -> dict[str, tuple[int | None, int | None, list[str]]]:
    these = (Signal.channel_id == channel_id) & Signal.external_id.in_(external_ids)
    ranges = select(Signal.external_id, Tolerance.signal_id, Tolerance.min_quantity, Tolerance.max_quantity)
    found = session.execute(ranges.join(Tolerance, Tolerance.signal_id == Signal.id).where(these)).all()
    codes = {id_: code for code, id_ in catalog.sku_ids(session).items()} if found else {}
    skus: dict[int, list[str]] = {}
    named = select(ToleranceSku).where(ToleranceSku.signal_id.in_([row[1] for row in found]))
    for one in session.scalars(named):
        skus.setdefault(one.signal_id, []).append(codes[one.sku_id])
    return {row[0]: (row[2], row[3], sorted(skus.get(row[1], []))) for row in found}
