"""The signals behind a cell of the waterfall, a page at a time. No buyer is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.stages.catalog.models import Sku
from app.stages.demand.models import CampaignTotalDay, Signal
from app.stages.demand.queries.cells import counted
from app.stages.demand.queries.expected import Scope
from app.stages.demand.queries.weights import weights
from app.stages.demand.rules import COUNTING, INTEREST

FEW_SIGNALS = 100_000
"""Of a campaign with as many at most, the buyers of a part are counted one by one."""


@dataclass(frozen=True, slots=True)
class SignalFact:
    """One signal: what it said, what was made of it, and what is expected of it in thousandths of a unit."""

    id: int
    channel_id: int
    external_id: str
    campaign_id: int | None
    sku_id: int
    region_id: int
    day: dt.date
    ordered_at: dt.datetime
    commitment: str
    quantity: int
    reason: str
    expected_thousandths: int


def within(query: Select[*tuple[Any, ...]], scope: Scope) -> Select[*tuple[Any, ...]]:
    """Only signals of this demand."""
    for name in ("campaign_id", "sku_id", "region_id", "channel_id"):
        wanted = getattr(scope, name)
        if wanted is not None:
            query = query.where(getattr(Signal, name) == wanted)
    if scope.since is not None:
        query = query.where(Signal.day >= scope.since)
    return query if scope.until is None else query.where(Signal.day < scope.until)


def count_buyers(session: Session, *, scope: Scope) -> int | None:
    """How many have ordered in a part of a campaign, exactly; None where that is too many to count at once.

    Whatever became of an order since, its buyer came; an order without a buyer adds nobody.
    """
    total = counted(CampaignTotalDay)
    signals = select(func.sum(total.signals)).where(total.campaign_id == scope.campaign_id)
    if scope.campaign_id is None or (session.scalar(signals) or 0) > FEW_SIGNALS:
        return None
    ordered = Signal.commitment.not_in([one.value for one in INTEREST])
    query: Select[*tuple[Any, ...]] = select(func.count(Signal.buyer.distinct())).where(ordered)
    return int(session.execute(within(query, scope)).scalar_one())


def list_signals(
    session: Session,
    *,
    scope: Scope,
    reasons: Sequence[str] | None = None,
    commitments: Sequence[str] | None = None,
    no_campaign: bool = False,
    before_id: int | None = None,
    limit: int = 50,
) -> list[SignalFact]:
    """Signals of this demand, the newest id first.

    Args:
        reasons: only those with these reasons; `valid` among them is valid demand.
        commitments: only those of these commitments.
        no_campaign: only spot demand.
        before_id: the id of the last one already seen, for the next page.
    """
    told = [
        getattr(Signal, name) for name in SignalFact.__dataclass_fields__ if name != "expected_thousandths"
    ]
    query: Select[*tuple[Any, ...]] = select(*told, Sku.category).join(Sku, Sku.id == Signal.sku_id)
    query = within(query, scope).order_by(Signal.id.desc()).limit(limit)
    if reasons is not None:
        query = query.where(Signal.reason.in_(reasons))
    if commitments is not None:
        query = query.where(Signal.commitment.in_(commitments))
    if no_campaign:
        query = query.where(Signal.campaign_id.is_(None))
    if before_id is not None:
        query = query.where(Signal.id < before_id)
    known = weights(session)
    facts = []
    for *told, category in session.execute(query):
        commitment, quantity, reason = told[-3:]
        worth = quantity * known.of(category, commitment) if reason in COUNTING else 0
        facts.append(SignalFact(*(*told, worth)))
    return facts
