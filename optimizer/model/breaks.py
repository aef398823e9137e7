"""Price breaks of one SKU in its model: an offer that is used is in one mode, a segment of its price.

A mode is a yes/no with its own units and its own excess over share caps; what flows of it is at most
all demand. So the relaxation pays for the surplus a break asks for, and for the excess a break makes, where
units and yes/no alone would give it the lowest price for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.form.pricing import AT_BREAK
from optimizer.form.problem import Offer
from optimizer.model.build import Builder, Floats, Ints
from optimizer.model.piece import Piece


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One price segment: from low to high units the offer costs fixed + price x units (risk included)."""

    low: float
    high: float
    fixed: float
    price: float


def segments(offer: Offer, *, risk: float, most: float, whole: bool = True) -> list[Segment]:
    """Price breaks as segments up to most units; all-units segments end one unit before the next starts.

    In a continuous problem they end where the next starts, or just before where that is dearer.
    """
    found = []
    below = 0.0
    for number, (start, price) in enumerate(offer.breaks):
        last = number + 1 == len(offer.breaks)
        next_start = most if last else float(offer.breaks[number + 1][0])
        high = next_start
        if not last and offer.price_mode == "all_units":
            dearer = offer.breaks[number + 1][1] > price
            high -= 1.0 if whole else (4 * AT_BREAK * max(1.0, next_start) if dearer else 0.0)
        fixed = below - price * start if offer.price_mode == "incremental" else 0.0
        if start <= most:
            factor = 1.0 + risk
            found.append(Segment(low=start, high=min(high, most), fixed=fixed * factor, price=price * factor))
        below += price * (next_start - start)
    return found


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Of one offer [number] the columns of each mode: units (locked ones included) and chosen, a yes/no."""

    offer: int
    parts: list[Segment]
    locked: float
    units: Ints
    chosen: Ints

    def money(self) -> list[tuple[Ints, Ints, Floats]]:
        """What the offer gets without risk, as (offer, column, amount)."""
        offer = np.full(len(self.parts), self.offer)
        return [
            (offer, self.units, np.array([part.price for part in self.parts])),
            (offer, self.chosen, np.array([part.fixed for part in self.parts])),
        ]

    def cap(self, builder: Builder, *, free: float, excess: int | None) -> None:
        """Units of a mode above free new ones are excess of that mode; excess None: there may be none."""
        rows = builder.rows(len(self.parts), upper=0.0)
        builder.put(rows, self.units, 1.0)
        builder.put(rows, self.chosen, -(free + self.locked))
        if excess is not None:
            above = builder.columns(np.zeros(len(self.parts)))
            builder.put(rows, above, -1.0)
            total = builder.rows(1, upper=0.0)
            builder.put(total, above, 1.0)
            builder.put(total, excess, -1.0)


def add_breaks(
    builder: Builder, piece: Piece, *, whole: bool, factor: Floats, routes: Ints, count: Ints
) -> list[Modes]:
    """The modes of every offer with price breaks; factor [O] is on top of its prices."""
    lots, found = piece.item.lots, []
    for number, offer in enumerate(piece.item.offers):
        mine = np.flatnonzero(lots.offer == number)
        locked = float(piece.item.locked_units[number])
        most = float(lots.most[mine].sum()) + locked
        if len(offer.breaks) == 1 or most <= 0:
            continue
        parts = segments(offer, risk=0.0, most=most, whole=whole)
        prices, start = (np.array([getattr(part, name) for part in parts]) for name in ("price", "fixed"))
        units = builder.columns(prices * factor[number])
        chosen = builder.columns(start * factor[number], upper=1.0, integer=True)
        total = builder.rows(1, lower=locked, upper=locked)
        builder.put(total, units, 1.0)
        builder.put(total, count[mine], -lots.multiple[mine])
        builder.put(builder.rows(1, upper=1.0), chosen, 1.0)
        low = builder.rows(len(parts), lower=0.0)
        builder.put(low, units, 1.0)
        builder.put(low, chosen, [-part.low for part in parts])
        high = builder.rows(len(parts), upper=0.0)
        builder.put(high, units, 1.0)
        builder.put(high, chosen, [-part.high for part in parts])
        _add_use(builder, piece, mine, routes=routes, units=units, chosen=chosen)
        found.append(Modes(offer=number, parts=parts, locked=locked, units=units, chosen=chosen))
    return found


def _add_use(builder: Builder, piece: Piece, lots: Ints, *, routes: Ints, units: Ints, chosen: Ints) -> None:
    """What flows of each mode: together what its lots send, at most its units and all demand they reach."""
    sent = np.flatnonzero(np.isin(piece.source, lots))
    reach = float(piece.need[np.unique(piece.demand[sent])].sum())
    used = builder.columns(np.zeros(len(units)))
    together = builder.rows(1, lower=0.0, upper=0.0)
    builder.put(together, used, 1.0)
    builder.put(together, routes[sent], -1.0)
    ordered = builder.rows(len(units), upper=0.0)
    builder.put(ordered, used, 1.0)
    builder.put(ordered, units, -1.0)
    wanted = builder.rows(len(units), upper=0.0)
    builder.put(wanted, used, 1.0)
    builder.put(wanted, chosen, -reach)
