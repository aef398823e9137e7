"""A shop's pledges as somebody else would make them up: plain attacks, and honest worlds that look like some.

It shares nothing with the other generators but the form of what it makes. Sizes and spans are drawn anew for
each campaign; an attack is as many waves as it takes to be the bots' part of all units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.generated_pledges import Generated

Rng = np.random.Generator
DAY, HOUR = 86_400, 3600
OPENING = 1_794_009_600 - 8 * HOUR
BY_HOUR = np.array([4, 2, 1, 1, 1, 1, 2, 3, 5, 6, 7, 7, 8, 7, 6, 6, 6, 6, 7, 9, 11, 11, 9, 6])
KINDS = ("device", "address", "payment")
WORLDS = (
    "plain", "households", "offices", "dormitory", "family cards", "gifts", "live stream", "eleven",
    "new customers", "resellers", "privacy", "shop tablet",
)  # fmt: skip
"""Honest ones; with several names at once a campaign has all of it."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One wave: least and most of everything, drawn evenly.

    `hours` is how long it takes (None: the whole campaign, by the hour of the day), `pledges` how many an
    account makes, `device`, `address` and `payment` how many accounts have one, `days` how old accounts are.
    """

    accounts: tuple[int, int]
    hours: tuple[float, float] | None = None
    days: tuple[float, float] = (0.2, 20)
    pledges: tuple[int, int] = (1, 1)
    device: tuple[int, int] = (1, 1)
    address: tuple[int, int] = (1, 1)
    payment: tuple[int, int] = (1, 1)
    one_region: float = 0.0
    at_night: bool = False
    beat: float = 0.0
    greedy: float = 0.25


ATTACKS = {
    "burst to few addresses": Attack((15, 300), (0.05, 0.7), (0.01, 2), address=(8, 25), one_region=0.5),
    "device farm": Attack((20, 300), None, (1, 30), device=(5, 30)),
    "one card": Attack((10, 150), (24, 48), (1, 60), payment=(150, 150)),
    "velocity": Attack((1, 1), (0.01, 0.1), (5, 5), pledges=(15, 60), one_region=1),
    "hidden ring": Attack((20, 120), (40, 200), (1, 90), device=(3, 3), address=(8, 8), payment=(2, 2)),
    "most they may": Attack((8, 60), None, (0.5, 20), address=(8, 30), one_region=1, greedy=1),
    "night shift": Attack((20, 200), (50, 72), (0.1, 10), device=(10, 10), payment=(4, 4), at_night=True),
    "cards of a region": Attack((20, 200), (1, 10), (0.1, 20), payment=(4, 10), one_region=1),
    "few accounts": Attack((3, 20), (0.3, 24), (20, 20), pledges=(5, 9), one_region=1),
    "brushing": Attack((3, 15), None, (20, 30), pledges=(5, 15), device=(4, 4)),
    "beat": Attack((20, 200), (0.5, 12), (1, 30), device=(5, 5), one_region=0.5, beat=0.05),
    "rings of five": Attack((5, 5), None, (1, 30), device=(5, 5), payment=(1, 5)),
    "big ring": Attack((100, 500), None, (0.1, 5), device=(10, 50), address=(5, 25), payment=(8, 30)),
    "one address": Attack((15, 150), None, (0.3, 10), address=(150, 150), one_region=1),
    "strangers": Attack((30, 300), (0.03, 0.25), (0.01, 3), one_region=1),
    "burst everywhere": Attack((30, 300), (0.03, 0.25), (0.01, 3), device=(3, 10)),
    "one home": Attack((6, 30), device=(30, 30), address=(30, 30), payment=(30, 30), one_region=1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shop:
    days: int
    shares: np.ndarray
    limit: int
    skus: int
    rng: Rng

    def moments(self, count: int) -> np.ndarray:
        hour = self.rng.choice(24, count, p=BY_HOUR / BY_HOUR.sum())
        return (
            OPENING
            + self.rng.integers(0, self.days, count) * DAY
            + hour * HOUR
            + self.rng.integers(0, HOUR, count)
        )

    def tokens(self, count: int, letter: str) -> np.ndarray:
        return np.array([f"{letter}{one:013x}" for one in self.rng.integers(0, 2**52, count)], dtype=object)


def generate_shop(
    seed: int,
    *,
    pledges: int = 3000,
    attacks: tuple[str, ...] = (),
    bots: float = 0.05,
    worlds: tuple[str, ...] = ("plain",),
    known: float | None = None,
    hidden: float = 0.1,
) -> Generated:
    """One campaign.

    Args:
        attacks: names of ATTACKS, drawn from wave by wave.
        bots: their part of all units.
        known: the part of honest buyers known from other campaigns; left out, nobody, a fifth or a half.
        hidden: the part of the bots' traces that the channel doesn't tell; of people's a tenth.
    """
    rng = np.random.default_rng([seed, len(attacks), int(1000 * bots)])
    shares = rng.dirichlet(np.full(int(rng.integers(5, 31)), 2.0))
    shop = Shop(int(rng.integers(7, 22)), shares, int(rng.integers(2, 6)), int(rng.integers(1, 9)), rng)
    part = float(rng.choice([0, 0.2, 0.5])) if known is None else known
    parts = [_people(shop, pledges, worlds)]
    wanted, made = int(parts[0]["quantity"].sum()) * bots / (1 - bots), 0
    while attacks and made < wanted:
        most = wanted - made if len(attacks) == 1 else min(wanted - made, max(20, wanted / 5))
        parts.append(_wave(shop, ATTACKS[str(rng.choice(attacks))], most))
        made += int(parts[-1]["quantity"].sum())
    frame = pl.concat(parts)
    bot = (frame["kind"] == "bot").to_numpy()
    for kind in KINDS:
        people = 0.5 if kind == "device" and "privacy" in worlds else 0.1
        gone = pl.Series(rng.random(frame.height) < np.where(bot, hidden, people))
        frame = frame.with_columns(pl.when(gone).then(None).otherwise(pl.col(kind)).alias(kind))
    frame = frame.sample(fraction=1, shuffle=True, seed=seed).with_row_index("id").cast({"id": pl.Int64})
    names = frame.filter(pl.col("kind") != "bot")["buyer"].unique().sort().to_numpy()
    return Generated(frame, frozenset(names[rng.random(len(names)) < part].tolist()))


def _frame(shop: Shop, kind: str, columns: dict[str, np.ndarray]) -> pl.DataFrame:
    texts = ("buyer", *KINDS)
    told = {
        name: pl.Series(one.tolist(), dtype=pl.String if name in texts else pl.Int64)
        for name, one in columns.items()
    }
    skus = shop.rng.integers(1, shop.skus + 1, len(columns["at"]))
    return pl.DataFrame({**told, "sku_id": skus, "kind": [kind] * len(skus)})


def _wave(shop: Shop, attack: Attack, units: float) -> pl.DataFrame:
    rng = shop.rng
    greedy = rng.random() < attack.greedy
    each = shop.limit if greedy else (1 + min(shop.limit, 3)) / 2
    times = int(rng.integers(*attack.pledges, endpoint=True))
    many = int(np.clip(rng.integers(*attack.accounts, endpoint=True), 1, max(5, units / each / times)))
    account = np.repeat(np.arange(many), times)
    count = len(account)
    region = np.full(many, rng.choice(len(shop.shares), p=shop.shares))
    if rng.random() >= attack.one_region:
        region = rng.choice(len(shop.shares), many, p=shop.shares)
    first = _when(shop, attack, count)
    told = {}
    for kind in KINDS:
        sharers = min(many, int(rng.integers(*getattr(attack, kind), endpoint=True)))
        tokens = shop.tokens(max(1, many // sharers), kind[0])
        told[kind] = (
            tokens[rng.integers(0, len(tokens), many)] if sharers > 1 else shop.tokens(many, kind[0])
        )[account]
    ages = rng.uniform(*attack.days, many) * DAY
    made = np.full(many, first.min()) if times > 1 else first
    units_each = np.full(count, shop.limit) if greedy else rng.integers(1, min(shop.limit, 3) + 1, count)
    columns = {
        "at": first,
        "region_id": region[account] + 1,
        "buyer": shop.tokens(many, "u")[account],
        **told,
    }
    return _frame(
        shop, "bot", {**columns, "created": (made - ages)[account].astype(np.int64), "quantity": units_each}
    )


def _when(shop: Shop, attack: Attack, count: int) -> np.ndarray:
    rng = shop.rng
    if attack.hours is None:
        return shop.moments(count)
    span = float(rng.uniform(*attack.hours)) * HOUR
    start = OPENING + float(rng.uniform(0, max(1.0, shop.days * DAY - span)))
    if attack.beat:
        beat = span / count
        return (start + np.cumsum(beat * (1 + rng.normal(0, attack.beat, count)))).astype(np.int64)
    at = (start + rng.uniform(0, span, count)).astype(np.int64)
    return (
        (at - OPENING) // DAY * DAY + OPENING + rng.integers(HOUR, 5 * HOUR, count) if attack.at_night else at
    )


def _people(shop: Shop, pledges: int, worlds: tuple[str, ...]) -> pl.DataFrame:
    rng, many = shop.rng, int(pledges * 0.85)
    region = rng.choice(len(shop.shares), many, p=shop.shares)
    told = {kind: shop.tokens(many, kind[0]) for kind in KINDS}
    _share(shop, told, region, worlds)
    at = _peaks(shop, shop.moments(many), pledges, worlds)
    new = rng.random(many) < (0.7 if "new customers" in worlds else 0.08)
    soon = rng.integers(60, (2 if "new customers" in worlds else 1) * DAY, many)
    created = at - np.where(new, soon, rng.exponential(300 * DAY, many) + HOUR).astype(np.int64)
    buyer, limit = shop.tokens(many, "u"), shop.limit
    takes = np.minimum(rng.geometric(0.65, many), limit)

    def orders(who: np.ndarray, when: np.ndarray, units: np.ndarray) -> pl.DataFrame:
        columns = {
            "at": when,
            "region_id": region[who] + 1,
            "buyer": buyer[who],
            **{one: told[one][who] for one in KINDS},
        }
        return _frame(shop, "honest", {**columns, "created": created[who], "quantity": units})

    again = rng.choice(many, pledges - many)
    later = np.where(
        rng.random(len(again)) < 0.4,
        rng.integers(30, HOUR, len(again)),
        rng.integers(HOUR, 5 * DAY, len(again)),
    )
    parts = [orders(np.arange(many), at, takes), orders(again, at[again] + later, takes[again])]
    if "gifts" in worlds:
        times = int(rng.integers(3, 7))
        who = np.repeat(rng.choice(many, max(3, many // 150)), times)
        sent = orders(who, at[who] + rng.integers(60, 2 * HOUR, len(who)), np.ones(len(who), dtype=np.int64))
        parts.append(sent.with_columns(pl.Series("address", shop.tokens(len(who), "a").tolist())))
    if "resellers" in worlds:
        some = rng.choice(many, max(3, many // 250))
        who = np.repeat(some, rng.integers(2, 6, len(some)))
        parts.append(orders(who, shop.moments(len(who)), np.full(len(who), limit)))
    return pl.concat([one.select(parts[0].columns) for one in parts])


def _peaks(shop: Shop, at: np.ndarray, pledges: int, worlds: tuple[str, ...]) -> np.ndarray:
    """A live stream of five minutes or of half an hour, and the midnight of a festival."""
    rng = shop.rng
    midnight = OPENING + int(rng.integers(2, shop.days)) * DAY
    if "live stream" in worlds:
        some = rng.choice(len(at), int(0.15 * pledges), replace=False)
        at[some] = (
            midnight - 4 * HOUR + (rng.beta(1.3, 3, len(some)) * rng.choice([300, 1800])).astype(np.int64)
        )
    if "eleven" in worlds:
        some = rng.choice(len(at), int(0.3 * pledges), replace=False)
        at[some] = midnight + np.minimum(rng.exponential(400, len(some)), 2 * HOUR).astype(np.int64)
    return at


def _share(shop: Shop, told: dict[str, np.ndarray], region: np.ndarray, worlds: tuple[str, ...]) -> None:
    """Households everywhere; offices, dormitories, relatives' cards, a shop's tablet where they are named."""
    rng, many = shop.rng, len(region)
    left = rng.permutation(many)

    def together(least: int, most: int, *kinds: str, near: bool = True) -> None:
        nonlocal left
        group, left = np.split(left, [int(rng.integers(least, most + 1))])
        for kind in kinds:
            told[kind][group] = told[kind][group[0]]
        if near:
            region[group] = region[group[0]]

    for _ in range(int(many * (0.09 if "households" in worlds else 0.017))):
        together(2, 5, "address", *(kind for kind in ("payment", "device") if rng.random() < 0.4))
    for _ in range(max(2, many // 1200) if "offices" in worlds else 0):
        together(10, 80, "address")
    for _ in range(max(1, many // 2500) if "dormitory" in worlds else 0):
        together(50, 200, "address")
    for _ in range(max(3, many // 60) if "family cards" in worlds else 0):
        together(2, 4, "payment", near=bool(rng.random() < 0.6))
    for _ in range(max(1, many // 3000) if "shop tablet" in worlds else 0):
        together(6, 25, "device")
