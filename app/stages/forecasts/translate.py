"""The catalog's calendar → what a forecast knows ahead: promotions and holidays by planning week.

A festival acts by how many of a week's days it covers, and a promotion once more in the weeks in which it
opens and ends, when buyers hurry. Each has a column for all festivals of a kind and one for its name: 11.11
is told from 6.18, and a name seen for the first time still counts as what its kind usually does.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from app.stages.catalog.queries import CalendarFact
from app.stages.forecasts.rules import monday

MOST_NAMES = 16
"""Festivals with columns of their own: those that come again, then the latest. Each costs memory a series."""
PROMOTION = "promotion"
DAY = dt.timedelta(days=1)
REACH = dt.timedelta(weeks=4)
"""How far beyond its weeks a calendar is read, so that a promotion that goes on is not taken to end there."""


def festival_weeks(
    days: Iterable[CalendarFact], *, first: dt.date, start: dt.date, until: dt.date
) -> pl.DataFrame | None:
    """Weeks with festivals from `first` to before `until`: `ds`, their Monday, and columns as said above.

    `start` is the first week ahead; `days` should reach beyond both ends. None where there are no festivals.
    """
    known = sorted(days, key=lambda day: (day.day, day.kind))
    on = {(day.kind, day.name, day.day) for day in known}
    inside = [day for day in known if first <= day.day < until]
    named = _names(inside, start=start)
    weeks: dict[dt.date, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for day in inside:
        cell = weeks[monday(day.day)]
        for label in (day.kind, *((f"{day.kind}: {day.name}",) if (day.kind, day.name) in named else ())):
            cell[label] += 1 / 7
            if day.kind == PROMOTION:
                for step, word in ((-DAY, "opens"), (DAY, "ends")):
                    if (day.kind, day.name, day.day + step) not in on:
                        cell[f"{label} {word}"] = 1.0
    if not weeks:
        return None
    columns = sorted({label for cell in weeks.values() for label in cell})
    rows = [(week, *(min(weeks[week].get(label, 0.0), 1.0) for label in columns)) for week in sorted(weeks)]
    schema = {"ds": pl.Date, **dict.fromkeys(columns, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _names(days: list[CalendarFact], *, start: dt.date) -> set[tuple[str, str]]:
    """Kind and name of the festivals seen before `start` that get columns of their own."""
    latest: dict[tuple[str, str], dt.date] = {}
    ahead = set()
    for day in days:
        if day.day < start:
            latest[day.kind, day.name] = day.day
        else:
            ahead.add((day.kind, day.name))
    order = sorted(latest, key=lambda key: (key in ahead, latest[key], key), reverse=True)
    return set(order[:MOST_NAMES])
