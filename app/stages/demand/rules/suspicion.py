"""Which pledges of a campaign look like bots or brushing: four rules that a person can follow.

Each rule finds clusters of pledges and says how many honest ones were to be expected among them. The score of
a cluster is the part of it that is not honest by that reckoning, from 0 to 1. A checkout is one pledge here,
however many SKUs were in its cart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

from app.stages.demand.rules import bursts, rhythm
from app.stages.demand.rules.clusters import Cluster, Stream

EXCLUDED_FROM, REVIEWED_FROM = 0.9, 0.5
"""Scores: from the first a pledge is excluded by rule, from the second a person is asked."""
WHOLE_MINUTES = 0.5
"""Where more times than this have no seconds, the channel does not export them, and rhythm says nothing."""
PLEDGES = {
    "id": pl.Int64,
    "buyer": pl.String,
    "region_id": pl.Int64,
    "sku_id": pl.Int64,
    "at": pl.Int64,
}
"""What is judged: one campaign's pledges; `at` in seconds since 1970."""
SUSPECTS = {
    "id": pl.Int64,
    "score": pl.Float64,
    "rule": pl.String,
    "start": pl.Int64,
    "seconds": pl.Int64,
    "pledges": pl.Int64,
    "buyers": pl.Int64,
    "expected": pl.Float64,
}
"""What is found: a row per pledge with the strongest cluster it is in."""

KnownElsewhere = Callable[[Collection[str]], set[str]]


@dataclass(frozen=True, slots=True)
class _Checkouts:
    """Pledges by the checkout they were made in."""

    stream: Stream
    names: pl.Series
    members: pl.DataFrame


def find_suspects(pledges: pl.DataFrame, *, known_elsewhere: KnownElsewhere) -> pl.DataFrame:
    """The pledges that look like bots, with score and evidence: columns SUSPECTS, in the order of their ids.

    The answer depends on the rows only, not on their order.

    Args:
        pledges: columns PLEDGES, of one campaign. A pledge without a buyer is by a buyer of its own.
        known_elsewhere: which of these buyers pledged in other campaigns; asked only where it decides.
    """
    if pledges.is_empty() or (pledges["at"] % 60 == 0).sum() > WHOLE_MINUTES * pledges.height:
        return pl.DataFrame(schema=SUSPECTS)
    checkouts = _checkouts(pledges)
    stream = checkouts.stream
    strangers = bursts.strangers(stream)
    clusters = [
        *bursts.too_fast(stream),
        *bursts.hammering(stream),
        *_unknown(checkouts, strangers, known_elsewhere),
        *rhythm.regular(stream),
    ]
    return _suspects(checkouts, clusters)


def _checkouts(pledges: pl.DataFrame) -> _Checkouts:
    """The same SKU twice in one second is two checkouts; different SKUs are one cart."""
    own = pl.format("#{}", "id")
    cart = ["buyer", "at", "nth"]
    numbered = (
        pledges.with_columns(pl.col("buyer").fill_null(own))
        .sort("id")
        .with_columns(pl.int_range(pl.len()).over("buyer", "at", "sku_id").alias("nth"))
    )
    events = numbered.group_by(cart).agg(pl.col("region_id").min()).sort("region_id", "at", "buyer", "nth")
    members = numbered.join(events.with_row_index("event"), on=cart).select("id", "event")
    names = events["buyer"].unique().sort()
    codes = events["buyer"].replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64)
    return _Checkouts(
        Stream(region=events["region_id"].to_numpy(), at=events["at"].to_numpy(), buyer=codes.to_numpy()),
        names,
        members,
    )


def _unknown(checkouts: _Checkouts, found: list[Cluster], known_elsewhere: KnownElsewhere) -> list[Cluster]:
    """Bursts of strangers, judged by who of them is known from elsewhere."""
    if not found:
        return []
    within = np.unique(np.concatenate([checkouts.stream.buyer[one.members] for one in found]))
    others = np.setdiff1d(checkouts.stream.buyer, within)[: bursts.REFERENCE]
    asked = checkouts.names[np.concatenate([within, others])].to_list()
    known = known_elsewhere([name for name in asked if not name.startswith("#")])
    is_known = checkouts.names.is_in(list(known)).to_numpy()
    usual = float(is_known[others].mean()) if len(others) else 0.0
    judged = (bursts.judge_strangers(checkouts.stream, one, is_known, usual=usual) for one in found)
    return [one for one in judged if one is not None]


def _suspects(checkouts: _Checkouts, clusters: list[Cluster]) -> pl.DataFrame:
    """Each pledge once, with the strongest of its clusters."""
    serious = [one for one in clusters if one.score >= REVIEWED_FROM]
    if not serious:
        return pl.DataFrame(schema=SUSPECTS)
    evidence = {name: kind for name, kind in SUSPECTS.items() if name != "id"}
    found = pl.DataFrame(
        [tuple(getattr(one, name) for name in evidence) for one in serious], schema=evidence, orient="row"
    ).with_row_index("cluster")
    sizes = [len(one.members) for one in serious]
    strongest = (
        pl.DataFrame(
            {
                "event": np.concatenate([one.members for one in serious]).astype(np.uint32),
                "cluster": np.repeat(np.arange(len(serious), dtype=np.uint32), sizes),
            }
        )
        .join(found, on="cluster")
        .sort("score", "rule", "start", "seconds", descending=[True, False, False, False])
        .unique("event", keep="first", maintain_order=True)
    )
    return checkouts.members.join(strongest, on="event").select(list(SUSPECTS)).sort("id")
