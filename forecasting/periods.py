"""Regular calendars: a date becomes the number of its period, and back.

A period is named by its first day (`D`, `W` by its Monday, `M`, `Q`, `Y`); months, quarters and years may
be named by their last day instead, and the answer is then named the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.errors import ForecastInputError

Ints = NDArray[np.int64]
Stamps = NDArray[np.datetime64]

# The cycles that people live by, in periods, shortest first; whether a series follows one is tested.
CYCLES: dict[str, tuple[int, ...]] = {
    "H": (24, 168), "D": (7,), "W": (52,), "M": (12,), "Q": (4,), "Y": ()
}  # fmt: skip
_ALIASES = {
    "h": "H",
    "MS": "M",
    "ME": "M",
    "QS": "Q",
    "QE": "Q",
    "A": "Y",
    "YS": "Y",
    "YE": "Y",
    "W-MON": "W",
}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_NAMES = {"H": "a full hour", "D": "a day without a time", "W": "a Monday"}
_DAY, _HOUR = np.timedelta64(1, "D"), np.timedelta64(1, "h")
# 1970-01-05 was the first Monday of the epoch.
_FIRST_MONDAY = 4


@dataclass(frozen=True)
class Calendar:
    """`code` is one of H D W M Q Y; `last_day` says that periods of months are named by their last day."""

    code: str
    last_day: bool = False

    def number(self, stamps: Stamps) -> Ints:
        """Numbers of the periods that hold `stamps` (n,), consecutive periods one apart."""
        if self.code == "H":
            return stamps.astype("datetime64[h]").astype(np.int64)
        if self.code in _MONTHS:
            return stamps.astype("datetime64[M]").astype(np.int64) // _MONTHS[self.code]
        days = stamps.astype("datetime64[D]").astype(np.int64)
        return days if self.code == "D" else (days - _FIRST_MONDAY) // 7

    def stamp(self, numbers: Ints) -> Stamps:
        """The names (datetime64[ns]) of the periods `numbers`; the inverse of `number`."""
        if self.code == "H":
            return numbers.astype("datetime64[h]").astype("datetime64[ns]")
        if self.code not in _MONTHS:
            days = numbers if self.code == "D" else numbers * 7 + _FIRST_MONDAY
            return days.astype("datetime64[D]").astype("datetime64[ns]")
        size = _MONTHS[self.code]
        if self.last_day:
            after = ((numbers + 1) * size).astype("datetime64[M]").astype("datetime64[D]")
            return (after - _DAY).astype("datetime64[ns]")
        return (numbers * size).astype("datetime64[M]").astype("datetime64[ns]")

    @property
    def label(self) -> str:
        """How a date must look to name a period, for the sentence of an error."""
        if self.code in _NAMES:
            return _NAMES[self.code]
        kind = {"M": "month", "Q": "quarter", "Y": "year"}[self.code]
        return f"the first or the last day of a {kind}, the same in all rows"


def parse_freq(freq: Any) -> str:
    """The code of a frequency such as "W", "D", "M", "Q", "Y" or "H"; pandas' newer aliases are taken too."""
    code = _ALIASES.get(freq, freq) if isinstance(freq, str) else None
    if code not in CYCLES:
        known = ", ".join(sorted(CYCLES))
        raise ForecastInputError(f"Frequency {freq!r} is not known; use one of {known}.", field="freq")
    return code


def calendar_for(freq: Any, stamps: Stamps) -> Calendar:
    """The calendar of `freq`; whether months are named by first or last day is read off `stamps`."""
    code = parse_freq(freq)
    if code not in _MONTHS or not len(stamps):
        return Calendar(code)
    first = Calendar(code)
    if stamps[0] == first.stamp(first.number(stamps[:1]))[0]:
        return first
    return Calendar(code, last_day=True)


def off_grid(calendar: Calendar, stamps: Stamps, numbers: Ints) -> int | None:
    """Position of the first stamp that is not the name of its period, or None."""
    wrong = calendar.stamp(numbers) != stamps.astype("datetime64[ns]")
    return int(np.argmax(wrong)) if wrong.any() else None
