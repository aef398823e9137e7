"""Which pledges of a campaign look like bots or brushing: rules that a person can follow.

Each rule finds clusters of pledges and says how many honest ones were to be expected among them. The score of
a cluster is the part of it that is not honest by that reckoning, from 0 to 1. A checkout is one pledge here,
however many SKUs were in its cart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from app.stages.demand.rules import alike, bursts, graph, rhythm, sharing
from app.stages.demand.rules.clusters import Cluster, Flags, Ints, Stream
from app.stages.demand.rules.sharing import KINDS, Accounts, Traces

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
TRACES = {**dict.fromkeys(KINDS, pl.String), "created": pl.Int64}
"""What may be known of a pledge besides: pseudonyms of its device, address and payment, and when its account
was made, in seconds since 1970. Columns that are not there are not known."""
SUSPECTS = {
    "id": pl.Int64,
    "score": pl.Float64,
    "rule": pl.String,
    "start": pl.Int64,
    "seconds": pl.Int64,
    "pledges": pl.Int64,
    "buyers": pl.Int64,
    "expected": pl.Float64,
    "devices": pl.Int64,
    "addresses": pl.Int64,
    "payments": pl.Int64,
}
"""What is found: a row per pledge with the strongest cluster it is in."""

KnownElsewhere = Callable[[Collection[str]], set[str]]


@dataclass(frozen=True, slots=True)
class _Checkouts:
    """Pledges by the checkout they were made in."""

    stream: Stream
    who: Accounts
    names: pl.Series
    members: pl.DataFrame


def find_suspects(pledges: pl.DataFrame, *, known_elsewhere: KnownElsewhere) -> pl.DataFrame:
    """The pledges that look like bots, with score and evidence: columns SUSPECTS, in the order of their ids.

    The answer depends on the rows only, not on their order.

    Args:
        pledges: columns PLEDGES, and any of TRACES, of one campaign. A pledge without a buyer is by a buyer
            of its own.
        known_elsewhere: which of these buyers pledged in other campaigns; asked only where it decides.
    """
    if pledges.is_empty():
        return pl.DataFrame(schema=SUSPECTS)
    checkouts = _checkouts(pledges)
    timed = (pledges["at"] % 60 == 0).sum() <= WHOLE_MINUTES * pledges.height
    clusters = [
        *(_timed(checkouts) if timed else []),
        *graph.made_in_batches(checkouts.who),
        *_by_acquaintance(checkouts, known_elsewhere, timed=timed),
    ]
    return _suspects(checkouts, clusters)


def _timed(checkouts: _Checkouts) -> list[Cluster]:
    """What the moments alone say, of accounts and of devices and payments, whose accounts take turns."""
    stream, traces = checkouts.stream, checkouts.who.traces
    return [
        *bursts.too_fast(stream),
        *bursts.too_fast_by(stream, traces.device),
        *bursts.too_fast_by(stream, traces.payment),
        *rhythm.regular(stream),
    ]


def _checkouts(pledges: pl.DataFrame) -> _Checkouts:
    """The same SKU twice in one second is two checkouts; different SKUs are one cart."""
    own = pl.format("#{}", "id")
    cart = ["buyer", "at", "nth"]
    untold = {name: kind for name, kind in TRACES.items() if name not in pledges.columns}
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in untold.items()]
    numbered = (
        pledges.with_columns(pl.col("buyer").fill_null(own), *missing)
        .sort("id")
        .with_columns(pl.int_range(pl.len()).over("buyer", "at", "sku_id").alias("nth"))
    )
    told = [pl.col(name).drop_nulls().min() for name in TRACES]
    events = numbered.group_by(cart).agg(pl.col("region_id").min(), *told)
    events = events.sort("region_id", "at", "buyer", "nth")
    members = numbered.join(events.with_row_index("event"), on=cart).select("id", "event")
    names = events["buyer"].unique().sort()
    codes = events["buyer"].replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64)
    stream = Stream(region=events["region_id"].to_numpy(), at=events["at"].to_numpy(), buyer=codes.to_numpy())
    traces = Traces(
        **{kind: _numbered(events[kind]) for kind in KINDS},
        created=events["created"].fill_null(-1).to_numpy(),
    )
    return _Checkouts(stream, Accounts(stream, traces), names, members)


def _numbered(tokens: pl.Series) -> Ints:
    """Tokens by number in their own order, −1 where there is none."""
    return (tokens.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()


def _by_acquaintance(checkouts: _Checkouts, known_elsewhere: KnownElsewhere, *, timed: bool) -> list[Cluster]:
    """Bursts of strangers and groups that share something, judged by who of them is known from elsewhere."""
    stream, who = checkouts.stream, checkouts.who
    strange = bursts.strangers(stream) if timed else []
    groups = sharing.groups(who)
    found = [*(stream.buyer[one.members] for one in strange), *(one.accounts for one in groups)]
    found += [bursts.coming_again(stream)] if timed else []
    if not found:
        return []
    is_known, usual = _acquaintance(checkouts, np.unique(np.concatenate(found)), known_elsewhere)
    return [
        *_strangers(who, strange, is_known, usual=usual),
        *(_coming_again(who, is_known, usual=usual) if timed else ()),
        *(found for one in groups for found in graph.judge(who, one, is_known, usual=usual)),
        *alike.judge_alike(who, groups, is_known, usual=usual),
    ]


def _coming_again(who: Accounts, is_known: Flags, *, usual: float) -> list[Cluster]:
    return [
        *bursts.hammering(who.stream, is_known, usual=usual, old=who.old),
        *bursts.taking_turns(who.stream, is_known, usual=usual),
    ]


def _strangers(who: Accounts, found: list[Cluster], is_known: Flags, *, usual: float) -> Iterator[Cluster]:
    for one in found:
        buyers = np.unique(who.stream.buyer[one.members])
        youth = who.youth(buyers, waited=graph.AFTERWARDS)
        judged = bursts.judge_strangers(who.stream, one, is_known, usual=usual, youth=youth)
        if judged is not None:
            yield judged


def _acquaintance(
    checkouts: _Checkouts, within: Ints, known_elsewhere: KnownElsewhere
) -> tuple[Flags, float]:
    """Who of the buyers `within` is known from elsewhere, and the part of others who are."""
    others = np.setdiff1d(checkouts.stream.buyer, within)
    others = others[:: max(1, len(others) // bursts.REFERENCE)]  # from all over: names may say who they are
    asked = checkouts.names[np.concatenate([within, others])].to_list()
    known = known_elsewhere([name for name in asked if not name.startswith("#")])
    is_known = checkouts.names.is_in(list(known)).to_numpy()
    return is_known, float(is_known[others].mean()) if len(others) else 0.0


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
