"""What a campaign is short of, what each line is worth, and what helps: extend, ask, move.

Money is in minor units. A line's worth:

- go line: what the campaign earns at it, units × (price at that volume − cheapest purchase price), by the
  SKUs' parts of the landing; below it all of that is lost. Freight and fixed costs are not in it.
- MOQ: the purchase of the units that nobody ordered, short units × unit price, if it were topped up instead.
- price break: what each unit costs less, times all units at the break.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from app.stages.forecasts.rules import Outlook

EXTENSIONS = (3, 7, 14)
"""Days by which a campaign may be extended, for which its landing is drawn."""
_NORMAL = NormalDist()
_Z80 = _NORMAL.inv_cdf(0.9)


def at_least(outlook: Outlook, base: Outlook) -> Outlook:
    """A landing with more days, where more days never take units away."""
    names = ("mean", "median", "lo_80", "hi_80", "lo_95", "hi_95")
    return replace(outlook, **{name: max(getattr(outlook, name), getattr(base, name)) for name in names})


@dataclass(frozen=True, slots=True)
class Band:
    """What one SKU lands at: units now, mean, and 80 % interval."""

    units: int
    mean: float
    lo_80: float
    hi_80: float

    def extended(self, landing: Outlook, longer: Outlook) -> Band:
        """With more days: its part of what is still to come of the campaign, and as much wider as that is."""
        coming = landing.mean - landing.units
        part = (self.mean - self.units) / coming if coming > 0 else self.mean / max(landing.mean, 1e-9)
        mean = self.mean + part * (longer.mean - landing.mean)
        wider = (longer.hi_80 - longer.lo_80) / max(landing.hi_80 - landing.lo_80, 1e-9)
        wider = max(wider, 1.0)
        low, high = (self.mean - self.lo_80) * wider, (self.hi_80 - self.mean) * wider
        return Band(self.units, mean, max(mean - low, min(self.units, mean)), mean + high)

    def chance(self, line: int) -> float:
        """The chance (0–1) to land at `line` or more: a normal of another width on either side of the mean.

        No more than 97.5 % and no less than 2.5 %, beyond which nothing is known; units there are certain.
        """
        if line <= self.units <= self.lo_80:
            return 1.0
        side = self.hi_80 - self.mean if line >= self.mean else self.mean - self.lo_80
        if side <= 0:
            return 0.975 if line <= self.mean else 0.025
        return min(max(1 - _NORMAL.cdf((line - self.mean) / side * _Z80), 0.025), 0.975)


@dataclass(frozen=True, slots=True)
class Prices:
    """One supplier's terms for a SKU: its MOQ, and breaks (from units on, price of all units), ascending."""

    supplier_id: int
    moq: int
    breaks: tuple[tuple[int, int], ...]

    def at(self, units: int) -> int:
        """The price of a unit when so many are ordered, or its MOQ where that is more."""
        ordered = max(units, self.moq)
        return [price for least, price in self.breaks if least <= ordered][-1]


def cheapest(offers: Iterable[Prices], units: int) -> int | None:
    """The lowest price of a unit at which so many can be bought; of those who sell no fewer than more, if
    nobody sells so few. None where nobody sells it."""
    listed = list(offers)
    able = [offer for offer in listed if offer.moq <= units] or listed
    return min((offer.at(units) for offer in able), default=None)


def go_worth(
    parts: Sequence[tuple[float, Sequence[Prices]]], *, go_units: int, price: int | None
) -> int | None:
    """What a campaign earns at its go line; None where a price is not known.

    Args:
        parts: each SKU's units in the landing, whatever their sum, with its suppliers' terms.
        price: of one unit once the campaign is at the go line.
    """
    total = sum(units for units, _ in parts)
    if price is None or total <= 0:
        return None
    worth = 0.0
    for units, offers in parts:
        at_line = go_units * units / total
        cost = cheapest(offers, round(at_line))
        if cost is None:
            return None
        worth += at_line * (price - cost)
    return round(worth)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan buys of one SKU from one supplier; `free_units` of them are not confirmed yet."""

    supplier_id: int
    units: int
    free_units: int
    spend_minor: int


@dataclass(frozen=True, slots=True)
class Move:
    """Units of the plan that would come from this supplier instead of others; `cost_minor` < 0 saves.

    `reaches`: they fill the line. `below_moq`: a supplier that gives units is left with fewer than its MOQ.
    """

    units: int
    suppliers: tuple[int, ...]
    reaches: bool
    below_moq: bool
    cost_minor: int


def move(line: int, to: Prices, *, planned: Sequence[Planned], offers: Sequence[Prices]) -> Move | None:
    """Fill a supplier's line with units that the plan buys elsewhere; None where it is full or none are free.

    Dear units go first. Before, everything costs what the plan pays; after, this supplier sells at the price
    of what it then has, and those who gave at the price of what is left, both over the whole plan.
    """
    here = next(
        (one for one in planned if one.supplier_id == to.supplier_id), Planned(to.supplier_id, 0, 0, 0)
    )
    needed = line - here.units
    givers = [one for one in planned if one.supplier_id != to.supplier_id and one.free_units > 0]
    givers.sort(key=lambda one: (-one.spend_minor / one.units, one.supplier_id))
    if needed <= 0 or not givers:
        return None
    terms = {offer.supplier_id: offer for offer in offers}
    moved, before, after, below, named = 0, here.spend_minor, 0, False, []
    for one in givers:
        taken = min(one.free_units, needed - moved)
        if taken <= 0:
            break
        left = one.units - taken
        known = terms.get(one.supplier_id)
        before += one.spend_minor
        after += left * (known.at(left) if known else round(one.spend_minor / one.units))
        below |= known is not None and 0 < left < known.moq
        moved += taken
        named.append(one.supplier_id)
    after += (here.units + moved) * to.at(here.units + moved)
    return Move(moved, tuple(named), moved >= needed, below, after - before)
