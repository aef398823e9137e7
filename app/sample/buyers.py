"""Who buys, where they live and at what hour they order."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from app.sample.facts import Brand

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BUYERS = 90_000
FIRST_BUYER = 100_000
# Channels number accounts as they are opened: one every 20 seconds. Accounts made for an attack stand side by
# side, among honest ones opened for the same pre-sale.
NEW_ACCOUNTS_SINCE = (date(2022, 1, 1) - date(1970, 1, 1)).days * 86_400
SECONDS_AN_ACCOUNT = 20

# Orders by hour of the day, 0–23: a lunch peak and a long evening.
HOURS = np.array(
    [
        3,
        1.5,
        0.8,
        0.5,
        0.4,
        0.6,
        1.2,
        2.2,
        3.6,
        5,
        6,
        5.6,
        6.4,
        5.8,
        5,
        4.8,
        4.8,
        4.6,
        4.8,
        6,
        7.6,
        8.4,
        7.4,
        5,
    ]
)
# Monday to Sunday.
WEEKDAYS = np.array([0.95, 0.92, 0.94, 0.98, 1.06, 1.11, 1.04])


def region_mix(brand: Brand) -> Floats:
    """Shape (SKU, region), rows sum to 1: people × wealth, tilted north or south by the style."""
    people = np.array([region.population for region in brand.regions])
    income = np.array([region.income for region in brand.regions])
    north = (np.array([region.latitude for region in brand.regions]) - 32.0) / 10.0
    cold = np.array([sku.style.cold for sku in brand.skus])
    mix = people * (income / income.mean()) ** 0.9 * np.exp(np.outer(cold, north))
    return mix / mix.sum(axis=1, keepdims=True)


class BuyerPool:
    """Buyers with a home region; some buy often. Numbers are shuffled so that they tell nothing."""

    def __init__(self, brand: Brand, rng: np.random.Generator) -> None:
        share = region_mix(brand).mean(axis=0)
        self._sizes = np.maximum(20, np.floor(share * BUYERS)).astype(np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])
        self._numbers = FIRST_BUYER + rng.permutation(int(self._sizes.sum()))

    def draw(self, regions: Ints, rng: np.random.Generator) -> Ints:
        """One buyer number for each region position; shape (n,)."""
        position = np.floor(rng.random(len(regions)) ** 1.4 * self._sizes[regions]).astype(np.int64)
        return self._numbers[self._starts[regions] + position]


def new_accounts(opened: Ints) -> Ints:
    """Numbers of accounts opened at these moments (seconds since 1970); shape as `opened`."""
    return FIRST_BUYER + BUYERS + 10_000 + (opened - NEW_ACCOUNTS_SINCE) // SECONDS_AN_ACCOUNT


def seconds_of_day(count: int, rng: np.random.Generator) -> Ints:
    """Shape (count,): seconds after midnight, local time."""
    hours = rng.choice(24, size=count, p=HOURS / HOURS.sum())
    return hours * 3600 + rng.integers(0, 3600, size=count)
