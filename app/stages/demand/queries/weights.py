"""What commitments are worth: the data it is learnt from, and the weights in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session, aliased

from app.stages.catalog.models import Sku
from app.stages.demand.models import Campaign, CommitmentWeight, Signal, WeightRun
from app.stages.demand.rules import CampaignState, Commitment, Reason
from app.stages.demand.rules.weights import ELSEWHERE, Seen, Weight, learn, weight_of

MATURE = (CampaignState.IN_PRODUCTION, CampaignState.SHIPPING, CampaignState.CLOSED)
"""Whoever wanted to pay has paid: a campaign that was put into production has asked for it."""
WORDS = (Reason.VALID, Reason.INTEREST, Reason.SUPERSEDED, Reason.UNPAID, Reason.CANCELLED)
"""What were people's words: a cancelled one was one, and was not paid."""


@dataclass(frozen=True, slots=True)
class WeightRunFact:
    """The weights in use: when they were learnt and from what; `learnt_at` is None for the stated priors."""

    learnt_at: dt.datetime | None
    fingerprint: str | None
    weights: tuple[Weight, ...]


class Weights:
    """Thousandths of a unit by category and commitment."""

    def __init__(self, known: Mapping[tuple[str, str], int]) -> None:
        self._known = known

    def of(self, category: str | None, commitment: str) -> int:
        return weight_of(self._known, category=category, commitment=commitment)


def seen_conversions(session: Session, *, until: dt.datetime) -> list[Seen]:
    """What became of the signals of campaigns that went, closed before `until` and had to be paid by then.

    Only campaigns whose channels tell payments: of which at least one paid order is known. A signal is
    converted when its buyer has a paid order of the same SKU in the campaign that counts.
    """
    paid = aliased(Signal)
    payments = exists().where(
        paid.campaign_id == Campaign.id,
        paid.commitment == Commitment.PAID,
        paid.reason == Reason.VALID,
    )
    mature = select(Campaign.id).where(
        Campaign.state.in_(MATURE),
        Campaign.closes_at <= until,
        func.coalesce(Campaign.balance_due_at, Campaign.closes_at) <= until,
        payments,
    )
    theirs = exists().where(
        paid.campaign_id == Signal.campaign_id,
        paid.buyer == Signal.buyer,
        paid.sku_id == Signal.sku_id,
        paid.commitment == Commitment.PAID,
        paid.reason == Reason.VALID,
    )
    category = func.coalesce(Sku.category, ELSEWHERE)
    query = (
        select(
            category,
            Signal.commitment,
            Signal.campaign_id,
            func.count(),
            func.sum(case((theirs, 1), else_=0)),
        )
        .join(Sku, Sku.id == Signal.sku_id)
        .where(
            Signal.campaign_id.in_(mature),
            Signal.buyer.is_not(None),
            Signal.quantity > 0,
            Signal.commitment != Commitment.PAID,
            Signal.reason.in_(WORDS),
        )
        .group_by(category, Signal.commitment, Signal.campaign_id)
    )
    return sorted(
        Seen(str(row[0]), row[1], int(row[2]), int(row[3]), int(row[4])) for row in session.execute(query)
    )


def current_run(session: Session) -> WeightRunFact:
    """The weights in use, those of every category first; before anything was learnt the stated priors."""
    run = session.scalars(select(WeightRun).order_by(WeightRun.id.desc()).limit(1)).first()
    if run is None:
        return WeightRunFact(None, None, tuple(learn([])))
    columns = [getattr(CommitmentWeight, name) for name in Weight.__dataclass_fields__]
    rows = session.execute(select(*columns).where(CommitmentWeight.run_id == run.id))
    order = {one.value: place for place, one in enumerate(Commitment)}
    found = sorted((Weight(*row) for row in rows), key=lambda one: (order[one.commitment], one.category))
    return WeightRunFact(run.learnt_at, run.fingerprint, tuple(found))


def weights(session: Session) -> Weights:
    """The weights in use, to be looked up."""
    return Weights({(one.category, one.commitment): one.permille for one in current_run(session).weights})
