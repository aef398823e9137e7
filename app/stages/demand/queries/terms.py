"""What a campaign is offered on, whether it may be launched, and what was decided of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.stages.catalog import queries as catalog
from app.stages.catalog.models import Sku
from app.stages.demand import translate
from app.stages.demand.models import Campaign, CampaignDecision, CampaignSku, LimitedTier, Tier
from app.stages.demand.rules import launch
from app.stages.demand.rules.campaigns import Limited, Step
from app.stages.demand.rules.terms import CampaignTerms, Failure, Variant


@dataclass(frozen=True, slots=True)
class LaunchOutlook:
    """What a launch would freeze, and every check that stands against it.

    `earliest_week` is the first one in which the goods could be there, None where nobody can make them.
    """

    failures: tuple[Failure, ...]
    expected_units: int
    go_units: int
    opens_at: dt.datetime
    closes_at: dt.datetime
    due_week: dt.date
    earliest_week: dt.date | None


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """One step of a campaign's life. `rule_goes` is what the go rule said, where it was asked."""

    id: int
    kind: str
    from_state: str
    to_state: str
    valid_units: int
    expected_units: int
    go_factor_percent: int
    rule_goes: bool | None
    inputs: dict[str, Any]
    reason: str | None
    decided_by: str
    decided_at: dt.datetime


def campaign_terms(session: Session, *, campaign_id: int) -> CampaignTerms:
    """The terms of a campaign, draft or launched.

    Raises:
        NotFound: `campaign_unknown`.
    """
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound("campaign_unknown", f"There is no campaign {campaign_id}.", campaign_id=campaign_id)
    return CampaignTerms(
        code=campaign.code,
        name=campaign.name,
        name_zh=campaign.name_zh,
        variants=_variants(session, campaign_id),
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        expected_units=campaign.expected_units,
        go_factor_percent=campaign.go_factor_percent,
        due_week=campaign.due_week,
        tiers=tuple(tiers(session, campaign_id=campaign_id)),
        limited=tuple(limited_tiers(session, campaign_id=campaign_id)),
        per_buyer_limit=campaign.per_buyer_limit,
        cap_units=campaign.cap_units,
        deposit_minor=campaign.deposit_minor,
        deposit_due_at=campaign.deposit_due_at,
        balance_due_at=campaign.balance_due_at,
        fill_starts_at=campaign.fill_starts_at,
        late_until=campaign.late_until,
    )


def tiers(session: Session, *, campaign_id: int) -> list[Step]:
    """The volume tiers, rising."""
    query = select(Tier.min_units, Tier.unit_price_minor).where(Tier.campaign_id == campaign_id)
    return [Step(*row) for row in session.execute(query.order_by(Tier.min_units))]


def limited_tiers(session: Session, *, campaign_id: int) -> list[Limited]:
    """The limited tiers in the order in which they are given away."""
    query = select(LimitedTier.units, LimitedTier.unit_price_minor)
    query = query.where(LimitedTier.campaign_id == campaign_id).order_by(LimitedTier.place)
    return [Limited(*row) for row in session.execute(query)]


def launch_outlook(
    session: Session, *, campaign_id: int, deposit_cap_percent: int, now: dt.datetime
) -> LaunchOutlook:
    """The dry run of a launch: what it would freeze, and all that stands against it.

    Raises:
        NotFound: `campaign_unknown`.
    """
    terms = campaign_terms(session, campaign_id=campaign_id)
    return terms_outlook(session, terms=terms, deposit_cap_percent=deposit_cap_percent, now=now)


def terms_outlook(
    session: Session, *, terms: CampaignTerms, deposit_cap_percent: int, now: dt.datetime
) -> LaunchOutlook:
    """The same of any terms."""
    network = catalog.network(session)
    sources = translate.sources(network, skus=terms.skus)
    found = launch.failures(
        terms,
        sources,
        unsold=translate.unsold(network, skus=terms.skus),
        deposit_cap_percent=deposit_cap_percent,
        now=now,
    )
    return LaunchOutlook(
        failures=tuple(found),
        expected_units=terms.expected_units,
        go_units=terms.go_units,
        opens_at=terms.opens_at,
        closes_at=terms.closes_at,
        due_week=terms.due_week,
        earliest_week=launch.earliest_week(
            sources, skus=terms.skus, units=terms.go_units, closes_on=terms.closes_at.date()
        ),
    )


def list_decisions(session: Session, *, campaign_id: int) -> list[DecisionFact]:
    """What was decided of a campaign, the newest first."""
    columns = [getattr(CampaignDecision, name) for name in DecisionFact.__dataclass_fields__]
    query = select(*columns).where(CampaignDecision.campaign_id == campaign_id)
    return [DecisionFact(*row) for row in session.execute(query.order_by(CampaignDecision.id.desc()))]


def _variants(session: Session, campaign_id: int) -> tuple[Variant, ...]:
    query = (
        select(Sku.code, CampaignSku.option)
        .join(Sku, Sku.id == CampaignSku.sku_id)
        .where(CampaignSku.campaign_id == campaign_id)
        .order_by(Sku.code)
    )
    return tuple(Variant(*row) for row in session.execute(query))
