"""Prices of the shared rows by column generation on relaxed SKUs: all, or a sample with scaled rooms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.form.clock import Deadline, Tell
from optimizer.form.reports import report
from optimizer.model.fees import fees
from optimizer.model.network import Floats, Network
from optimizer.model.parts import Effort, Part, idle_part
from optimizer.search.combining import top_prices
from optimizer.search.master import Master, total_use
from optimizer.search.workers import Workers

# Work is (lots x demands of a SKU) ** 1.5, in thousands: about what its relaxation takes. Prices are found on
# a sample of at most SAMPLE_WORK, in as many rounds as PRICE_WORK allows.
SAMPLE_WORK = 25_000
PRICE_WORK = 250_000
LEAST_ROUNDS, MOST_ROUNDS = 10, 20
# Prices have settled when the master's cost and the bound are this close.
SETTLED = 1e-3
# While they are further apart than this there are up to twice the rounds, and ceilings rise at once.
WIDE = 0.02
# The last prices are taken rather than the best while their bound is this close: they overuse less.
NEARLY = 1e-3
# How much of the next prices is the best so far, the rest being the master's.
SMOOTH = 0.5
# Room is scarce when this part of all use is above it at price 0; then these parts of the top come first.
SCARCE = 0.1
PROBES = (0.03, 0.1, 0.3)
# The highest price at first, as a part of the mean unit price; it doubles where a row stays exceeded.
FIRST_CEILING = 0.05


class _Search:
    """The state of the search: the sample, its scaled rooms, the master, and the best prices so far."""

    def __init__(
        self, net: Network, workers: Workers, skus: list[str], effort: Effort, *, deadline: Deadline
    ) -> None:
        self.net = net
        self.workers = workers
        self.effort = replace(effort, relaxed=True)
        self.deadline = deadline
        self.sample, self.rounds = _sample(net, skus)
        scale = _scale(net, self.sample)
        self.room = net.coupling.room * scale
        self.fees = fees(net).part(scale)
        self.top = top_prices(net)
        self.master = Master(room=self.room, ceiling=np.minimum(self.top, _ceiling(net)), fees=self.fees)
        self.master.add([idle_part(net, sku) for sku in self.sample])
        self.settled = SETTLED
        self.best = -math.inf
        self.best_prices = self.last_prices = np.zeros(len(self.room))

    def begin(self, known: Floats) -> Floats:
        """The first prices to ask; those of a neighbour need not be made better than the gap asks for."""
        if known.any():
            self.settled = max(SETTLED, self.effort.gap / 2)
        self.best_prices = self.last_prices = known
        self.master.ceiling = np.minimum(self.top, np.maximum(self.master.ceiling, 2 * known))
        return known

    def ask(self, prices: Floats) -> list[Part] | None:
        """Solve the sample at prices and remember plans and bound; None when the clock ran out."""
        jobs = self.sample
        parts = list(self.workers.sweep(jobs, prices, self.effort, deadline=self.deadline))
        if len(parts) < len(jobs):
            return None
        bound = math.fsum(one.bound for one in parts) - self.fees.worth(prices * self.room)
        if bound > self.best:
            self.best, self.best_prices = bound, prices
        if bound >= self.best - NEARLY * abs(self.best):
            self.last_prices = prices
        self.master.add(parts)
        return parts

    def scarce_rows(self, parts: list[Part]) -> NDArray[np.bool_]:
        """Rows of every kind of room that is short at price 0, if much of all use is above its room."""
        use = total_use(parts, len(self.room))
        hard = np.isinf(self.net.coupling.penalty)
        over = np.where(hard, np.maximum(use - self.room, 0.0), 0.0)
        none = np.zeros(len(over), dtype=bool)
        if over.sum() <= SCARCE * use[hard].sum():
            return none
        kinds = {self.net.coupling.names[at][0] for at in np.flatnonzero(over)}
        return np.array([name in kinds for name, _ in self.net.coupling.names]) & hard

    def next_prices(self) -> tuple[Floats, float, bool]:
        """Prices to ask next, how far master and bound are apart, and whether to stop."""
        wanted, cost, exceeded = self.master.prices()
        apart = (cost - self.best) / max(abs(cost), 1e-9)
        charged = float(exceeded @ self.master.ceiling) / max(abs(cost), 1e-9)
        if apart <= self.settled and charged <= self.settled:
            return wanted, apart, True
        if apart <= self.settled or charged > WIDE:
            higher = np.minimum(2 * self.master.ceiling, self.top)
            self.master.ceiling = np.where(exceeded > 0, higher, self.master.ceiling)
            wanted, _, _ = self.master.prices()
        return SMOOTH * self.best_prices + (1 - SMOOTH) * wanted, apart, False


def find_prices(
    net: Network,
    workers: Workers,
    skus: list[str],
    effort: Effort,
    tell: Tell,
    *,
    deadline: Deadline,
    known: Floats,
) -> tuple[Floats, bool]:
    """The last prices with nearly the best bound seen, [rows], and whether the clock let it finish.

    known: prices [rows] of a neighbouring problem to begin at, or 0.
    """
    if len(net.coupling.room) == 0:
        return np.zeros(0), True
    search = _Search(net, workers, skus, effort, deadline=deadline)
    first = search.ask(search.begin(known))
    if first is None:
        return search.last_prices, False
    scarce = search.scarce_rows(first)
    if scarce.any():
        search.master.ceiling = np.where(scarce, search.top, search.master.ceiling)
        for part_of_top in PROBES:
            if search.ask(np.where(scarce, part_of_top * search.top, 0.0)) is None:
                return search.last_prices, False
    prices, apart, done = search.next_prices()
    number = 1
    while not done and number < search.rounds * (2 if apart > WIDE else 1):
        tell(report("prices", number, max(search.rounds, number)))
        if search.ask(prices) is None:
            return search.last_prices, False
        prices, apart, done = search.next_prices()
        number += 1
    tell(report("prices", number, number))
    return search.last_prices, True


def _sample(net: Network, skus: list[str]) -> tuple[list[str], int]:
    """Every k-th SKU by units of demand, so that large and small ones are both there, and how many rounds."""
    units = {sku: sum(one.quantity for one in net.demand.get(sku, [])) for sku in skus}
    pairs = [len(net.offers.get(sku, [])) * net.weeks * len(net.demand.get(sku, [])) for sku in skus]
    work = math.fsum(pair**1.5 for pair in pairs) / 1000
    step = max(1, min(len(skus), math.ceil(work / SAMPLE_WORK)))  # of few large SKUs at least one
    rounds = int(PRICE_WORK / max(work / step, 1.0))
    ordered = sorted(skus, key=lambda sku: (-units[sku], sku))
    return ordered[step // 2 :: step] if step > 1 else skus, min(MOST_ROUNDS, max(LEAST_ROUNDS, rounds))


def _scale(net: Network, sample: list[str]) -> Floats:
    """The part of every row's likely use that comes from the sample, [rows]."""
    coupling = net.coupling
    chosen = set(sample)
    whole, mine = np.zeros(len(net.problem.suppliers)), np.zeros(len(net.problem.suppliers))
    for sku, offers in net.offers.items():
        units = sum(one.quantity for one in net.demand.get(sku, [])) / len(offers)
        for offer in offers:
            at = net.suppliers[offer.supplier]
            whole[at] += units * offer.capacity_use
            mine[at] += units * offer.capacity_use * (sku in chosen)
    part_of = np.where(whole > 0, mine / np.maximum(whole, 1e-12), 1.0)
    average = mine.sum() / whole.sum() if whole.sum() > 0 else 1.0
    scale = np.full(len(coupling.room), average)
    for at, share in enumerate(part_of):
        for rows in (coupling.capacity[at], coupling.horizon[at : at + 1], coupling.share[:, at]):
            scale[rows[rows >= 0]] = share
    return scale


def _ceiling(net: Network) -> float:
    prices = [offer.breaks[0][1] / max(offer.capacity_use, 1e-3) for offer in net.problem.offers]
    return FIRST_CEILING * float(np.mean(prices)) + 1e-3 if prices else 1.0
