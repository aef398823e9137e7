"""Regular calendars: a date becomes the number of its period, and back.

Weeks may be named by any weekday, months, quarters and years by their first or their last day, quarters and
years may begin with any month: which it is, is read off the dates, and the answer is named the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.input.errors import ForecastInputError

Ints = NDArray[np.int64]
Stamps = NDArray[np.datetime64]

# The cycles that people live by, in periods, shortest first; whether a series follows one is tested.
CYCLES: dict[str, tuple[int, ...]] = {
    "H": (24, 168), "D": (7,), "W": (52,), "M": (12,), "Q": (4,), "Y": ()
}  # fmt: skip
_ALIASES = {"h": "H", "MS": "M", "ME": "M", "QS": "Q", "QE": "Q", "A": "Y", "YS": "Y", "YE": "Y"}
# Quarters and years of pandas carry a month, such as QS-OCT: the dates themselves tell it.
_MONTH = re.compile(r"(Q|QS|QE|A|Y|YS|YE)-(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_DAY = np.timedelta64(1, "D")
# 1970-01-05 was the first Monday of the epoch.
_FIRST_MONDAY = 4
# Rows looked at to read off how periods are named.
_SAMPLE = 1000


@dataclass(frozen=True)
class Calendar:
    """`code` is one of H D W M Q Y; `last_day` says that periods of months are named by their last day;
    `phase` is the weekday (Monday 0) that weeks are named by, or the month (January 0) periods begin with."""

    code: str
    last_day: bool = False
    phase: int = 0

    def number(self, stamps: Stamps) -> Ints:
        """Numbers of the periods that hold `stamps` (n,), consecutive periods one apart.

        A week counts from the day that names it.
        """
        if self.code == "H":
            return stamps.astype("datetime64[h]").astype(np.int64)
        if self.code in _MONTHS:
            return (stamps.astype("datetime64[M]").astype(np.int64) - self.phase) // _MONTHS[self.code]
        days = stamps.astype("datetime64[D]").astype(np.int64)
        return days if self.code == "D" else (days - _FIRST_MONDAY - self.phase) // 7

    def stamp(self, numbers: Ints) -> Stamps:
        """The names (datetime64[ns]) of the periods `numbers`; the inverse of `number`."""
        if self.code == "H":
            return numbers.astype("datetime64[h]").astype("datetime64[ns]")
        if self.code not in _MONTHS:
            days = numbers if self.code == "D" else numbers * 7 + _FIRST_MONDAY + self.phase
            return days.astype("datetime64[D]").astype("datetime64[ns]")
        first = numbers * _MONTHS[self.code] + self.phase
        if self.last_day:
            after = (first + _MONTHS[self.code]).astype("datetime64[M]").astype("datetime64[D]")
            return (after - _DAY).astype("datetime64[ns]")
        return first.astype("datetime64[M]").astype("datetime64[ns]")

    @property
    def label(self) -> str:
        """How a date must look to name a period, for the sentence of an error."""
        if self.code in _MONTHS:
            kind = {"M": "month", "Q": "quarter", "Y": "year"}[self.code]
            return f"the first or the last day of a {kind}, the same in all rows"
        return {"H": "a full hour", "D": "a day without a time", "W": f"a {_WEEKDAYS[self.phase]}"}[self.code]


def parse_freq(freq: Any) -> str:
    """The code of a frequency such as "W", "D", "M", "Q", "Y" or "H"; pandas' names of them are taken too."""
    return _parse(freq)[0]


def _parse(freq: Any) -> tuple[str, int | None]:
    """The code, and the weekday that the frequency itself names."""
    name = freq if isinstance(freq, str) else ""
    if name.startswith("W-") and name[2:] in _DAYS:
        return "W", _DAYS.index(name[2:])
    month = _MONTH.fullmatch(name)
    name = month[1] if month else name
    code = _ALIASES.get(name, name)
    if code not in CYCLES:
        known = ", ".join(sorted(CYCLES))
        raise ForecastInputError(f"Frequency {freq!r} is not known; use one of {known}.", field="freq")
    return code, None


def calendar_for(freq: Any, stamps: Stamps) -> Calendar:
    """The calendar of `freq`; how its periods are named is how most of `stamps` are."""
    code, weekday = _parse(freq)
    some = stamps[:: max(1, len(stamps) // _SAMPLE)]
    if code == "W":
        days = (some.astype("datetime64[D]").astype(np.int64) - _FIRST_MONDAY) % 7
        return Calendar(code, phase=_most(days) if weekday is None else weekday)
    if code not in _MONTHS:
        return Calendar(code)
    month = some.astype("datetime64[M]")
    last_day = int((some == month.astype(some.dtype)).sum()) * 2 < len(some)
    first = month.astype(np.int64) + (1 if last_day else 0)
    return Calendar(code, last_day, _most(first % _MONTHS[code]))


def _most(cells: Ints) -> int:
    return int(np.bincount(cells).argmax()) if len(cells) else 0


def off_grid(calendar: Calendar, stamps: Stamps, numbers: Ints) -> NDArray[np.bool_] | None:
    """Which stamps (n,) are not the names of their periods, or None where all are."""
    wrong = calendar.stamp(numbers) != stamps.astype("datetime64[ns]")
    return np.asarray(wrong) if wrong.any() else None
