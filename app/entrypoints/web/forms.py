"""What people type → checked values, or a sentence per field. Figures are plain whole numbers."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from app.core.access import Role
from app.core.limits import LARGEST_KEY, LARGEST_QUANTITY

DIGITS = re.compile(r"[0-9]{1,12}")
PERCENT = re.compile(r"[+-]?[0-9]{1,3}")
REQUIRED = lazy_gettext("This is needed.")


def number_of(said: Mapping[str, str], name: str, *, least: int = 1) -> int | None:
    """A key, a row or an offset in an address or a hidden field; what can't be one counts as not given."""
    try:
        number = int(said.get(name, ""))
    except ValueError:
        return None
    return number if least <= number <= LARGEST_KEY else None


class Whole(fields.Field[int | None]):
    """A whole number of ASCII digits: no sign, no 1.5, no 1_000, no full-width digits."""

    def __init__(
        self, *, low: int = 1, high: int = LARGEST_QUANTITY, blank: bool = False, **more: Any
    ) -> None:
        """`blank`: may be left empty, and then is None."""
        more.setdefault("required", not blank)
        if blank:
            more.setdefault("load_default", None)
        super().__init__(error_messages={"required": REQUIRED, "null": REQUIRED}, **more)
        self.low, self.high, self.blank = low, high, blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int | None:
        text = str(value).strip()
        if self.blank and not text:
            return None
        if not DIGITS.fullmatch(text):
            raise ValidationError(lazy_gettext("Write a whole number in digits, such as 1200."))
        if not self.low <= int(text) <= self.high:
            raise ValidationError(
                lazy_gettext("The number must be from %(low)s to %(high)s.", low=self.low, high=self.high)
            )
        return int(text)


class Percent(fields.Field[float | None]):
    """A change in percent, such as +20 or -30; blank is none. Read as a factor: 1.2 or 0.7."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> float | None:
        typed = str(value).strip().replace("−", "-")
        if not typed:
            return None
        if not PERCENT.fullmatch(typed) or not -100 <= int(typed) <= 900 or int(typed) == 0:
            raise ValidationError(lazy_gettext("Write a change in percent from -100 to 900, such as -30."))
        return 1 + int(typed) / 100


class Monday(fields.Field[dt.date | None]):
    """Any day of a planning week, as 2026-11-23; read as the week's Monday, which names it."""

    def __init__(self, *, blank: bool = False, **more: Any) -> None:
        super().__init__(error_messages={"required": REQUIRED, "null": REQUIRED}, **more)
        self.blank = blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> dt.date | None:
        if self.blank and not str(value).strip():
            return None
        try:
            day = dt.datetime.strptime(str(value).strip(), "%Y-%m-%d").date()
        except ValueError:
            raise ValidationError(
                lazy_gettext("Write a date as year-month-day, such as 2026-11-23.")
            ) from None
        return day - dt.timedelta(days=day.weekday())


def text(longest: int, *, required: bool = True) -> fields.String:
    """A short text that can be stored and shown; a required one is not blank."""
    too_long = lazy_gettext("At most %(longest)s characters.", longest=longest)
    shortest = validate.Length(min=1 if required else 0, error=REQUIRED)
    checks: list[Any] = [shortest, validate.Length(max=longest, error=too_long), _shown]
    if required:
        return fields.String(required=True, validate=checks, error_messages={"required": REQUIRED})
    return fields.String(load_default="", validate=checks)


def _shown(typed: str) -> None:
    """No control character but those that end a line, and no half of a character."""
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\r\t" for one in typed):
        raise ValidationError(lazy_gettext("Leave out what can't be shown: this has a control character."))


class Form(Schema):
    class Meta:
        unknown = EXCLUDE  # the CSRF token travels with every form


class SignIn(Form):
    email = text(254)
    password = text(200)


class Version(Form):
    version = Whole()


class Counter(Form):
    version = Whole()
    quantity = Whole()
    week = Monday(required=True)
    note = text(500, required=False)


class Decline(Form):
    version = Whole()
    note = text(500)


class Receipt(Form):
    reference = text(80)
    quantity = Whole()


class Upload(Form):
    channel = text(40)
    mapping = text(60)


class ConnectChannel(Form):
    channel = text(40)
    way = fields.String(required=True, validate=validate.OneOf(("standard", "shopify", "pull")))
    mapping = text(60)
    url = text(2000, required=False)
    secret = text(500, required=False)


class NewSecret(Form):
    secret = text(500, required=False)


class PromiseQuestion(Form):
    sku = text(80)
    quantity = Whole()


class Limit(Form):
    scope = fields.String(required=True, validate=validate.OneOf(("sku", "category", "plan")))
    base = fields.String(required=True, validate=validate.OneOf(("units", "spend")))
    threshold_percent = Whole(high=100)
    hard = fields.Boolean(load_default=False)
    penalty = Whole(low=0, blank=True)


class Made(Form):
    skus = text(2000, required=False)


class Tolerance(Form):
    sku_id = Whole(high=LARGEST_KEY, blank=True)
    units = Whole()
    fingerprint = text(64)


class Extension(Form):
    version = Whole()
    days = Whole(high=90)
    due_week = Monday(load_default=None, blank=True)
    reason = text(500)


class CloseCampaign(Form):
    version = Whole()
    decision = fields.String(load_default="", validate=validate.OneOf(("", "go", "no_go")))
    reason = text(500, required=False)


class Reasoned(Form):
    version = Whole()
    reason = text(500)


class Scenario(Form):
    """What is to be otherwise, at most one change of a kind → the list of changes."""

    out = text(120, required=False)
    capacity = Percent(load_default=None)
    capacity_supplier = text(120, required=False)
    price = Percent(load_default=None)
    price_supplier = text(120, required=False)
    price_sku = text(80, required=False)
    demand = Percent(load_default=None)
    demand_sku = text(80, required=False)
    demand_region = text(120, required=False)
    lane = text(250, required=False)
    drawn = fields.Boolean(load_default=False)

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        if values["out"]:
            found.append({"kind": "supplier_out", "supplier": values["out"]})
        for kind in ("capacity", "price", "demand"):
            if values[kind] is not None:
                of = {
                    name: values[f"{kind}_{name}"].strip()
                    for name in ("supplier", "sku", "region")
                    if values.get(f"{kind}_{name}", "").strip()
                }
                found.append({"kind": kind, "factor": values[kind], **of})
        if values["lane"]:
            source, _, target = values["lane"].partition("\t")
            found.append({"kind": "lane_closed", "source": source, "target": target})
        if values["drawn"]:
            found.append({"kind": "demand_drawn"})
        if not found:
            raise ValidationError(lazy_gettext("Choose at least one change."), "changes")
        return {"changes": found}


class Override(Form):
    week = Monday(required=True)
    units = Whole(low=0)
    reason = text(500)


class Closing(Form):
    reason = text(500)


class NewPassword(Form):
    password = text(200)


class OwnPassword(NewPassword):
    old = text(200)
    again = text(200)

    @validates_schema(skip_on_field_errors=True)
    def same(self, values: dict[str, Any], **_: Any) -> None:
        if values["password"] != values["again"]:
            raise ValidationError(lazy_gettext("This differs from the new password above."), "again")


class NewAccount(NewPassword):
    email = text(254)
    name = text(120)
    role = fields.String(required=True, validate=validate.OneOf([role.value for role in Role]))
    supplier = text(40, required=False)
    locale = text(10)


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed, the values it means, and what is wrong with it (field → sentence)."""

    raw: dict[str, str]
    values: dict[str, Any]
    errors: dict[str, str]


def read(form: Form, typed: Mapping[str, str]) -> Given:
    """Check a submitted form. With errors, `values` is empty."""
    raw = {name: typed.get(name, "") for name in form.fields if name in typed}
    try:
        return Given(raw, form.load(raw), {})
    except ValidationError as invalid:
        return Given(raw, {}, {name: _first(told) for name, told in invalid.messages_dict.items()})


def _first(told: Any) -> str:
    """The first sentence about a field; a translated one comes alone, not in a list."""
    return str(told[0] if isinstance(told, list) else told)
