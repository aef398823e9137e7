"""What the table has already of rows that come: their identities, and whether their content is the same.

The database writes what is asked of many signals into one text: to hand out rows, each of some cells, costs
several times as much.
"""

from __future__ import annotations

import json
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
AROUND = 3
"""Times as many signals as were asked for, up to which all between the least and the greatest id are read."""


def identities(session: Session, rows: pl.DataFrame) -> pl.DataFrame:
    """The identities the table has of these rows, and maybe others between them."""
    found = [pl.DataFrame(schema={"channel_id": pl.Int64, "external_id": pl.String})]
    for (channel_id,), part in rows.group_by("channel_id"):
        there = _texts(session, "external_id", part["external_id"], channel_id=channel_id)
        one = pl.lit(channel_id, dtype=pl.Int64).alias("channel_id")
        found.append(there.alias("external_id").to_frame().select(one, "external_id"))
    return pl.concat(found)


def ids(session: Session, external_ids: pl.Series, *, channel_id: int) -> pl.Series:
    """Those of the ids that the channel has a signal of, and maybe others between them."""
    return _texts(session, "external_id", external_ids, channel_id=channel_id)


def same_content(session: Session, rows: pl.DataFrame, *, channel_id: int) -> pl.Series:
    """For each row whose identity is known: is what is stored the same?"""
    if rows.is_empty():
        return pl.Series("same", [], dtype=pl.Boolean)
    sqlite = on_sqlite(session)
    texts = _texts(session, _line(sqlite=sqlite), rows["external_id"].unique(), channel_id=channel_id)
    halves = pl.col("line").str.split_exact(BUYER, 1).struct.rename_fields(["content", "stored"])
    stored = texts.to_frame().select(halves.alias("halves")).unnest("halves")
    instant = pl.col("ordered_at").dt.epoch("us").cast(pl.String)
    if sqlite:
        instant = pl.col("ordered_at").dt.replace_time_zone(None).cast(pl.String)
    told = [instant if name == "ordered_at" else pl.col(name).cast(pl.String) for name in TOLD]
    content = pl.concat_str([one.fill_null("") for one in told], separator=BETWEEN).alias("content")
    both = rows.select(content, "buyer").join(stored, on="content", how="left", maintain_order="left")
    # a signal that names nobody may have been made to forget: the same row again must not be refused for it
    buyer = (pl.col("stored") == "") | (pl.col("buyer") == pl.col("stored"))
    return both.select(buyer.fill_null(False).alias("same")).to_series()


def _line(*, sqlite: bool) -> str:
    """SQL of a signal's content and buyer as one text."""
    if sqlite:
        form = BETWEEN.join(["%s"] * len(TOLD)) + f"{BUYER}%s"
        return f"printf('{form}', {', '.join(TOLD)}, buyer)"
    parts = {"ordered_at": "round(date_part('epoch', ordered_at) * 1000000)::bigint"}
    parts["campaign_id"] = "coalesce(campaign_id::text, '')"
    content = ", ".join(parts.get(name, name) for name in TOLD)
    return f"concat_ws('{BETWEEN}', {content}) || '{BUYER}' || coalesce(buyer, '')"


def _texts(session: Session, line: str, external_ids: pl.Series, *, channel_id: int) -> pl.Series:
    """`line` of the channel's signals with these ids, and maybe of others between them.

    Files come in the order of their ids, more or less: mostly the table has few signals from the least to the
    greatest, and to read those is many times faster than to look for each.
    """
    most = AROUND * len(external_ids) + 1
    mark = "?" if on_sqlite(session) else "%s"
    there = f"channel_id = {mark} AND external_id BETWEEN {mark} AND {mark}"
    between = f"SELECT {line} AS line FROM signal WHERE {there} ORDER BY external_id LIMIT {most}"
    found = _joined(session, between, (channel_id, external_ids.min(), external_ids.max()))
    return found if len(found) < most else _each(session, line, external_ids, channel_id=channel_id)


def _each(session: Session, line: str, external_ids: pl.Series, *, channel_id: int) -> pl.Series:
    """The same, by one look into the index for each id.

    PostgreSQL is told so: while statistics of the table are old or missing, its planner takes an array for
    most of the rows and reads them all, or all of them up to the first that fits, for each id.
    """
    if on_sqlite(session):
        wanted = "channel_id = ? AND external_id IN (SELECT value FROM json_each(?))"
        query = f"SELECT {line} AS line FROM signal WHERE {wanted}"
        return _joined(session, query, (channel_id, json.dumps(external_ids.to_list())))
    one = "SELECT * FROM signal WHERE channel_id = %s AND external_id = wanted.id LIMIT 1"
    query = f"SELECT {line} AS line FROM unnest(%s::text[]) AS wanted (id), LATERAL ({one}) AS signal"
    run = session.connection().exec_driver_sql
    run("SET LOCAL enable_seqscan = off")
    found = _joined(session, query, (external_ids.to_list(), channel_id))
    run("SET LOCAL enable_seqscan = on")
    return found


def _joined(session: Session, query: str, parameters: tuple[Any, ...]) -> pl.Series:
    joined = "group_concat(line, char(10))" if on_sqlite(session) else "string_agg(line, chr(10))"
    run = session.connection().exec_driver_sql
    text = run(f"SELECT {joined} FROM ({query}) AS found", parameters).scalar()
    return pl.Series("line", [] if text is None else [text], dtype=pl.String).str.split("\n").explode()
