"""Concentration, planning weeks, and the other pure rules of allocation."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

from app.core.errors import RuleBroken
from app.stages.forecasts.rules.service import HIGHEST_SERVICE, LOWEST_SERVICE


class Scope(StrEnum):
    SKU = "sku"
    CATEGORY = "category"
    PLAN = "plan"


class Base(StrEnum):
    UNITS = "units"
    SPEND = "spend"


class RunStatus(StrEnum):
    OPTIMAL = "optimal"
    FEASIBLE = "feasible"


class UnmetReason(StrEnum):
    """Why units are not planned; the screen makes a sentence of it."""

    NO_OFFER = "no_offer"  # nobody offers the SKU, or every offer was declined for now
    NO_LANE = "no_lane"  # no way from any of its suppliers to the region
    LEAD_TIME = "lead_time"  # made and moved, it would come after the horizon
    CAPACITY = "capacity"  # suppliers, docks or storage are full
    MOQ = "moq"  # too few units to be worth the smallest lot
    SHARE_CAP = "share_cap"  # a hard concentration limit leaves no supplier
    COST = "cost"  # it could be made, but costs more than going without


@dataclass(frozen=True, slots=True)
class Limit:
    """The share above which a scope leans on one supplier.

    `penalty_minor` is the price in minor units of one base unit above the limit; None prices it at
    `PlanSettings.penalty_percent` of what a unit of the scope costs.
    """

    scope: Scope
    base: Base
    threshold_percent: int
    hard: bool
    penalty_minor: int | None


DEFAULT_LIMITS = (Limit(Scope.SKU, Base.UNITS, 40, False, None),)
"""What holds while the merchandiser has set nothing: no supplier above 40 % of a SKU's units, softly."""


def relaxed(limits: Iterable[Limit], way: Mapping[str, Any]) -> tuple[Limit, ...]:
    """The limits that a way out of a clash sets; none where it sets no limit.

    Args:
        way: one relaxation: code, caps (scope, key, max_share) and numbers.
    """
    scopes = {str(cap["scope"]) for cap in way["caps"]}
    mine = [one for one in limits if one.hard and one.base is Base.UNITS and one.scope.value in scopes]
    if way["code"] == "raise_cap":
        percent = int(way["numbers"]["percent"])
        return tuple(replace(one, threshold_percent=max(one.threshold_percent, percent)) for one in mine)
    if way["code"] == "soften_cap":
        return tuple(replace(one, hard=False) for one in mine)
    return ()


@dataclass(frozen=True, slots=True)
class Made:
    """Part of a plan: units of one SKU from one supplier, and what they cost in minor units."""

    supplier_id: int
    sku: str
    category: str | None
    units: int
    spend_minor: int


@dataclass(frozen=True, slots=True)
class ScopeShare:
    """One supplier's part of what is allocated within a scope. `key` is a SKU code, a category, or empty."""

    scope: Scope
    key: str
    base: Base
    supplier_id: int
    amount: int
    scope_amount: int
    hhi: float


def is_concentrated(amount: int, scope_amount: int, *, threshold_percent: int) -> bool:
    """Whether a share is above the threshold. Exactly the threshold is not; integers keep that exact."""
    return amount * 100 > threshold_percent * scope_amount


def hhi(amounts: Iterable[int]) -> float:
    """Herfindahl-Hirschman index: the sum of squared shares, 0–1; 0.0 when nothing is allocated."""
    parts = list(amounts)
    total = sum(parts)
    return float(Fraction(sum(part * part for part in parts), total * total)) if total else 0.0


def effective_suppliers(index: float) -> float:
    """1/HHI: how many equal suppliers would be as concentrated; 0.0 when nothing is allocated."""
    return 1 / index if index else 0.0


def cap_can_hold(eligible: int, *, threshold_percent: int) -> bool:
    """Whether `eligible` suppliers can all stay at or below the threshold and still make everything."""
    return eligible * threshold_percent >= 100


def lowest_reachable_share(eligible: int) -> float:
    """With n eligible suppliers the top share is at least 1/n."""
    return 1 / eligible if eligible else 1.0


def shares(made: Iterable[Made]) -> list[ScopeShare]:
    """Every supplier's share by scope and base, in a fixed order. A SKU may stand in no category."""
    cells: dict[tuple[Scope, str, Base], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for part in made:
        for scope, key in _scopes(part):
            cells[scope, key, Base.UNITS][part.supplier_id] += part.units
            cells[scope, key, Base.SPEND][part.supplier_id] += part.spend_minor
    return [
        ScopeShare(scope, key, base, supplier, amount, total, index)
        for (scope, key, base), by_supplier in sorted(cells.items())
        for total, index in [(sum(by_supplier.values()), hhi(by_supplier.values()))]
        if total
        for supplier, amount in sorted(by_supplier.items())
    ]


def _scopes(part: Made) -> list[tuple[Scope, str]]:
    found = [(Scope.SKU, part.sku), (Scope.PLAN, "")]
    return found if part.category is None else [*found, (Scope.CATEGORY, part.category)]


def monday(day: dt.date) -> dt.date:
    """The Monday that names the day's planning week."""
    return day - dt.timedelta(days=day.weekday())


def week_index(week: dt.date, *, first: dt.date) -> int:
    """How many weeks `week` lies after the plan's first week; negative before it."""
    return (week - first).days // 7


def week_of(index: int, *, first: dt.date) -> dt.date:
    return first + dt.timedelta(weeks=index)


def lead_weeks(days: int) -> int:
    """Days to whole planning weeks, rounded up: a week begun is a week needed."""
    return -(-days // 7)


def cover_oldest(demand: Mapping[int, int], *, arriving: int) -> dict[int, int]:
    """Demand by week left after `arriving` units that are already on their way to the region.

    The oldest demand is served first: what is late anyway should not wait for the next order, and every
    later week can still be ordered for in time.
    """
    left = dict(demand)
    for week in sorted(left):
        served = min(left[week], arriving)
        left[week] -= served
        arriving -= served
    return {week: units for week, units in left.items() if units}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What a plan is made with; stored with the run.

    weeks: planning weeks, from the week of `as_of`: eight of demand and room for lead times.
    gap, time_limit, seed: the optimizer's; time_limit (seconds) is a safety net, not a stopping rule.
    short_factor: a unit never delivered costs so many times the SKU's dearest landed cost (price of a single
        unit plus the dearest way), so that a unit is always worth planning.
    late_percent: part of the dearest landed cost that a unit costs for every week it is late.
    penalty_percent: part of the dearest landed cost that a unit above a soft concentration limit costs, where
        the
        limit names no penalty of its own.
    service: percent by SKU class (A, B, C) to whose quantile of demand its SKUs are planned; classes that are
        left out are planned to the mean. None: all of them.
    churn_minor: what a unit of the last plan that is not ordered again, of the same supplier in the same
        week, counts as, in minor units. None: nothing, and the last plan is not looked at.
    """

    weeks: int = 12
    gap: float = 0.01
    time_limit: float = 540.0
    seed: int = 0
    short_factor: int = 3
    late_percent: int = 2
    penalty_percent: int = 10
    service: Mapping[str, int] | None = None
    churn_minor: int | None = None


CLASSES = ("A", "B", "C")
"""Of SKUs: A make the first 80 % of the units forecast, B those up to 95 %, C the rest."""


def check_policy(*, service: Mapping[str, int], churn_minor: int | None) -> None:
    """Can plans be made with these?

    Raises:
        RuleBroken: service_level, churn_charge.
    """
    for name, percent in service.items():
        if name not in CLASSES or not LOWEST_SERVICE <= percent <= HIGHEST_SERVICE:
            raise RuleBroken(
                "service_level",
                f"A service level is {LOWEST_SERVICE} to {HIGHEST_SERVICE} percent of a class A, B or C, "
                f"not {percent} of {name!r}.",
                sku_class=name,
                given=percent,
            )
    if churn_minor is not None and churn_minor < 1:
        raise RuleBroken(
            "churn_charge", "A charge for changes is at least one minor unit; leave it out for none."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """Units a supplier has confirmed and that are still to come: a plain value from a later stage."""

    supplier_id: int
    sku_id: int
    warehouse_id: int | None
    region_id: int | None
    arrival_week: dt.date
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitments:
    """What the plan may not contradict: firm lines, and (supplier, SKU) offers set aside for now.

    `limited` are (supplier, SKU, week ordered, units): a supplier that promised less than it was asked, or
    later, makes no more of the SKU in that week than so many units, firm ones included.
    """

    firm: tuple[Firm, ...] = ()
    declined: frozenset[tuple[int, int]] = frozenset()
    limited: frozenset[tuple[int, int, dt.date, int]] = frozenset()
