"""Values → the words and figures a person reads, in the language of the request."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Protocol

from babel.dates import format_skeleton
from babel.numbers import format_compact_currency, format_currency, get_currency_precision
from flask import Flask
from flask_babel import (
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    get_locale,
    gettext,
    to_user_timezone,
)

from app.entrypoints.door import today
from app.entrypoints.web.language import speaks_chinese

WHOLE_MONEY_FROM = 10_000
"""Amounts of this many major units are shown without their minor part."""

NEAR = dt.timedelta(days=183)
"""Within half a year of today a day is clear without its year."""


class Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def name_zh(self) -> str | None: ...


def units(quantity: int | float | None) -> str:
    """12,340 – whole units with thousands separators; a dash for what is not known."""
    return "–" if quantity is None else str(format_decimal(round(quantity)))


def about(number: int) -> str:
    """≈ 12,300 – what is only estimated, to three digits; nobody at all is certain."""
    return f"≈ {units(float(f'{number:.3g}'))}" if number else units(0)


def signed(quantity: int) -> str:
    """+120, −45 (with a real minus sign)."""
    sign = "+" if quantity > 0 else "−" if quantity < 0 else ""
    return sign + units(abs(quantity))


def thousandths(value: int, digits: int = 1) -> str:
    """Thousandths of a unit as units with a decimal: 1,234.5."""
    return str(format_decimal(round(Decimal(value) / 1000, digits)))


def thousandths_signed(value: int) -> str:
    """+12.5, −4.2 (with a real minus sign)."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + thousandths(abs(value))


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


def signed_money(minor: int, currency: str) -> str:
    """+CN¥1,200.00, −CN¥40.00."""
    sign = "+" if minor > 0 else "−" if minor < 0 else ""
    return sign + money(abs(minor), currency)


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
    """A planning week, named by its Monday: Nov 23 or 11月23日; one far from today has its year as well."""
    if monday is None:
        return "–"
    return str(format_skeleton("yMMMd" if _far(monday) else "MMMd", monday, locale=get_locale()))


def _far(date: dt.date) -> bool:
    return abs(date - today()) > NEAR


def iso_week(monday: dt.date) -> str:
    return gettext("Week %(number)s", number=monday.isocalendar().week)


def moment(instant: dt.datetime | None) -> str:
    """A day and time to the second: Nov 23, 2026, 18:00:05."""
    return (
        "–" if instant is None else f"{format_date(instant, 'medium')} {format_datetime(instant, 'HH:mm:ss')}"
    )


def short_moment(instant: dt.datetime | None) -> str:
    """A day and time for tables: Nov 23, 18:00; one far from today has its year as well."""
    if instant is None:
        return "–"
    if speaks_chinese():
        pattern = "y年M月d日 HH:mm" if _far(instant.date()) else "M月d日 HH:mm"
    else:
        pattern = "MMM d, y, HH:mm" if _far(instant.date()) else "MMM d, HH:mm"
    return str(format_datetime(instant, pattern))


def short_day(instant: dt.datetime) -> str:
    """The day of an instant, in the planning time zone: Nov 23."""
    return week(to_user_timezone(instant).date())


def clock(instant: dt.datetime) -> str:
    return str(format_datetime(instant, "HH:mm"))


def name(thing: Named | None) -> str:
    """The Chinese name where the reader reads Chinese and there is one."""
    if thing is None:
        return "–"
    return (thing.name_zh if speaks_chinese() else None) or thing.name


def seconds(value: float) -> str:
    return gettext("%(seconds)s s", seconds=format_decimal(round(value, 1)))


def lapse(value: int | None) -> str:
    """A span of time in its largest unit: 45 s, 12 min, 5 h, 3 d."""
    if value is None:
        return "–"
    if value < 120:
        return gettext("%(seconds)s s", seconds=value)
    if value < 2 * 3600:
        return gettext("%(minutes)s min", minutes=value // 60)
    if value < 2 * 86_400:
        return gettext("%(hours)s h", hours=value // 3600)
    return gettext("%(days)s d", days=value // 86_400)


def register(app: Flask) -> None:
    filters: dict[str, Any] = {
        "units": units,
        "about": about,
        "signed": signed,
        "thousandths": thousandths,
        "thousandths_signed": thousandths_signed,
        "money": money,
        "signed_money": signed_money,
        "money_short": money_short,
        "percent": percent,
        "day": day,
        "week": week,
        "iso_week": iso_week,
        "moment": moment,
        "short_moment": short_moment,
        "short_day": short_day,
        "clock": clock,
        "name": name,
        "seconds": seconds,
        "lapse": lapse,
    }
    app.jinja_env.filters.update(filters)
