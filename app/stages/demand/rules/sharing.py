"""What accounts come with – devices, addresses, payments, when they were made – and which of them share.

Families share all three at one address, an office or a parcel locker an address, a shop's tablet serves
strangers, a farm has some of each. Here they are only found; who is what is judged in `graph` and `alike`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.stages.demand.rules.clusters import Cluster, Flags, Ints, Stream, at_most

KINDS = ("device", "address", "payment")
STRONG = ("device", "payment")
"""What people of one household share, and others seldom."""
HOUSEHOLDS = 3
"""Addresses between which a device or payment is shared, from which on somebody looks."""
MOSTLY = 0.8
FAMILY, CROWDED = 4, 8
"""Accounts of one address from which on they are looked at beside others like them, and by themselves."""


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


@dataclass(frozen=True)
class Accounts:
    """A stream and its traces by account, numbered as the buyers of the stream."""

    stream: Stream
    traces: Traces

    @cached_property
    def created(self) -> Ints:
        """When each was made, −1 where nobody said."""
        created = np.full(int(self.stream.buyer.max()) + 1, -1, dtype=np.int64)
        np.maximum.at(created, self.stream.buyer, self.traces.created)
        return created

    @cached_property
    def made(self) -> Ints:
        """The moments at which accounts were made, in order, of those that say."""
        return np.sort(self.created[self.created >= 0])

    @cached_property
    def first(self) -> Ints:
        """When each pledged first."""
        first = np.full(len(self.created), np.iinfo(np.int64).max)
        np.minimum.at(first, self.stream.buyer, self.stream.at)
        return first

    @cached_property
    def age(self) -> Ints:
        """Seconds from when each was made to its first pledge, −1 where nobody said."""
        return np.where(self.created >= 0, np.maximum(0, self.first - self.created), -1)

    @cached_property
    def middle(self) -> float:
        """The age than which half of them are older; there have to be some that say."""
        return float(np.median(self.age[self.age >= 0]))

    @property
    def old(self) -> Flags | None:
        """Which are older than most; None where fewer than MOSTLY of them say."""
        return self.age > self.middle if len(self.made) >= MOSTLY * len(self.age) else None

    @cached_property
    def homes(self) -> Ints:
        """Where each lives: its first address, else its region under a number of its own."""
        stream, address = self.stream, self.traces.address
        homes = -2 - np.zeros(len(self.created), dtype=np.int64)
        homes[stream.buyer[::-1]] = -2 - stream.region[::-1]
        told = np.flatnonzero(address >= 0)[::-1]
        homes[stream.buyer[told]] = address[told]
        return homes

    def youth(self, chosen: Ints, *, waited: int = 0) -> float:
        """The chance that so few of the chosen are older than most are; 1 where too few say.

        Args:
            waited: the seconds an account has to be old to count.
        """
        theirs = self.age[chosen]
        theirs = theirs[theirs >= waited]
        if len(theirs) < 2 or 2 * len(theirs) < len(chosen) or len(self.made) < 10 * len(theirs):
            return 1.0
        return at_most(int((theirs > self.middle).sum()), len(theirs), 0.5)


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that belong together, and between how many addresses they share."""

    rule: str
    accounts: Ints
    households: int


def groups(who: Accounts) -> list[Group]:
    """Accounts that share devices or payments between addresses, and those that share a home."""
    if who.traces.silent:
        return []
    return [*_shared_between_homes(who), *_one_address(who), *_one_region(who)]


def pairs(stream: Stream, tokens: Ints) -> tuple[Ints, Ints]:
    """Each account with each of its tokens once."""
    told = tokens >= 0
    return _once(tokens[told], stream.buyer[told])


def distinct(token: Ints, homes: Ints) -> Ints:
    """How many homes each token is used in."""
    if not len(token):
        return np.zeros(0, dtype=np.int64)
    return np.bincount(_once(token, homes)[0], minlength=int(token.max()) + 1)


def _once(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Each pair once, in order."""
    if not len(one):
        return one, other
    least, width = int(other.min()), int(np.ptp(other)) + 1
    both = np.unique(one * width + (other - least))
    return both // width, both % width + least


def _shared_between_homes(who: Accounts) -> Iterator[Group]:
    """Devices and payments of several homes, with what else joins them."""
    homes, links = who.homes, list[tuple[Ints, Ints]]()
    shared = np.zeros(len(homes), dtype=np.bool_)
    for kind in STRONG:
        token, account = pairs(who.stream, getattr(who.traces, kind))
        between = distinct(token, homes[account]) >= 2
        links.append((token[between[token]], account[between[token]]))
        shared[links[-1][1]] = True
    token, account = pairs(who.stream, who.traces.address)
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


def _one_address(who: Accounts) -> Iterator[Group]:
    for accounts in _users(*pairs(who.stream, who.traces.address)):
        yield Group("shared_address" if len(accounts) >= CROWDED else "one_home", accounts, 1)


def _one_region(who: Accounts) -> Iterator[Group]:
    """Devices and payments of one region whose accounts tell no address."""
    for kind in STRONG:
        token, account = pairs(who.stream, getattr(who.traces, kind))
        if len(token):
            one = (distinct(token, who.homes[account]) == 1)[token] & (who.homes[account] < 0)
            for accounts in _users(token[one], account[one]):
                yield Group("one_home", accounts, 1)


def _users(token: Ints, account: Ints) -> Iterator[Ints]:
    """The accounts of each token that FAMILY or more have; tokens in order."""
    parts = np.flatnonzero(np.diff(token)) + 1
    return (one for one in np.split(account, parts) if len(one) >= FAMILY)


def cluster(
    who: Accounts, found: Group, accounts: Ints, score: float, *, rule: str = "", expected: float = 0.5
) -> Cluster:
    """The pledges of these accounts, with the whole group as evidence."""
    stream, traces = who.stream, who.traces
    inside = stream.of(found.accounts)
    at = stream.at[inside]
    return Cluster(
        rule or found.rule,
        stream.of(accounts),
        float(score),
        int(at.min()),
        int(np.ptp(at)),
        len(inside),
        len(found.accounts),
        round(expected, 2),
        devices=_used(traces.device[inside]),
        addresses=_used(traces.address[inside]),
        payments=_used(traces.payment[inside]),
    )


def _used(tokens: Ints) -> int:
    return len(np.unique(tokens[tokens >= 0]))


def too_well_known(accounts: Ints, is_known: Flags, *, usual: float, chance: float) -> bool:
    """Whether people would so seldom be known so well: a farm that is there every time."""
    unknown = len(accounts) - int(is_known[accounts].sum())
    return at_most(unknown, len(accounts), 1 - usual) < chance
