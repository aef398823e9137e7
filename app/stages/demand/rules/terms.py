"""What a campaign is offered on, and which of it can't even be kept as a draft."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from app.core.limits import LARGEST_QUANTITY
from app.stages.demand.rules.campaigns import Limited, Step, go_units

CODE = re.compile(r"[^\s/\x00-\x1f\x7f][^/\x00-\x1f\x7f]{0,79}")
MOST_VARIANTS = 500
MOST_TIERS = 50
LARGEST_FACTOR = 9_999
LARGEST_PRICE = 10**13


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed; `field` is what to change, `data` the figures of the sentence."""

    code: str
    sentence: str
    field: str
    data: dict[str, Any] = default(default_factory=dict, hash=False)

    def as_dict(self) -> dict[str, Any]:
        """An entry of `errors`."""
        return {"field": self.field, "code": self.code, "sentence": self.sentence, **self.data}


@dataclass(frozen=True, slots=True)
class Variant:
    """A SKU of a campaign, and the option by which buyers choose it, such as “black, M”."""

    sku: str
    option: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTerms:
    """All that a draft says. Money is in minor units, the factor in percent; `due_week` is a Monday."""

    code: str
    name: str
    name_zh: str | None = None
    variants: tuple[Variant, ...]
    opens_at: dt.datetime
    closes_at: dt.datetime
    expected_units: int
    go_factor_percent: int = 120
    due_week: dt.date
    tiers: tuple[Step, ...]
    limited: tuple[Limited, ...] = ()
    per_buyer_limit: int | None = None
    cap_units: int | None = None
    deposit_minor: int | None = None
    deposit_due_at: dt.datetime | None = None
    balance_due_at: dt.datetime | None = None
    fill_starts_at: dt.datetime | None = None
    late_until: dt.datetime | None = None

    @property
    def go_units(self) -> int:
        return go_units(expected_units=self.expected_units, go_factor_percent=self.go_factor_percent)

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(one.sku for one in self.variants)


def unusable(terms: CampaignTerms) -> list[Failure]:
    """What can't be kept: an unfinished draft is fine, nonsense is not."""
    return [*_words(terms), *_variants(terms), *_figures(terms), *_times(terms)]


def _words(terms: CampaignTerms) -> Iterator[Failure]:
    if not CODE.fullmatch(terms.code):
        yield Failure(
            "code_invalid", "A code has 1 to 80 characters, no slash, and begins with no blank.", "code"
        )
    if not 1 <= len(terms.name.strip()) <= 200 or len(terms.name_zh or "") > 200:
        yield Failure("name_invalid", "A name has 1 to 200 characters.", "name")


def _variants(terms: CampaignTerms) -> Iterator[Failure]:
    if len(terms.variants) > MOST_VARIANTS:
        yield Failure("variants_many", f"A campaign has at most {MOST_VARIANTS} SKUs.", "skus")
    twice = sorted({sku for sku in terms.skus if terms.skus.count(sku) > 1}) if len(terms.skus) <= 999 else []
    if twice:
        listed = ", ".join(twice)
        yield Failure(
            "variant_twice", f"Named twice: {listed}. Name each SKU once.", "skus", {"skus": listed}
        )
    if any(len(one.option or "") > 80 for one in terms.variants):
        yield Failure("option_long", "An option has at most 80 characters.", "skus")


def _figures(terms: CampaignTerms) -> Iterator[Failure]:
    if not 1 <= terms.expected_units <= LARGEST_QUANTITY:
        yield Failure("expected_invalid", "Expect at least one unit, in whole units.", "expected_units")
    if not 1 <= terms.go_factor_percent <= LARGEST_FACTOR:
        yield Failure("factor_invalid", "Write a go factor above 0 and below 100, such as 1.2.", "go_factor")
    for name in ("per_buyer_limit", "cap_units"):
        value = getattr(terms, name)
        if value is not None and not 1 <= value <= LARGEST_QUANTITY:
            yield Failure("units_invalid", "Write whole units above 0, or leave it blank.", name)
    if terms.deposit_minor is not None and not 1 <= terms.deposit_minor <= LARGEST_PRICE:
        yield Failure("deposit_invalid", "A deposit is an amount above 0, or left blank.", "deposit")
    if len({one.min_units for one in terms.tiers}) < len(terms.tiers):
        yield Failure("tier_twice", "Two tiers begin at the same units. Leave one out.", "tiers")
    if len(terms.tiers) > MOST_TIERS or len(terms.limited) > MOST_TIERS:
        yield Failure("tiers_many", f"There are at most {MOST_TIERS} tiers of a kind.", "tiers")
    prices = [(tier.min_units, tier.unit_price_minor) for tier in terms.tiers]
    if not all(0 <= units <= LARGEST_QUANTITY and 0 <= price <= LARGEST_PRICE for units, price in prices):
        yield Failure("tier_invalid", "A tier is whole units and a price, such as 300: 279.00.", "tiers")
    first = [(one.units, one.unit_price_minor) for one in terms.limited]
    if not all(1 <= units <= LARGEST_QUANTITY and 0 <= price <= LARGEST_PRICE for units, price in first):
        yield Failure(
            "limited_invalid", "A limited tier is whole units and a price, such as 100: 259.00.", "limited"
        )


def _times(terms: CampaignTerms) -> Iterator[Failure]:
    if terms.closes_at <= terms.opens_at:
        yield Failure("close_before_opening", "A campaign closes after it opens.", "closes_at")
    if terms.due_week.weekday() != 0:
        yield Failure("due_week_invalid", "A planning week is named by its Monday.", "due_week")
