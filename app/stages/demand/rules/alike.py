"""Groups too small to speak for themselves, judged by all that are like them.

Of groups of one size some are families and friends, and some are rings. People in them are as old and as well
known as people are elsewhere; so those who are say how many people such groups have at all (the part of a
mixture that looks like the rest is an upper bound, as in estimates of false discoveries after Storey 2002).
What a group itself shows then says how likely it is one of people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, gammaincc

from app.stages.demand.rules.clusters import Cluster, Flags, Floats, Ints
from app.stages.demand.rules.graph import FEW_KNOWN
from app.stages.demand.rules.sharing import FAMILY, HOUSEHOLDS, Accounts, Group, cluster, too_well_known

SIZES = np.array([HOUSEHOLDS, FAMILY, 5, 6, 8, 12, 20, 40])
"""Where a kind of groups begins, by how many homes share, or else by how many accounts share one."""
PEOPLE = np.array([0.95, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8])
"""The part of the groups of one home that is people's as far as one knows without looking: an office is."""
SHOP, PLACE = 0.5, 2 * len(SIZES)
"""The same of groups of several homes in one region, which may have met in a shop; and their kind."""
MOST = 0.98
"""The part of any kind that may be people's at most."""
BELIEVED = 10
"""Accounts that have to tell something, to weigh as much as what is believed beforehand."""
COMPARED = 50
"""Accounts that share nothing and tell their age, from which on ages are compared."""
WELL_KNOWN = 0.05


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that people have with the chance `usual`, and the accounts of a farm seldom.

    `told` says of which accounts it is known, `has` which of those have it.
    """

    told: Flags
    has: Flags
    usual: float


def judge_alike(who: Accounts, found: list[Group], is_known: Flags, *, usual: float) -> Iterator[Cluster]:
    """The groups that no people explain; of each those who are not known, or all where too many are.

    Args: as in `graph.judge`.
    """
    if not found:
        return
    label = np.repeat(np.arange(len(found)), [len(one.accounts) for one in found])
    accounts = np.concatenate([one.accounts for one in found])
    kept_known = np.array(
        [not too_well_known(one.accounts, is_known, usual=usual, chance=WELL_KNOWN) for one in found]
    )
    aspects = [_ages(who, accounts)]
    if usual >= FEW_KNOWN:
        told = np.zeros(len(is_known), dtype=np.bool_)
        told[accounts[kept_known[label]]] = True
        aspects.insert(0, [Trait(told, is_known, usual)])
    kind = _kinds(who, found, label, accounts)
    beforehand = np.r_[0.5 / (SIZES - 1), PEOPLE, SHOP]
    doubts = chance_of_people(label, accounts, kind, beforehand, aspects)
    for one, doubt, kept in zip(found, doubts.tolist(), kept_known.tolist(), strict=True):
        theirs = one.accounts[~is_known[one.accounts]] if kept and usual >= FEW_KNOWN else one.accounts
        if doubt < 0.5 and len(theirs):
            score, pledges = 1 - doubt, len(who.stream.of(one.accounts))
            yield cluster(who, one, theirs, score, rule="alike", expected=doubt * pledges)


def _kinds(who: Accounts, found: list[Group], label: Ints, accounts: Ints) -> Ints:
    """Which groups are alike: by homes, by accounts of one home, or several homes of one region."""
    homes = np.array([one.households for one in found])
    sizes = np.array([len(one.accounts) for one in found])
    least, most = np.full(len(who.created), np.iinfo(np.int64).max), np.zeros(len(who.created), np.int64)
    np.minimum.at(least, who.stream.buyer, who.stream.region)
    np.maximum.at(most, who.stream.buyer, who.stream.region)
    starts = np.flatnonzero(np.r_[True, np.diff(label) > 0])
    here = np.minimum.reduceat(least[accounts], starts) == np.maximum.reduceat(most[accounts], starts)
    several = homes >= HOUSEHOLDS
    step = np.searchsorted(SIZES, np.where(several, homes, sizes), side="right") - 1
    return np.where(several & here, PLACE, np.where(several, step, len(SIZES) + step))


def _ages(who: Accounts, accounts: Ints) -> list[Trait]:
    """To be older or younger than a quarter, a half, three quarters of those who share nothing."""
    told, alone = who.age >= 0, np.ones(len(who.age), dtype=np.bool_)
    alone[accounts] = False
    reference = who.age[told & alone]
    if len(reference) < COMPARED:
        return []
    low, middle, high = np.quantile(reference, [0.25, 0.5, 0.75])
    age = who.age
    ways = (age > low, age > middle, age <= middle, age <= high, (age <= low) | (age > high))
    traits = [Trait(told, way, float(way[told & alone].mean())) for way in ways]
    return [one for one in traits if 0.2 < one.usual < 0.9]  # ages that many have in common split badly


def chance_of_people(
    label: Ints, accounts: Ints, kind: Ints, beforehand: Floats, aspects: list[list[Trait]]
) -> Floats:
    """For each group twice the chance that it is people's, or the part of it that looks so if that is more.

    Args:
        label, accounts: group and account, pair by pair in order of the groups, which are numbered from 0.
        kind: which groups are alike, numbered from 0.
        beforehand: the part of each kind that is people's, as far as one knows without looking.
        aspects: what says something independently, the surest first; of its traits the one that is lacked
            most counts.
    """
    groups, kinds = len(kind), len(beforehand)
    part, surprise, counted = np.full(groups, MOST), np.zeros(groups), np.zeros(groups)
    looks = np.full(groups, -1.0)
    for traits in aspects:
        among, chance, like = np.full(groups, MOST), np.ones(groups), np.full(groups, -1.0)
        for one in traits:
            told = one.told[accounts]
            of = np.bincount(label[told], minlength=groups)
            has = np.bincount(label[told & one.has[accounts]], minlength=groups)
            others = np.bincount(kind, weights=of, minlength=kinds)[kind] - of
            theirs = np.bincount(kind, weights=has, minlength=kinds)[kind] - has
            expected = theirs + BELIEVED * beforehand[kind] * one.usual
            most = (expected + np.sqrt(theirs)) / (one.usual * (others + BELIEVED))
            chosen = 1 + (len(traits) - 1) * BELIEVED / (
                BELIEVED + others
            )  # by the group itself, or by others
            own = np.minimum(1.0, chosen * bdtr(has, np.maximum(of, 1), one.usual))
            better = (of > 0) & (most * own < among * chance)
            among, chance = np.where(better, most, among), np.where(better, own, chance)
            like = np.where(better, (has - np.sqrt(has)) / (one.usual * np.maximum(of, 1)), like)
        part, looks = np.minimum(part, among), np.maximum(looks, like)
        surprise, counted = surprise - np.log(np.maximum(1e-300, chance)), counted + (chance < 1)
    by_chance = np.where(counted > 0, gammaincc(np.maximum(counted, 1), surprise), 1.0)
    odds = part / (1 - part) * by_chance
    return np.asarray(np.maximum(2 * odds / (1 + odds), looks))
