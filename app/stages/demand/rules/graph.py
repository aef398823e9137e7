"""The graph of accounts: groups that share so much, or were made so close together, that they speak.

A farm shares a device or a payment between addresses, or an address between accounts of whom nobody is
known from elsewhere. That is what tells it from families, offices and lockers; how many share is only
where to look.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from app.stages.demand.rules.clusters import (
    Cluster,
    Flags,
    Ints,
    at_most,
    count,
    joined,
    surprise,
    together_by_chance,
)
from app.stages.demand.rules.sharing import CROWDED, Accounts, Group, cluster, too_well_known

FEW_KNOWN = 0.02
"""Where fewer buyers than this are known from other campaigns, acquaintance says nothing."""
TOO_WELL_KNOWN = 0.0001
STRANGE, AS_OTHERS = 0.01, 0.2
"""The chance of so few known ones that a shop's tablet has not; of so few old ones that it has."""
OF_A_SHOP = 0.25
"""The doubt left where a device or payment may be a shop's: a person is asked."""
CREATED_WITHIN = 600
AFTERWARDS = 7200
"""An account that pledges sooner after it was made was made to pledge: many are, at an honest peak."""
CROWD, CROWD_SURE = 12, 25.0
GAP = 8
"""How many times the usual distance between two accounts may be, within one batch."""
TAIL, EDGE = 3.0, 10.0
"""A rush ebbs away: its last minutes have at most so many times those after; −ln of the chance of more."""


def judge(who: Accounts, found: Group, is_known: Flags, *, usual: float) -> Iterator[Cluster]:
    """What of a group is no honest one, by who of it is known from elsewhere and when it was made.

    Args:
        is_known: for each account, whether it pledged in another campaign.
        usual: the part of this campaign's other buyers who did.
    """
    if found.rule == "one_home":
        return
    crowded = len(found.accounts) >= CROWDED
    believed, accounts = unacquainted(found.accounts, is_known, usual=usual)
    strange = at_most(int(is_known[found.accounts].sum()), len(found.accounts), usual)
    strange = strange if usual >= FEW_KNOWN else 1.0
    doubt = together_by_chance(strange, who.youth(found.accounts) if crowded else 1.0)
    if found.rule == "shared_devices":
        doubt = (doubt if crowded else 1.0) * 0.5 / (found.households - 1)
        if strange > STRANGE and _of_a_shop(who, found.accounts):
            doubt = max(doubt, OF_A_SHOP)
    if found.rule == "shared_devices" or usual >= FEW_KNOWN:
        yield cluster(who, found, accounts, believed * (1 - doubt))
    together = _made_together(who, found.accounts)
    if len(together):
        yield cluster(who, found, together, 1 - 0.5 / len(together))


def unacquainted(accounts: Ints, is_known: Flags, *, usual: float) -> tuple[float, Ints]:
    """The part of the unknown accounts that no honest ones explain; all of them where nothing is known."""
    known = int(is_known[accounts].sum())
    if usual < FEW_KNOWN or not known:
        return 1.0, accounts
    unknown = accounts[~is_known[accounts]]
    if too_well_known(accounts, is_known, usual=usual, chance=TOO_WELL_KNOWN):
        return 1.0, accounts
    honest = known * (1 - usual) / usual
    return (max(0.0, 1 - honest / len(unknown)) if len(unknown) else 0.0), unknown


def _of_a_shop(who: Accounts, accounts: Ints) -> bool:
    """Whether they live in one region, and as many of them as of others are old."""
    told = int((who.age[accounts] >= 0).sum())
    if 2 * told < len(accounts) or who.youth(accounts) <= AS_OTHERS:
        return False
    return int(np.ptp(who.stream.region[who.stream.of(accounts)])) == 0


def _made_together(who: Accounts, accounts: Ints) -> Ints:
    """Those of the accounts that were made on one day, where that day is no other's day as well."""
    theirs = accounts[who.created[accounts] >= 0]
    if len(theirs) < CROWDED:
        return theirs[:0]
    at = np.sort(who.created[theirs])
    day = 86_400
    first = int(at[np.argmax(count(at, at, at + day))])
    inside = theirs[(who.created[theirs] >= first) & (who.created[theirs] <= first + day)]
    others = int(count(who.made, first, first + day)) - len(inside)
    share = max(1.0, others) / max(1, len(who.made) - len(theirs))
    surprising = -math.log(max(1e-300, at_most(len(theirs) - len(inside), len(theirs), 1 - min(0.99, share))))
    enough = surprising >= CROWD_SURE and len(inside) * 2 >= len(theirs)
    return inside if enough else theirs[:0]


def made_in_batches(who: Accounts) -> Iterator[Cluster]:
    """Accounts made one after the other, long before they pledged, by what begins and ends at once.

    A rush of people who sign up ebbs away; a script stops.
    """
    waited = np.flatnonzero((who.created >= 0) & (who.first - who.created > AFTERWARDS))
    waited = waited[np.argsort(who.created[waited], kind="stable")]
    at = who.created[waited]
    if len(at) < CROWD or (at % 60 == 0).mean() > 0.5:  # a channel that tells days or minutes
        return
    hits = count(at, at - CREATED_WITHIN, at) >= CROWD
    for begin, end in joined(at, hits, window=CREATED_WITHIN):
        inside = np.flatnonzero((at >= begin) & (at <= end))
        accounts = waited[_core(at, inside)]
        begin, end = int(who.created[accounts].min()), int(who.created[accounts].max())
        if len(accounts) >= CROWD and _stops(at, begin, end):
            honest = 0.5 + TAIL * _beside(at, begin, end, 3600) * (end - begin) / 7200
            score = max(0.0, 1 - honest / len(accounts))
            yield cluster(who, Group("new_accounts", accounts, 1), accounts, score, expected=honest)


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
