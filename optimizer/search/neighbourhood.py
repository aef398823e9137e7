"""Some SKUs of a plan planned anew, within what its other SKUs leave of everything they share.

The rules and shared limits are those of the whole problem: of every limit the others' use is taken off, and
what they opened (suppliers, warehouses, lanes) is paid for already. The answer is put back among the others.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimizer.form.clock import Clock, Tell
from optimizer.form.plan import Settings
from optimizer.model.item import Item, compile_item
from optimizer.model.likely import likely_lots
from optimizer.model.monolith import AtOnce, Lots, Model, Question, ways
from optimizer.model.network import Network
from optimizer.model.openings import Beside
from optimizer.model.parts import pick_cost
from optimizer.model.picks import Pick, pick_uses, quantities
from optimizer.model.uses import legs, uses
from optimizer.rules.book import TOLERANCE, Book
from optimizer.rules.limits import locked_lots, locked_volume
from optimizer.rules.selection import only
from optimizer.search.closing import has_rules
from optimizer.search.decomposition import solve_in_parts
from optimizer.search.workers import Crew

Chosen = Mapping[str, tuple[Item, Pick]]
# Up to so many ways the SKUs are one model, with so many branch-and-bound nodes at most.
AT_ONCE_WAYS, NODES = 6_000, 2_000
# How hard the model of likely lots is searched.
LIKELY_GAP, LIKELY_NODES = 1e-3, 50


@dataclass(frozen=True, kw_only=True)
class Around:
    """The whole plan with some SKUs planned anew, what those do, and slack: by how much they may be dearer
    than the best there is for them as long as the others stay. late: the clock cut the search."""

    book: Book
    chosen: Chosen
    slack: float
    late: bool


def around(
    net: Network,
    plan: Book,
    skus: Collection[str],
    settings: Settings,
    *,
    tell: Tell,
    clock: Clock,
    crew: Crew,
    brief: bool = False,
    likely: bool = False,
) -> Around | None:
    """Plan these SKUs anew; None: nothing found that fits.

    plan: quantities that keep the rules of the network's problem but for these SKUs; of those it only says
    which lots are likely. brief: the SKUs are few beside the others; they are planned without prices for what
    they share among themselves. likely: one SKU that is too large for a model of all lots has one of the
    likely ones; its slack is not known.
    """
    part, beside = part_of(net, plan, skus)
    items = {sku.id: compile_item(part, sku) for sku in part.problem.skus}
    if ways(items) <= AT_ONCE_WAYS:
        found = _at_once(part, beside, items, settings, clock)
    elif len(items) == 1 and (likely or has_rules(net.problem)):
        found = _of_likely(part, beside, items, plan, settings, clock)
    elif has_rules(net.problem):
        return _in_turn(net, plan, skus, settings, tell=tell, clock=clock, crew=crew)
    else:
        found = _in_parts(part, beside, settings, tell=tell, clock=clock, crew=crew, brief=brief)
    return None if found is None else replace(found, book=merged(plan, found.book, skus))


def _in_turn(
    net: Network,
    plan: Book,
    skus: Collection[str],
    settings: Settings,
    *,
    tell: Tell,
    clock: Clock,
    crew: Crew,
) -> Around | None:
    """One SKU after the other, first to last, where rules on lanes tie too many together for one model."""
    plan = without(plan, skus)
    chosen: dict[str, tuple[Item, Pick]] = {}
    late = False
    for sku in skus:
        found = around(net, plan, [sku], settings, tell=tell, clock=clock, crew=crew)
        if found is None:
            return None
        plan, late = found.book, late or found.late
        chosen.update(found.chosen)
    return Around(book=plan, chosen=chosen, slack=math.inf, late=late)


def merged(plan: Book, new: Book, skus: Collection[str]) -> Book:
    """The plan with new quantities for these SKUs."""
    orders = {key: units for key, units in plan.orders.items() if key[1] not in skus}
    flows = {key: units for key, units in plan.flows.items() if key[0] not in skus}
    unmet = {key: units for key, units in plan.unmet.items() if key[0] not in skus}
    return Book(
        orders=dict(sorted((orders | new.orders).items())),
        flows=dict(sorted((flows | new.flows).items())),
        unmet=dict(sorted((unmet | new.unmet).items())),
        split={key: parts for key, parts in plan.split.items() if key[1] not in skus} | new.split,
    )


def without(plan: Book, skus: Collection[str]) -> Book:
    """The plan of the other SKUs."""
    return merged(plan, Book(orders={}, flows={}, unmet={}), skus)


def part_of(net: Network, plan: Book, skus: Collection[str]) -> tuple[Network, Beside]:
    """The network of some SKUs with the room the others leave, and what those opened."""
    others = without(plan, skus)
    problem = only(net.problem, frozenset(skus))
    numbers: dict[str, list[int]] = {}
    for number, offer in enumerate(problem.offers):
        numbers.setdefault(offer.sku, []).append(number)
    coupling = net.coupling
    room = coupling.room - uses(net, others, without=skus).total()
    clipped = np.isinf(coupling.penalty)
    for cap in coupling.spend:  # a share of what is spent: these SKUs can make room themselves
        clipped[cap.row[cap.row >= 0]] = False
    coupling = replace(coupling, room=np.where(clipped, np.maximum(room, 0.0), room))
    moved, own = legs(net, others), locked_volume(problem)
    firm = {key: volume - own.get(key, 0.0) for key, volume in locked_volume(net.problem).items()}
    beside = Beside(
        legs=moved,
        fresh=frozenset(key for key, volume in moved.items() if volume > firm.get(key, 0.0) + TOLERANCE),
        suppliers=frozenset(supplier for supplier, _, _ in others.orders),
    )
    return replace(net, problem=problem, numbers=numbers, coupling=coupling), beside


def _at_once(
    part: Network, beside: Beside, items: dict[str, Item], settings: Settings, clock: Clock
) -> Around | None:
    left = max(1.0, clock.until(1.0).left)
    asked = Question(gap=settings.gap, seed=settings.seed, nodes=NODES, seconds=left)
    return _found(part, Model(part, items, beside=beside).solve(asked))


def _of_likely(
    part: Network, beside: Beside, items: dict[str, Item], plan: Book, settings: Settings, clock: Clock
) -> Around | None:
    """The lots that the SKUs' relaxations order, and those of the plan."""
    lots = {
        sku: Lots(kept=likely_lots(part, item, plan), tight=np.isfinite(item.cost))
        for sku, item in items.items()
    }
    left = max(1.0, clock.until(1.0).left)
    asked = Question(gap=max(settings.gap, LIKELY_GAP), seed=settings.seed, nodes=LIKELY_NODES, seconds=left)
    return _found(part, Model(part, items, lots, beside=beside).solve_in_steps(asked))


def _found(part: Network, found: AtOnce) -> Around | None:
    if found.chosen is None:
        return None
    book = quantities(part, found.chosen)
    return Around(book=book, chosen=found.chosen, slack=found.slack, late=found.timed_out)


def _in_parts(
    part: Network,
    beside: Beside,
    settings: Settings,
    *,
    tell: Tell,
    clock: Clock,
    crew: Crew,
    brief: bool,
) -> Around:
    found = solve_in_parts(part, settings, tell, clock=clock, crew=crew, brief=brief)
    coupling = part.coupling
    cost, use = 0.0, np.zeros(len(coupling.room))
    for item, pick in found.chosen.values():
        cost += pick_cost(part, item, pick)
        use += pick_uses(part, item, pick)
    soft = np.isfinite(coupling.penalty)
    cost += float((np.maximum(use - coupling.room, 0.0)[soft] * coupling.penalty[soft]).sum())
    book = quantities(part, found.chosen)
    slack = cost + _opened(part, beside, book) - (found.bound - _counted(part))
    return Around(book=book, chosen=found.chosen, slack=max(0.0, slack), late=found.late)


def _counted(part: Network) -> float:
    """Awards of locked suppliers, which the bound of solve_in_parts has."""
    locked = {part.problem.offers[number].supplier for number, _ in locked_lots(part.problem)}
    return sum(part.problem.supplier_of[one].award_cost for one in sorted(locked))


def _opened(part: Network, beside: Beside, book: Book) -> float:
    """What these SKUs pay for suppliers, warehouses and lanes that nobody else pays for; the bound does not
    see it."""
    problem = part.problem
    facts = {key for key, volume in locked_volume(problem).items() if volume} | set(beside.legs)
    mine = {(source, target, week) for _, source, target, week in book.flows}
    places = {place for a, b, _ in mine for place in (a, b)} - {
        place for a, b, _ in facts for place in (a, b)
    }
    locked = {problem.offers[number].supplier for number, _ in locked_lots(problem)}
    suppliers = {supplier for supplier, _, _ in book.orders} - beside.suppliers - locked
    return (
        sum(problem.supplier_of[one].award_cost for one in sorted(suppliers))
        + sum(problem.warehouse_of[one].award_cost for one in sorted(places & set(problem.warehouse_of)))
        + sum(problem.lane_of[a, b].fixed_cost for a, b, _ in sorted(mine - facts))
    )
