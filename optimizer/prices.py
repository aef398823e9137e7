"""Prices of the shared rows by column generation on relaxed SKUs: all, or a sample with scaled rooms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from optimizer.master import Master
from optimizer.network import Floats, Network
from optimizer.parts import Effort
from optimizer.reports import Tell, report
from optimizer.workers import Workers

# Work is (lots x demands of a SKU) ** 1.5, in thousands: about what its relaxation takes. Prices are found on
# a sample of at most SAMPLE_WORK, in rounds that take PRICE_WORK in all, or what one sweep over all takes.
SAMPLE_WORK = 25_000
PRICE_WORK = 200_000
LEAST_ROUNDS, MOST_ROUNDS = 6, 20
# Prices have settled when the master's cost and the bound are this close.
SETTLED = 5e-4
# The last prices are taken rather than the best while their bound is this close: they overuse less.
NEARLY = 1e-3
# How much of the next prices is the best so far, the rest being the master's.
SMOOTH = 0.5
# The highest price at first, as a part of the mean unit price; it doubles where a row stays exceeded.
FIRST_CEILING = 0.05


def find_prices(
    net: Network, workers: Workers, skus: list[str], effort: Effort, tell: Tell, *, deadline: float
) -> tuple[Floats, bool]:
    """The last prices with nearly the best bound seen, [rows], and whether the clock let it finish."""
    size = len(net.coupling.room)
    last_prices = best_prices = prices = np.zeros(size)
    if size == 0:
        return prices, True
    sample, rounds = _sample(net, skus)
    room = net.coupling.room * _scale(net, sample)
    master = Master(room=room, ceiling=np.minimum(net.coupling.penalty, _ceiling(net)))
    best = -math.inf
    for number in range(rounds):
        parts = list(workers.sweep(sample, prices, replace(effort, relaxed=True), deadline=deadline))
        if len(parts) < len(sample):
            return last_prices, False
        bound = math.fsum(one.bound for one in parts) - float(prices @ room)
        if bound > best:
            best, best_prices = bound, prices
        if bound >= best - NEARLY * abs(best):
            last_prices = prices
        master.add(parts)
        wanted, cost, exceeded = master.prices()
        tell(report("prices", number + 1, rounds))
        if cost - best <= SETTLED * abs(cost):
            if float(exceeded @ master.ceiling) <= SETTLED * abs(cost):
                break
            higher = np.minimum(2 * master.ceiling, net.coupling.penalty)
            master.ceiling = np.where(exceeded > 0, higher, master.ceiling)
            wanted, _, _ = master.prices()
        prices = SMOOTH * best_prices + (1 - SMOOTH) * wanted
    return last_prices, True


def _sample(net: Network, skus: list[str]) -> tuple[list[str], int]:
    """Every k-th SKU by units of demand, so that large and small ones are both there, and how many rounds."""
    units = {sku: sum(one.quantity for one in net.demand.get(sku, [])) for sku in skus}
    pairs = [len(net.offers.get(sku, [])) * net.weeks * len(net.demand.get(sku, [])) for sku in skus]
    work = math.fsum(pair**1.5 for pair in pairs) / 1000
    step = max(1, math.ceil(work / SAMPLE_WORK))
    rounds = int(min(PRICE_WORK, max(work, PRICE_WORK / 10)) / max(work / step, 1.0))
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
