"""Bursts: accounts that pledge faster than people, few accounts again and again, many strangers at once.

Windows of a minute to twelve hours slide over each region's pledges (a scan statistic, after Naus 1965). What
an honest peak does to one region it does to all, and it does not make people pledge again: that tells a live
stream from an attack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.stages.demand.rules.clusters import (
    Cluster,
    Flags,
    Floats,
    Ints,
    Stream,
    at_most,
    count,
    joined,
    surprise,
    together_by_chance,
)

WINDOWS = (60, 300, 900, 3600)
SLOW = (4 * 3600, 12 * 3600)
"""Seconds in which accounts of one region take turns without hurry."""
PACES = ((60, 5, 0.95), (300, 8, 0.95), (900, 12, 0.95), (60, 4, 0.7), (900, 6, 0.7))
"""Seconds, pledges of one buyer within them that no person makes, and the score of that."""
REPEATED = 0.05
"""The least part of honest pledges taken to be by somebody who pledges again within the window."""
SURE, NOTICED = 20.0, 12.0
"""−ln of the chance: one in 500 million makes a burst of few sure, one in 160,000 is worth a look."""
PER_BUYER = 2.5
"""Pledges per account that make them few."""
HEAVY = 3
CROWD, CROWD_SURE = 12, 25.0
LARGEST_SHARE = 0.5
"""A region with more of the campaign than this has no others to be compared with."""
AROUND = 3 * 3600
REFERENCE = 400
"""Buyers outside of bursts whose acquaintance is the usual one."""
ANYBODY_KNOWN = 0.02
FEW_KNOWN, TOO_WELL_KNOWN = 0.05, 0.01
"""The chance of so few known ones below which they are fewer than usual; and of so many."""
Marks = tuple[tuple[Flags, float], ...]
"""What buyers have or not, and the part of people who have it."""
STORM = 20
"""Strangers of one region within five minutes that are taken for bots where nobody is known."""


def too_fast(stream: Stream) -> list[Cluster]:
    """Accounts that made more pledges within seconds or minutes than a person can; with all they pledged."""
    order = stream.by_buyer
    buyer, at = stream.buyer[order], stream.at[order]
    found: dict[int, Cluster] = {}
    for seconds, pledges, score in PACES:
        firsts = max(0, len(buyer) - pledges + 1)
        same = buyer[pledges - 1 :] == buyer[:firsts]
        quick = same & (at[pledges - 1 :] - at[:firsts] <= seconds)
        for first in np.flatnonzero(quick).tolist():
            who = int(buyer[first])
            if who not in found:
                made = int(count(at[buyer == who], at[first], at[first] + seconds))
                members = order[buyer == who]
                found[who] = Cluster(
                    "velocity", members, score, int(at[first]), seconds, made, 1, float(pledges - 1)
                )
    return list(found.values())


def too_fast_by(stream: Stream, tokens: Ints) -> Iterator[Cluster]:
    """Devices or payments that check out faster than a person can, whichever accounts take turns on them."""
    told = np.flatnonzero(tokens >= 0)
    if len(told):
        theirs = Stream(stream.region[told], stream.at[told], tokens[told])
        for cluster in too_fast(theirs):
            members = told[cluster.members]
            yield replace(cluster, members=members, buyers=len(np.unique(stream.buyer[members])))


def hammering(stream: Stream, is_known: Flags, *, usual: float, old: Flags | None = None) -> list[Cluster]:
    """Few accounts that pledge again and again within minutes, for one region or for any.

    Args:
        is_known, usual: as in `judge_strangers`.
        old: for each buyer, whether the account is older than most are; None where they don't say. It speaks
            where nobody is known: people are old and young.
    """
    told: Marks = ((is_known, usual),) if usual >= ANYBODY_KNOWN else ()
    if old is not None and not told:
        told = ((old, 0.5), (~old, 0.5))
    order = np.argsort(stream.at, kind="stable")
    country = Stream(np.zeros_like(stream.region), stream.at[order], stream.buyer[order])
    return [
        *(cluster for window in WINDOWS for cluster in _hammering(stream, window, told=told)),
        *(
            replace(cluster, members=order[cluster.members])
            for window in WINDOWS[:-1]
            for cluster in _hammering(country, window, told=told)
        ),
    ]


def taking_turns(stream: Stream, is_known: Flags, *, usual: float) -> Iterator[Cluster]:
    """Few accounts of one region that come again within hours: known as others are, or known from nowhere.

    Among the latter, who is known says how often people come again, whatever an attack adds: of those who do,
    the part `usual` is known. `is_known` and `usual` as in `judge_strangers`.
    """
    unknown = np.flatnonzero(~is_known[stream.buyer])
    others = Stream(stream.region[unknown], stream.at[unknown], stream.buyer[unknown])
    for window in SLOW:
        yield from _hammering(stream, window, told=((is_known, usual),))
        if usual >= ANYBODY_KNOWN and len(unknown):
            people = int(_again(stream, window)[is_known[stream.buyer]].sum()) * (1 - usual) / usual
            rate = max(REPEATED * (1 - usual), people / len(unknown))
            for cluster in _hammering(others, window, rate):
                yield replace(cluster, members=unknown[cluster.members])


def coming_again(stream: Stream) -> Ints:
    """The buyers who pledge again within hours."""
    return np.unique(stream.buyer[_again(stream, SLOW[-1])])


def _hammering(
    stream: Stream, window: int, rate: float | None = None, *, told: Marks = ()
) -> Iterator[Cluster]:
    """`rate`: the part of honest pledges whose buyers pledge again; left out, the days say it. `told`: who is
    known and the usual part of them, to leave out slow bursts of fewer, and to count people in fast ones.
    """
    again = _again(stream, window)
    repeats, usual = stream.line[again], _usual_repeats(stream, again) if rate is None else rate
    near = count(repeats, repeats - window, repeats)
    everybody = count(stream.line, repeats - window, repeats)
    hits = (surprise(near, 0.25 + usual * (everybody - near)) >= NOTICED) & (near >= 6)
    positions = np.flatnonzero(again)
    for first, last in joined(repeats, hits, window=window):
        inside = positions[(repeats >= first) & (repeats <= last)]
        honest = 0.25 + usual * (int(count(stream.line, first, last)) - len(inside))
        buyers, each = np.unique(stream.buyer[inside], return_counts=True)
        if len(buyers) < (3 if window > 900 else 2) or len(inside) < PER_BUYER * len(buyers):
            continue
        known = 0.0
        if told and window not in SLOW:
            known = min(_explained(flags[buyers], each, part) for flags, part in told)
        elif any(at_most(int(flags[buyers].sum()), len(buyers), part) <= FEW_KNOWN for flags, part in told):
            continue
        # Within hours people come again several times, so that accounts are counted, not their pledges.
        found, usually = (
            (len(buyers), honest / PER_BUYER) if window in SLOW else (len(inside), honest + known)
        )
        sure = min(1.0, float(surprise(found, usually)) / SURE)
        heavy = np.isin(stream.buyer[inside], buyers[each >= HEAVY])
        for members, expected in ((inside[heavy], honest / 4), (inside[~heavy], honest * 3 / 4)):
            if len(members):
                score = sure * max(0.0, 1 - expected / len(members) - known / len(inside))
                yield _cluster("few_accounts", stream, inside, members, score, honest + known)


def _explained(known: Flags, each: Ints, usual: float) -> float:
    """How many pledges are people's at least, by the accounts that are known; none where too many are."""
    if not known.any() or at_most(int((~known).sum()), len(known), 1 - usual) < TOO_WELL_KNOWN:
        return 0.0
    sure = 1 - 1 / math.sqrt(known.sum())
    return min(float(each.sum()), sure * float(each[known].sum()) / usual)


def _again(stream: Stream, window: int) -> Flags:
    """Pledges whose buyer made another one, of the same region, within the window before or after."""
    order = np.lexsort((stream.line, stream.buyer))
    buyer, line = stream.buyer[order], stream.line[order]
    close = (np.diff(buyer) == 0) & (np.diff(line) <= window)
    again = np.zeros(len(order), dtype=np.bool_)
    again[order] = np.r_[close, False] | np.r_[False, close]
    return again


def _usual_repeats(stream: Stream, again: Flags) -> float:
    """The middle of the days' parts of pledges that are repeated: an attack moves few days."""
    day = stream.at // 86_400 - int(stream.at.min()) // 86_400
    parts = np.bincount(day, weights=again) / np.maximum(1, np.bincount(day))
    return max(REPEATED, float(np.median(parts[np.bincount(day) > 0])))


def strangers(stream: Stream) -> list[Cluster]:
    """Many buyers of one region within minutes, none of whom came at another time; not judged yet."""
    return [cluster for window in WINDOWS for cluster in _strangers(stream, window)]


def _strangers(stream: Stream, window: int) -> Iterator[Cluster]:
    once = _only_here(stream, window)
    line, at = stream.line[once], stream.at[once]
    expected, share = _expected(stream, once, window)
    crowd = count(line, line - window, line)
    hits = (crowd >= CROWD) & (surprise(crowd, expected) >= NOTICED) & (share <= LARGEST_SHARE)
    positions = np.flatnonzero(once)
    for first, last in joined(line, hits, window=window):
        chosen = (line >= first) & (line <= last)
        inside = positions[chosen]
        windows = max(1.0, float(np.ptp(at[chosen])) / window)
        honest = float(np.mean(expected[chosen])) * windows
        sure = min(1.0, float(surprise(len(inside), honest)) / CROWD_SURE)
        yield _cluster("strangers", stream, inside, inside, sure, honest)


def _only_here(stream: Stream, window: int) -> Flags:
    """Pledges of buyers whose first and last pledge are no further apart than the window."""
    first = np.full(int(stream.buyer.max()) + 1, np.iinfo(np.int64).max)
    last = np.zeros_like(first)
    np.minimum.at(first, stream.buyer, stream.at)
    np.maximum.at(last, stream.buyer, stream.at)
    return np.asarray((last - first)[stream.buyer] <= window)


def _expected(stream: Stream, chosen: Flags, window: int) -> tuple[Floats, Floats]:
    """Pledges to be expected in the windows that end at the chosen ones, and their regions' shares.

    The greater of what the other regions do in this window and this hour, by the region's share, and of what
    the region itself does in the hours around.
    """
    line, at = stream.line[chosen], stream.at[chosen]
    sizes = np.unique(stream.region, return_inverse=True, return_counts=True)
    share = (sizes[2][sizes[1]] / len(stream.at))[chosen]
    odds = share / np.maximum(1e-9, 1 - share)
    hour = 1800
    others = count(stream.times, at - window, at) - count(stream.line, line - window, line)
    lately = count(stream.times, at - hour, at + hour) - count(stream.line, line - hour, line + hour)
    around = count(stream.line, line - AROUND, line + AROUND)
    around = around - count(stream.line, line - 2 * window, line + window)
    own = around * window / (2 * AROUND - 3 * window)
    together = odds * np.maximum(others, lately * window / (2 * hour))
    return np.maximum(0.5, np.maximum(own, together)), share


def judge_strangers(
    stream: Stream, found: Cluster, is_known: Flags, *, usual: float, youth: float = 1.0
) -> Cluster | None:
    """The unknown ones of a burst, the surer the fewer of its buyers are known from elsewhere, or old.

    Args:
        is_known: for each buyer, whether he pledged in another campaign.
        usual: the part of this campaign's other buyers who did.
        youth: the chance that so few of the buyers are older than most.
    """
    buyers = np.unique(stream.buyer[found.members])
    members = found.members[~is_known[stream.buyer[found.members]]]
    if not len(members):
        return None
    honest = found.expected * (1 - usual)
    believed = 1 - together_by_chance(at_most(int(is_known[buyers].sum()), len(buyers), usual), youth)
    if usual < ANYBODY_KNOWN and _in_five_minutes(stream.at[members]) >= STORM:
        believed = 1.0
    score = found.score * believed * max(0.0, 1 - honest / len(members))
    return _cluster("strangers", stream, found.members, members, score, found.expected)


def _in_five_minutes(at: Ints) -> int:
    ordered = np.sort(at)
    return int(count(ordered, ordered - 300, ordered).max())


def _cluster(
    rule: str, stream: Stream, inside: Ints, members: Ints, score: float, expected: float
) -> Cluster:
    """A cluster whose evidence is all that is `inside`, of which `members` are suspected."""
    at = stream.at[inside]
    buyers = len(np.unique(stream.buyer[inside]))
    seconds = int(np.ptp(at))
    return Cluster(rule, members, score, int(at.min()), seconds, len(inside), buyers, round(expected, 2))
