"""From valid demand to what is expected to be paid, and to what is planned, in thousandths of a unit.

What is expected of a commitment is its units times its weight; a paid unit is a whole one. Thousandths are
whole numbers, so that the steps add up exactly, and every cell is the sum of its parts. To plan is what is
expected of campaigns that are made now.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.core.errors import RuleBroken
from app.stages.catalog.models import Sku
from app.stages.demand.models import Campaign, CampaignDay, DemandDay, DemandSkuDay
from app.stages.demand.queries.campaigns import REQUIRING
from app.stages.demand.queries.cells import pledged_signals, received
from app.stages.demand.queries.weights import Weights, weights
from app.stages.demand.rules import COUNTING, CampaignState, Commitment, Reason, kind_reason
from app.stages.demand.rules.weights import WHOLE

BY = ("campaign", "sku", "region", "channel", "day")
MADE = (CampaignState.SHIPPING, CampaignState.CLOSED)
_Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class CommitmentUnits:
    """Units of one commitment that stand, its part that is valid demand, and what is expected of them."""

    commitment: str
    units: int
    valid_units: int
    expected_thousandths: int


@dataclass(frozen=True, slots=True)
class Expected:
    """One cell of the waterfall; `key` is what it was asked by, None for all of it or for no campaign.

    raw_units − excluded_units = valid_units; in thousandths, valid − unpaid + interest = expected, and
    expected − spot − failed − made = to_plan. All are exact sums of the cell's parts.
    """

    key: Any
    raw_units: int
    excluded_units: int
    valid_units: int
    interest_units: int
    unpaid_thousandths: int
    interest_thousandths: int
    expected_thousandths: int
    spot_thousandths: int
    failed_thousandths: int
    made_thousandths: int
    to_plan_thousandths: int
    commitments: tuple[CommitmentUnits, ...]


@dataclass(slots=True)
class _Sums:
    """Units of one key, category, state and kind of cell."""

    raw: int = 0
    valid: int = 0
    stands: int = 0

    def add(self, raw: int, valid: int, units: int, *, stands: bool) -> None:
        self.raw += raw
        self.valid += valid
        self.stands += units if stands else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which demand: `since` is the first day that counts, `until` the first that no longer does."""

    campaign_id: int | None = None
    sku_id: int | None = None
    region_id: int | None = None
    channel_id: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None


def expected(session: Session, *, scope: Scope, by: str | None = None) -> list[Expected]:
    """The waterfall to its end: one cell, or one for each `by`, in the order of the keys.

    Args:
        by: one of BY.

    Raises:
        RuleBroken: `waterfall_filter` when both a campaign and a channel are asked for.
    """
    if "campaign" in (by, scope.campaign_id and "campaign") and "channel" in (
        by,
        scope.channel_id and "channel",
    ):
        raise RuleBroken("waterfall_filter", "Choose a campaign or a channel, not both.")
    by_key: dict[Any, dict[tuple[str, str, str], _Sums]] = defaultdict(lambda: defaultdict(_Sums))
    for key, category, kind, state, raw, valid, units in _cells(session, scope, by):
        by_key[key][category, kind, state].add(raw, valid, units, stands=kind_reason(kind) in COUNTING)
    known = weights(session)
    if by is None:
        by_key.setdefault(None, {})
    ordered = sorted(by_key, key=lambda key: (key is None, key if key is not None else 0))
    return [_expected(key, by_key[key], known) for key in ordered]


def _expected(key: Any, parts: dict[tuple[str, str, str], _Sums], known: Weights) -> Expected:
    by_state: dict[str, int] = defaultdict(int)
    by_commitment: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    lost = gained = 0
    for (category, kind, state), sums in parts.items():
        if kind_reason(kind) not in COUNTING:
            continue
        commitment = kind if kind in set(Commitment) else Commitment.PAID.value
        worth = sums.stands * known.of(category, commitment)
        by_state[state] += worth
        for place, amount in enumerate((sums.stands, sums.valid, worth)):
            by_commitment[commitment][place] += amount
        if kind_reason(kind) is Reason.INTEREST:
            gained += worth
        else:
            lost += sums.valid * WHOLE - worth
    valid = sum(sums.valid for sums in parts.values())
    raw = sum(sums.raw for sums in parts.values())
    total = sum(by_state.values())
    to_plan = sum(by_state[state] for state in REQUIRING)
    made = sum(by_state[state] for state in MADE)
    spot = by_state[""]
    return Expected(
        key=key,
        raw_units=raw,
        excluded_units=raw - valid,
        valid_units=valid,
        interest_units=sum(by_commitment[one][0] - by_commitment[one][1] for one in list(by_commitment)),
        unpaid_thousandths=lost,
        interest_thousandths=gained,
        expected_thousandths=total,
        spot_thousandths=spot,
        failed_thousandths=total - to_plan - made - spot,
        made_thousandths=made,
        to_plan_thousandths=to_plan,
        commitments=tuple(
            CommitmentUnits(one.value, *by_commitment[one.value])
            for one in Commitment
            if any(by_commitment.get(one.value, ()))
        ),
    )


def _cells(
    session: Session, scope: Scope, by: str | None
) -> Iterable[tuple[Any, str, str, str, int, int, int]]:
    """Key, category, kind, state of the campaign ('' for spot demand), raw, valid and signed units."""
    pledged = list(_pledged(session, scope, by))
    yield from pledged
    if scope.campaign_id is not None:
        return
    everything = _everything(session, scope, None if by == "campaign" else by)
    campaigns: dict[tuple[Any, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for key, category, kind, _, *sums in pledged:
        cell = campaigns[None if by == "campaign" else key, category, kind]
        for place, amount in enumerate(sums):
            cell[place] += amount
    for key, category, kind, *sums in everything:
        theirs = campaigns.pop((key, category, kind), [0, 0, 0])
        rest = [int(one) - other for one, other in zip(sums, theirs, strict=True)]
        if any(rest):
            yield key, category, kind, "", rest[0], rest[1], rest[2]


def _everything(session: Session, scope: Scope, by: str | None) -> Iterable[tuple[Any, ...]]:
    places = by in ("region", "channel") or scope.region_id is not None or scope.channel_id is not None
    table = received(DemandDay if places else DemandSkuDay)
    key = [] if by is None else [table.day if by == "day" else table[f"{by}_id"]]
    sums = (func.sum(table.raw_units), func.sum(table.valid_units), func.sum(table.units))
    query: _Query = select(*key, func.coalesce(Sku.category, ""), table.reason, *sums)
    query = query.join(Sku, Sku.id == table.sku_id).group_by(*key, Sku.category, table.reason)
    for row in session.execute(_within(query, scope, table)):
        yield (*(() if by is not None else (None,)), *row)


def _pledged(
    session: Session, scope: Scope, by: str | None
) -> Iterable[tuple[Any, str, str, str, int, int, int]]:
    """What belongs to campaigns. Their cells know no channel: by channel it is counted from the signals."""
    of_channel = by == "channel" or scope.channel_id is not None
    if of_channel:
        table: Any = pledged_signals()
    else:
        table = received(CampaignDay)
    key = [] if by is None else [table.day if by == "day" else table[f"{by}_id"]]
    sums = (func.sum(table.raw_units), func.sum(table.valid_units), func.sum(table.units))
    query: _Query = select(*key, func.coalesce(Sku.category, ""), table.reason, Campaign.state, *sums)
    query = query.join(Sku, Sku.id == table.sku_id).join(Campaign, Campaign.id == table.campaign_id)
    query = query.group_by(*key, Sku.category, table.reason, Campaign.state)
    if scope.campaign_id is not None:
        query = query.where(table.campaign_id == scope.campaign_id)
    for row in session.execute(_within(query, scope, table)):
        *told, category, kind, state, raw, valid, units = row
        yield told[0] if told else None, category, kind, state, int(raw), int(valid), int(units)


def _within(query: _Query, scope: Scope, table: Any) -> _Query:
    for name in ("sku_id", "region_id", "channel_id"):
        wanted = getattr(scope, name)
        if wanted is not None:
            query = query.where(table[name] == wanted)
    if scope.since is not None:
        query = query.where(table.day >= scope.since)
    if scope.until is not None:
        query = query.where(table.day < scope.until)
    return query
