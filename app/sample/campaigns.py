"""The pre-sales of the brand, dated from the as-of date, with their price tiers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from app.sample.curves import CLOSES_HOUR, OPENS_HOUR
from app.sample.facts import Brand, CampaignFact

GO_FACTOR = Decimal("1.20")
# Volume (part of the expected units) from which a tier holds, and its part of the list price.
TIERS = ((0.0, 0.90), (0.6, 0.84), (1.3, 0.78))


@dataclass(frozen=True)
class Campaign:
    """`skus`: positions in the brand's range. `tiers`: (units reached, price in minor units), rising."""

    fact: CampaignFact
    code: str
    opens: date
    closes: date
    due_week: date
    skus: tuple[int, ...]
    tiers: tuple[tuple[int, int], ...]

    @property
    def go_units(self) -> int:
        return math.ceil(GO_FACTOR * self.fact.expected)

    @property
    def live(self) -> bool:
        return self.fact.closes_in >= 0


def campaigns(brand: Brand, *, as_of: date) -> list[Campaign]:
    """All pre-sales as dated from `as_of`: three are open then, the others are finished."""
    return [_campaign(brand, fact, as_of) for fact in brand.campaigns]


def _campaign(brand: Brand, fact: CampaignFact, as_of: date) -> Campaign:
    closes = as_of + timedelta(days=fact.closes_in)
    opens = closes - timedelta(days=fact.window)
    due = closes + timedelta(days=fact.due_in)
    skus = tuple(brand.skus_of(fact.style))
    price = brand.skus[skus[0]].price
    return Campaign(
        fact=fact,
        code=f"PS{opens:%y%m}-{fact.slug}",
        opens=opens,
        closes=closes,
        due_week=due - timedelta(days=due.weekday()),
        skus=skus,
        tiers=tuple((round(part * fact.expected / 50) * 50, round(price * cut) * 100) for part, cut in TIERS),
    )


def campaign_table(brand: Brand, listed: list[Campaign]) -> pl.DataFrame:
    """One row for each campaign and SKU, in the columns of `campaigns.csv`."""
    return pl.DataFrame(
        [
            {
                "campaign": campaign.code,
                "name": campaign.fact.name,
                "name_zh": campaign.fact.name_zh,
                "sku": brand.skus[sku].code,
                "opens_at": f"{campaign.opens}T{OPENS_HOUR}:00:00+08:00",
                "closes_at": f"{campaign.closes}T{CLOSES_HOUR}:00:00+08:00",
                "expected_units": campaign.fact.expected,
                "go_factor": str(GO_FACTOR),
                "due_week": str(campaign.due_week),
                "per_buyer_limit": campaign.fact.limit,
                "tiers": "|".join(
                    f"{units}:{minor // 100}.{minor % 100:02d}" for units, minor in campaign.tiers
                ),
            }
            for campaign in listed
            for sku in campaign.skus
        ]
    )
