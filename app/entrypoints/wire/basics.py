"""What every part of the wire is made of: fields, the two kinds of input, pages, and the problem."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate

from app.core.limits import LARGEST_KEY, LARGEST_QUANTITY

EXAMPLE_INSTANT = "2026-11-11T10:00:00+08:00"
NO_INSTANT: dict[str, Any] = dict.fromkeys(
    ("invalid", "invalid_awareness"),
    f"This is no instant; write it like {EXAMPLE_INSTANT}, with its offset from UTC.",
)


DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2099, 12, 31)
"""Days that are planned or counted; the same horizon as the instants of orders."""


class Day(fields.Date):
    """A day, in the one form 2026-11-23, of the years 2000 to 2099."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        day: dt.date = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST <= day <= LATEST:
            raise ValidationError(f"Days are of the years {EARLIEST.year} to {LATEST.year}.")
        return day


class Week(Day):
    """A planning week, named by its Monday."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        day: dt.date = super()._deserialize(value, attr, data, **kwargs)
        if day.weekday() != 0:
            raise ValidationError(f"A planning week is named by its Monday; {day} is none.")
        return day


class Text(fields.String):
    """Text that can be stored: half of a surrogate pair is no character."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValidationError("This is no text: it has half of a character.")
        return text


class Line(Text):
    """One line of text to store and to show: no control character."""

    allowed = ""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if any(unicodedata.category(one) == "Cc" and one not in self.allowed for one in text):
            raise ValidationError("This has a control character; leave it out.")
        return text


class Note(Line):
    """Text of several lines."""

    allowed = "\n\r\t"


def quantity(**kwargs: Any) -> fields.Integer:
    """Whole units, at least one."""
    return fields.Integer(strict=True, validate=validate.Range(1, LARGEST_QUANTITY), **kwargs)


def identifier(**kwargs: Any) -> fields.Integer:
    return fields.Integer(validate=validate.Range(1, LARGEST_KEY), **kwargs)


class Incoming(Schema):
    """What comes in; a field nobody knows is refused, not dropped."""

    class Meta:
        unknown = RAISE


class Filter(Incoming):
    """A query string."""


class Problem(Schema):
    """RFC 9457 problem details, with what the code tells besides: the ids it speaks of, `errors` by field."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; listed in docs/errors.md."})
    detail = fields.String(required=True, metadata={"description": "A sentence for people."})
    request_id = fields.String(required=True)


class Page(Filter):
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class PageBefore(Page):
    before_id = identifier(load_default=None)


class PageAfterRow(Page):
    after_row = fields.Integer(load_default=-1, validate=validate.Range(-1, LARGEST_KEY))


class PageAt(Page):
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 2**31))
