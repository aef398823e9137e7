"""Attacks that the rules were not tuned on: other ways to share, to sign up, and to spread in time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

Rng = np.random.Generator
DAY = 86_400


def _tokens(rng: Rng, count: int, prefix: str) -> np.ndarray:
    return np.array([f"{prefix}{one:015x}" for one in rng.integers(0, 2**60, size=count)], dtype=object)


def _own(rng: Rng, count: int) -> dict[str, np.ndarray]:
    return {name: _tokens(rng, count, name[0]) for name in ("device", "address", "payment")}


def _frame(accounts: pl.DataFrame, told: dict[str, np.ndarray], age: np.ndarray) -> pl.DataFrame:
    columns = {name: pl.Series(told[name].tolist(), dtype=pl.String) for name in told}
    created = accounts["at"].to_numpy() - age.astype(np.int64)
    return pl.DataFrame({"buyer": accounts["buyer"], **columns, "created": created})


def chain(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """No token joins more than two accounts: devices and cards by turns, a link at a time."""
    count = accounts.height
    told = _own(rng, count)
    order = rng.permutation(count)
    for place in range(count - 1):
        kind = ("device", "payment")[place % 2]
        told[kind][order[place + 1]] = told[kind][order[place]]
    return _frame(accounts, told, rng.exponential(90 * DAY, count) + 3 * 3600)


def half_hidden(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Half of the accounts share devices, a quarter cards, the rest nothing; a third tell nothing."""
    count = accounts.height
    told = _own(rng, count)
    group = rng.choice(3, size=count, p=[0.5, 0.25, 0.25])
    for place, kind in ((0, "device"), (1, "payment")):
        theirs = np.flatnonzero(group == place)
        few = _tokens(rng, max(1, len(theirs) // 9), kind[0])
        told[kind][theirs] = few[rng.integers(0, len(few), len(theirs))]
    for kind in told:
        told[kind][rng.random(count) < 1 / 3] = None
    return _frame(accounts, told, rng.exponential(120 * DAY, count) + 3 * 3600)


def small_batches(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Accounts made a dozen or two at a time, a minute apart or so, over two months; they share nothing."""
    count = accounts.height
    created, made = np.empty(count), 0
    first = int(accounts["at"].min())  # type: ignore[call-overload]
    while made < count:
        size = int(min(count - made, rng.integers(13, 26)))
        start = first - rng.uniform(1, 60) * DAY
        created[made : made + size] = start + np.cumsum(rng.uniform(5, 45, size))
        made += size
    age = accounts["at"].to_numpy() - np.minimum(created[rng.permutation(count)], accounts["at"].to_numpy())
    return _frame(accounts, _own(rng, count), age)


def emulators(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Twenty accounts an emulator image, each image a device with a card and three addresses of its own."""
    count = accounts.height
    told = _own(rng, count)
    image = rng.permutation(np.arange(count) // 20)
    devices, cards = _tokens(rng, image.max() + 1, "d"), _tokens(rng, image.max() + 1, "p")
    addresses = _tokens(rng, 3 * (image.max() + 1), "a")
    told["device"], told["payment"] = devices[image], cards[image]
    told["address"] = addresses[3 * image + rng.integers(0, 3, count)]
    return _frame(accounts, told, rng.exponential(200 * DAY, count) + 3 * 3600)


UNSEEN: dict[str, Callable[[pl.DataFrame, Rng], pl.DataFrame]] = {
    "chain": chain,
    "half_hidden": half_hidden,
    "small_batches": small_batches,
    "emulators": emulators,
}
"""Farms whose accounts pledge once each over regions, hours and days; by their names as attacks."""
