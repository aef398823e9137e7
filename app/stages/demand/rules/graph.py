"""The graph of accounts and what they share: devices, addresses, payments, and the hour they were made in.

Families share all three at one address, an office or a parcel locker an address, a shop's tablet serves
strangers. A farm shares a device or a payment between addresses, or an address between accounts of whom
nobody is known from elsewhere. That is what tells them apart; how many share is only where to look.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.stages.demand.rules.clusters import Cluster, Flags, Ints, Stream, at_most, count, joined, surprise

KINDS = ("device", "address", "payment")
STRONG = ("device", "payment")
"""What people of one household share, and others seldom."""
HOUSEHOLDS = 3
"""Addresses between which a device or payment is shared, from which on somebody looks."""
CROWDED = 8
"""Accounts of one address from which on it is looked at."""
FEW_KNOWN = 0.02
"""Where fewer buyers than this are known from other campaigns, acquaintance says nothing."""
TOO_WELL_KNOWN = 0.01
CREATED_WITHIN = 600
AFTERWARDS = 7200
"""An account that pledges sooner after it was made was made to pledge: many are, at an honest peak."""
CROWD, CROWD_SURE = 12, 25.0
GAP = 8
"""How many times the usual distance between two accounts may be, within one batch."""
TAIL, EDGE = 3.0, 10.0
"""A rush ebbs away: its last minutes have at most so many times those after; −ln of the chance of more."""


@dataclass(frozen=True)
class Traces:
    """What each checkout of a stream came with, numbered from 0, −1 where nobody said.

    `created` is when its account was made, in seconds since 1970, or −1.
    """

    device: Ints
    address: Ints
    payment: Ints
    created: Ints

    @property
    def silent(self) -> bool:
        """Whether nothing is known of any checkout."""
        return all(bool((getattr(self, kind) < 0).all()) for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that belong together, and between how many addresses they share."""

    rule: str
    accounts: Ints
    households: int


def groups(stream: Stream, traces: Traces) -> list[Group]:
    """Accounts that share devices or payments between addresses, and those that share an address."""
    if traces.silent:
        return []
    homes = _homes(stream, traces)
    return [*_shared_between_homes(stream, traces, homes), *_crowded_addresses(stream, traces)]


def _pairs(stream: Stream, tokens: Ints) -> tuple[Ints, Ints]:
    """Each account with each of its tokens once."""
    told = tokens >= 0
    pairs = np.unique(np.stack([tokens[told], stream.buyer[told]]), axis=1)
    return pairs[0], pairs[1]


def _homes(stream: Stream, traces: Traces) -> Ints:
    """Where each account lives: its first address, else its region under a number of its own."""
    homes = -2 - np.zeros(int(stream.buyer.max()) + 1, dtype=np.int64)
    homes[stream.buyer[::-1]] = -2 - stream.region[::-1]
    told = np.flatnonzero(traces.address >= 0)[::-1]
    homes[stream.buyer[told]] = traces.address[told]
    return homes


def _shared_between_homes(stream: Stream, traces: Traces, homes: Ints) -> Iterator[Group]:
    """Devices and payments of several homes, with what else joins them."""
    links: list[tuple[Ints, Ints]] = []
    shared = np.zeros(len(homes), dtype=np.bool_)
    for kind in STRONG:
        token, account = _pairs(stream, getattr(traces, kind))
        between = _distinct(token, homes[account]) >= 2
        links.append((token[between[token]], account[between[token]]))
        shared[links[-1][1]] = True
    token, account = _pairs(stream, traces.address)
    if len(token):
        theirs = np.bincount(token, weights=shared[account]) * 2 >= np.bincount(token)
        joins = theirs[token] & shared[account]
        links.append((token[joins], account[joins]))
    label = _components(len(homes), links)
    order = np.flatnonzero(shared)[np.argsort(label[shared], kind="stable")]
    for accounts in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        households = len(np.unique(homes[accounts]))
        if households >= HOUSEHOLDS:
            yield Group("shared_devices", accounts, households)


def _distinct(token: Ints, homes: Ints) -> Ints:
    """How many homes each token is used in."""
    if not len(token):
        return np.zeros(0, dtype=np.int64)
    pairs = np.unique(np.stack([token, homes]), axis=1)
    return np.bincount(pairs[0], minlength=int(token.max()) + 1)


def _components(accounts: int, links: list[tuple[Ints, Ints]]) -> Ints:
    """The least account that each is joined to, over any number of tokens."""
    label = np.arange(accounts)
    while True:
        before = label.copy()
        for token, account in links:
            if len(token):
                least = np.full(int(token.max()) + 1, accounts)
                np.minimum.at(least, token, label[account])
                np.minimum.at(label, account, least[token])
        label = label[label]
        if (label == before).all():
            return label


def _crowded_addresses(stream: Stream, traces: Traces) -> Iterator[Group]:
    token, account = _pairs(stream, traces.address)
    if len(token):
        for address in np.flatnonzero(np.bincount(token) >= CROWDED).tolist():
            yield Group("shared_address", account[token == address], 1)


def judge(
    stream: Stream, traces: Traces, found: Group, is_known: Flags, *, usual: float
) -> Iterator[Cluster]:
    """What of a group is no honest one, by who of it is known from elsewhere and when it was made.

    Args:
        is_known: for each account, whether it pledged in another campaign.
        usual: the part of this campaign's other buyers who did.
    """
    believed, accounts = _unacquainted(found.accounts, is_known, usual=usual)
    strange = at_most(int(is_known[found.accounts].sum()), len(found.accounts), usual)
    old = _as_old(stream, traces, found.accounts) if len(found.accounts) >= CROWDED else 1.0
    doubt = together_by_chance(strange if usual >= FEW_KNOWN else 1.0, old)
    if found.rule == "shared_devices":
        doubt = doubt if len(found.accounts) >= CROWDED else 1.0
        doubt *= 0.5 / (found.households - 1)
    if found.rule == "shared_devices" or usual >= FEW_KNOWN:
        yield _cluster(stream, traces, found, accounts, believed * (1 - doubt))
    together = _made_together(stream, traces, found.accounts)
    if len(together):
        yield _cluster(stream, traces, found, together, 1 - 0.5 / len(together))


def _unacquainted(accounts: Ints, is_known: Flags, *, usual: float) -> tuple[float, Ints]:
    """The part of the unknown accounts that no honest ones explain; all of them where nothing is known."""
    known = int(is_known[accounts].sum())
    if usual < FEW_KNOWN or not known:
        return 1.0, accounts
    unknown = accounts[~is_known[accounts]]
    if at_most(len(unknown), len(accounts), 1 - usual) < TOO_WELL_KNOWN:  # a farm that is there every time
        return 1.0, accounts
    honest = known * (1 - usual) / usual
    return (max(0.0, 1 - honest / len(unknown)) if len(unknown) else 0.0), unknown


def _as_old(stream: Stream, traces: Traces, accounts: Ints) -> float:
    """The chance that so few of the accounts are older than most of the others are; 1 where nobody says."""
    created = _created(stream, traces)
    age = np.where(created >= 0, _first(stream, len(created)) - created, -1)
    theirs, everybody = age[accounts], age[age >= 0]
    theirs = theirs[theirs >= 0]
    if len(theirs) < 2 or len(everybody) < 10 * len(theirs):
        return 1.0
    middle = np.median(everybody)
    return at_most(int((theirs > middle).sum()), len(theirs), 0.5)


def together_by_chance(one: float, other: float) -> float:
    """The chance of two independent findings by Fisher's method (1925): each as unlikely as it says."""
    both = max(1e-300, one * other)
    return min(1.0, both * (1 - math.log(both)))


def _made_together(stream: Stream, traces: Traces, accounts: Ints) -> Ints:
    """Those of the accounts that were made on one day, where that day is no other's day as well."""
    created = _created(stream, traces)
    everybody = np.sort(created[created >= 0])
    theirs = accounts[created[accounts] >= 0]
    if len(theirs) < CROWDED:
        return theirs[:0]
    at = np.sort(created[theirs])
    day = 86_400
    first = int(at[np.argmax(count(at, at, at + day))])
    inside = theirs[(created[theirs] >= first) & (created[theirs] <= first + day)]
    others = int(count(everybody, first, first + day)) - len(inside)
    share = max(1.0, others) / max(1, len(everybody) - len(theirs))
    surprising = -math.log(max(1e-300, at_most(len(theirs) - len(inside), len(theirs), 1 - min(0.99, share))))
    enough = surprising >= CROWD_SURE and len(inside) * 2 >= len(theirs)
    return inside if enough else theirs[:0]


def made_in_batches(stream: Stream, traces: Traces) -> Iterator[Cluster]:
    """Accounts made one after the other, long before they pledged, by what begins and ends at once.

    A rush of people who sign up ebbs away; a script stops.
    """
    created = _created(stream, traces)
    first = _first(stream, len(created))
    waited = np.flatnonzero((created >= 0) & (first - created > AFTERWARDS))
    waited = waited[np.argsort(created[waited], kind="stable")]
    at = created[waited]
    if len(at) < CROWD or (at % 60 == 0).mean() > 0.5:  # a channel that tells days or minutes
        return
    hits = count(at, at - CREATED_WITHIN, at) >= CROWD
    for begin, end in joined(at, hits, window=CREATED_WITHIN):
        inside = np.flatnonzero((at >= begin) & (at <= end))
        accounts = waited[_core(at, inside)]
        begin, end = int(created[accounts].min()), int(created[accounts].max())
        if len(accounts) >= CROWD and _stops(at, begin, end):
            honest = 0.5 + TAIL * _beside(at, begin, end, 3600) * (end - begin) / 7200
            score = max(0.0, 1 - honest / len(accounts))
            found = Group("new_accounts", accounts, 1)
            yield _cluster(stream, traces, found, accounts, score, expected=honest)


def _core(at: Ints, inside: Ints) -> Ints:
    """The longest part of these without a gap many times the usual one: who is only near is not of it."""
    gaps = np.diff(at[inside])
    parts = np.split(inside, np.flatnonzero(gaps > GAP * max(1.0, float(np.median(gaps)))) + 1)
    return max(parts, key=len)


def _stops(at: Ints, begin: int, end: int) -> bool:
    """Whether both ends are sharper than where people come and go."""
    window = min(CREATED_WITHIN, max(1, end - begin))
    edges = (
        (count(at, begin, begin + window), count(at, begin - window, begin - 1)),
        (count(at, end - window, end), count(at, end + 1, end + window)),
    )
    return all(float(surprise(inside, 0.5 + TAIL * outside)) >= EDGE for inside, outside in edges)


def _beside(at: Ints, begin: int, end: int, width: int) -> int:
    """How many were made as long before and after together."""
    return int(count(at, begin - width, begin - 1) + count(at, end + 1, end + width))


def _first(stream: Stream, accounts: int) -> Ints:
    """When each account pledged first."""
    first = np.full(accounts, np.iinfo(np.int64).max)
    np.minimum.at(first, stream.buyer, stream.at)
    return first


def _created(stream: Stream, traces: Traces) -> Ints:
    """When each account was made, −1 where nobody said."""
    created = np.full(int(stream.buyer.max()) + 1, -1, dtype=np.int64)
    np.maximum.at(created, stream.buyer, traces.created)
    return created


def _cluster(
    stream: Stream, traces: Traces, found: Group, accounts: Ints, score: float, *, expected: float = 0.5
) -> Cluster:
    members = np.flatnonzero(np.isin(stream.buyer, accounts))
    inside = np.flatnonzero(np.isin(stream.buyer, found.accounts))
    at = stream.at[inside]
    used = {f"{kind}s": _used(getattr(traces, kind)[inside]) for kind in ("device", "payment")}
    return Cluster(
        found.rule,
        members,
        float(score),
        int(at.min()),
        int(np.ptp(at)),
        len(inside),
        len(found.accounts),
        round(expected, 2),
        addresses=_used(traces.address[inside]),
        **used,
    )


def _used(tokens: Ints) -> int:
    return len(np.unique(tokens[tokens >= 0]))
