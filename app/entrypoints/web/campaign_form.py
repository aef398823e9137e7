"""The form of a campaign: what is typed → its terms, and terms → what is typed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from flask_babel import lazy_gettext
from marshmallow import ValidationError, fields, post_load

from app.core.limits import LARGEST_QUANTITY
from app.entrypoints.door import config
from app.entrypoints.web.forms import REQUIRED, Form, Monday, Whole, text
from app.stages.demand.operations import CampaignTerms, Limited, Step, Variant

AMOUNT = re.compile(r"[0-9]{1,11}(\.[0-9]{1,4})?")
FACTOR = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?")
MOMENT = "%Y-%m-%dT%H:%M"


def minor(text_: str) -> int:
    """An amount as typed, in minor units of the service's currency."""
    places = get_currency_precision(config().currency)
    amount = Decimal(text_).scaleb(places) if AMOUNT.fullmatch(text_) else None
    if amount is None or amount != amount.to_integral_value():
        raise ValidationError(lazy_gettext("Write an amount such as 299.00."))
    return int(amount)


def major(amount: int | None) -> str:
    """The same back."""
    places = get_currency_precision(config().currency)
    return "" if amount is None else f"{Decimal(amount).scaleb(-places):.{places}f}"


class Moment(fields.Field[dt.datetime | None]):
    """A day and time here, as 2026-11-23T18:00; blank is None where it may be."""

    def __init__(self, *, blank: bool = False, **more: Any) -> None:
        more.setdefault("required", not blank)
        if blank:
            more.setdefault("load_default", None)
        super().__init__(error_messages={"required": REQUIRED, "null": REQUIRED}, **more)
        self.blank = blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> dt.datetime | None:
        typed = str(value).strip()
        if self.blank and not typed:
            return None
        try:
            return dt.datetime.strptime(typed[:16], MOMENT).replace(tzinfo=ZoneInfo(config().timezone))
        except ValueError:
            raise ValidationError(lazy_gettext("Write a day and a time, such as 2026-11-23T18:00.")) from None


class Amount(fields.Field[int | None]):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int | None:
        typed = str(value).strip()
        return minor(typed) if typed else None


class Factor(fields.Field[int]):
    """1.2 is 120 percent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        typed = str(value).strip()
        if not FACTOR.fullmatch(typed):
            raise ValidationError(lazy_gettext("Write a factor such as 1.2."))
        return int(Decimal(typed) * 100)


class Lines(fields.Field[tuple[Any, ...]]):
    """One thing on each line; blank lines are left out."""

    def __init__(self, one: Callable[[str], Any], **more: Any) -> None:
        super().__init__(load_default=(), **more)
        self.one = one

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> tuple[Any, ...]:
        return tuple(self.one(line.strip()) for line in str(value).splitlines() if line.strip())


def _priced(line: str) -> tuple[int, int]:
    units, _, price = line.replace("：", ":").partition(":")
    if not re.fullmatch(r"[0-9]{1,9}", units.strip()):
        raise ValidationError(lazy_gettext("Write units and price on each line, such as 300: 279.00."))
    return int(units), minor(price.strip())


def _step(line: str) -> Step:
    return Step(*_priced(line))


def _limited(line: str) -> Limited:
    return Limited(*_priced(line))


def _variant(line: str) -> Variant:
    sku, _, option = line.replace("，", ",").partition(",")
    return Variant(sku.strip(), option.strip() or None)


class CampaignForm(Form):
    code = text(80)
    name = text(200)
    name_zh = text(200, required=False)
    skus = Lines(_variant)
    opens_at = Moment()
    closes_at = Moment()
    expected_units = Whole(high=LARGEST_QUANTITY)
    go_factor = Factor(required=True, error_messages={"required": REQUIRED})
    due_week = Monday(required=True)
    tiers = Lines(_step)
    limited = Lines(_limited)
    per_buyer_limit = Whole(blank=True)
    cap_units = Whole(blank=True)
    deposit = Amount(load_default=None)
    deposit_due_at = Moment(blank=True)
    balance_due_at = Moment(blank=True)
    fill_starts_at = Moment(blank=True)
    late_until = Moment(blank=True)

    @post_load
    def _terms(self, said: dict[str, Any], **_: Any) -> dict[str, Any]:
        said |= {
            "name_zh": said["name_zh"].strip() or None,
            "variants": said.pop("skus"),
            "go_factor_percent": said.pop("go_factor"),
            "deposit_minor": said.pop("deposit"),
        }
        return {"terms": CampaignTerms(**said)}


def typed(terms: CampaignTerms) -> dict[str, str]:
    """The terms as somebody would type them."""
    zone = ZoneInfo(config().timezone)

    def moment(at: dt.datetime | None) -> str:
        return "" if at is None else at.astimezone(zone).strftime(MOMENT)

    def number(units: int | None) -> str:
        return "" if units is None else str(units)

    return {
        "code": terms.code,
        "name": terms.name,
        "name_zh": terms.name_zh or "",
        "skus": "\n".join(f"{one.sku}, {one.option}" if one.option else one.sku for one in terms.variants),
        "opens_at": moment(terms.opens_at),
        "closes_at": moment(terms.closes_at),
        "expected_units": number(terms.expected_units),
        "go_factor": f"{Decimal(terms.go_factor_percent) / 100:.2f}",
        "due_week": terms.due_week.isoformat(),
        "tiers": "\n".join(f"{one.min_units}: {major(one.unit_price_minor)}" for one in terms.tiers),
        "limited": "\n".join(f"{one.units}: {major(one.unit_price_minor)}" for one in terms.limited),
        "per_buyer_limit": number(terms.per_buyer_limit),
        "cap_units": number(terms.cap_units),
        "deposit": major(terms.deposit_minor),
        "deposit_due_at": moment(terms.deposit_due_at),
        "balance_due_at": moment(terms.balance_due_at),
        "fill_starts_at": moment(terms.fill_starts_at),
        "late_until": moment(terms.late_until),
    }
