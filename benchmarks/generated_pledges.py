"""Pledges of campaigns with hidden truth: honest ones with their peaks, and attacks of several shapes.

It shares nothing with the detector: shapes and sizes are drawn anew from each seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.generated_traces import FARMS, with_traces
from benchmarks.generated_unseen import UNSEEN

Rng = np.random.Generator
DAY = 86_400
START = 1_793_000_000
HOURS = np.array(
    [3, 2, 1, 1, 1, 1, 1, 2, 4, 5, 6, 6, 6, 6, 5, 5, 5, 5, 5, 6, 8, 8, 7, 5]  # by hour, evening peak
)
COLUMNS = ("at", "region_id", "buyer", "sku_id", "quantity", "kind")


@dataclass(frozen=True, slots=True)
class World:
    """A campaign to be filled: honest pledges, days, the regions' shares, and buyers known from elsewhere."""

    pledges: int
    days: int
    shares: np.ndarray
    known: float
    rng: Rng

    def regions(self, count: int) -> np.ndarray:
        return self.rng.choice(len(self.shares), size=count, p=self.shares)


@dataclass(frozen=True, slots=True)
class Generated:
    """`pledges` as the detector wants them, with `quantity` and `kind` (the truth); `known` buyers."""

    pledges: pl.DataFrame
    known: frozenset[str]


def generate(
    seed: int,
    *,
    pledges: int,
    attacks: tuple[str, ...],
    bots: float,
    peaks: tuple[str, ...] = (),
    traces: bool = False,
) -> Generated:
    """One campaign.

    Args:
        attacks: names of ATTACKS, which share the bots' units.
        bots: their part of all units.
        peaks: names of PEAKS, honest ones.
        traces: with device, address, payment and the age of accounts.
    """
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(int(rng.integers(12, 32)), 1.6))
    world = World(pledges, int(rng.integers(14, 36)), shares, float(rng.uniform(0.15, 0.6)), rng)
    parts = [_steady(world), _again(world), _resellers(world), *(PEAKS[peak](world) for peak in peaks)]
    honest = pl.concat(parts)
    parts = [honest.with_columns(pl.lit("people").alias("shape"), pl.lit(0).alias("wave"))]
    wanted = int(honest["quantity"].sum()) * bots / (1 - bots)
    for attack in attacks:
        waves = _attack(world, ATTACKS[attack], wanted / len(attacks))
        parts += [
            wave.with_columns(pl.lit(attack).alias("shape"), pl.lit(number).alias("wave"))
            for number, wave in enumerate(waves)
        ]
    frame = pl.concat(parts).sort("at", maintain_order=True).with_row_index("id").cast({"id": pl.Int64})
    if traces:
        frame = with_traces(frame, seed=seed)
    names = honest["buyer"].unique().sort().to_numpy()
    known = names[rng.random(len(names)) < world.known]
    return Generated(frame, frozenset(known.tolist()))


def _attack(world: World, shape: Callable[[World, int], pl.DataFrame], units: float) -> list[pl.DataFrame]:
    """Waves of one shape until the units are there."""
    waves: list[pl.DataFrame] = []
    made = 0
    while made < units:
        waves.append(shape(world, int(units - made)))
        made += int(waves[-1]["quantity"].sum())
    return waves


def _frame(world: World, at: np.ndarray, region: np.ndarray, buyer: list[str], kind: str) -> pl.DataFrame:
    rng, count = world.rng, len(at)
    most = 2 if kind == "honest" else 4
    return pl.DataFrame(
        {
            "at": np.asarray(at, dtype=np.int64),
            "region_id": np.asarray(region, dtype=np.int64) + 1,
            "buyer": buyer,
            "sku_id": rng.integers(1, 7, size=count),
            "quantity": rng.integers(1, most, size=count),
            "kind": [kind] * count,
        }
    )


def _buyers(world: World, count: int, prefix: str) -> list[str]:
    return [f"{prefix}{one:016x}" for one in world.rng.integers(0, 2**63, size=count)]


def _moments(world: World, count: int) -> np.ndarray:
    """A launch, a lull and a rise towards the close, by the hour of the day."""
    rng = world.rng
    part = rng.choice(3, size=count, p=[0.35, 0.25, 0.4])
    place = np.where(part == 0, rng.exponential(0.06, count), rng.random(count))
    place = np.clip(np.where(part == 2, 1 - rng.exponential(0.09, count), place), 0, 0.9999)
    hour = rng.choice(24, size=count, p=HOURS / HOURS.sum())
    return START + (place * world.days).astype(np.int64) * DAY + hour * 3600 + rng.integers(0, 3600, count)


def _steady(world: World) -> pl.DataFrame:
    count = world.pledges
    return _frame(world, _moments(world, count), world.regions(count), _buyers(world, count, "h"), "honest")


def _again(world: World) -> pl.DataFrame:
    """People who pledge twice or three times within an hour, and carts of several SKUs."""
    count = world.pledges // 25
    times = world.rng.integers(2, 4, size=count)
    cart = world.rng.random(count) < 0.4
    first = np.repeat(_moments(world, count), times)
    later = world.rng.integers(20, 3000, size=len(first)) * np.repeat(~cart, times)
    buyer = np.repeat(np.array(_buyers(world, count, "h")), times).tolist()
    return _frame(world, first + later, np.repeat(world.regions(count), times), buyer, "honest")


def _resellers(world: World) -> pl.DataFrame:
    """Over the limit, but people: several pledges within hours or days."""
    count = max(3, world.pledges // 400)
    times = world.rng.integers(3, 9, size=count)
    spread = np.repeat(world.rng.choice([3 * 3600, DAY, 2 * DAY], size=count), times)
    at = np.repeat(_moments(world, count), times) + (world.rng.random(len(spread)) * spread).astype(np.int64)
    buyer = np.repeat(np.array(_buyers(world, count, "h")), times).tolist()
    return _frame(world, at, np.repeat(world.regions(count), times), buyer, "honest")


def _peak(world: World, count: int, seconds: int, *, tilt: float) -> pl.DataFrame:
    """Distinct buyers of all regions at once, some regions more than usual; a few of them twice."""
    rng = world.rng
    day = int(rng.integers(0, world.days))
    at = START + day * DAY + 20 * 3600 + (rng.beta(1.2, 2.5, size=count) * seconds).astype(np.int64)
    shares = world.shares * np.exp(rng.normal(0, tilt, size=len(world.shares)))
    region = rng.choice(len(shares), size=count, p=shares / shares.sum())
    first = _frame(world, at, region, _buyers(world, count, "h"), "honest")
    twice = first.sample(fraction=0.06, seed=int(rng.integers(2**31)))
    late = twice.with_columns(pl.col("at") + pl.Series(rng.integers(5, 900, size=twice.height)))
    return pl.concat([first, late])


def live_stream(world: World) -> pl.DataFrame:
    return _peak(world, max(200, world.pledges // 8), 3600, tilt=0.3)


def opening_rush(world: World) -> pl.DataFrame:
    return _peak(world, world.pledges // 4, 1200, tilt=0.2)


def local_event(world: World) -> pl.DataFrame:
    """Honest people of one region within an hour, say at a shop's evening."""
    count = int(world.rng.integers(25, 60))
    at = START + int(world.rng.integers(0, world.days)) * DAY + 19 * 3600
    moments = at + world.rng.integers(0, 3600, size=count)
    region = np.repeat(world.regions(1), count)
    return _frame(world, moments, region, _buyers(world, count, "h"), "honest")


def hammering(world: World, units: int) -> pl.DataFrame:
    """Few accounts of one region again and again, for two minutes to an hour."""
    rng = world.rng
    count = int(np.clip(rng.integers(20, 120), 16, max(16, units // 2 + 1)))
    seconds = int(count * rng.uniform(4, 40))
    accounts = np.array(_buyers(world, int(rng.integers(2, 9)), "b"))
    at = _one_moment(world) + np.sort(rng.integers(0, seconds, size=count))
    return _frame(world, at, np.repeat(world.regions(1), count), rng.choice(accounts, count).tolist(), "bot")


def hammering_everywhere(world: World, units: int) -> pl.DataFrame:
    """Few accounts again and again, for buyers said to live all over the country."""
    burst = hammering(world, units)
    return burst.with_columns(pl.Series("region_id", world.regions(burst.height) + 1))


def fresh_accounts(world: World, units: int) -> pl.DataFrame:
    """Many new accounts of one region with a pledge each within minutes."""
    rng = world.rng
    count = int(np.clip(rng.integers(25, 150), 16, max(16, units // 2 + 1)))
    at = _one_moment(world) + np.sort(rng.integers(0, int(rng.uniform(2, 20) * 60), size=count))
    return _frame(world, at, np.repeat(world.regions(1), count), _buyers(world, count, "b"), "bot")


def slow_drip(world: World, units: int) -> pl.DataFrame:
    """A script that pledges every few minutes for hours, through a few accounts by turns."""
    rng = world.rng
    count = int(np.clip(rng.integers(30, 120), 16, max(16, units // 2 + 1)))
    beat = rng.uniform(60, 600)
    gaps = beat + rng.normal(0, min(2.0, 0.005 * beat), size=count)
    at = _one_moment(world) + np.cumsum(gaps).astype(np.int64)
    accounts = np.array(_buyers(world, int(rng.integers(4, 30)), "b"))
    return _frame(world, at, np.repeat(world.regions(1), count), rng.choice(accounts, count).tolist(), "bot")


def scattered(world: World, units: int) -> pl.DataFrame:
    """Fresh accounts, one pledge each, over all regions and hours: cannot be told from people."""
    count = max(16, units // 2)
    return _frame(world, _moments(world, count), world.regions(count), _buyers(world, count, "b"), "bot")


def loose_drip(world: World, units: int) -> pl.DataFrame:
    """A script whose distances vary by a sixth, with an account of its own for every third pledge."""
    rng = world.rng
    count = int(np.clip(rng.integers(30, 120), 16, max(16, units // 2 + 1)))
    beat = rng.uniform(60, 600)
    at = _one_moment(world) + np.cumsum(beat * (1 + rng.normal(0, 0.16, size=count))).astype(np.int64)
    accounts = np.array(_buyers(world, max(4, count // 3), "b"))
    return _frame(world, at, np.repeat(world.regions(1), count), rng.choice(accounts, count).tolist(), "bot")


def farm(world: World, units: int) -> pl.DataFrame:
    """A farm's accounts, one pledge each over all regions and hours of some days."""
    rng = world.rng
    count = int(np.clip(rng.integers(40, 240), 16, max(16, units // 2 + 1)))
    days = int(rng.integers(1, 6)) * DAY
    at = _one_moment(world) // DAY * DAY + rng.integers(0, days, size=count)
    return _frame(world, at, world.regions(count), _buyers(world, count, "b"), "bot")


def _one_moment(world: World) -> int:
    return int(_moments(world, 1)[0])


PEAKS: dict[str, Callable[[World], pl.DataFrame]] = {
    "live_stream": live_stream,
    "opening_rush": opening_rush,
    "local_event": local_event,
}
ATTACKS: dict[str, Callable[[World, int], pl.DataFrame]] = {
    "hammering": hammering,
    "hammering_everywhere": hammering_everywhere,
    "fresh_accounts": fresh_accounts,
    "slow_drip": slow_drip,
    "scattered": scattered,
    "loose_drip": loose_drip,
    **dict.fromkeys((*FARMS, *UNSEEN), farm),
}
