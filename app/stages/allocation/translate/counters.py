"""A counter-offer as changes of a stored plan's problem, and what they come to as plain rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import optimizer
from app.stages.allocation.rules import week_of

NO_LIMIT = 10**8
"""Units a week that no plan needs: the largest quantity of a problem."""
Change = Callable[[optimizer.Problem], optimizer.Problem]


@dataclass(frozen=True, kw_only=True)
class CounterCase:
    """A counter-offer in the plan's terms: codes, and weeks counted from the plan's first.

    promised: the locked line it would become, None when it comes too late for the plan. asked_week: the order
    week that was asked for, asked: its units. firm: lines of the SKU confirmed since the plan was made.
    aside: suppliers that take nothing new of the SKU. gone: weeks that are over, in which nothing can be
    ordered.
    """

    supplier: str
    sku: str
    asked_week: int
    asked: int
    promised: optimizer.Locked | None
    firm: tuple[optimizer.Locked, ...] = ()
    aside: frozenset[str] = frozenset()
    gone: int = 0


def accepted(case: CounterCase, plan: optimizer.Solution) -> Change:
    """The supplier's terms are firm; in the week it was asked for it makes no more beside them than it was
    asked beside them."""
    mine = (one for one in plan.orders if (one.supplier, one.sku) == (case.supplier, case.sku))
    room = sum(one.quantity for one in mine if one.week == case.asked_week) - case.asked
    if case.promised is not None and case.promised.week == case.asked_week:
        room += case.promised.quantity

    def change(problem: optimizer.Problem) -> optimizer.Problem:
        extra = () if case.promised is None else (case.promised,)
        return _with(problem, case, extra=extra, rooms={case.supplier: {case.asked_week: max(room, 0)}})

    return change


def refused(case: CounterCase) -> Change:
    """The supplier makes nothing new of the SKU."""

    def change(problem: optimizer.Problem) -> optimizer.Problem:
        nothing = dict.fromkeys(range(problem.weeks), 0)
        return _with(problem, case, extra=(), rooms={case.supplier: nothing})

    return change


def with_base(problem: optimizer.Problem, solution: optimizer.Solution, charge: float) -> optimizer.Problem:
    """The problem with the plan itself as what is charged when it changes."""
    previous = tuple(
        optimizer.Locked(supplier=one.supplier, sku=one.sku, week=one.week, to="", quantity=one.quantity)
        for one in solution.orders
    )
    return replace(problem, previous=previous, churn_cost=charge)


def mean_price(solution: optimizer.Solution, sku: str) -> float:
    """What a unit of the SKU costs in the plan, in currency units; 0.0 when none is ordered."""
    mine = [one for one in solution.orders if one.sku == sku]
    units = sum(one.quantity for one in mine)
    return sum(one.quantity * one.unit_price for one in mine) / units if units else 0.0


def _with(
    problem: optimizer.Problem,
    case: CounterCase,
    *,
    extra: tuple[optimizer.Locked, ...],
    rooms: dict[str, dict[int, int]],
) -> optimizer.Problem:
    """The problem with what is firm of the SKU, and offers that take only so much in some weeks."""
    over = dict.fromkeys(range(case.gone), 0)
    aside = dict.fromkeys(range(problem.weeks), 0)
    offers = tuple(
        with_room(
            offer,
            aside if offer.supplier in case.aside else rooms.get(offer.supplier, {}) | over,
            weeks=problem.weeks,
        )
        if offer.sku == case.sku
        else offer
        for offer in problem.offers
    )
    return replace(problem, offers=offers, locked=(*problem.locked, *case.firm, *extra))


def with_room(offer: optimizer.Offer, room: Mapping[int, int], *, weeks: int) -> optimizer.Offer:
    """The offer with at most so many units in some weeks; firm lines count past it."""
    if not room:
        return offer
    capacity = offer.week_capacity or (NO_LIMIT,) * weeks
    left = tuple(min(units, room.get(week, units)) for week, units in enumerate(capacity))
    return replace(offer, week_capacity=left, moq=offer.moq if max(left) >= offer.moq else 0)


def counter_in_minor(
    asked: optimizer.Solution,
    answers: Sequence[optimizer.Solution | None],
    *,
    sku: str,
    first: dt.date,
    unit: int,
    charged: bool,
) -> dict[str, Any]:
    """asked, accept and refuse, each with its cost (changes are part of it only if charged), unmet, late,
    weeks_late and suppliers (units of the SKU), or None; and moves against what was asked."""
    accept, refuse = answers
    named = {"asked": asked, "accept": accept, "refuse": refuse}
    return {
        **{name: _row(one, sku, unit, charged=charged and one is not asked) for name, one in named.items()},
        "sku": sku,
        "moves": {
            "accept": _moves(asked, accept, sku, first),
            "refuse": _moves(asked, refuse, sku, first),
        },
    }


def _row(one: optimizer.Solution | None, sku: str, unit: int, *, charged: bool) -> dict[str, Any] | None:
    if one is None:
        return None
    parts = {name: round(value * unit) for name, value in asdict(one.cost).items()}
    if not charged:
        parts.pop("churn")
    suppliers: dict[str, int] = defaultdict(int)
    for order in one.orders:
        if order.sku == sku:
            suppliers[order.supplier] += order.quantity
    return {
        "cost_minor": sum(parts.values()),
        "parts_minor": parts,
        "unmet": sum(lack.quantity for lack in one.unmet),
        "late": sum(late.quantity for late in one.late),
        "weeks_late": sum(late.quantity * late.weeks_late for late in one.late),
        "suppliers": dict(sorted(suppliers.items())),
    }


def _moves(
    asked: optimizer.Solution, other: optimizer.Solution | None, sku: str, first: dt.date
) -> list[dict[str, Any]]:
    """Orders that change: sku, supplier, week (its Monday), before, after; the line's SKU first."""
    if other is None:
        return []
    before, after = _orders(asked), _orders(other)
    keys = [key for key in before.keys() | after.keys() if before.get(key, 0) != after.get(key, 0)]
    return [
        {
            "sku": code,
            "supplier": supplier,
            "week": week_of(week, first=first).isoformat(),
            "before": before.get((code, week, supplier), 0),
            "after": after.get((code, week, supplier), 0),
        }
        for code, week, supplier in sorted(keys, key=lambda key: (key[0] != sku, key))
    ]


def _orders(plan: optimizer.Solution) -> dict[tuple[str, int, str], int]:
    units: dict[tuple[str, int, str], int] = defaultdict(int)
    for one in plan.orders:
        units[one.sku, one.week, one.supplier] += one.quantity
    return dict(units)
