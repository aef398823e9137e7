"""What the table has already of rows that come: their identities, and whether their content is the same.

The database writes what is asked of many signals into one text: to hand out rows, each of some cells, costs
several times as much.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from app.stages.demand.operations.bulk import on_sqlite

TOLD = (
    "external_id",
    "commitment",
    "sku_id",
    "region_id",
    "campaign_id",
    "quantity",
    "unit_price_minor",
    "ordered_at",
    "status",
)
"""What makes the content of a signal, besides its buyer."""
BETWEEN, BUYER = "\x1f", "\x1e"
"""Control characters, which no text of a signal has."""
FEW = 1_024
"""Ids that are looked for one by one rather than by halves."""
AROUND = 3
"""Times as many signals as were asked for, up to which all between the least and the greatest id are read."""


def unknown(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the rows whose identity (channel_id, external_id) the table does not have, in order."""
    whose = rows["channel_id"]
    channels: list[int] = whose.head(1).to_list() if whose.min() == whose.max() else whose.unique().to_list()
    for channel_id in channels:
        mine = pl.col("channel_id") == channel_id
        part = rows.filter(mine) if len(channels) > 1 else rows
        texts = _texts(session, "external_id", part["external_id"], channel_id=channel_id)
        if not texts:
            continue
        if "\n".join(texts) == part["external_id"].sort().str.join("\n").item():
            rows = rows.filter(~mine)
        else:
            rows = rows.filter(~(mine & pl.col("external_id").is_in(_lines(texts).implode())))
    return rows


def ids(session: Session, external_ids: pl.Series, *, channel_id: int) -> pl.Series:
    """Those of the ids that the channel has a signal of, and maybe others between them."""
    return _lines(_texts(session, "external_id", external_ids, channel_id=channel_id))


def same_content(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.Series:
    """For each row whose identity is known: is what is stored the same?

    Mostly all of it is, in the order of the ids: then both are one and the same text.
    """
    if rows.is_empty():
        return pl.Series("same", [], dtype=pl.Boolean)
    sqlite = on_sqlite(session)
    lines = rows.select("external_id", "buyer", _content(sqlite=sqlite))
    texts = _texts(session, _line(sqlite=sqlite), rows["external_id"], channel_id=channel_id)
    told = lines.select("external_id", pl.col("content") + BUYER + pl.col("buyer").fill_null(""))
    if told["external_id"].n_unique() < told.height:
        told = told.unique()
    if "\n".join(texts) == told.sort("external_id")["content"].str.join("\n").item():
        return pl.repeat(True, rows.height, eager=True).alias("same")
    halves = pl.col("line").str.split_exact(BUYER, 1).struct.rename_fields(["content", "stored"])
    stored = _lines(texts).to_frame().select(halves.alias("halves")).unnest("halves")
    both = lines.join(stored, on="content", how="left", maintain_order="left")
    # a signal that names nobody may have been made to forget: the same row again must not be refused for it
    buyer = (pl.col("stored") == "") | (pl.col("buyer") == pl.col("stored"))
    return both.select(buyer.fill_null(False).alias("same")).to_series()


def _content(*, sqlite: bool) -> pl.Expr:
    """What `_line` says before the buyer, of rows."""
    instant = pl.col("ordered_at").dt.epoch("us").cast(pl.String)
    if sqlite:
        instant = pl.col("ordered_at").dt.replace_time_zone(None).cast(pl.String)
    told = [instant if name == "ordered_at" else pl.col(name).cast(pl.String) for name in TOLD]
    return pl.concat_str([one.fill_null("") for one in told], separator=BETWEEN).alias("content")


def _line(*, sqlite: bool) -> str:
    """SQL of a signal's content and buyer as one text."""
    if sqlite:
        form = BETWEEN.join(["%s"] * len(TOLD)) + f"{BUYER}%s"
        return f"printf('{form}', {', '.join(TOLD)}, buyer)"
    parts = {"ordered_at": "round(date_part('epoch', ordered_at) * 1000000)::bigint"}
    parts["campaign_id"] = "coalesce(campaign_id::text, '')"
    content = ", ".join(parts.get(name, name) for name in TOLD)
    return f"concat_ws('{BETWEEN}', {content}) || '{BUYER}' || coalesce(buyer, '')"


def _lines(texts: list[str]) -> pl.Series:
    return pl.Series("line", texts, dtype=pl.String).str.split("\n").explode()


def _texts(session: Session, line: str, external_ids: pl.Series, *, channel_id: int) -> list[str]:
    """`line` of the channel's signals with these ids, in their order, and maybe of others between them.

    Files come in the order of their ids, more or less: mostly the table has few signals from the least to the
    greatest, and to read those is many times faster than to look for each. PostgreSQL is told to use the
    index: while statistics are old or missing, its planner may think it cheaper to read the whole table.
    """
    ordered = external_ids if external_ids.is_sorted() else external_ids.sort()
    steer = (lambda _: None) if on_sqlite(session) else session.connection().exec_driver_sql
    steer("SET LOCAL enable_seqscan = off")
    ids = ordered.filter((ordered != ordered.shift()).fill_null(True))
    found = [text for part in _apart(ids) for text in _stretch(session, line, part, channel_id=channel_id)]
    steer("SET LOCAL enable_seqscan = on")
    return [text for text in found if text is not None]


def _apart(ordered: pl.Series) -> list[pl.Series]:
    """By what they begin with: whatever else, say, cancellations have before their number lies far away."""
    first = ordered.str.slice(0, 1)
    starts = [*(first != first.shift()).fill_null(True).arg_true(), len(ordered)]
    return [ordered[start:end] for start, end in pairwise(starts)]


def _stretch(session: Session, line: str, ordered: pl.Series, *, channel_id: int) -> list[str | None]:
    """The same of ids in order; half by half where many others lie between them, as a few may be far away."""
    mark = "?" if on_sqlite(session) else "%s"
    there = f"FROM signal WHERE channel_id = {mark} AND external_id BETWEEN {mark} AND {mark}"
    most, ends = AROUND * len(ordered), (channel_id, ordered[0], ordered[-1])
    counted = f"SELECT count(*) FROM (SELECT 1 {there} LIMIT {most + 1}) AS those"
    if (session.connection().exec_driver_sql(counted, ends).scalar() or 0) <= most:
        return [_joined(session, f"SELECT {line} AS line {there} ORDER BY external_id", ends)]
    if len(ordered) <= FEW:
        return [_each(session, line, ordered, channel_id=channel_id)]
    half = len(ordered) // 2
    return [
        *_stretch(session, line, ordered[:half], channel_id=channel_id),
        *_stretch(session, line, ordered[half:], channel_id=channel_id),
    ]


def _each(session: Session, line: str, external_ids: pl.Series, *, channel_id: int) -> str | None:
    """The same, by one look into the index for each id.

    On PostgreSQL not by an array, which its planner takes for most of the rows.
    """
    if on_sqlite(session):
        wanted = "channel_id = ? AND external_id IN (SELECT value FROM json_each(?))"
        query = f"SELECT {line} AS line FROM signal WHERE {wanted} ORDER BY external_id"
        return _joined(session, query, (channel_id, json.dumps(external_ids.to_list())))
    one = "SELECT * FROM signal WHERE channel_id = %s AND external_id = wanted.id LIMIT 1"
    wanted = "unnest(%s::text[]) WITH ORDINALITY AS wanted (id, place)"
    query = f"SELECT {line} AS line FROM {wanted}, LATERAL ({one}) AS signal ORDER BY place"
    return _joined(session, query, (external_ids.to_list(), channel_id))


def _joined(session: Session, query: str, parameters: tuple[Any, ...]) -> str | None:
    joined = "group_concat(line, char(10))" if on_sqlite(session) else "string_agg(line, chr(10))"
    found = session.connection().exec_driver_sql(f"SELECT {joined} FROM ({query}) AS found", parameters)
    text: str | None = found.scalar()
    return text
