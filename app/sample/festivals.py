"""Promotions and holidays: which days they cover, and what they do to demand and price."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.sample.facts import DATA


@dataclass(frozen=True)
class Festival:
    """One calendar day. `lift` multiplies the daily order rate, `discount` is taken off the list price."""

    day: date
    kind: str
    name: str
    lift: float
    discount: float


def festivals(first: date, last: date) -> list[Festival]:
    """Every festival day in [first, last], by date; at most one promotion and one holiday a day.

    Raises ValueError when the years are outside those whose lunar holidays are known.
    """
    facts = tomllib.loads((DATA / "calendar.toml").read_text(encoding="utf-8"))
    _check_years(first, last, facts)
    found: dict[tuple[date, str], Festival] = {}
    for festival in _all(first.year - 1, last.year + 1, facts):
        if first <= festival.day <= last:
            found.setdefault((festival.day, festival.kind), festival)
    return [found[key] for key in sorted(found)]


def lifts(first: date, days: int, known: list[Festival]) -> NDArray[np.float64]:
    """Shape (days,): the product of the lifts of each day."""
    out = np.ones(days)
    for festival in known:
        if 0 <= (offset := (festival.day - first).days) < days:
            out[offset] *= festival.lift
    return out


def discounts(first: date, days: int, known: list[Festival]) -> NDArray[np.float64]:
    """Shape (days,): part of the list price taken off on each day, 0–1."""
    out = np.zeros(days)
    for festival in known:
        if 0 <= (offset := (festival.day - first).days) < days:
            out[offset] = max(out[offset], festival.discount)
    return out


def _check_years(first: date, last: date, facts: dict[str, Any]) -> None:
    years = [day.year for day in facts["lunar_holiday"][0]["dates"]]
    if first.year < years[0] or last.year > years[-1]:
        raise ValueError(
            f"the sample calendar covers {years[0]} to {years[-1]}, and {first} to {last} was asked for; "
            "choose another as-of date, or add the lunar holidays to app/sample/data/calendar.toml"
        )


def _all(first_year: int, last_year: int, facts: dict[str, Any]) -> Iterator[Festival]:
    """Lunar holidays before fixed ones: where both fall on a day, the moving feast names it."""
    yield from _lunar(facts)
    for year in range(first_year, last_year + 1):
        for row in facts["promotion"]:
            yield from _promotion(year, row)
        for row in facts["holiday"]:
            yield from _spread(_day(year, row["start"]), row, kind="holiday")


def _lunar(facts: dict[str, Any]) -> Iterator[Festival]:
    for row in facts["lunar_holiday"]:
        for day in row["dates"]:
            yield from _spread(day - timedelta(days=row["days_before"]), row, kind="holiday")
    market = facts["lunar_promotion"]
    for day in facts["lunar_holiday"][0]["dates"]:
        yield from _spread(day - timedelta(days=market["days_before"]), market, kind="promotion")


def _spread(start: date, row: dict[str, Any], *, kind: str) -> Iterator[Festival]:
    for offset in range(row["days"]):
        day = start + timedelta(days=offset)
        yield Festival(day, kind, row["name"], row["lift"], row.get("discount", 0.0))


def _promotion(year: int, row: dict[str, Any]) -> Iterator[Festival]:
    peak = row.get("peak", {})
    start, end = _day(year, row["start"]), _day(year, row["end"])
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        lift = peak.get(f"{day:%m-%d}", row["lift"])
        yield Festival(day, "promotion", row["name"], lift, row["discount"])


def _day(year: int, month_day: str) -> date:
    return date.fromisoformat(f"{year}-{month_day}")
