"""How demand is counted once, how means become whole units, and what a forecast run is made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import NamedTuple

from app.core.errors import RuleBroken
from app.core.limits import LARGEST_QUANTITY

Cell = tuple[int, int]
"""(SKU id, region id)."""

HORIZON_WEEKS = 8
LONGEST_HORIZON = 52
LONGEST_REASON = 500
"""Characters of the reason of an override."""
QUIET_WEEKS = 52
"""A series without a sale for so long is no longer forecast: a season has passed without one."""

CONSUME_BACKWARD = 2
CONSUME_FORWARD = 2
"""Weeks before and after its own in which a pledge uses up forecast."""

_NORMAL = NormalDist()
_PARTS = 1_000_000
"""Means are counted in millionths of a unit, so that rounding is done exactly, in whole numbers."""


def monday(day: dt.date) -> dt.date:
    """The Monday that names the ISO week of `day`."""
    return day - dt.timedelta(days=day.weekday())


def horizon(as_of: dt.date, weeks: int) -> tuple[dt.date, ...]:
    """The Mondays of the weeks forecast. The first is the running week: it is planned as a whole."""
    return tuple(monday(as_of) + dt.timedelta(weeks=step) for step in range(weeks))


def consume(
    forecast: Sequence[int],
    pledged: Sequence[int],
    *,
    backward: int = CONSUME_BACKWARD,
    forward: int = CONSUME_FORWARD,
) -> tuple[int, ...]:
    """The units of forecast left in each week after pledges have used it up; gross = pledged + what is left.

    Forecast consumption as in master scheduling (e.g. Vollmann et al., Manufacturing Planning and Control):
    the pledges of a week take the forecast of that week, then of the weeks before it, nearest first, up to
    `backward`, then of the weeks after it, up to `forward`. All weeks take from their own first, so that
    a large week does not eat the forecast that the next week's own pledges stand for.

    Both sequences list the same consecutive weeks, whole units ≥ 0.

    Raises:
        ValueError: other lengths, or a negative quantity.
    """
    if len(forecast) != len(pledged):
        raise ValueError(f"{len(forecast)} weeks of forecast, {len(pledged)} of pledges")
    if any(units < 0 for units in (*forecast, *pledged)):
        raise ValueError("a quantity is negative")
    left, unmatched = list(forecast), list(pledged)
    for week in range(len(left)):
        _take(left, unmatched, week, week)
    for week in range(len(left)):
        for other in _window(week, len(left), backward, forward):
            _take(left, unmatched, week, other)
    return tuple(left)


def _take(left: list[int], unmatched: list[int], week: int, other: int) -> None:
    used = min(left[other], unmatched[week])
    left[other] -= used
    unmatched[week] -= used


def _window(week: int, weeks: int, backward: int, forward: int) -> Iterable[int]:
    yield from range(week - 1, max(week - backward, 0) - 1, -1)
    yield from range(week + 1, min(week + forward, weeks - 1) + 1)


def gross_units(
    forecast: Mapping[Cell, Mapping[dt.date, int]],
    pledged: Mapping[Cell, Mapping[dt.date, int]],
    *,
    weeks: Sequence[dt.date],
) -> dict[Cell, dict[dt.date, int]]:
    """Gross requirement by cell and week: pledges, plus the forecast they have not used up.

    `weeks` are consecutive Mondays; other weeks are not looked at. Weeks with nothing are left out.
    """
    gross: dict[Cell, dict[dt.date, int]] = {}
    for cell in sorted(forecast.keys() | pledged.keys()):
        firm = [pledged.get(cell, {}).get(week, 0) for week in weeks]
        spot = [forecast.get(cell, {}).get(week, 0) for week in weeks]
        total = [kept + sold for kept, sold in zip(consume(spot, firm), firm, strict=True)]
        needed = {week: units for week, units in zip(weeks, total, strict=True) if units}
        if needed:
            gross[cell] = needed
    return gross


class Override(NamedTuple):
    """A planner's word: `units` of a SKU in a week, in one region or (None) in all regions together."""

    sku_id: int
    region_id: int | None
    week: dt.date
    units: int


def check_override(*, week: dt.date, units: int, reason: str, today: dt.date) -> None:
    """Is this a word about a week that can still be planned, with its reason?

    Raises:
        RuleBroken: `override_week`, `override_units` or `override_reason`.
    """
    first = monday(today)
    last = first + dt.timedelta(weeks=LONGEST_HORIZON)
    if week != monday(week) or not first <= week <= last:
        raise RuleBroken(
            "override_week", f"Name a planning week by its Monday, from {first} to {last}; not {week}."
        )
    if not 0 <= units <= LARGEST_QUANTITY:
        raise RuleBroken(
            "override_units", f"An override is of 0 to {LARGEST_QUANTITY} units a week, not {units}."
        )
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise RuleBroken("override_reason", f"Give a reason of 1 to {LONGEST_REASON} characters.")


def override_means(
    means: Mapping[Cell, Mapping[dt.date, float]], overrides: Iterable[Override], *, regions: Iterable[int]
) -> dict[Cell, dict[dt.date, float]]:
    """The means, with the planners' words in their place: at most one a SKU, week, and region or all.

    A region's own word beats that about all regions together, which then holds for the others: its units less
    those of the regions with their own, never below 0, as whole units in proportion to the means, evenly
    where these are all 0. The others are the regions in which the SKU is forecast; for a SKU that is
    forecast nowhere, `regions`.
    """
    planned = {cell: dict(weeks) for cell, weeks in means.items()}
    words: dict[tuple[int, dt.date], dict[int | None, int]] = {}
    for one in overrides:
        words.setdefault((one.sku_id, one.week), {})[one.region_id] = one.units
    forecast_in: dict[int, set[int]] = {sku_id: set() for sku_id, _ in words}
    for sku_id, region_id in means:
        if sku_id in forecast_in:
            forecast_in[sku_id].add(region_id)
    for (sku_id, week), said in words.items():
        units = {region_id: own for region_id, own in said.items() if region_id is not None}
        if None in said:
            others = sorted((forecast_in[sku_id] or set(regions)) - units.keys())
            weights = [means.get((sku_id, region_id), {}).get(week, 0.0) for region_id in others]
            rest = max(said[None] - sum(units.values()), 0)
            units.update(zip(others, share_out(rest, weights), strict=True))
        for region_id, own in units.items():
            planned.setdefault((sku_id, region_id), {})[week] = float(own)
    return planned


def share_out(units: int, weights: Sequence[float]) -> list[int]:
    """Whole units in proportion to weights ≥ 0 by largest remainder; evenly where all weights are 0."""
    parts = [round(weight * _PARTS) for weight in weights]
    if not any(parts):
        parts = [1] * len(parts)
    total = sum(parts)
    shares = [units * part // total for part in parts]
    remainders = sorted(range(len(parts)), key=lambda place: (-(units * parts[place] % total), place))
    for place in remainders[: units - sum(shares)]:
        shares[place] += 1
    return shares


def abc_classes(volumes: Mapping[int, int]) -> dict[int, str]:
    """A, B or C by SKU: A make the first 80 % of all units, largest first, B those up to 95 %, C the rest."""
    total, before = sum(volumes.values()), 0
    classes = {}
    for sku_id in sorted(volumes, key=lambda one: (-volumes[one], one)):
        is_a, is_b = 100 * before < 80 * total, 100 * before < 95 * total
        classes[sku_id] = "A" if is_a else "B" if is_b else "C"
        before += volumes[sku_id]
    return classes


def whole_units(means: Mapping[Cell, Mapping[dt.date, float]]) -> dict[Cell, dict[dt.date, int]]:
    """Whole units from means ≥ 0, so that neither weeks nor regions lose units by rounding.

    Each SKU's weekly total is the step of the rounded running total: the SKU's total over all weeks is within
    half a unit of its mean, also when every single mean is far below one. A week's units go to the
    regions by largest remainder of what they are owed up to then. Every cell is its mean rounded down or up.
    Weeks with no unit are left out.
    """
    by_sku: dict[int, dict[dt.date, dict[int, int]]] = {}
    for (sku_id, region_id), weeks in means.items():
        for week, mean in weeks.items():
            parts = by_sku.setdefault(sku_id, {}).setdefault(week, {})
            parts[region_id] = round(mean * _PARTS)
    whole: dict[Cell, dict[dt.date, int]] = {}
    for sku_id in sorted(by_sku):
        for week, regions in _whole_sku(by_sku[sku_id]):
            for region_id, units in regions.items():
                whole.setdefault((sku_id, region_id), {})[week] = units
    return whole


def _whole_sku(weeks: Mapping[dt.date, Mapping[int, int]]) -> Iterable[tuple[dt.date, dict[int, int]]]:
    """One SKU's units by week and region, from parts."""
    running = 0
    owed: dict[int, int] = {}
    for week in sorted(weeks):
        parts = weeks[week]
        before, running = _rounded(running), running + sum(parts.values())
        shared = _shared(parts, owed, _rounded(running) - before)
        for region_id, units in shared.items():
            owed[region_id] = owed.get(region_id, 0) + parts[region_id] - units * _PARTS
        yield week, {region_id: units for region_id, units in shared.items() if units}


def _shared(parts: Mapping[int, int], owed: Mapping[int, int], total: int) -> dict[int, int]:
    """`total` units over the regions: each its mean rounded down, the rest up where most is owed."""
    units = {region_id: part // _PARTS for region_id, part in parts.items()}
    spare = total - sum(units.values())
    broken = [region_id for region_id, part in parts.items() if part % _PARTS]
    broken.sort(key=lambda region_id: (-owed.get(region_id, 0) - parts[region_id] % _PARTS, region_id))
    for region_id in broken[:spare]:
        units[region_id] += 1
    return units


def _rounded(parts: int) -> int:
    return (2 * parts + _PARTS) // (2 * _PARTS)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A final volume as it is seen now: units ≥ 0, bounds in order; the mean may lie anywhere."""

    units: int
    mean: float
    median: float
    lo_80: float
    hi_80: float
    lo_95: float
    hi_95: float


def fit_parts(whole: Outlook, parts: Sequence[Outlook]) -> list[Outlook]:
    """The parts with what is still to come scaled, so that their means add up to the whole's mean.

    Where the parts or the whole are to shrink (net curves fall), their means are scaled themselves. Without
    units in any part nothing can be shared out, and the parts stay as they are.
    """
    held = sum(part.units for part in parts)
    coming, wanted = sum(part.mean for part in parts) - held, whole.mean - held
    if coming > 0 and wanted >= 0:
        return [_scaled(part, base=part.units, factor=wanted / coming) for part in parts]
    total = sum(part.mean for part in parts)
    factor = whole.mean / total if total > 0 else 1.0
    return [_scaled(part, base=0.0, factor=factor) for part in parts]


def _scaled(part: Outlook, *, base: float, factor: float) -> Outlook:
    fields = ("mean", "median", "lo_80", "hi_80", "lo_95", "hi_95")
    moved = {name: max(base + (getattr(part, name) - base) * factor, 0.0) for name in fields}
    return replace(part, **moved)


def chance_of(units: int, outlook: Outlook) -> float:
    """The chance (0–1) to land at `units` or more, read between the quantiles on a normal scale.

    Beyond the outer quantiles it is no more than 97.5 % and no less than 2.5 %: nothing is known there. Units
    that are there already, where nothing can fall below them, are certain.
    """
    if units <= outlook.units <= outlook.lo_95:
        return 1.0
    bounds = (outlook.lo_95, outlook.lo_80, outlook.median, outlook.hi_80, outlook.hi_95)
    scores = [_NORMAL.inv_cdf(level) for level in (0.025, 0.1, 0.5, 0.9, 0.975)]
    if units <= bounds[0]:
        return 1 - _NORMAL.cdf(scores[0])
    for low, high, left, right in zip(bounds, bounds[1:], scores, scores[1:], strict=False):
        if units <= high:
            return 1 - _NORMAL.cdf(left + (right - left) * (units - low) / (high - low))
    return 1 - _NORMAL.cdf(scores[-1])
