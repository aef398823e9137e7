"""What stands between a landing and better terms: MOQ and price breaks of the suppliers of each SKU."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise

from sqlalchemy.orm import Session

from app.stages.catalog import queries as catalog
from app.stages.demand import queries as demand
from app.stages.demand.rules.tolerance import spared
from app.stages.forecasts.queries.landings import (
    LandingFact,
    LandingLineFact,
    campaign_landings,
    landing_lines,
)


@dataclass(frozen=True, slots=True)
class Lever:
    """A line of one supplier above the landing, if it made all of it: units short of it, and what it brings.

    `saving_minor` is what each unit costs less from there on; 0 for the MOQ, below which there is no order.
    """

    supplier_id: int
    units: int
    short_units: int
    saving_minor: int


@dataclass(frozen=True, slots=True)
class SkuLanding:
    """What a campaign's SKU lands at over all regions, and the nearest lines above that, the nearest first.

    `moq` is the smallest of its suppliers, None without any.
    """

    sku_id: int
    units: int
    mean: float
    lo_80: float
    hi_80: float
    moq: int | None
    levers: tuple[Lever, ...]


def sku_landings(session: Session, *, landing: LandingFact) -> list[SkuLanding]:
    """The SKUs of a campaign by what they land at, the largest first."""
    lines = landing_lines(session, campaign_id=landing.campaign_id, as_of=landing.as_of)
    found = [
        _sku_landing(landing, sku_id, list(regions), catalog.offers_of(session, sku_id=sku_id))
        for sku_id, regions in groupby(lines, key=lambda line: line.sku_id)
    ]
    return sorted(found, key=lambda one: (-one.mean, one.sku_id))


def spare_units(session: Session, *, campaign_id: int) -> dict[int, int]:
    """What each SKU of a campaign can give to another without falling below the least MOQ of its suppliers.

    While the campaign runs a SKU counts as it lands, less what tolerance moved since that was drawn;
    afterwards, and where no landing is known, by its valid units. A SKU that stays below its MOQ anyway is
    not named: it gives all.
    """
    campaign = demand.get_campaign(session, campaign_id=campaign_id)
    seen = campaign_landings(session, campaign_id=campaign_id) if campaign.state == "open" else []
    if seen:
        moved = demand.moved_units(session, campaign_id=campaign_id, since=seen[-1].as_of)
        lands = {
            one.sku_id: math.floor(one.mean) - moved.get(one.sku_id, 0)
            for one in sku_landings(session, landing=seen[-1])
        }
    else:
        lands = {
            sku_id: demand.waterfall(session, campaign_id=campaign_id, sku_id=sku_id).valid_units
            for sku_id in campaign.sku_ids
        }
    needs = {sku_id: [offer.moq for offer in catalog.offers_of(session, sku_id=sku_id)] for sku_id in lands}
    spare = {
        sku_id: spared(lands=units, need=min(needs[sku_id]))
        for sku_id, units in lands.items()
        if needs[sku_id]
    }
    return {sku_id: units for sku_id, units in spare.items() if units is not None}


def _sku_landing(
    landing: LandingFact, sku_id: int, lines: list[LandingLineFact], offers: list[catalog.OfferFact]
) -> SkuLanding:
    """The SKUs of a campaign rise and fall with it, and its regions for themselves: both errors are added."""
    mean, units = sum(line.mean for line in lines), sum(line.units for line in lines)
    part = (mean - units) / max(landing.mean - landing.units, 1e-9)
    below = math.hypot(part * (landing.mean - landing.lo_80), *(line.mean - line.lo_80 for line in lines))
    above = math.hypot(part * (landing.hi_80 - landing.mean), *(line.hi_80 - line.mean for line in lines))
    return SkuLanding(
        sku_id,
        units,
        mean,
        max(mean - below, min(units, mean)),
        mean + above,
        min((offer.moq for offer in offers), default=None),
        _levers(offers, round(mean)),
    )


def _levers(offers: Iterable[catalog.OfferFact], landing: int) -> tuple[Lever, ...]:
    found: list[Lever] = []
    for offer in offers:
        if landing < offer.moq:
            found.append(Lever(offer.supplier_id, offer.moq, offer.moq - landing, 0))
        for before, step in pairwise(offer.breaks):
            if step.min_quantity > max(landing, offer.moq):
                saving = before.unit_price_minor - step.unit_price_minor
                found.append(Lever(offer.supplier_id, step.min_quantity, step.min_quantity - landing, saving))
                break
    return tuple(sorted(found, key=lambda lever: (lever.short_units, lever.supplier_id)))
