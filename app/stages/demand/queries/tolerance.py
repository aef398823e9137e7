"""What tolerant buyers of a campaign allow, how it would fill a line, and what was made of it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.stages.demand.models import (
    Campaign,
    Signal,
    Tolerance,
    ToleranceFill,
    ToleranceSku,
    ToleranceStep,
)
from app.stages.demand.queries.campaigns import get_campaign
from app.stages.demand.rules import Reason
from app.stages.demand.rules.tolerance import Filling, Step, Tolerant, fill, room_left


@dataclass(frozen=True, slots=True)
class Proposal:
    """How tolerance fills a line that is short of `wanted` units; `fingerprint` names exactly these steps.

    `gained` is what the line gets, `buyers` how many are asked. Nothing is stored.
    """

    campaign_id: int
    sku_id: int | None
    wanted: int
    gained: int
    buyers: int
    steps: tuple[Step, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FillFact:
    """Tolerance that was used; `undone_by` and `undone_at` are set once a person took it back."""

    id: int
    campaign_id: int
    sku_id: int | None
    wanted_units: int
    gained_units: int
    buyers: int
    applied_by: str
    applied_at: dt.datetime
    undone_by: str | None
    undone_at: dt.datetime | None


def propose_tolerance(
    session: Session,
    *,
    campaign_id: int,
    sku_id: int | None = None,
    units: int | None = None,
    spare: Mapping[int, int] | None = None,
) -> Proposal:
    """The pledges to raise or move, with the fewest buyers asked, for a line that is short of units.

    Args:
        sku_id: the SKU whose line it is; None is the go line of the campaign.
        units: what it is short of; without it, valid units are raised to the go line.
        spare: what other SKUs can give, of those that need what they have.

    Raises:
        NotFound: `campaign_unknown`.
    """
    campaign = get_campaign(session, campaign_id=campaign_id)
    wanted = max(campaign.go_units - campaign.valid_units, 0) if units is None else units
    found = fill_line(session, campaign_id=campaign_id, sku_id=sku_id, units=wanted, spare=spare)
    text = f"{campaign_id} {sku_id} {wanted} {found.steps}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Proposal(campaign_id, sku_id, wanted, found.gained, found.buyers, found.steps, digest)


def fill_line(
    session: Session,
    *,
    campaign_id: int,
    sku_id: int | None,
    units: int,
    spare: Mapping[int, int] | None = None,
) -> Filling:
    """`rules.tolerance.fill` with the pledges, limits and cap of a campaign."""
    return fill(
        tolerant_pledges(session, campaign_id=campaign_id),
        units=units,
        sku_id=sku_id,
        room=_room(session, campaign_id),
        cap_left=_cap_left(session, campaign_id),
        spare=spare,
    )


def tolerant_pledges(session: Session, *, campaign_id: int) -> list[Tolerant]:
    """Valid pledges whose buyers said what else they would take, in the order they were made.

    A pledge that was corrected to units outside its range is not raised any more.
    """
    skus: dict[int, set[int]] = defaultdict(set)
    here = select(Signal.id).where(Signal.campaign_id == campaign_id)
    for signal_id, sku_id in session.execute(
        select(ToleranceSku.signal_id, ToleranceSku.sku_id).where(ToleranceSku.signal_id.in_(here))
    ):
        skus[signal_id].add(sku_id)
    query = (
        select(
            Signal.id,
            Signal.buyer,
            Signal.sku_id,
            Signal.quantity,
            Tolerance.min_quantity,
            Tolerance.max_quantity,
        )
        .join(Tolerance, Tolerance.signal_id == Signal.id)
        .where(Signal.campaign_id == campaign_id, Signal.reason == Reason.VALID.value, Signal.quantity > 0)
        .order_by(Signal.ordered_at, Signal.id)
    )
    return [
        Tolerant(
            signal_id,
            buyer or f"signal {signal_id}",
            sku_id,
            quantity,
            most if most is not None and (least or 1) <= quantity <= most else quantity,
            frozenset(skus[signal_id]),
        )
        for signal_id, buyer, sku_id, quantity, least, most in session.execute(query)
    ]


def _room(session: Session, campaign_id: int) -> dict[str, int]:
    """How many more units each tolerant buyer may have; nobody is named where there is no limit."""
    limit = session.scalar(select(Campaign.per_buyer_limit).where(Campaign.id == campaign_id))
    if limit is None:
        return {}
    tolerant = select(Signal.buyer).join(Tolerance, Tolerance.signal_id == Signal.id)
    query = select(Signal.id, Signal.buyer, Signal.quantity).where(
        Signal.campaign_id == campaign_id,
        Signal.buyer.in_(tolerant.where(Signal.campaign_id == campaign_id)),
        Signal.reason.in_([Reason.VALID.value, Reason.RETURNED.value]),
    )
    held: dict[str, list[int]] = defaultdict(list)
    for _, buyer, quantity in session.execute(query.order_by(Signal.ordered_at, Signal.external_id)):
        held[str(buyer)].append(quantity)
    nobody = select(Signal.id, Signal.quantity).join(Tolerance, Tolerance.signal_id == Signal.id)
    alone = nobody.where(Signal.campaign_id == campaign_id, Signal.buyer.is_(None))
    return {buyer: room_left(quantities, limit=limit) for buyer, quantities in held.items()} | {
        f"signal {signal_id}": max(limit - quantity, 0) for signal_id, quantity in session.execute(alone)
    }


def _cap_left(session: Session, campaign_id: int) -> int | None:
    cap = session.scalar(select(Campaign.cap_units).where(Campaign.id == campaign_id))
    if cap is None:
        return None
    return max(cap - get_campaign(session, campaign_id=campaign_id).valid_units, 0)


def moved_units(session: Session, *, campaign_id: int, since: dt.date) -> dict[int, int]:
    """Units that tolerance moved away from each SKU from a day (UTC) on, less what it moved there."""
    instant = dt.datetime.combine(since, dt.time(), dt.UTC)
    query = (
        select(ToleranceStep.from_sku_id, ToleranceStep.to_sku_id, ToleranceStep.from_quantity)
        .join(ToleranceFill, ToleranceFill.id == ToleranceStep.fill_id)
        .where(
            ToleranceFill.campaign_id == campaign_id,
            ToleranceFill.undone_at.is_(None),
            ToleranceFill.applied_at >= instant,
            ToleranceStep.from_sku_id != ToleranceStep.to_sku_id,
        )
    )
    moved: dict[int, int] = defaultdict(int)
    for giving, taking, units in session.execute(query):
        moved[giving] += units
        moved[taking] -= units
    return moved


def list_fills(session: Session, *, campaign_id: int) -> list[FillFact]:
    """Tolerance that was used in a campaign, the newest first."""
    query = select(*_fill_columns()).where(ToleranceFill.campaign_id == campaign_id)
    return [FillFact(*row) for row in session.execute(query.order_by(ToleranceFill.id.desc()))]


def get_fill(session: Session, *, fill_id: int) -> FillFact | None:
    row = session.execute(select(*_fill_columns()).where(ToleranceFill.id == fill_id)).one_or_none()
    return FillFact(*row) if row else None


def fill_steps(session: Session, *, fill_id: int) -> Sequence[Step]:
    """What one fill made of pledges."""
    columns = [getattr(ToleranceStep, name) for name in Step.__dataclass_fields__]
    query = select(*columns).where(ToleranceStep.fill_id == fill_id).order_by(ToleranceStep.signal_id)
    return [Step(*row) for row in session.execute(query)]


def _fill_columns() -> list[Any]:
    return [getattr(ToleranceFill, name) for name in FillFact.__dataclass_fields__]
