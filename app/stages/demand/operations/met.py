"""Of which buyers of new pledges rules must decide: whoever comes alone, within the limit, breaks none."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import polars as pl
from sqlalchemy.orm import Session

from app.stages.demand.operations import limits, superseding
from app.stages.demand.operations.bulk import on_sqlite

Pair = tuple[int, str]
"""A campaign's id and a buyer's pseudonym."""
_WANTED = {
    True: "SELECT json_extract(value, '$[0]') AS campaign_id, json_extract(value, '$[1]') AS buyer "
    "FROM json_each(?)",
    False: "SELECT * FROM unnest(%s::bigint[], %s::text[]) AS pair (campaign_id, buyer)",
}
_THERE = "SELECT 1 FROM signal WHERE campaign_id = wanted.campaign_id AND buyer = wanted.buyer LIMIT 1"


def before(session: Session, rows: pl.DataFrame) -> set[Pair]:
    """Who of the buyers of these rows has a signal of the same campaign already.

    By one look into the index for each: PostgreSQL's planner takes a list of buyers for most of the table
    while statistics are old, and reads all of it.
    """
    pairs = [(one, buyer) for one, buyer in rows.select("campaign_id", "buyer").rows() if one and buyer]
    if not pairs:
        return set()
    sqlite = on_sqlite(session)
    parameters = (
        (json.dumps(pairs),) if sqlite else tuple(list(column) for column in zip(*pairs, strict=True))
    )
    each = f"WHERE EXISTS ({_THERE})" if sqlite else f", LATERAL ({_THERE}) AS one"
    query = f"SELECT wanted.campaign_id, wanted.buyer FROM ({_WANTED[sqlite]}) AS wanted {each}"
    return {(one, buyer) for one, buyer in session.connection().exec_driver_sql(query, parameters)}


def decide(session: Session, new: pl.DataFrame, *, known: set[Pair], now: dt.datetime) -> None:
    """Decide of the buyers of signals that were just stored.

    Args:
        known: who of them had a signal `before`.
    """
    named = [row for row in new.select("campaign_id", "buyer", "quantity").rows() if row[0] and row[1]]
    times = Counter((one, buyer) for one, buyer, _ in named)
    met = {pair for pair, count in times.items() if count > 1 or pair in known}
    superseding.decide_of_buyers(session, buyers=met, now=now)
    limit = limits.of_campaigns(session, {one for one, _, _ in named})
    many = {(one, buyer) for one, buyer, units in named if units > limit.get(one, units)}
    limits.decide_of_buyers(session, buyers=met | many, now=now)
