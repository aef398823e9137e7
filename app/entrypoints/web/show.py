"""Values → the words and figures a person reads, in the language of the request."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Protocol

from babel.dates import format_skeleton
from babel.numbers import format_compact_currency, format_currency, get_currency_precision
from flask import Flask
from flask_babel import format_date, format_datetime, format_decimal, format_percent, get_locale, gettext

from app.entrypoints.web.language import speaks_chinese

WHOLE_MONEY_FROM = 10_000
"""Amounts of this many major units are shown without their minor part."""


class Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def name_zh(self) -> str | None: ...


def units(quantity: int | float | None) -> str:
    """12,340 – whole units with thousands separators; a dash for what is not known."""
    return "–" if quantity is None else str(format_decimal(round(quantity)))


def signed(quantity: int) -> str:
    """+120, −45 (with a real minus sign)."""
    sign = "+" if quantity > 0 else "−" if quantity < 0 else ""
    return sign + units(abs(quantity))


def money(minor: int | None, currency: str) -> str:
    """Minor units with their currency, in the reader's notation."""
    if minor is None:
        return "–"
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    locale = get_locale()
    if abs(amount) >= WHOLE_MONEY_FROM:
        return str(
            format_currency(round(amount), currency, format="¤#,##0", locale=locale, currency_digits=False)
        )
    return str(format_currency(amount, currency, locale=locale))


def money_short(minor: int, currency: str) -> str:
    """A large amount for a headline: CN¥6.08M, ¥608万."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    if abs(amount) < WHOLE_MONEY_FROM:
        return money(minor, currency)
    return str(format_compact_currency(amount, currency, locale=get_locale(), fraction_digits=2))


def percent(fraction: float | None, digits: int = 1) -> str:
    if fraction is None:
        return "–"
    pattern = "#,##0%" if digits == 0 else f"#,##0.{'0' * digits}%"
    return str(format_percent(fraction, pattern))


def day(date: dt.date | None) -> str:
    return "–" if date is None else str(format_date(date, "medium"))


def week(monday: dt.date | None) -> str:
    """A planning week, named by its Monday: 23 Nov or 11月23日."""
    if monday is None:
        return "–"
    return str(format_skeleton("MMMd", monday, locale=get_locale()))


def iso_week(monday: dt.date) -> str:
    return gettext("Week %(number)s", number=monday.isocalendar().week)


def moment(instant: dt.datetime | None) -> str:
    return "–" if instant is None else str(format_datetime(instant, "medium"))


def short_moment(instant: dt.datetime | None) -> str:
    """A day and time without the year, for tables: Nov 23, 18:00."""
    if instant is None:
        return "–"
    pattern = "M月d日 HH:mm" if speaks_chinese() else "MMM d, HH:mm"
    return str(format_datetime(instant, pattern))


def name(thing: Named | None) -> str:
    """The Chinese name where the reader reads Chinese and there is one."""
    if thing is None:
        return "–"
    return (thing.name_zh if speaks_chinese() else None) or thing.name


def seconds(value: float) -> str:
    return gettext("%(seconds)s s", seconds=format_decimal(round(value, 1)))


def register(app: Flask) -> None:
    filters: dict[str, Any] = {
        "units": units,
        "signed": signed,
        "money": money,
        "money_short": money_short,
        "percent": percent,
        "day": day,
        "week": week,
        "iso_week": iso_week,
        "moment": moment,
        "short_moment": short_moment,
        "name": name,
        "seconds": seconds,
    }
    app.jinja_env.filters.update(filters)
