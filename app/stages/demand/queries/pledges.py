"""Single pledges by their identity, and the ids that a few codes stand for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, literal, select
from sqlalchemy.orm import Session

from app.stages.catalog.models import Region, Sku
from app.stages.demand.models import LIGHTER, Campaign, CampaignSku, Channel, Correction, Signal


@dataclass(frozen=True, slots=True)
class PledgeFact:
    """One signal as it counts now, corrections included.

    `received_status` is what it came with; `goods` is false for postage, fees and the like.
    """

    id: int
    channel: str
    external_id: str
    commitment: str
    sku: str
    region: str
    campaign: str | None
    quantity: int
    unit_price_minor: int
    currency: str
    ordered_at: dt.datetime
    day: dt.date
    buyer: str | None
    status: str
    reason: str
    received_status: str
    goods: bool
    campaign_id: int | None


@dataclass(frozen=True, slots=True)
class ChannelCurrency:
    """A channel sells in one currency."""

    id: int
    currency: str


@dataclass(frozen=True, slots=True)
class Codes:
    """What codes stand for: SKU → id and whether it is goods, region → id and time zone, campaign → id."""

    skus: dict[str, tuple[int, bool]]
    regions: dict[str, tuple[int, str]]
    campaigns: dict[str, int]


@dataclass(frozen=True, slots=True)
class CorrectedFact:
    """A corrected pledge: quantity and status now, and as they were received."""

    external_id: str
    quantity: int
    received_quantity: int | None
    status: str | None
    received_status: str


def find_channel(session: Session, *, code: str) -> ChannelCurrency | None:
    """A channel by its code."""
    row = session.execute(select(Channel.id, Channel.currency).where(Channel.code == code)).one_or_none()
    return ChannelCurrency(*row) if row else None


def resolve_codes(
    session: Session, *, skus: Collection[str], regions: Collection[str], campaigns: Collection[str]
) -> Codes:
    """The ids of these codes; a code that nobody described is left out."""
    sku_rows = session.execute(select(Sku.code, Sku.id, Sku.goods).where(Sku.code.in_(skus)))
    region_rows = session.execute(
        select(Region.code, Region.id, Region.timezone).where(Region.code.in_(regions))
    )
    campaign_rows = session.execute(select(Campaign.code, Campaign.id).where(Campaign.code.in_(campaigns)))
    return Codes(
        skus={code: (id_, goods) for code, id_, goods in sku_rows},
        regions={code: (id_, timezone) for code, id_, timezone in region_rows},
        campaigns=dict(campaign_rows.all()),
    )


def campaign_sku_codes(session: Session) -> list[tuple[int, str]]:
    """Every campaign id with the codes of its SKUs."""
    query = select(CampaignSku.campaign_id, Sku.code).join(Sku, Sku.id == CampaignSku.sku_id)
    return [(row[0], row[1]) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class PledgeWorld:
    """What one pledge meets: its channel, SKU, region and campaign, each None where nobody knows the code.

    `waits`: a correction of its identity is there already. `known_buyer`: the campaign has a signal of its
    buyer. `committed`: there is one of its buyer for its SKU that may replace it, or be replaced.
    """

    channel_id: int | None
    currency: str | None
    sku_id: int | None
    goods: bool
    region_id: int | None
    timezone: str | None
    campaign_id: int | None
    state: str | None
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None
    fill_starts_at: dt.datetime | None
    cap_units: int | None
    per_buyer_limit: int | None
    waits: bool
    known_buyer: bool
    committed: bool


def look_around(
    session: Session,
    *,
    channel: str,
    external_id: str,
    sku: str,
    region: str,
    campaign: str | None,
    buyer: str | None,
) -> PledgeWorld:
    """What a pledge meets, in one statement."""
    asked = {
        "channel": channel,
        "external_id": external_id,
        "sku": sku,
        "region": region,
        "campaign": campaign,
        "buyer": buyer,
    }
    row = session.execute(WORLD, asked).one()
    return PledgeWorld(*row)


def _world() -> Select[*tuple[Any, ...]]:
    one = select(literal(1).label("one")).subquery()
    waiting = (Correction.channel_id == Channel.id) & (Correction.external_id == bindparam("external_id"))
    alike = Signal.sku_id == Sku.id
    theirs = (Signal.campaign_id == Campaign.id) & (Signal.buyer == bindparam("buyer"))
    world: Select[*tuple[Any, ...]] = (
        select(
            Channel.id,
            Channel.currency,
            Sku.id,
            func.coalesce(Sku.goods, False),
            Region.id,
            Region.timezone,
            Campaign.id,
            Campaign.state,
            Campaign.opens_at,
            Campaign.closes_at,
            Campaign.fill_starts_at,
            Campaign.cap_units,
            Campaign.per_buyer_limit,
            exists().where(waiting),
            exists().where(theirs),
            exists().where(alike, theirs)
            | exists().where(alike, LIGHTER, Campaign.id.is_(None), Signal.buyer == bindparam("buyer")),
        )
        .select_from(one)
        .outerjoin(Channel, Channel.code == bindparam("channel"))
        .outerjoin(Sku, Sku.code == bindparam("sku"))
        .outerjoin(Region, Region.code == bindparam("region"))
        .outerjoin(Campaign, Campaign.code == bindparam("campaign"))
    )
    return world


WORLD = _world()


def find_pledges(
    session: Session, *, channel_id: int, external_ids: Collection[str]
) -> dict[str, PledgeFact]:
    """The pledges of one channel that have these external ids, by external id."""
    same = (Correction.channel_id == Signal.channel_id) & (Correction.external_id == Signal.external_id)
    query = (
        select(
            Signal.id,
            Channel.code,
            Signal.external_id,
            Signal.commitment,
            Sku.code,
            Region.code,
            Campaign.code,
            Signal.quantity,
            Signal.unit_price_minor,
            Channel.currency,
            Signal.ordered_at,
            Signal.day,
            Signal.buyer,
            func.coalesce(Correction.status, Signal.status),
            Signal.reason,
            Signal.status,
            Sku.goods,
            Signal.campaign_id,
        )
        .join(Channel, Channel.id == Signal.channel_id)
        .join(Sku, Sku.id == Signal.sku_id)
        .join(Region, Region.id == Signal.region_id)
        .outerjoin(Campaign, Campaign.id == Signal.campaign_id)
        .outerjoin(Correction, same)
        .where(Signal.channel_id == channel_id, Signal.external_id.in_(external_ids))
    )
    return {row[2]: PledgeFact(*tuple(row)) for row in session.execute(query)}


def any_corrections(session: Session, *, channel_id: int) -> bool:
    """Was anything of this channel ever corrected? Most files come to channels where nothing was."""
    found = session.scalar(select(Correction.channel_id).where(Correction.channel_id == channel_id).limit(1))
    return found is not None


def find_corrections(
    session: Session, *, channel_id: int, external_ids: Collection[str] | None = None
) -> list[CorrectedFact]:
    """Which of these pledges, or of all of a channel, were corrected."""
    same = (Correction.channel_id == Signal.channel_id) & (Correction.external_id == Signal.external_id)
    query = (
        select(
            Signal.external_id,
            Signal.quantity,
            Correction.received_quantity,
            Correction.status,
            Signal.status,
        )
        .join(Correction, same)
        .where(Correction.channel_id == channel_id)
    )
    if external_ids is not None:
        query = query.where(Correction.external_id.in_(external_ids))
    return [CorrectedFact(*row) for row in session.execute(query)]
