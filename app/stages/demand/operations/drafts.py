"""Campaigns before their launch: drafting, editing, copying."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core import audit
from app.core.access import Actor, Role
from app.core.errors import Conflict, NotFound, RuleBroken
from app.stages.catalog import queries as catalog
from app.stages.demand.models import Campaign, CampaignSku, LimitedTier, Tier
from app.stages.demand.queries.terms import campaign_terms
from app.stages.demand.rules import CampaignState
from app.stages.demand.rules.terms import CampaignTerms, Failure, unusable

OWN = (
    "code",
    "name",
    "name_zh",
    "opens_at",
    "closes_at",
    "expected_units",
    "go_factor_percent",
    "due_week",
    "per_buyer_limit",
    "cap_units",
    "deposit_minor",
    "deposit_due_at",
    "balance_due_at",
    "fill_starts_at",
    "late_until",
)
"""Terms that are columns of the campaign itself."""
WEEK = dt.timedelta(weeks=1)


def draft_campaign(session: Session, *, terms: CampaignTerms, actor: Actor, now: dt.datetime) -> int:
    """Keep a draft; returns its id. It may be unfinished: what is missing is told before the launch.

    Raises:
        RuleBroken: `campaign_invalid` with an entry in `errors` for everything that can't be kept.
        Conflict: `campaign_exists`.
    """
    actor.must_be(Role.MERCHANDISER)
    _refuse_unusable(session, terms)
    _refuse_known(session, terms.code)
    campaign = Campaign(state=CampaignState.DRAFT, version=1)
    store_terms(session, campaign=campaign, terms=terms)
    record(session, campaign=campaign, action="campaign.drafted", data={}, actor=actor, now=now)
    return campaign.id


def edit_campaign(
    session: Session,
    *,
    campaign_id: int,
    version: int,
    terms: CampaignTerms,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Put other terms in the place of a draft's.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `campaign_invalid` as for a new draft, or `campaign_launched`.
        Conflict: `campaign_changed` when it is at another version, or `campaign_exists`.
    """
    actor.must_be(Role.MERCHANDISER)
    campaign = locked(session, campaign_id=campaign_id, version=version)
    if campaign.state != CampaignState.DRAFT:
        raise RuleBroken(
            "campaign_launched", "What was launched is not edited; extend it, close it or cancel it."
        )
    _refuse_unusable(session, terms)
    if terms.code != campaign.code:
        _refuse_known(session, terms.code)
    store_terms(session, campaign=campaign, terms=terms)
    record(session, campaign=campaign, action="campaign.edited", data={}, actor=actor, now=now)


def copy_campaign(session: Session, *, campaign_id: int, code: str, actor: Actor, now: dt.datetime) -> int:
    """A draft with the terms of another campaign under a new code, all dates moved by whole weeks.

    It opens in the future, on the same weekday and at the same hour. Returns its id.

    Raises:
        NotFound: `campaign_unknown`.
        RuleBroken: `campaign_invalid`, when the code can't be used.
        Conflict: `campaign_exists`.
    """
    actor.must_be(Role.MERCHANDISER)
    terms = campaign_terms(session, campaign_id=campaign_id)
    moved = _moved(replace(terms, code=code.strip()), by=_weeks_ahead(terms.opens_at, now))
    return draft_campaign(session, terms=moved, actor=actor, now=now)


def locked(session: Session, *, campaign_id: int, version: int | None) -> Campaign:
    """The campaign, which nobody else changes until the transaction ends; it will be at the next version.

    Raises:
        NotFound: `campaign_unknown`.
        Conflict: `campaign_changed` when it is at another version than `version`.
    """
    campaign = session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None:
        raise NotFound("campaign_unknown", f"There is no campaign {campaign_id}.", campaign_id=campaign_id)
    if version is not None and version != campaign.version:
        raise Conflict(
            "campaign_changed",
            "This campaign has changed since you opened it. Load it again, then decide again.",
            version=campaign.version,
        )
    campaign.version += 1
    return campaign


def store_terms(session: Session, *, campaign: Campaign, terms: CampaignTerms) -> None:
    """Write the terms into their tables; SKUs must be known."""
    for name in OWN:
        setattr(campaign, name, getattr(terms, name))
    campaign.name = terms.name.strip()
    session.add(campaign)
    session.flush()
    for table in (CampaignSku, Tier, LimitedTier):
        session.execute(delete(table).where(table.campaign_id == campaign.id))
    ids = catalog.sku_ids(session, codes=list(terms.skus))
    session.add_all(
        CampaignSku(campaign_id=campaign.id, sku_id=ids[one.sku], option=one.option or None)
        for one in terms.variants
    )
    session.add_all(
        Tier(campaign_id=campaign.id, min_units=one.min_units, unit_price_minor=one.unit_price_minor)
        for one in terms.tiers
    )
    session.add_all(
        LimitedTier(
            campaign_id=campaign.id, place=place, units=one.units, unit_price_minor=one.unit_price_minor
        )
        for place, one in enumerate(terms.limited, start=1)
    )
    session.flush()


def record(
    session: Session,
    *,
    campaign: Campaign,
    action: str,
    data: Mapping[str, Any],
    actor: Actor,
    now: dt.datetime,
) -> None:
    """One audit entry about a campaign."""
    subject = f"campaign:{campaign.code}"
    audit.record(session, actor=actor, action=action, subject=subject, data=dict(data), now=now)


def _refuse_unusable(session: Session, terms: CampaignTerms) -> None:
    found = unusable(terms)
    known = catalog.sku_ids(session, codes=list(dict.fromkeys(terms.skus)))
    strange = sorted(set(terms.skus) - known.keys())
    if strange:
        listed = ", ".join(strange[:20])
        sentence = f"Nobody described {listed}. Check the code, or import the SKU first."
        found.append(Failure("sku_unknown", sentence, "skus", {"skus": listed}))
    if found:
        raise RuleBroken(
            "campaign_invalid",
            "This campaign can't be kept; see `errors`.",
            errors=[one.as_dict() for one in found],
        )


def _refuse_known(session: Session, code: str) -> None:
    if session.scalar(select(Campaign.id).where(Campaign.code == code)) is not None:
        raise Conflict("campaign_exists", f"There is a campaign {code!r} already. Choose another code.")


def _weeks_ahead(opens_at: dt.datetime, now: dt.datetime) -> int:
    """Whole weeks from the opening until it lies in the future."""
    return max(0, -((opens_at - now) // WEEK)) if opens_at <= now else 0


def _moved(terms: CampaignTerms, *, by: int) -> CampaignTerms:
    more = WEEK * by

    def later(at: dt.datetime | None) -> dt.datetime | None:
        return None if at is None else at + more

    return replace(
        terms,
        opens_at=terms.opens_at + more,
        closes_at=terms.closes_at + more,
        due_week=terms.due_week + more,
        deposit_due_at=later(terms.deposit_due_at),
        balance_due_at=later(terms.balance_due_at),
        fill_starts_at=later(terms.fill_starts_at),
        late_until=later(terms.late_until),
    )
