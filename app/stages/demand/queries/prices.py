"""What a campaign sells a unit for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.stages.demand.models import Tier


def price_at(session: Session, *, campaign_id: int, units: int) -> int | None:
    """The tier's price of a unit, in minor units, once so many are reached; None without tiers."""
    reached = select(Tier.unit_price_minor).where(Tier.campaign_id == campaign_id, Tier.min_units <= units)
    return session.scalar(reached.order_by(Tier.min_units.desc()).limit(1))
