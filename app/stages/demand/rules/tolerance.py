"""Filling a line with what tolerant buyers allow: which pledges to raise or move, asking the fewest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tolerant:
    """A pledge whose buyer would take up to `most` units (≥ quantity), or one of `skus` instead.

    `buyer` is who is asked; pledges without a known buyer are each somebody else.
    """

    signal_id: int
    buyer: str
    sku_id: int
    quantity: int
    most: int
    skus: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one pledge."""

    signal_id: int
    from_sku_id: int
    to_sku_id: int
    from_quantity: int
    to_quantity: int


@dataclass(frozen=True, slots=True)
class Filling:
    """The steps in the order of the pledges; `gained` units for the line, of `buyers` who are asked."""

    steps: tuple[Step, ...]
    gained: int
    buyers: int


@dataclass(slots=True)
class _Offer:
    """What one buyer could add: pledges to raise where they are, and pledges to move (and raise)."""

    here: list[Tolerant]
    elsewhere: list[Tolerant]
    room: int

    @property
    def raises(self) -> int:
        return min(sum(one.most - one.quantity for one in (*self.here, *self.elsewhere)), self.room)

    @property
    def units(self) -> int:
        return self.raises + sum(one.quantity for one in self.elsewhere)


def fill(
    pledges: Sequence[Tolerant],
    *,
    units: int,
    sku_id: int | None = None,
    room: Mapping[str, int] | None = None,
    cap_left: int | None = None,
    spare: Mapping[int, int] | None = None,
) -> Filling:
    """Raise and move pledges until a line has so many more units, or nobody allows any more.

    Without a SKU the line is the campaign's own: pledges are raised. With one, pledges for it are raised, and
    those for others are moved to it, as a whole, where the buyer would take it.

    The fewest buyers are asked: those who allow most come first. Any k buyers allow no more than the k who
    allow most, so no fewer reach the line; where `cap_left` cuts raises of moved pledges, or `spare` cuts
    moves, this need not hold: then buyers are asked until no pledge is left that may be moved.
    Of the last one only as much is taken as is needed, raises before moves: what is beyond the line is less
    than the last pledge that is moved. Equal buyers come in the order of their first pledge.

    Args:
        pledges: those that count, in the order they were made.
        units: what the line is short of, ≥ 0.
        room: how many more units a buyer may have; who is not named has no limit.
        cap_left: how many more units the campaign may have.
        spare: how many units may be moved away from a SKU; one that is not named gives all.
    """
    left = dict(spare or {})
    offers = _offers(pledges, sku_id, room or {}, left)
    ranked = sorted(offers.values(), key=lambda offer: -offer.units)  # stable: equal ones as they came
    steps: dict[int, Step] = {}
    gained, asked, cap = 0, 0, cap_left
    for offer in ranked:
        if gained >= units:
            break
        offer.room = offer.raises if cap is None else min(offer.raises, cap)
        taken = _take(offer, units - gained, sku_id, left)
        if not taken:
            continue
        asked += 1
        gained += sum(_gain(step, sku_id) for step in taken)
        if cap is not None:
            cap -= sum(step.to_quantity - step.from_quantity for step in taken)
        steps |= {step.signal_id: step for step in taken}
    return Filling(tuple(steps[one.signal_id] for one in pledges if one.signal_id in steps), gained, asked)


def _offers(
    pledges: Sequence[Tolerant], sku_id: int | None, room: Mapping[str, int], left: Mapping[int, int]
) -> dict[str, _Offer]:
    offers: dict[str, _Offer] = {}
    no_limit = sum(one.most for one in pledges)
    for one in pledges:
        is_here = sku_id in (None, one.sku_id)
        if is_here or (sku_id in one.skus and one.quantity <= left.get(one.sku_id, one.quantity)):
            offer = offers.setdefault(one.buyer, _Offer([], [], room.get(one.buyer, no_limit)))
            (offer.here if is_here else offer.elsewhere).append(one)
    return offers


def _take(offer: _Offer, needed: int, sku_id: int | None, left: dict[int, int]) -> list[Step]:
    """As much of one buyer's offer as is needed: raises first, then whole moves, then fewer raises again.

    What is moved is taken from what is `left` of its SKU.
    """
    moved: list[Tolerant] = []
    raises = min(offer.room, needed)
    could = sum(one.most - one.quantity for one in offer.here)
    for one in offer.elsewhere:
        if min(raises, could) + sum(pledge.quantity for pledge in moved) >= needed:
            break
        if one.quantity > left.get(one.sku_id, one.quantity):
            continue
        if one.sku_id in left:
            left[one.sku_id] -= one.quantity
        moved.append(one)
        could += one.most - one.quantity
    raises = max(min(raises, could, needed - sum(one.quantity for one in moved)), 0)
    steps = []
    for one in (*offer.here, *moved):
        plus = min(one.most - one.quantity, raises)
        raises -= plus
        if plus or one in moved:
            to = one.sku_id if sku_id is None else sku_id
            steps.append(Step(one.signal_id, one.sku_id, to, one.quantity, one.quantity + plus))
    return steps


def _gain(step: Step, sku_id: int | None) -> int:
    moved = sku_id is not None and step.from_sku_id != sku_id
    return step.to_quantity if moved else step.to_quantity - step.from_quantity


def spared(*, lands: int, need: int) -> int | None:
    """How many units of a SKU may be moved to another, so that it does not fall below what it needs.

    Args:
        lands: the units it comes to.
        need: the smallest order of its suppliers.

    Returns:
        None where it stays below that anyway: nothing is lost by moving all of it.
    """
    return lands - need if lands >= need else None


def room_left(quantities: Sequence[int], *, limit: int) -> int:
    """How many more units a buyer may have so that none of its pledges goes over the limit, whichever grows.

    Args:
        quantities: its pledges that count in the order they were made; negative ones give room again.
    """
    held = most = 0
    for quantity in quantities:
        held += quantity
        most = max(most, held)
    return max(limit - most, 0)
