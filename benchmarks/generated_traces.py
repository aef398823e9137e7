"""Devices, addresses, payments and the age of accounts: of honest households, offices, parcel lockers and
shops, and of farms that share one of them. Sizes are drawn anew from each seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from benchmarks.generated_unseen import UNSEEN

Rng = np.random.Generator
DAY = 86_400
TRACES = ("device", "address", "payment")
TOLD = 0.85
"""The part of honest accounts whose device, address or payment the channel exports."""


def with_traces(pledges: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Add device, address, payment and created to pledges that have `kind` and `shape` (of the attack)."""
    rng = np.random.default_rng(seed + 77)
    accounts = pledges.group_by("buyer").agg(
        pl.col("at").min(), pl.col("kind").first(), pl.col("shape").first(), pl.col("wave").first()
    )
    accounts = accounts.sort("buyer")
    parts = []
    for (shape, _), theirs in sorted(accounts.group_by("shape", "wave"), key=lambda one: str(one[0])):
        add = {**FARMS, **UNSEEN}.get(str(shape), own) if theirs["kind"][0] == "bot" else honest
        parts.append(add(theirs.sort("buyer"), rng))
    return pledges.join(pl.concat(parts), on="buyer", how="left", maintain_order="left")


def _names(rng: Rng, count: int, prefix: str) -> np.ndarray:
    return np.array([f"{prefix}{one:015x}" for one in rng.integers(0, 2**60, size=count)], dtype=object)


def _frame(accounts: pl.DataFrame, told: dict[str, np.ndarray], created: np.ndarray) -> pl.DataFrame:
    columns = {name: pl.Series(told[name].tolist(), dtype=pl.String) for name in TRACES}
    return pl.DataFrame({"buyer": accounts["buyer"], **columns, "created": created.astype(np.int64)})


def _each_their_own(rng: Rng, count: int) -> dict[str, np.ndarray]:
    return {name: _names(rng, count, name[0]) for name in TRACES}


def _shared(rng: Rng, count: int, least: int, most: int, prefix: str) -> np.ndarray:
    """One token for so many accounts after another, the accounts in any order."""
    sizes = rng.integers(least, most + 1, size=count)
    place = np.repeat(np.arange(count), sizes)[:count]
    return _names(rng, count, prefix)[place][rng.permutation(count)]


def honest(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Old and new accounts; families, offices, lockers, shops with a tablet, and gifts between homes."""
    count, at = accounts.height, accounts["at"].to_numpy()
    told = _each_their_own(rng, count)
    left = rng.permutation(count)

    def take(many: int) -> np.ndarray:
        nonlocal left
        some, left = left[:many], left[many:]
        return some

    for _ in range(max(1, int(count * rng.uniform(0.02, 0.05)))):
        _family(told, take(int(rng.integers(2, 6))), rng)
    for _ in range(max(1, count // 1500)):
        office = take(int(rng.integers(8, 40)))
        told["address"][office] = told["address"][office[0]]
        told["device"][office[:3]] = told["device"][office[0]]
        told["payment"][office[3:7]] = told["payment"][office[3]]
    for _ in range(max(1, count // 2500)):
        locker = take(int(rng.integers(20, 120)))
        told["address"][locker] = told["address"][locker[0]]
    shop = take(int(rng.integers(8, 35)))
    told["device"][shop] = told["device"][shop[0]]
    for _ in range(max(1, count // 300)):  # two homes that share a device or a card
        pair = take(2)
        one = "device" if rng.random() < 0.6 else "payment"
        told[one][pair] = told[one][pair[0]]
    for name in TRACES:
        told[name][rng.random(count) > TOLD] = None
    soon = rng.random(count) < 0.25  # who signs up in order to pledge
    age = np.where(soon, rng.integers(60, 3000, count), rng.exponential(200 * DAY, count) + 3 * 3600)
    created = at - age.astype(np.int64)
    early = (rng.random(count) < 0.1) & ~soon  # who signs up when the campaign is announced
    announced = int(at.min()) - int(rng.integers(1, 6)) * DAY
    created[early] = announced + rng.exponential(3600, int(early.sum())).astype(np.int64)
    return _frame(accounts, told, created)


def _family(told: dict[str, np.ndarray], family: np.ndarray, rng: Rng) -> None:
    told["address"][family] = told["address"][family[0]]
    for name, often in (("device", 0.4), ("payment", 0.4)):
        if rng.random() < often:
            told[name][family] = told[name][family[0]]
    if rng.random() < 0.1:  # one of them studies elsewhere
        told["address"][family[-1]] = _names(rng, 1, "a")[0]


def own(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Nothing in common, with accounts bought one by one: the traces say nothing."""
    age = rng.exponential(60 * DAY, accounts.height) + 3 * 3600
    return _frame(
        accounts, _each_their_own(rng, accounts.height), accounts["at"].to_numpy() - age.astype(np.int64)
    )


def device_farm(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """A few devices, each with many accounts, for addresses everywhere."""
    return _sharing(accounts, rng, {"device": (6, 40)})


def card_ring(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Emulated devices and made-up addresses, paid with a few cards."""
    return _sharing(accounts, rng, {"payment": (6, 25)})


def drop_addresses(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Own devices and cards, and a few addresses to collect the goods at."""
    return _sharing(accounts, rng, {"address": (12, 60)})


def rotating(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Devices change after a few accounts, addresses after a few others."""
    return _sharing(accounts, rng, {"device": (3, 6), "address": (4, 10)})


def bought_accounts(accounts: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """All different, but made by a script in one go, days before."""
    count = accounts.height
    start = int(accounts["at"].min()) - int(rng.integers(1, 40)) * DAY - 7200  # type: ignore[call-overload]
    made = start + np.cumsum(rng.uniform(1, 25, count)).astype(np.int64)
    return _frame(accounts, _each_their_own(rng, count), made[rng.permutation(count)])


def _sharing(accounts: pl.DataFrame, rng: Rng, sizes: dict[str, tuple[int, int]]) -> pl.DataFrame:
    count = accounts.height
    told = _each_their_own(rng, count)
    for name, (least, most) in sizes.items():
        told[name] = _shared(rng, count, least, most, name[0])
        told[name][rng.random(count) < 0.05] = None
    age = rng.exponential(20 * DAY, count) + 3 * 3600
    return _frame(accounts, told, accounts["at"].to_numpy() - age.astype(np.int64))


FARMS: dict[str, Callable[[pl.DataFrame, Rng], pl.DataFrame]] = {
    "device_farm": device_farm,
    "card_ring": card_ring,
    "drop_addresses": drop_addresses,
    "rotating": rotating,
    "bought_accounts": bought_accounts,
}
"""Farms whose accounts pledge once each, scattered over regions and hours; their names are attacks."""
