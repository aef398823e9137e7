"""Who gets a limited price of a campaign."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.stages.demand.models import Channel, Signal
from app.stages.demand.queries.terms import limited_tiers
from app.stages.demand.rules import Reason
from app.stages.demand.rules.campaigns import Limited, Made, limited_awards


@dataclass(frozen=True, slots=True)
class AwardFact:
    """Units of one pledge at a limited price."""

    channel: str
    external_id: str
    ordered_at: dt.datetime
    units: int
    unit_price_minor: int


def list_awards(session: Session, *, campaign_id: int) -> list[AwardFact]:
    """Who gets a limited price, in the order the pledges were made; it never depends on their arrival."""
    return [
        AwardFact(made.channel, made.external_id, made.ordered_at, part.units, part.unit_price_minor)
        for made, parts in awarded(session, campaign_id=campaign_id)
        for part in parts
    ]


def awarded(session: Session, *, campaign_id: int) -> list[tuple[Made, tuple[Limited, ...]]]:
    """The pledges with units at a limited price: no more of them than there are such units."""
    limited = limited_tiers(session, campaign_id=campaign_id)
    if not limited:
        return []
    made = _first_made(session, campaign_id, units=sum(one.units for one in limited))
    awards = limited_awards(made, limited=limited)
    return [(one, awards[one.id]) for one in sorted(made) if one.id in awards]


def _first_made(session: Session, campaign_id: int, *, units: int) -> list[Made]:
    """The pledges that hold the first units, and all that were made at the moment of the last of them."""
    query = (
        select(Signal.ordered_at, Channel.code, Signal.external_id, Signal.id, Signal.quantity)
        .join(Channel, Channel.id == Signal.channel_id)
        .where(Signal.campaign_id == campaign_id, Signal.reason == Reason.VALID, Signal.quantity > 0)
        .order_by(Signal.ordered_at)
    )
    made: list[Made] = []
    held = 0
    with session.execute(query.execution_options(yield_per=1000)) as rows:
        for row in rows:
            one = Made(*row)
            if held >= units and one.ordered_at > made[-1].ordered_at:
                break
            made.append(one)
            held += one.quantity
    return made
